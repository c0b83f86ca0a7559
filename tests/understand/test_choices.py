"""Allowed values: how they are written, and which one a word means."""

from __future__ import annotations

import re

import pytest

from clodo.understand.choices import choices, chosen, listed
from clodo.understand.draft import DraftValue, Evidence


@pytest.mark.parametrize(
    ("surfaces", "values"),
    [
        (["In progress", "on-hold", "done."], ("in_progress", "on_hold", "done")),
        (["EUR", "USD", "GBP"], ("EUR", "USD", "GBP")),
        (["S", "M", "L", "42"], ("S", "M", "L", "42")),
        (["IN REVIEW", "DONE"], ("IN_REVIEW", "DONE")),
        (["iOS", "Android"], ("ios", "android")),
        (["ASAP", "later"], ("asap", "later")),
        (["6", "8", "10"], ("6", "8", "10")),
        (["Open", "closed", "OPEN", "open"], ("open", "closed")),
        (["NEW", "PAID", "new"], ("NEW", "PAID")),
        (["…", "a"], ("a",)),
    ],
)
def test_values_are_the_texts_own_words(surfaces: list[str], values: tuple[str, ...]) -> None:
    assert choices(surfaces) == values


def test_values_stand_in_the_order_of_their_list() -> None:
    text = "from A1 to C2 (A1, A2, B1, C2), B1 mostly; also C3"
    found = [m.span() for m in re.finditer(r"[ABC]\d", text)]
    values = [DraftValue("enum", text[a:b], Evidence(spans=[(a, b)])) for a, b in found]
    assert choices(v.words for v in listed(values)) == ("A1", "A2", "B1", "C2", "C3")
    # Without places they stay as they are.
    assert [v.words for v in listed([DraftValue("enum", "b"), DraftValue("enum", "a")])] == ["b", "a"]


def test_a_value_is_meant_however_it_is_written() -> None:
    assert chosen(("IN_REVIEW", "DONE"), "in review") == "IN_REVIEW"
    assert chosen(("open", "done"), "OPEN") == "open"
    assert chosen(("open", "done"), "shut") is None
