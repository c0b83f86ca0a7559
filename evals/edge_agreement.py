"""Whether the built-in model says the same in a Worker as on this machine: ``python -m evals.edge_agreement [--most N] [--json]``.

The texts are the held-out written records. Compared are the blueprint, the questions, the notes and the evidence, which have to be
equal, and the confidence of each part, to a thousandth. Exits with 1 where a text differs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx

import clodo.models
from clodo.corpus.splits import load_split
from clodo.edge.encoder import bundle
from clodo.edge.platform.serving import served_bundle
from clodo.toolchain import ensure
from clodo.understand.document import document
from clodo.understand.encoder import EncoderUnderstander

MODEL = Path(clodo.models.__file__).parent / "clodo-1"
#: How far two confidences may be apart.
NEAR = 1e-3


@dataclass(frozen=True)
class Difference:
    """A text that came out otherwise: what differs, there and here."""

    text: str
    what: str
    worker: Any
    machine: Any


def differences(text: str, worker: Mapping[str, Any], machine: Mapping[str, Any]) -> list[Difference]:
    """What a Worker's document says otherwise than the machine's."""
    found = [Difference(text, key, worker[key], machine[key]) for key in ("blueprint", "questions", "notes", "model") if worker[key] != machine[key]]
    there, here = _marked(worker), _marked(machine)
    if there != here:
        found.append(Difference(text, "spans", sorted(there - here), sorted(here - there)))
    chances = [(None, d["confidence"]) for d in (worker, machine)]
    parts = [[((p["path"], _stretches(p)), p["confidence"]) for p in (*d["parts"], *d["not_understood"])] + [chance] for d, chance in zip((worker, machine), chances, strict=True)]
    if [p for p, _ in parts[0]] != [p for p, _ in parts[1]]:
        found.append(Difference(text, "parts", *([p for p, _ in side] for side in parts)))
    elif any(abs(a - b) > (NEAR if of else NEAR * max(1.0, len(parts[0]) / 4)) for (of, a), (_, b) in zip(*parts, strict=True)):
        # The chance of the whole is made of the log-odds of a product, so the differences of the parts add up in it (a quarter of each at most).
        found.append(Difference(text, "confidence", *parts))
    return found


def _stretches(part: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    return tuple((s["start"], s["end"]) for s in part["spans"])


def _marked(found: Mapping[str, Any]) -> set[tuple[int, int, str]]:
    return {(s["start"], s["end"], s["role"]) for s in found["spans"]}


def asked(client: httpx.Client, text: str) -> dict[str, Any]:
    """What a Worker answers to a description: a blueprint or questions."""
    answer = client.post("/v1/blueprint", json={"description": text})
    if answer.status_code not in (200, 422):
        raise ValueError(f"the Worker answered {answer.status_code}: {answer.text}")
    return dict(answer.json())


def compare(client: httpx.Client, understander: EncoderUnderstander, texts: Sequence[str]) -> list[Difference]:
    """All that differs over some texts."""
    return [d for text in texts for d in differences(text, asked(client, text), document(understander.understand(text.strip()), {}))]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=None, help="no more texts than that")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    texts = [r.text for r in load_split("valid")][: options.most]
    with served_bundle(bundle(MODEL, 48), ensure()) as running, httpx.Client(base_url=running.url, headers=running.headers, timeout=120) as client:
        found = compare(client, EncoderUnderstander(MODEL), texts)
    differing = {d.text for d in found}
    if options.json:
        print(json.dumps({"texts": len(texts), "equal": len(texts) - len(differing), "differences": [vars(d) for d in found]}, ensure_ascii=False))
    else:
        for d in found:
            print(f"{d.what}: {d.text[:100]!r}\n  in the Worker  {d.worker!r}\n  on the machine {d.machine!r}")
        print(f"{len(texts) - len(differing)} of {len(texts)} texts come out the same; differing: {dict(Counter(d.what for d in found)) or 'nothing'}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
