"""Names, numbers and values from a user's own words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from clodo.understand.naming import (
    entity_name,
    field_name,
    figure_name,
    moment_name,
    singular,
    state_name,
)
from clodo.understand.nominals import thing_name
from clodo.understand.numbers import number


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("Books", "book"), ("the order items", "order_item"), ("categories", "category"), ("buses", "bus"),
        ("bus", "bus"), ("classes", "class"), ("class", "class"), ("statuses", "status"), ("people", "person"),
        ("OrderItem", "order_item"), ("series", "series"), ("addresses", "address"), ("gas", "gas"), ("sign-ups", "sign_up"), ("check-ins", "check_in"), ("appts", "appointment"),
        ("aliases", "alias"), ("alias", "alias"), ("senseis", "sensei"), ("minis", "mini"), ("ads", "ad"), ("DJs", "dj"), ("mechanics", "mechanic"), ("GPS", "gps"),
    ],
)  # fmt: skip
def test_entity_names_are_singular(words: str, name: str) -> None:
    assert entity_name(words) == name


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("the author's name", "author_name"), ("E-mail", "email"), ("qty", "quantity"), ("VAT number", "vat_number"),
        ("firstName", "first_name"), ("date of birth", "birth_date"), ("planned date of arrival", "planned_arrival_date"), ("day of the week", "day_of_week"), ("cause of death", "cause_death"), ("name of the head of staff", "name_head_staff"), ("an ISBN", "isbn"), ("serial no", "serial_number"), ("fname", "first_name"), ("ranger_email email", "ranger_email"), ("built yr", "built_year"),
        ("guests", "guests"), ("customers’ notes", "customers_notes"),
        ("score a", "score_a"), ("sets b", "sets_b"), ("a score", "score"), ("co2", "co2"), ("PM10 level", "pm10_level"), ("line 2", "line_2"), ("on loan", "on_loan"), ("out of order", "out_of_order"),
    ],
)  # fmt: skip
def test_field_names_are_the_users_words(words: str, name: str) -> None:
    assert field_name(words) == name


@pytest.mark.parametrize(("words", "name"), [("cafés", "cafe"), ("Straßen", "strassen"), ("prénom", "prenom"), ("Smørrebrød no", "smorrebrod_number")])
def test_letters_lose_their_marks_and_stay(words: str, name: str) -> None:
    assert (entity_name if name == "cafe" else field_name)(words) == name


def test_singular_is_idempotent() -> None:
    for word in ["book", "bus", "class", "status", "address", "lens", "news", "analysis", "box", "city", "day"]:
        assert singular(singular(word)) == singular(word) == word


def test_moments() -> None:
    assert moment_name("taken", day=False) == "taken_at"
    assert moment_name("joined", day=True) == "joined_on"
    assert moment_name("start_time", day=False) == "start_time"


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("1,000", "1000"), ("5k", "5000"), ("zero", "0"), ("twenty-five", "25"), ("two hundred", "200"),
        ("non-negative", "0"), ("positive", "0"), ("0.50", "0.50"), ("-90", "-90"), ("20,000 euros", "20000"),
        ("a dozen", "12"), ("a hundred", "100"), ("one", "1"), ("3 million", "3000000"),
    ],
)  # fmt: skip
def test_numbers(words: str, value: str) -> None:
    assert number(words) == Decimal(value)


def test_no_number_is_none() -> None:
    assert number("blue") is None


def test_a_field_of_states_that_only_a_verb_carries_is_called_status() -> None:
    assert [state_name(name) for name in ("goes", "can_be", "starts_as")] == ["status"] * 3
    assert [state_name(name) for name in ("stage", "start_phase", "size")] == ["stage", "start_phase", "size"]


def test_a_number_of_which_only_the_bounds_are_said_is_called_score() -> None:
    assert [figure_name(name) for name in ("from", "out", "between")] == ["score"] * 3
    assert [figure_name(name) for name in ("stars", "from_year")] == ["stars", "from_year"]


@pytest.mark.parametrize(
    ("before", "words", "name"),
    [
        ("can", "book", "booking"), ("customers", "book", "booking"), ("books", "book", "book"), ("a", "book", "book"), ("can", "books", "book"), ("", "book", "book"),
        ("and", "rate", "rating"), ("exchange", "rate", "rate"), ("hourly", "rates", "rate"), ("to", "subscribe", "subscription"),
        ("who", "donated", "donation"), ("for", "applying", "application"), ("can", "comment", "comment"), ("can", "sign up", "sign_up"),
        ("must", "enrolled", "enrollment"), ("get", "rated", "rating"), ("customer", "books", "booking"), ("our", "books", "book"), ("and", "liked", "like"), ("the", "applications", "application"), ("", "", ""),
    ],
)  # fmt: skip
def test_a_thing_that_only_a_verb_says_is_called_by_its_noun(before: str, words: str, name: str) -> None:
    assert thing_name(words, before) == name


def test_a_verb_is_another_one_with_the_word_behind_it() -> None:
    assert thing_name("sign", "can", "up") == thing_name("signed", "who", "Up") == "sign_up"
    assert thing_name("sign", "can", "for") == "signature"
    assert thing_name("book", "can", "in") == "booking"
