"""What requests leave behind in the isolates of a language model: states on their way, tokens to draw from, forms that can be read in many
ways. Weights are tiny here, so that all of it is V8's heap and what lies outside of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from clodo.edge.llama import bundle
from clodo.edge.llama.memory import JAVASCRIPT_MB
from clodo.edge.platform.server import Memory, WorkersServer
from clodo.edge.platform.serving import served_bundle
from clodo.toolchain import Toolchain
from tests.edge.llama.serving import Caller
from tests.edge.llama.tiny import many_words, tiny_gguf

pytestmark = pytest.mark.workerd

#: Words that begin alike, each with letters after it: as many ways to go on as there are words.
WORDS = [a + b + c for a in "abcdef" for b in "klmno" for c in "qrst"]
AMBIGUOUS = "root ::= word*\nword ::= " + " | ".join(f'"{word}" [a-z]{{0,{i % 20 + 1}}}' for i, word in enumerate(WORDS))


def watched(made: Any, bodies: list[dict[str, Any]], toolchain: Toolchain, server: WorkersServer) -> list[Memory]:
    """The peaks of isolates that answer all bodies, sent at once."""
    with served_bundle(made, toolchain, server=server) as running:
        caller = Caller.of(running)
        caller.complete("a", max_tokens=1)
        running.watch()
        with ThreadPoolExecutor(len(bodies)) as pool:
            statuses = list(pool.map(lambda body: caller.http.post("/v1/completions", json=body, timeout=280).status_code, bodies))
        assert statuses == [200] * len(bodies)
        return running.watched()


def test_states_that_were_sent_do_not_pile_up(tmp_path: Path, toolchain: Toolchain, server: WorkersServer) -> None:
    """As wide as the stock model, and so are the states of each 64 tokens; with long prompts its layer Workers came to 64 MB."""
    made = bundle(tiny_gguf(tmp_path / "wide.gguf", width=576, context=1024, layers=2), 48, 1024, layer_workers=2, slots=1)
    bodies = [{"prompt": [3 + (i * 37 + j * (i + 1)) % 250 for j in range(1000)], "max_tokens": 2} for i in range(12)]
    for isolate in watched(made, bodies, toolchain, server):
        assert isolate.heap_mb < JAVASCRIPT_MB, isolate


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("all tokens to draw from", {"top_k": 0}),
        ("a share of all tokens", {"top_k": 0, "top_p": 0.9}),
        ("most tokens to draw from", {"top_k": 20_000}),
        ("a form, and all tokens to draw from", {"top_k": 0, "response_format": {"type": "json_object"}}),
        ("a form that can be read in many ways", {"grammar": AMBIGUOUS, "max_tokens": 12}),
    ],
)
def test_choosing_among_many_tokens_leaves_little_behind(
    name: str, more: dict[str, Any], many: Path, toolchain: Toolchain, server: WorkersServer
) -> None:
    """Objects for each of 24,000 tokens, or each state of a form, come to 15 to 50 MB here, and to 100 where more is asked."""
    made = bundle(many, 48, 256, layer_workers=1, slots=1)
    bodies = [{"prompt": f"the sea {i}", "max_tokens": 30, "temperature": 1, "seed": i, "ignore_eos": True, **more} for i in range(2)]
    front, _ = watched(made, bodies, toolchain, server)
    assert front.heap_mb < JAVASCRIPT_MB, (name, front)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model of 24,000 tokens."""
    return tiny_gguf(tmp_path_factory.mktemp("many") / "many.gguf", layers=1, words=many_words(24_000))
