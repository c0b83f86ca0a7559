"""What services hide from models of others: the same as the command line does, text by text."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest

from clodo.blueprint import parse
from clodo.bricks.registry import service_tree
from clodo.lm.redaction import Redaction
from clodo.proof.client import Client
from clodo.proof.host import Host
from clodo.proof.session import expect
from clodo.proof.verify import proof_secrets
from tests.bricks.proving import made
from tests.lm.test_redaction import FOUND, LABORIOUS, PLAIN

SOURCE = "service s\n\nentity note {\n  body: longtext\n  assistant summary of body\n}\n"
#: Answers what becomes of texts, and what the service makes of that when a model says it again.
PROBE = """
import { Redaction } from "./lib/assistant-redaction";

export default {
  fetch: async (request: Request) => {
    const texts = (await request.json()) as string[];
    return Response.json(
      texts.map((text) => {
        const redaction = new Redaction(text);
        return { text: redaction.text, back: redaction.restored(redaction.text), object: redaction.restored({ a: redaction.text, b: 1 }) };
      }),
    );
  },
};
"""


class Probe:
    """A Worker that answers what becomes of texts."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, texts: list[str]) -> list[dict[str, Any]]:
        async def asked() -> Any:
            client = Client(self.url)
            try:
                content = json.dumps(texts).encode()
                return expect(await client.send("POST", "/", content=content, headers={"content-type": "application/json"}), 200).body
            finally:
                await client.close()

        return list(asyncio.run(asked()))


@pytest.fixture(scope="module")
def probe(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probe]:
    folder = tmp_path_factory.mktemp("redaction") / "s"
    made(SOURCE, folder)
    (folder / "src" / "index.ts").write_text(PROBE)
    yield Probe(host.serve(folder, bindings=proof_secrets(folder)).url)
    host.reset()


def mixed_texts(count: int) -> list[str]:
    """Secrets, cues, and what stands between them, in any order; the same each time."""
    dice = random.Random(7)
    secrets = [secret for _, _, secret in FOUND]
    cues = ["password=", "PIN: ", "the token is ", "call ", "tel:\n", "Dr. ", "Dear ", "My name is ", "Regards,\n", "ISBN ", "Bearer ", "by J. ", "x://u:", "secret for x: '"]
    between = [" ", " ", "\n", ". ", ", ", "(", ")", "'", "’s ", "“", "-", "0", "7", "é", "ß", "Ł", "٣", "中", "\u00a0", "\u2003", "\x1c", "İ", "ſ", "Straße ", "and ", "Berg", "[EMAIL_1]", "NAME_2 ", "😀", "\ud83d"]
    pieces = [*secrets, *cues, *between, *between]
    return ["".join(dice.choices(pieces, k=dice.randint(1, 14))) for _ in range(count)]


@pytest.mark.workerd
def test_services_hide_what_the_command_line_hides(probe: Probe) -> None:
    texts = [*(text for text, _, _ in FOUND), *PLAIN, *(t * 40 for t in LABORIOUS), *mixed_texts(4000)]
    texts = [t.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for t in texts]
    differing = []
    for text, found in zip(texts, probe(texts), strict=True):
        if found["text"] != (wanted := Redaction([text]).hide(text).text):
            differing.append((text, found["text"], wanted))
        assert found["back"] == text and found["object"] == {"a": text, "b": 1}
    assert differing == []


@pytest.mark.workerd
@pytest.mark.parametrize("text", LABORIOUS)
def test_no_text_takes_long(probe: Probe, text: str) -> None:
    started = time.monotonic()
    probe([text * (12_000 // len(text))])
    assert time.monotonic() - started < 5


def test_a_service_without_a_model_has_no_byte_of_it() -> None:
    source = SOURCE.replace("  assistant summary of body\n", "")
    assert not [path for path, text in service_tree(parse(source), source).items() if "assistant" in path or "assistant" in text.lower()]
