"""Nothing that looks like a rule is dropped in silence."""

from __future__ import annotations

import re

import pytest

from clodo.corpus.format import parse
from clodo.corpus.gold import gold_draft
from clodo.understand.coverage import unexplained
from clodo.understand.draft import Draft, DraftEntity, DraftField, DraftValue, Evidence
from clodo.understand.port import Span

TEXT = "Books have a title (required), an ISBN that is unique and a price of at least 2. We are 12 people."


def draft(*, flags: set[str], value: bool = True) -> Draft:
    title = DraftField("title", flags=flags & {"required"}, evidence=Evidence(spans=[(13, 18)]))
    isbn = DraftField("isbn", flags=flags & {"unique"}, evidence=Evidence(spans=[(34, 38)]))
    price = DraftField("price", evidence=Evidence(spans=[(60, 65)]))
    if value:
        at = TEXT.index("2")
        price.values.append(DraftValue("min", "2", Evidence(spans=[(at, at + 1)])))
    fields = {f.name: f for f in (title, isbn, price)}
    return Draft({"book": DraftEntity("book", fields, evidence=Evidence(spans=[(0, 5)]))})


def shown(d: Draft, *, read_to: int = len(TEXT)) -> list[str]:
    spans = [Span(*s, "value") for e in d.entities.values() for f in e.fields.values() for v in f.values for s in v.evidence.spans]
    return [TEXT[a:b] for a, b in unexplained(d, TEXT, spans, read_to)]


def test_what_was_understood_is_not_shown_and_what_was_not_is() -> None:
    assert shown(draft(flags={"required", "unique"})) == ["12"]


@pytest.mark.parametrize(
    ("flags", "value", "missed"),
    [({"required"}, True, ["unique"]), ({"unique"}, True, ["required"]), ({"required", "unique"}, False, ["2", "at least"])],
)
def test_a_rule_that_was_missed_is_shown(flags: set[str], value: bool, missed: list[str]) -> None:
    assert set(missed) <= set(shown(draft(flags=flags, value=value)))


def test_what_lies_behind_the_reading_is_shown_as_one() -> None:
    assert shown(draft(flags={"required", "unique"}), read_to=81)[-1] == TEXT[81:]


def test_a_wish_that_cannot_be_built_is_not_shown_twice() -> None:
    record = parse("=== x | style=terse | domain=x\n[Books|book] have a [title|book.]. [Delete books after 30 days|X].\n---\naccess none\n")
    d = gold_draft(record)
    spans = [Span(a, b, "unsupported") for a, b in d.unsupported]
    assert unexplained(d, record.text, spans, len(record.text)) == []


@pytest.mark.parametrize(
    ("text", "facts", "missed"),
    [
        ("You can create, edit and delete [notes|note] with a [text|note.].", [], []),
        ("[Notes|note] have a [text|note.]. [Admins|ROLE:admin] can delete any [note|note].", ["write note role:admin"], []),
        ("[Notes|note] have a [text|note.]. [Admins|ROLE:admin] can delete any [note|note].", [], ["delete"]),
        ("[Notes|note] have a [text|note.]. Deleting a [note|note] is odd. Only [admins|ROLE:admin] write a [note|note].", ["write note role:admin"], ["Deleting"]),
    ],
)
def test_deleting_as_a_right_is_no_rule_of_deletion(text: str, facts: list[str], missed: list[str]) -> None:
    record = parse("\n".join(["=== x | style=terse | domain=x", text, "---", *facts, ""]))
    d = gold_draft(record)
    d.entities["note"].evidence.spans = [m.span() for m in re.finditer("[Nn]otes?", record.text)]
    assert [record.text[a:b] for a, b in unexplained(d, record.text, [], len(record.text))] == missed


def chattering(text: str, *meant: str, heard: str = "") -> list[str]:
    """What is shown of a text of which nothing was made and whose words are chatter to the model, but for some."""
    words = [(m.span(), 0.1 if m[0] in meant else 0.95 if m[0] in "“”\"'" else 0.8) for m in re.finditer(r"\w+|[^\w\s]", text)]
    d = Draft(text=text, chatter=words, heard=[m.span() for m in re.finditer(heard, text)] if heard else [])
    return [text[a:b] for a, b in unexplained(d, text, [], len(text))]


@pytest.mark.parametrize(
    ("text", "meant", "found"),
    [
        ("We are 12 people, two of us in ten shops.", (), []),
        ("Keep them for ten years, or 12.", ("ten", "12"), ["12", "ten"]),
        ("Within half an hour, or twenty-five minutes.", ("half", "five"), ["half", "twenty-five"]),
        ("A dozen each, once, one of the first two hundred.", ("dozen", "once", "one", "first", "hundred"), ["dozen", "two hundred"]),
        ("It starts as “new”, then 'in use' or \"done 2\".", (), ["“new”", "'in use'", "\"done 2\""]),
        ("The users' own books; don't touch the authors' names.", (), []),
        ("ISBN required, at most one.", ("required",), ["required"]),
    ],
)
def test_numbers_in_words_and_what_is_quoted_are_shown_unless_they_are_chatter(text: str, meant: tuple[str, ...], found: list[str]) -> None:
    assert sorted(chattering(text, *meant)) == sorted(found)


def test_a_value_that_was_heard_and_of_which_nothing_was_made_is_shown() -> None:
    assert chattering("Pitches are grass or gravel.", heard="grass|gravel") == ["grass", "gravel"]
    assert chattering("At most 30 minutes.", "30", heard="30") == ["30"]
