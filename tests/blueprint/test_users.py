"""What fields of users can be, and what they cannot."""

from __future__ import annotations

import pytest

from clodo.blueprint import InvalidBlueprint, check, format_blueprint, parse
from clodo.blueprint.plan import make_plan
from clodo.emit.sql import migration


def service(*lines: str) -> str:
    return "service s\n\nusers {\n" + "".join(f"  {line}\n" for line in lines) + "}\n\nentity thing {\n  name: text\n}\n"


def test_fields_of_users_may_be_unique() -> None:
    source = service("username: text required unique", "badge: integer unique min 1 max 5000", "age: integer")
    blueprint = parse(source)
    assert format_blueprint(blueprint) == source
    assert check(blueprint) == ()
    indexes = [line for line in migration(make_plan(blueprint)).splitlines() if "UNIQUE INDEX" in line]
    assert indexes == [
        'CREATE UNIQUE INDEX "user__username__unique" ON "user" ("username");',
        'CREATE UNIQUE INDEX "user__badge__unique" ON "user" ("badge");',
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("twice: integer = 2 * 2", "cannot be computed"),
        ("size: enum(small, large) unique", "No more than 2 users"),
        ("seat: integer unique min 1 max 50", "No more than 50 users"),
        ("vip: boolean unique", "cannot be unique"),
    ],
)
def test_what_they_cannot_be_is_told(line: str, words: str) -> None:
    with pytest.raises(InvalidBlueprint, match=words):
        parse(service(line))
