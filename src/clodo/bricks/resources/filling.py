"""Checks of defaults that are worked out: what a row is filled with, in a body of its own and where it is left out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from clodo.blueprint.defaults import looked_at
from clodo.blueprint.evaluation import Unknowable
from clodo.blueprint.filling import Filling, filled, is_filled
from clodo.blueprint.text import default_text
from clodo.blueprint.values import Entity, Field, Users
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Row, Session, expect_path

#: How far a clock may stand from ours, and an answer from what it was worked out at.
_APART = timedelta(seconds=60)
_TRIES = 6


async def fills(s: Session, e: Entity, f: Field) -> None:
    """Where it is left out a row gets the value that the blueprint says, or is refused where the field does not take that value. (That it
    stays where it is given is checked with the other fields.)"""
    chain = {
        f.name,
        *(
            name
            for name in looked_at(f)
            if (o := e.field(name)) is not None and o.worked_out is not None
        ),
    }
    for turn in range(_TRIES):
        body = await s.body(e)
        # Of every other body, what the value is worked out of is left out too where that is possible.
        gone = {f.name} if turn % 2 == 0 else {*chain, *_optional(e, f)}
        least = {k: v for k, v in body.items() if k not in gone}
        answer = await s.post(e, least)
        if answer.status == 409 or refusals(e, least, answer):
            continue
        if not s.settled(e, answer, 201, [f.name], f"without {' and '.join(sorted(gone))}"):
            continue
        expect_filled(e, least, answer)


def _optional(e: Entity, f: Field) -> set[str]:
    return {
        name
        for name in looked_at(f)
        if (o := e.field(name)) is not None and (not o.required or o.default is not None)
    }


def refusals(e: Entity, body: Mapping[str, Any], answer: Answer | None = None) -> set[str]:
    """The fields for which the row of a body is refused, since what they are filled with is nothing that they take. An ``answer``
    has to say so."""
    fields = _settable(e) if answer is not None and answer.method == "PUT" else e.fields
    try:
        refused = filled(fields, body).refused
    except Unknowable:
        return set()
    for name in refused if answer is not None else ():
        if answer is not None and answer.status != 422:
            raise Fault(
                f"{name} is filled with what it does not take, and the row was not refused", answer
            )
        if answer is not None:
            expect_path(answer, name)
    return refused


def _settable(e: Entity) -> tuple[Field, ...]:
    return tuple(f for f in e.fields if not f.read_only)


def expect_filled(e: Entity, body: Row, answer: Answer) -> None:
    """Every field that the body left out and that is shown has the value that it has to be filled with."""
    try:
        fillings = around(_settable(e) if answer.method == "PUT" else e.fields, body)
    except Unknowable:
        return
    for f in e.fields:
        values = [filling.values[f.name] for filling in fillings if f.name in filling.values]
        if values and not f.write_only and not is_filled(f, answer.body[f.name], values):
            raise Fault(
                f"{f.name} was left out and is {answer.body[f.name]!r}, which is not {default_text(f)}",
                answer,
            )


def around(fields: tuple[Field, ...], body: Mapping[str, Any]) -> list[Filling]:
    """The fillings of a body a little earlier, now, and a little later."""
    now = datetime.now(UTC)
    return [filled(fields, body, at) for at in (now - _APART, now, now + _APART)]


def fits(users: Users | None, f: Field, row: Row) -> bool:
    """Whether a user has the value of the field that follows from the others of the row."""
    fields = users.fields if users is not None else ()
    body = {name: value for name, value in row.items() if name != f.name}
    return is_filled(f, row[f.name], [filling.values[f.name] for filling in around(fields, body)])
