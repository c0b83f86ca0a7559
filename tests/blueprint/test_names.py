"""Names that meet: in rows, tables, routes and lists."""

from __future__ import annotations

import pytest

from clodo.blueprint import InvalidBlueprint, check, format_blueprint, parse
from clodo.blueprint.plan import camel, make_plan, plural


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("entity book {\n}\nentity review {\n  book_id: text\n  book: -> book\n}", 5, "'book_id'"),
        ("users {\n  password_hash: text\n}\nentity a {\n}", 3, "already"),
        ("users {\n  constructor: text\n}\nentity a {\n}", 3, "reserved"),
        ("users {\n  roles a, a\n}\nentity a {\n}", 3, "2 times"),
        ("entity sqlite_thing {\n}", 2, "database keeps"),
        ("entity d1_migrations {\n}", 2, "database keeps"),
        ("entity post {\n  tags: <-> tag\n}\nentity tag {\n}\nentity post__tags {\n}", 7, "Write post_tags"),
        ("entity a {\n" + "".join(f"  f{i}: text\n" for i in range(98)) + "}", 2, "101 columns"),
    ],
)
def test_names_that_meet_are_refused(text: str, line: int, words: str) -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse(f"service x\n{text}\n")
    assert any(words in f"{p.message} {p.suggestion}" for p in caught.value.problems), caught.value.message
    assert [p.line for p in caught.value.problems] == [line]


@pytest.mark.parametrize("name", ["report", "doc", "health", "index", "problem", "registration"])
def test_names_of_ordinary_things_are_allowed(name: str) -> None:
    blueprint = parse(f"service x\nentity {name} {{\n  to_string: text\n  value_of: text\n}}\n")
    assert not [p for p in check(blueprint) if p.severity == "error"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("entity a {\n  price: money\n  price_min: money\n}", "price_min is a field"),
        ("type auth-service", "lets nobody log in"),
        ("entity a {\n  b: text\n  c: text\n  unique (b, c)\n  unique (c, b)\n}", "2 times that b and c"),
        ("users {\n  roles admin, editor\n}\nentity a {\n}", "without being declared"),
    ],
)
def test_doubtful_names_are_pointed_out(text: str, words: str) -> None:
    found = [p for p in check(parse(f"service x\n{text}\n")) if words in p.message]
    assert [p.severity for p in found] == ["warning"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("create owner", "that is not there yet"),
        ("write owner\n  create public", "any user may create one, and not 'public'"),
        ("read owner or role editor\n  write owner\n  create role editor", "any user may create one, and not 'role editor'"),
        ("write owner or role author", "No role 'author'"),
        ("read owner or role editor\n  write role editor", "Only the owner may read a a, yet 'role editor' may write it"),
        ("create user\n  create public", "said twice"),
    ],
)
def test_who_creates_and_who_changes_beside_the_owner(lines: str, words: str) -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse(f"service x\nusers {{\n  roles editor\n}}\nentity a {{\n  {lines}\n}}\n")
    assert [words in p.message for p in caught.value.problems] == [True]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("delete public\n  write public", "may write a a may delete it already: 'public'"),
        ("write role editor\n  delete role editor", "may delete it already: 'role editor'"),
        ("write user\n  delete public", "Everybody may delete a a, but not everybody may write it"),
        ("write public\n  delete owner", "has no owner who could delete it"),
        ("write user\n  create public\n  delete owner or role editor", "has no owner who could delete it"),
        ("write key\n  delete owner", "has no owner who could delete it"),
        ("read owner\n  write owner\n  delete user", "Only the owner may read a a, yet 'user' may delete it"),
        ("read owner\n  write owner\n  delete role admin", "No 'admin' may read a a"),
        ("read owner or role editor\n  write owner\n  delete owner or role author, editor", "No role 'author'"),
        ("read role editor\n  delete role author", "No role 'author'"),
        ("read role admin\n  delete role editor", "No 'editor' may read a a, so that none could delete it"),
        ("delete user\n  delete owner", "said twice"),
    ],
)
def test_who_deletes(lines: str, words: str) -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse(f"service x\nusers {{\n  roles editor\n}}\nentity a {{\n  {lines}\n}}\n")
    assert any(words in p.message for p in caught.value.problems)
    assert len({p.line for p in caught.value.problems}) == 1


@pytest.mark.parametrize(
    "lines",
    [
        "write user\n  delete role editor",
        "write user\n  delete owner or role editor",
        "write role editor\n  delete owner",
        "read owner or role editor\n  write owner\n  delete role admin",
        "write role editor\n  delete user",
        "create public\n  write role editor\n  delete role admin\n  soft delete",
        "n: integer\n  write user\n  delete role editor\n  delete when n > 1",
        "delete: text\n  write role editor\n  delete key",
    ],
)
def test_what_may_be_said_of_who_deletes(lines: str) -> None:
    text = f"service x\n\nusers {{\n  roles editor\n}}\n\nentity a {{\n  {lines}\n}}\n"
    made = parse(text)
    assert parse(format_blueprint(made)) == made
    assert made.entities[0].delete is not None


def test_who_deletes_where_nothing_is_said() -> None:
    b = parse("service x\nusers {\n}\nentity a {\n  write user\n}\nentity c {\n  write user\n  delete owner\n}\n")
    assert [str(b.delete_access(e)) for e in b.entities] == ["user", "owner"]
    assert [b.is_owned(e) for e in b.entities] == [False, True]


def test_one_fault_is_told_once() -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse("service x\nentity a {\n  read owner\n  write owner\n}\n")
    assert len(caught.value.problems) == 1


def test_identifiers_stay_apart() -> None:
    names = ["level1", "level_1", "a_b", "ab", "a_", "a", "a_1b", "a1b"]
    assert len({camel(n) for n in names}) == len(names)
    assert camel("order_item") == "orderItem"


@pytest.mark.parametrize("name", ["people", "children", "salesperson_children", "women", "teeth", "orders", "mice"])
def test_a_plural_is_left_as_it_is(name: str) -> None:
    assert plural(name) == name


@pytest.mark.parametrize(("name", "many"), [("specimen", "specimens"), ("person", "people"), ("agenda", "agendas"), ("box", "boxes")])
def test_a_singular_gets_its_plural(name: str, many: str) -> None:
    assert plural(name) == many


def test_a_plural_beside_its_singular_has_a_path_of_its_own() -> None:
    plan = make_plan(parse("service x\nentity person {\n}\nentity people {\n}\n"))
    assert plan.paths == {"person": "people", "people": "people-list"}


def test_paths_and_schemas_stay_apart() -> None:
    names = ["new", "news", "new_list", "news_list", "message", "message_body", "x", "x_change", "problem", "user"]
    names += ["registration", "registration_row", "level1", "level_1"]
    text = "service x\nusers {\n}\n" + "".join(f"entity {n} {{\n  of: -> message\n}}\n" for n in names if n != "user")
    plan = make_plan(parse(text))
    assert len(set(plan.paths.values())) == len(plan.paths)
    s = plan.schemas
    used = [*s.rows.values(), *s.bodies.values(), *s.changes.values(), *s.children.values()]
    used += ["Problem", "User", "Registration"]
    assert len(set(used)) == len(used)
    assert (s.rows["message_body"], s.bodies["message"], s.rows["x"]) == ("MessageBody", "MessageInput", "X")
