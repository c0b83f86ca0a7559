"""The built-in model at work: what it must get right whatever its figures are."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from clodo.app.models import DEFAULT_MODEL, open_understander
from clodo.blueprint import format_blueprint, parse
from clodo.errors import ModelError
from clodo.understand.encoder import EncoderUnderstander
from clodo.understand.port import SPAN_ROLES, Understander

BOOKS = (
    "I need a small backend for my bookshop. Books have a title, an author name, an ISBN that must be unique, "
    "and a price. Customers leave reviews of a book: a score from 1 to 5 plus some text. No login needed."
)


@pytest.fixture(scope="module")
def model() -> Understander:
    """The model that ships with Clodo."""
    return open_understander(DEFAULT_MODEL)


def test_the_example_of_the_readme(model: Understander) -> None:
    blueprint = model.understand(BOOKS).blueprint
    assert blueprint is not None
    entities = {e.name: e for e in blueprint.entities}
    assert {"book", "review"} <= set(entities)
    book = {f.name: f for f in entities["book"].fields}
    assert {"title", "isbn", "price"} <= set(book)
    assert book["isbn"].unique
    score = next(f for f in entities["review"].fields if f.name == "score")
    assert score.minimum is not None and score.maximum is not None
    assert (score.minimum.value, score.maximum.value) == (1, 5)
    assert [r.target for r in entities["review"].references] == ["book"]


def test_what_it_says_is_a_valid_blueprint_with_its_evidence(model: Understander) -> None:
    found = model.understand(BOOKS)
    assert found.blueprint is not None
    assert parse(format_blueprint(found.blueprint)) == found.blueprint
    assert 0 <= found.confidence <= 1 and found.timings_ms["model"] > 0
    for span in found.spans:
        assert span.role in SPAN_ROLES and 0 <= span.start < span.end <= len(BOOKS)
    words = {BOOKS[s.start : s.end].lower() for s in found.spans if s.role == "field"}
    assert any("isbn" in w for w in words)


@pytest.mark.parametrize(
    "text", ["hello", "What is the weather like in Lisbon tomorrow?", "asdf qwer zxcv", "Make me an app."]
)
def test_what_is_no_service_is_asked_about(model: Understander, text: str) -> None:
    found = model.understand(text)
    assert found.blueprint is None
    assert 1 <= len(found.questions) <= 3


@pytest.mark.parametrize(
    "text",
    ["?", "🙂 " * 40, "a" * 5000, "Books have a title. " * 200, "книги имеют название и цену", "\x00\x01 x", "-" * 300],
)
def test_odd_texts_never_make_it_stumble(model: Understander, text: str) -> None:
    found = model.understand(text)
    assert (found.blueprint is None) == bool(found.questions)
    if found.blueprint is not None:
        parse(format_blueprint(found.blueprint))


def test_the_same_text_gives_the_same_blueprint(model: Understander) -> None:
    first, second = model.understand(BOOKS), model.understand(BOOKS)
    assert first.blueprint == second.blueprint and first.parts == second.parts


def test_line_breaks_around_a_text_say_nothing(model: Understander) -> None:
    plain, around = model.understand(BOOKS), model.understand(f"\n\r\n \t{BOOKS}\n\n")
    assert around.confidence == plain.confidence and around.blueprint == plain.blueprint
    assert [(s.start - 5, s.end - 5) for s in around.spans] == [(s.start, s.end) for s in plain.spans]


def test_parts_are_what_stands_in_the_blueprint_and_the_rest_of_what_was_heard_is_told_apart(model: Understander) -> None:
    text = "Books have a title and a price of at least 5 and at least 7. Also shelves. No login needed."
    found = model.understand(text)
    assert found.blueprint is not None
    [book] = found.blueprint.entities
    assert {p.path for p in found.parts if p.kind == "entity"} == {"book"}
    assert "shelf" in [p.path for p in found.not_understood], "nothing is stored of it"
    [minimum] = [f.minimum.value for f in book.fields if f.minimum is not None]
    said = [[text[slice(*p.spans[0])] for p in parts if p.path == "book.price.min"] for parts in (found.parts, found.not_understood)]
    assert said == [[str(minimum)], ["5" if minimum == 7 else "7"]]


def test_the_files_of_the_model_are_small_enough_for_a_worker() -> None:
    folder = files("clodo.models").joinpath(DEFAULT_MODEL)
    assert sum(len(f.read_bytes()) for f in folder.iterdir()) < 40_000_000


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        EncoderUnderstander(tmp_path)
