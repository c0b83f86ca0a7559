"""What fields and lines of users can be, and what they cannot."""

from __future__ import annotations

import pytest

from clodo.blueprint import InvalidBlueprint, check, format_blueprint, parse
from clodo.blueprint.constructs import constructs
from clodo.blueprint.plan import make_plan
from clodo.emit.sql import migration


def service(*lines: str) -> str:
    return "service s\n\nusers {\n" + "".join(f"  {line}\n" for line in lines) + "}\n\nentity thing {\n  name: text\n}\n"


def unique_indexes(source: str) -> list[str]:
    return [line for line in migration(make_plan(parse(source))).splitlines() if "UNIQUE INDEX" in line]


def test_fields_of_users_may_be_unique() -> None:
    source = service("username: text required unique", "badge: integer unique min 1 max 5000", "age: integer")
    blueprint = parse(source)
    assert format_blueprint(blueprint) == source
    assert check(blueprint) == ()
    assert unique_indexes(source) == [
        'CREATE UNIQUE INDEX "user__username__unique" ON "user" ("username");',
        'CREATE UNIQUE INDEX "user__badge__unique" ON "user" ("badge");',
    ]


def test_fields_of_users_may_be_unique_together_and_searched() -> None:
    source = service("team: enum(red, blue)", "number: integer", "unique (team, number)", "search email, team", "manage roles")
    blueprint = parse(source)
    assert blueprint.users is not None
    assert (blueprint.users.unique, blueprint.users.search) == ((("team", "number"),), ("email", "team"))
    assert format_blueprint(blueprint) == source
    assert check(blueprint) == ()
    assert unique_indexes(source) == ['CREATE UNIQUE INDEX "user__team__number__unique" ON "user" ("team", "number");']


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("twice: integer = 2 * 2", "cannot be computed"),
        ("size: enum(small, large) unique", "No more than 2 users"),
        ("seat: integer unique min 1 max 50", "No more than 50 users"),
        ("vip: boolean unique", "cannot be unique"),
        ("level: integer unique read-only default 1", "No more than one user"),
    ],
)
def test_what_they_cannot_be_is_told(line: str, words: str) -> None:
    with pytest.raises(InvalidBlueprint, match=words):
        parse(service(line))


FIELDS = ("team: enum(red, blue)", "number: integer", "shirt: enum(s, m, l)", "pin: text hashed", "tags: list", "badge: text unique", "level: integer read-only")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("unique (team, numbr)", "Users have no 'numbr' to be unique. Did you mean number?"),
        ("unique (team, team)", "has 'team' 2 times"),
        ("unique (team, shirt)", "No more than 6 users could register: 'team' and 'shirt'"),
        ("unique (email, team)", "e-mail address of users is unique by itself"),
        ("unique (role, team)", "Roles are given to users later"),
        ("unique (pin, team)", "'pin' is hashed"),
        ("unique (tags, team)", "A list cannot be unique"),
        ("unique (badge, team)", "'badge' is unique by itself"),
        ("unique (level, team)", "'level' is read-only"),
        ("search team", "no list of users to search. Add the line 'manage roles'"),
        ("search teem", "Users have no field 'teem' to search. Did you mean team?"),
        ("search number", "user.number cannot be searched: it is integer"),
        ("search pin", "user.pin is write-only"),
    ],
)
def test_what_their_lines_cannot_be_is_told_where_it_stands(line: str, words: str) -> None:
    with pytest.raises(InvalidBlueprint) as told:
        parse(service(*FIELDS, line))
    problem = next(p for p in told.value.problems if words in str(p))
    assert (problem.line, problem.column) == (11, 3)
    assert problem.suggestion


@pytest.mark.parametrize("line", ["roles a", "search email"])
def test_a_line_that_stands_twice_is_told(line: str) -> None:
    with pytest.raises(InvalidBlueprint, match="line 6, column 3: .* is said twice"):
        parse(service("manage roles", line, line))


def test_a_group_that_stands_twice_is_warned_of() -> None:
    problems = check(parse(service(*FIELDS, "unique (team, number)", "unique (number, team)")))
    assert [(p.severity, "are unique together" in p.message) for p in problems] == [("warning", True)]


#: Every line that an entity may have and users may not: where it is told, and a word of what is.
OF_ENTITIES = {
    "read user": (3, "Who reads users"),
    "write owner": (3, "Who changes users"),
    "create public": (3, "Who registers"),
    "soft delete": (3, "not deleted"),
    "no timestamps": (3, "created_at"),
    "best: -> thing": (9, "refer to nothing"),
    "best: <-> thing": (9, "refer to nothing"),
    "photo: image": (10, "no images"),
    "paper: file max 2 MB": (10, "no files"),
    "assistant search": (3, "assistant"),
    "audit": (3, "audit"),
    "cache 5 minutes": (3, "cache"),
    "slug from name": (3, "slug"),
    "publish": (3, "publish"),
    "markdown name": (3, "markdown"),
    "limit create 5 per hour per user": (3, "limit"),
    "live": (3, "live"),
    "change when name = \"x\"": (10, "when"),
    "delete when name = \"x\"": (3, "delete"),
    "notify \"a@example.com\" on created": (3, "notify"),
    "remind \"a@example.com\" 2 days before born": (3, "remind"),
    "restore": (3, "restore"),
    "room": (3, "room"),
    "check age > 3": (3, "check"),
    "at most 3 per name": (3, "at"),
    "no overlap a..b per name": (3, "'no' begins a line of an entity"),
    "transitions status: a -> b": (3, "transitions"),
    "action go {": (3, "action"),
    "shared": (3, "shared"),
    "export csv": (3, "export"),
    "import csv": (3, "import"),
    "bulk create 5": (3, "bulk"),
    "versions": (3, "versions"),
}


@pytest.mark.parametrize("line", OF_ENTITIES)
def test_a_line_of_entities_is_told_to_be_one(line: str) -> None:
    column, words = OF_ENTITIES[line]
    with pytest.raises(InvalidBlueprint) as told:
        parse(service("name: text", line))
    [problem] = told.value.problems
    assert (problem.line, problem.column) == (5, column)
    assert words in problem.message
    assert problem.suggestion


def test_every_line_of_entities_is_among_them() -> None:
    """What a brick adds to entities is a line that users could be given by mistake."""
    for construct in constructs():
        if construct.place == "entity" and construct.name != "file_field":
            first = construct.grammar.split('"')[1]
            assert any(line.startswith(first) for line in OF_ENTITIES), construct.name


@pytest.mark.parametrize("line", ["roles editor", "sessions 14 days", "manage roles"])
def test_a_line_of_users_in_an_entity_is_told_to_be_one(line: str) -> None:
    with pytest.raises(InvalidBlueprint, match="line 4, column 3: .* begins a line of users. Write it in the block 'users"):
        parse(f"service s\n\nentity thing {{\n  {line}\n}}\n")
