"""The command line's side of an edge Worker, against real ones in workerd: ``edge:URL`` understands as the built-in model does
on this machine, and its text route speaks what the adapter expects."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from evals.edge_agreement import MODEL, NEAR

from clodo.app.models import DEFAULT_MODEL, open_text_model, open_understander
from clodo.edge import llama
from clodo.edge.encoder import bundle
from clodo.edge.platform.serving import served_bundle
from clodo.errors import ModelError
from clodo.lm import Constraint, Message
from clodo.toolchain import Toolchain
from clodo.understand.confidence import company, curves
from tests.edge.llama.tiny import tiny_gguf

pytestmark = pytest.mark.workerd

WHOLE = curves(json.loads((MODEL / "model.json").read_text("utf-8"))["calibration"])["whole"]
HELLO = (Message("user", "Hello"),)
BOOKS = "Books have a title, an ISBN that must be unique, and a price of at least 1. Customers leave reviews of a book. No login needed."


def test_an_edge_worker_understands_as_this_machine_does(toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch) -> None:
    here = open_understander(DEFAULT_MODEL)
    with served_bundle(bundle(MODEL, 48), toolchain) as running:
        monkeypatch.setenv("CLODO_EDGE_KEY", running.headers["authorization"].removeprefix("Bearer "))
        there = open_understander(f"edge:{running.url}")
        for text in (BOOKS, "what time is it?"):  # a blueprint, and questions with a status of their own
            own, made = here.understand(text), there.understand(text)
            # To the thousandth that evals.edge_agreement holds Workers to: sums are rounded in another order, and chances are told to four places.
            all_made, all_own = (*made.parts, *made.not_understood), (*own.parts, *own.not_understood)
            assert [p.confidence for p in all_made] == pytest.approx([p.confidence for p in all_own], abs=NEAR)
            apart = max((abs(a.confidence - b.confidence) for a, b in zip(all_made, all_own, strict=True)), default=0.0) + 0.01e-4
            # The chance of the whole is made of the log-odds of a product, in which the differences of the parts add up (a quarter of each at
            # most), and of the mean of their log-odds, which move the more the surer a part is.
            moved = abs(company([p.confidence for p in all_made]) - company([p.confidence for p in all_own])) * WHOLE.company
            # Without parts it is the verdict's own chance, which no part tells, and is held as near as a part.
            near = max(1.01e-4, apart * len(all_own) / 4) + moved / 4 if all_own else NEAR
            assert made.confidence == pytest.approx(own.confidence, abs=near)
            own = replace(own, confidence=made.confidence)
            parts, lost = (
                tuple(replace(p, confidence=q.confidence) for p, q in zip(here_, there_, strict=True))
                for here_, there_ in ((own.parts, made.parts), (own.not_understood, made.not_understood))
            )
            assert replace(made, timings_ms={}) == replace(own, provider="edge Worker on this machine", parts=parts, not_understood=lost, timings_ms={})
            assert made.timings_ms["model"] > 0
        with pytest.raises(ModelError) as failure:  # an encoder writes no text
            open_text_model(f"edge:{running.url}").complete(HELLO, None, 5)
        assert failure.value.code == "refused"
        monkeypatch.setenv("CLODO_EDGE_KEY", "wrong")
        with pytest.raises(ModelError) as failure:
            open_understander(f"edge:{running.url}").understand(BOOKS)
        assert failure.value.code == "unauthorized"


def test_an_edge_worker_writes_text(toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = llama.bundle(tiny_gguf(tmp_path / "tiny.gguf"), 48, 128)
    with served_bundle(made, toolchain) as running:
        monkeypatch.setenv("CLODO_EDGE_KEY", running.headers["authorization"].removeprefix("Bearer "))
        model = open_text_model(f"edge:{running.url}")
        answer = model.complete(HELLO, None, 8)
        assert answer.model and answer.tokens > 8 and answer.confidence is not None and 0 < answer.confidence <= 1
        with pytest.raises(ModelError) as failure:
            model.complete((Message("user", "word " * 400),), None, 8)
        assert failure.value.code == "too-long"
        with pytest.raises(ModelError) as failure:  # the route of Clodo's own is the encoder's: it is asked for text, of which it can see 128 tokens
            open_understander(f"edge:{running.url}").understand(BOOKS)
        assert failure.value.code == "too-long" and "tokens" in str(failure.value)
        assert model.profile.grammar == "grammar"
        for grammar, words in (('root ::= "yes" | "no"', ("yes", "no")), ('root ::= "maybe"', ("maybe",))):
            held = model.complete(HELLO, Constraint(grammar), 8)
            assert held.text in words and held.finished
        with pytest.raises(ModelError, match="line 1, column 10") as failure:
            model.complete(HELLO, Constraint("root ::= x"), 8)
        assert failure.value.code == "refused"
