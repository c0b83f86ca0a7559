"""Expressions that ask for many-to-many links: what they mean, and where they make no sense."""

from __future__ import annotations

from typing import Any

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.blueprint.formulas import Scope
from clodo.blueprint.linking import Linking, linking
from clodo.blueprint.values import Field
from clodo.emit.expressions import Place, sql
from tests.bricks.tables import put, tables

BLOG = """service blog

users {
}

entity post {
  title: text
  tag: -> tag
  parent: -> post
  labels: <-> tag
  related: <-> post
  {}
}

entity tag {
  word: text
  hot: boolean
  weight: integer
  soft delete
}

entity note {
  text: text
}
"""


def blog(line: str = "") -> Any:
    return parse(BLOG.replace("{}", line))


def value(expression: str, entity: str = "post", id: str = "p1") -> Any:
    """What an expression gives for a row, in a database in which p1 has a, b and the deleted d, p2 has b, and p3 none."""
    source = BLOG.replace("  {}\n", "")
    db, b = tables(source)
    for name in "abcd":
        moment = "2026-01-01T00:00:00.000Z" if name == "d" else None
        put(db, "tag", id=name, word=name, hot=name in "ad", weight=ord(name) - 96, created_at="x", updated_at="x", deleted_at=moment)
    for name, of, parent in (("p2", "b", None), ("p1", "c", "p2"), ("p3", None, None)):
        put(db, "post", id=name, title=name, tag_id=of, parent_id=parent, created_at="x", updated_at="x")
    for post, tag in (("p1", "a"), ("p1", "b"), ("p1", "d"), ("p2", "b")):
        put(db, "post__labels", post_id=post, tag_id=tag)
    number = expression.startswith(("count", "sum"))
    probe = parse(source.replace(f"entity {entity} {{\n", f"entity {entity} {{\n  probe: {'integer' if number else 'boolean'} = {expression}\n")).entity(entity)
    assert probe is not None
    [field] = [f for f in probe.fields if f.name == "probe"]
    assert isinstance(field, Field) and field.computed is not None
    e = b.entity(entity)
    assert e is not None
    own = f'"{entity}".'
    return db.execute(f'SELECT {sql(field.computed, Place(Scope(b, e), "", own))} FROM "{entity}" WHERE "id" = ?', [id]).fetchone()[0]


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("count(tag where linked(this))", {"p1": 2, "p2": 1, "p3": 0}),
        ("count(tag where linked(this) and hot)", {"p1": 1, "p2": 0}),
        ("count(tag where not linked(this))", {"p1": 1, "p3": 3}),
        ("sum(tag.weight where linked(this))", {"p1": 3, "p2": 2, "p3": 0}),
        ("count(tag where linked(this.parent))", {"p1": 1, "p2": 0}),
        ("linked(tag)", {"p1": 0, "p2": 1}),
        ("exists(tag where linked(this) and word = this.title)", {"p1": 0}),
    ],
)
def test_links_are_asked_for_from_their_own_side(expression: str, wanted: dict[str, int]) -> None:
    assert {id: value(expression, id=id) for id in wanted} == wanted


def test_links_are_asked_for_from_the_other_side() -> None:
    assert [value("count(post where linked(this))", "tag", id) for id in "abc"] == [1, 2, 0]


def test_a_row_that_is_none_is_linked_with_none() -> None:
    assert not value("linked(tag)", id="p3")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("n: integer = count(note where linked(this))", "A note is not linked with a post"),
        ("n: integer = count(post where linked(this))", "A post is not linked with a post"),
        ("n: boolean = linked(title)", "wants a row"),
        ("n: boolean = linked(tag where true)", "takes no 'where'"),
        ("n: boolean = linked(owner)", "has no field 'owner'"),
        ("n: boolean = link(tag)", "Did you mean linked?"),
        ("n: boolean default (linked(tag))", "looks at other rows"),
        ("check count(tag where linked(this)) < 3", "does not see when links change"),
        ("at most 3 per title where linked(tag)", "does not see when links change"),
        ("n: integer = count(tag where linked(this))\n  check n < 3", "does not see when links change"),
        ("notify admin when linked(tag)", "looks at the row that changed"),
    ],
)
def test_what_makes_no_sense_is_told(line: str, words: str) -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        blog(line)
    assert words in caught.value.message


def test_it_has_one_form() -> None:
    made = blog("n: integer = count(tag where linked(this) and hot)")
    assert parse(format_blueprint(made)) == made
    assert "count(tag where linked(this) and hot)" in format_blueprint(made)


def test_links_are_known_whichever_side_says_so() -> None:
    b = blog()
    assert linking(b, "post", "tag") == Linking("post__labels", "post_id", "tag_id")
    assert linking(b, "tag", "post") == Linking("post__labels", "tag_id", "post_id")
    assert linking(b, "post", "post") is None and linking(b, "tag", "note") is None and linking(b, "nothing", "tag") is None
