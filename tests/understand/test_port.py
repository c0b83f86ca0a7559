"""One suite that every understander passes, whatever stands behind it."""

from __future__ import annotations

import json

import pytest

from clodo.app.models import DEFAULT_MODEL, open_understander
from clodo.blueprint import format_blueprint, parse
from clodo.errors import ModelError
from clodo.testing import ScriptedModel
from clodo.understand.document import document, understanding_of
from clodo.understand.generative import GenerativeUnderstander
from clodo.understand.hybrid import Candidate, HybridUnderstander
from clodo.understand.port import SPAN_ROLES, Understander
from clodo.understand.redacting import RedactingUnderstander
from clodo.understand.remote import RemoteUnderstander

TEXT = "Anna Berg wants this: books have a title and a price of at least 1."
BLUEPRINT = "service books\n\nentity book {\n  title: text\n  price: money min 1\n}\n"
UNCLEAR = "service unclear\n\nentity unclear {\n}\n"
KINDS = ["encoder", "generative", "remote", "redacting", "hybrid"]


def made(kind: str, answer: str) -> Understander:
    """An understander of a kind; those that are not the built-in model itself have a model that gives that answer."""
    written = GenerativeUnderstander(ScriptedModel([answer] * 9))
    if kind == "encoder":
        return open_understander(DEFAULT_MODEL)
    if kind == "remote":
        return RemoteUnderstander(lambda text: (document(written.understand(text), {}), 3.0), "another")
    if kind == "redacting":
        return RedactingUnderstander(written)
    if kind == "hybrid":
        return HybridUnderstander([Candidate("a", "here", lambda: GenerativeUnderstander(ScriptedModel([" "] * 9))), Candidate("b", "here", lambda: written)])
    return written


@pytest.mark.parametrize("kind", KINDS)
def test_a_clear_text_has_a_blueprint_with_its_evidence(kind: str) -> None:
    u = made(kind, BLUEPRINT).understand(TEXT)
    assert u.blueprint is not None and parse(format_blueprint(u.blueprint)) == u.blueprint
    assert u.model and u.provider and 0 <= u.confidence <= 1 and u.questions == ()
    assert "book" in [e.name for e in u.blueprint.entities]
    assert u.parts and all(0 <= p.confidence <= 1 for p in u.parts)
    assert all(0 <= s.start <= s.end <= len(TEXT) and s.role in SPAN_ROLES for s in u.spans)
    assert "title" in [TEXT[s.start : s.end] for s in u.spans if s.role == "field"]
    assert u.timings_ms["model"] >= 0 and (kind == "hybrid") == bool(u.tried)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_service_has_questions_and_no_blueprint(kind: str) -> None:
    u = made(kind, UNCLEAR).understand("what time is it?")
    assert u.blueprint is None and u.questions and all(q.endswith("?") for q in u.questions)


@pytest.mark.parametrize("kind", KINDS)
def test_it_goes_through_json(kind: str) -> None:
    u = made(kind, BLUEPRINT).understand(TEXT)
    back = understanding_of(json.loads(json.dumps(document(u, {}))), TEXT, u.provider)
    assert (back.blueprint, back.confidence, back.model, back.spans, back.tried) == (u.blueprint, u.confidence, u.model, u.spans, u.tried)
    assert [(p.path, p.kind, p.spans) for p in back.parts] == [(p.path, p.kind, p.spans) for p in u.parts]


def test_a_part_tells_the_words_that_it_comes_from() -> None:
    parts = document(made("encoder", BLUEPRINT).understand(TEXT), {})["parts"]
    words = {p["path"]: [TEXT[s["start"] : s["end"]] for s in p["spans"]] for p in parts}
    assert words["book.title"] == ["title"] and "1" in words["book.price.min"]


def test_words_of_a_part_beyond_the_description_do_not_hold_up() -> None:
    told = document(made("encoder", BLUEPRINT).understand(TEXT), {})
    told["parts"][0]["spans"] = [{"start": 0, "end": len(TEXT) + 1}]
    with pytest.raises(ModelError, match="no stretch of the description"):
        understanding_of(told, TEXT, "another")
    del told["parts"][0]["spans"]
    assert understanding_of(told, TEXT, "another").parts[0].spans == (), "Workers of before tell none"
