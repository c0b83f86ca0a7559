"""What is right to the letter, and what is merely right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clodo.blueprint import parse
from clodo.evaluation.cases import load
from clodo.evaluation.measure import Answer, measure
from clodo.evaluation.scoring import Score, meaning

SHOP = """service shop
write user

users {
  phone: text
}

entity book {
  title: text required
  price: money
  on_sale_at: datetime
  shelf: list
}

entity review {
  score: integer min 1 max 5
  critic: -> book required
}
"""


@pytest.mark.parametrize(
    ("change", "usable", "exact"),
    [
        (("", ""), 1, 1),
        (("  title: text", "  book_title: text"), 1, 0),
        (("  score: integer", "  number_of_score: integer"), 1, 0),
        (("  on_sale_at: datetime", "  on_sale_at: date"), 1, 0),
        (("  critic: ->", "  book: ->"), 1, 0),
        (("required\n  price", "\n  price"), 0, 0),
    ],
)
def test_a_text_is_exact_where_names_and_types_are_those_wanted(change: tuple[str, str], usable: int, exact: int) -> None:
    said = SHOP.replace(*change) if change[0] else SHOP
    made = Score()
    faults = made.add(meaning(parse(said)), meaning(parse(SHOP)))
    assert (made.usable, made.exact) == (usable, exact), faults


@pytest.mark.parametrize(("old", "new"), [("price: money", "price: integer"), ("shelf: list", "shelf: longtext")])
def test_a_type_that_may_stand_for_another_is_not_exact(old: str, new: str) -> None:
    made = Score()
    made.add(meaning(parse(SHOP.replace(old, new))), meaning(parse(SHOP.replace("shelf: list", "shelf: text"))))
    assert made.exact == 0
    made.add(meaning(parse(SHOP)), meaning(parse(SHOP)))
    assert made.table()["exact"] == 0.5


def test_a_plain_set_is_matched_in_its_own_types(tmp_path: Path) -> None:
    fields = {"title": "text", "price": "decimal", "on_sale_at": "date or time", "shelf": "text"}
    means = {
        "entities": {
            "book": {"fields": {name: {"type": kind, **({"required": True} if name == "title" else {})} for name, kind in fields.items()}},
            "review": {"fields": {"score": {"type": "integer", "minimum": 1, "maximum": 5}}, "references": [{"to": "book"}]},
        }
    }
    path = tmp_path / "plain.json"
    path.write_text(json.dumps([{"id": "a", "description": "…", "means": means}]), "utf-8")
    for said, exact in ((SHOP, 1.0), (SHOP.replace("score: integer", "score: decimal"), 0.0), (SHOP.replace("title:", "full_title:"), 0.0)):
        found = measure("m", lambda _, said=said: Answer(meaning(parse(said))), load(path), draws=0)  # type: ignore[misc]
        assert found.figures["exact"] == exact
