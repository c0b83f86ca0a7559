"""Scoring: what counts as right, as missing and as made up."""

from __future__ import annotations

import pytest

from clodo.blueprint import parse
from clodo.evaluation.scoring import Meaning, Score, Tally, key, meaning

TEXT = """service shop
read public
write key

entity book {
  title: text required
  price: money min 0
  tags: <-> tag
}

entity review {
  score: integer min 1 max 5
  book: -> book required on delete cascade
}

entity tag {
  name: text unique
}
"""


def score(said: str, wanted: str = TEXT) -> tuple[Score, list[str]]:
    made = Score()
    return made, made.add(meaning(parse(said)), meaning(parse(wanted)))


def test_the_same_blueprint_is_right_as_a_whole() -> None:
    made, faults = score(TEXT)
    assert faults == [] and made.usable == 1
    assert set(made.table().values()) == {1.0}


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("  price: money min 0\n", "", "fields: missing"),
        ("  title: text required\n", "  title: text required\n  colour: text\n", "fields: extra"),
        ("text required", "text", "constraints: missing"),
        ("min 1 max 5", "min 1 max 6", "constraints: extra"),
        ("score: integer", "score: date", "types: missing"),
        ("  book: -> book required on delete cascade\n", "", "references: missing"),
        ("  tags: <-> tag\n", "", "references: missing"),
        ("-> book required on delete cascade", "-> book on delete cascade", "references: extra"),
        ("-> book required on delete cascade", "-> book unique on delete cascade", "references: extra"),
        ("  name: text unique\n", "  name: text unique\n  book: -> book\n", "references: extra"),
        ("write key", "write public", "access"),
    ],
)
def test_each_difference_is_a_fault_of_its_kind(old: str, new: str, kind: str) -> None:
    said = TEXT.replace(old, new)
    if "date" in new:
        said = said.replace("score: date min 1 max 5", "score: date")
    made, faults = score(said)
    assert any(f.startswith(kind) for f in faults), faults
    assert made.usable == 0


def test_nothing_said_scores_nothing() -> None:
    made = Score()
    made.add(Meaning(), meaning(parse(TEXT)))
    assert made.table()["entities"] == made.table()["fields"] == 0.0


def test_f1_is_the_harmonic_mean() -> None:
    tally = Tally()
    tally.add({("a",), ("b",)}, {("a",), ("c",), ("d",)})
    assert tally.f1 == pytest.approx(2 * (1 / 2) * (1 / 3) / (1 / 2 + 1 / 3))


def test_names_are_compared_without_their_form() -> None:
    assert key("Reviews") == key("review")


@pytest.mark.parametrize(
    ("name", "same"), [("book_title", True), ("full_title", True), ("heading", False), ("price_title", True)]
)
def test_a_longer_name_for_the_same_field_is_the_same_field(name: str, same: bool) -> None:
    made, faults = score(TEXT.replace("  title: text required", f"  {name}: text required"))
    assert (not faults) is same and (made.usable == 1) is same


def test_a_name_that_could_be_two_fields_is_neither() -> None:
    wanted = TEXT.replace("  title: text required", "  title: text required\n  short_title: text")
    said = TEXT.replace("  title: text required", "  the_book_title: text required")
    assert any(f.startswith("fields: missing") for f in score(said, wanted)[1])


def test_who_deletes_is_a_rule_of_its_entity() -> None:
    text = "service s\nusers {\n  roles boss\n}\nentity order {\n  n: integer\n  write user\nDELETE}\n"
    said, wanted = (meaning(parse(text.replace("DELETE", line))) for line in ("", "  delete owner or role boss, admin\n"))
    assert wanted.rules - said.rules == {("order", "delete", "owner", "admin", "boss")}


def test_who_creates_is_a_rule_of_its_entity_where_it_is_not_whoever_writes() -> None:
    text = "service s\nusers {\n  roles boss, clerk\n}\nentity order {\n  n: integer\n  write role boss\n  create role CREATE\n}\n"
    said, wanted = (meaning(parse(text.replace("CREATE", roles))) for roles in ("boss", "clerk, boss"))
    assert wanted.rules - said.rules == {("order", "create", "role", "boss", "clerk")}


GATEWAY = """service gateway
type api-gateway

upstream shop "https://shop.example" {
  retry 2 times
}

route "/a/*" to shop {
  methods GET
  allow key
}

route "/b/*" to shop {
  allow key
}
"""
SITE = """service site
type static-site

site {
  single page
  redirect "/old" to "/new"
}
"""
LEASE = """service lettings
read user
write user

users {
}

entity lease {
  deed: file max 10 MB types "application/pdf", "text/csv" private
}
"""


@pytest.mark.parametrize("text", [GATEWAY, SITE, LEASE])
def test_what_has_no_fields_is_right_as_a_whole(text: str) -> None:
    made, faults = score(text, text)
    assert faults == [] and made.usable == 1 and made.tallies["parts"].wanted > 2


@pytest.mark.parametrize(
    ("text", "old", "new", "faults"),
    [
        (GATEWAY, "retry 2", "retry 3", ["parts: missing", "parts: extra"]),
        (GATEWAY, "  methods GET\n", "", ["parts: missing", "parts: extra"]),
        (GATEWAY, "  allow key\n", "", ["access", "parts: extra", "parts: missing"]),
        (SITE, "  single page\n", "", ["parts: missing"]),
        (SITE, '  redirect "/old" to "/new"\n', "", ["parts: missing"]),
        (LEASE, " private", "", ["parts: missing"]),
        (LEASE, ', "text/csv"', "", ["parts: missing"]),
    ],
)
def test_each_line_of_a_gateway_a_site_and_a_file_counts(text: str, old: str, new: str, faults: list[str]) -> None:
    found = {fault.partition(" (")[0].partition(":")[0] if fault.startswith("access") else fault.partition(" (")[0] for fault in score(text.replace(old, new), text)[1]}
    assert found == set(faults)


def test_a_gateway_is_open_to_whom_its_routes_let_in() -> None:
    assert meaning(parse(GATEWAY)).access == "key"
    split = GATEWAY.replace("  allow key\n", "", 1).replace('route "/b/*" to shop {', 'route "/b/*" to shop {\n  methods POST')
    assert meaning(parse(split)).access == "key write"
    assert meaning(parse(GATEWAY.replace("  allow key\n", ""))).access == "none"
