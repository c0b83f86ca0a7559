"""Checks of the profile: what the fields of users take, refuse and are without being given."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from clodo.blueprint.evaluation import plain
from clodo.blueprint.filling import filled
from clodo.blueprint.patterns import matches
from clodo.blueprint.samples import sample
from clodo.blueprint.text import default_text
from clodo.blueprint.values import Field, FieldType, Users
from clodo.bricks.resources.checks import same
from clodo.bricks.resources.filling import fits
from clodo.bricks.resources.values import beyond, wrong_type
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Row, Session, expect, expect_path

_PATH = "/api/auth/register"


def profile_checks(users: Users) -> Iterator[Check]:
    """The checks of the fields of users."""
    for f in users.fields:
        yield Check("users.profile", f"users' {f.name} takes what it is for, and nothing else", partial(_profile, f))


async def _register(s: Session, changes: Row, *, least: bool = False) -> Answer:
    """A registration with some changes; with nothing beside that could be left out where the ``least`` is asked for."""
    users = s.blueprint.users
    assert users is not None
    left_out = {f.name for f in users.fields if least and (f.default is not None or not f.required)}
    for _ in range(10):
        whole = s.registration(f"profile-{s.number()}@example.com")
        # What would be filled with a value that the field refuses has to be given.
        left_out -= (
            filled(
                users.fields, {k: v for k, v in whole.items() if k not in left_out} | changes
            ).refused
            if least
            else set()
        )
        body = {k: v for k, v in whole.items() if k not in left_out}
        if (answer := await s.client.send("POST", _PATH, {**body, **changes})).status != 409:
            break  # else a unique value happened to be taken
    return answer


async def _profile(f: Field, s: Session) -> None:
    for why, value in _unfit(f):
        expect_path(expect(await _register(s, {f.name: value}), 422, f"{f.name} {why}: {value!r}"[:80]), f.name)
    bare: Answer = await s.once(("profile", "bare"), lambda: _register(s, {}, least=True))
    given = sample(f, s.number())
    if f.required and f.default is None and not f.read_only:
        answer = await s.client.send("POST", _PATH, {"email": f"profile-{s.number()}@example.com", "password": "long enough"})
        expect_path(expect(answer, 422, f"without {f.name}"), f.name)
    elif not f.write_only:
        user = expect(bare, 201, "no more than is required").body["user"]
        got = user[f.name]
        if f.worked_out is not None:
            if not fits(s.blueprint.users, f, user):
                raise Fault(
                    f"{f.name} was left out and is {got!r}, which is not {default_text(f)}", bare
                )
        elif not (
            got is not None
            if f.default == "now" and f.type.is_temporal
            else same(f, got, plain(f.constant_default))
        ):
            raise Fault(
                f"{f.name} was left out and is {got!r}, not {plain(f.constant_default)!r}", bare
            )
    if f.read_only or f.write_only or given is None:
        return
    answer = expect(await _register(s, {f.name: given}), 201, f"{f.name} = {given!r}")
    if not same(f, answer.body["user"][f.name], given):
        raise Fault(f"{f.name} was stored as {answer.body['user'][f.name]!r}, not {given!r}", answer)


def _unfit(f: Field) -> Iterator[tuple[str, Any]]:
    """Values that registering must refuse, and why."""
    if f.read_only:
        yield "is read-only", sample(f)
        return
    yield from (("is of a wrong type", value) for value in wrong_type(f))
    yield from ((f"is beyond its {name}", value) for name, value in beyond(f))
    if f.pattern is not None:
        yield from (("does not fit its pattern", v) for v in ("\u2603 \u2603", "!?~", "a", "0") if not matches(f.pattern, v))
    if f.required:
        yield "is null", None
        yield from (("is empty", "") for _ in range(f.type in (FieldType.TEXT, FieldType.LONG_TEXT)))
