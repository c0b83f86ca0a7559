"""Allowed values: how they are written, and which one a word means."""

from __future__ import annotations

import pytest

from clodo.understand.choices import choices, chosen


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


def test_a_value_is_meant_however_it_is_written() -> None:
    assert chosen(("IN_REVIEW", "DONE"), "in review") == "IN_REVIEW"
    assert chosen(("open", "done"), "OPEN") == "open"
    assert chosen(("open", "done"), "shut") is None
