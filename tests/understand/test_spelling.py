"""Slips of the pen are mended where there is one way to mend them, and nothing else is touched."""

from __future__ import annotations

import pytest

from clodo.understand.spelling import Speller, nearest, slips


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("custmer nmae", "customer name"),
        ("adress", "address"),
        ("descripton", "description"),
        ("tiem", "time"),
        ("bokings", "bookings"),
        ("Pric", "price"),
        ("catagory", "category"),
        ("prise", "price"),
        ("fone", "phone"),
        ("nam", "name"),
        ("costumer", "customer"),
    ],
)
def test_slips_are_mended(typed: str, meant: str) -> None:
    assert Speller(())(typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant", "cost"),
    [
        ("title", "title", 0.0),
        ("adress", "address", 0.5),
        ("tittle", "title", 0.5),
        ("titel", "title", 0.6),
        ("nome", "name", 0.6),
        ("kustomer", "customer", 0.6),
        ("pric", "price", 0.7),
        ("prize", "price", 1.0),
        ("itle", "title", 1.3),
        ("xame", "name", 1.4),
        ("fone", "phone", 0.3),
        ("sintle", "title", 2.3),
        ("pohne", "phone", 2.6),
    ],
)
def test_what_slips_cost(typed: str, meant: str, cost: float) -> None:
    assert slips(typed, meant, 9) == pytest.approx(cost)
    assert slips(typed, meant, cost - 0.01) > cost - 0.01


@pytest.mark.parametrize("phrase", ["kiln", "Kilns", "xyzzyplugh", "SKUs", "qty", "fooBarr", "ZIPP", "name", "prices"])
def test_words_that_are_fine_or_beyond_help_stay(phrase: str) -> None:
    spell = Speller({"kiln"})
    assert spell(phrase) == phrase and not spell.mended


def test_a_word_of_the_language_is_never_changed() -> None:
    assert Speller(())("sitter caterer kayak") == "sitter caterer kayak"
    assert Speller({"oder"})("oder") == "order", "a river is the rarer thing"
    assert nearest("titel") == "title"
    assert Speller({"titel"})("titel") == "titel"


def test_what_was_mended_is_kept_to_be_told() -> None:
    spell = Speller(())
    spell("nmae of the custmer")
    assert spell.mended == {"nmae": "name", "custmer": "customer"}
