"""Attacks on a resource: injection, mass assignment, bodies of the wrong size and shape."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

from clodo.blueprint.values import Entity, FieldType
from clodo.bricks.resources.lists import comparable
from clodo.proof.check import Check
from clodo.proof.session import Fault, Session, expect, expect_path

_INJECTIONS = ("' OR '1'='1", '"; DROP TABLE "x"; --', "1) UNION SELECT 1,2,3 --", "%' OR 1=1 --", "\\' ; --")


def probe_checks(e: Entity) -> Iterator[Check]:
    """The attacks on an entity."""
    for id, rule, run in (
        ("injection", "SQL in values stays a value", _injection),
        ("mass-assignment", "server-made keys cannot be set", _mass_assignment),
        ("body", "bodies of the wrong size, type or shape are refused", _bodies),
        ("nesting", "JSON nested too deep is refused", _nesting),
        ("unicode", "odd characters are kept or refused, never broken", _unicode),
    ):
        yield Check(f"resources.{id}", f"{e.name}: {rule}", partial(run, e))


async def _injection(e: Entity, s: Session) -> None:
    row = await s.create(e)
    texts = [
        f
        for f in comparable(e)
        if f.type in (FieldType.TEXT, FieldType.LONG_TEXT) and not (f.pattern or f.maximum or f.read_only)
    ]
    for number, attack in enumerate(_INJECTIONS):
        answer = await s.patch(e, row["id"], {f.name: attack for f in texts})
        if answer.status != 409 and s.settled(e, answer, 200, [f.name for f in texts]):
            for f in texts:
                if answer.body[f.name] != attack:
                    raise Fault(f"{f.name} was not stored as it was sent", answer)
        # Filters are bound alike: each attack tries one of them.
        names = [*(f.name for f in texts), "id"]
        for name in names if s.leads(e) else [names[number % len(names)]]:
            page = await s.page(e, {name: attack})
            if page.status != 200 or any(item[name] != attack for item in page.body["items"]):
                raise Fault(f"the filter {name} is open to injection", page)
        for name in ("sort", "cursor", "limit")[number % 3 :][:1] if number else ("sort", "cursor", "limit"):
            expect(await s.page(e, {name: attack}), 400)


async def _mass_assignment(e: Entity, s: Session) -> None:
    row = await s.create(e)
    body = await s.body(e)
    own = {f.name for f in e.fields} | {f"{r.name}_id" for r in e.references}
    forged = {
        "id": row["id"], "created_at": "2000-01-01T00:00:00.000Z", "updated_at": "2000-01-01T00:00:00.000Z",
        "owner_id": "someone", "deleted_at": "2000-01-01T00:00:00.000Z", "role": "admin",
        "password_hash": "x", "no_such_field": 1, "constructor": 1, "toString": 1,
    }  # fmt: skip
    forged = {key: value for key, value in forged.items() if key not in own}
    # All at once, and each must be refused by name.
    made = expect(await s.post(e, {**body, **forged}), 422, "server-made keys in the body")
    changed = expect(await s.patch(e, row["id"], forged), 422, "server-made keys in the body")
    for key in forged:
        expect_path(made, key)
        expect_path(changed, key)
    raw = json.dumps(body)[:-1] + (', ' if body else '') + '"__proto__": {"role": "admin"}}'
    headers = {**await s.writer(e), "content-type": "application/json"}
    answer = await s.client.send("POST", s.path(e), content=raw.encode(), headers=headers)
    expect(answer, 422, "__proto__ in the body")


async def _bodies(e: Entity, s: Session) -> None:
    headers = {**await s.writer(e), "content-type": "application/json"}
    path = s.path(e)
    big = b'{"a": "' + b"x" * (1024 * 1024) + b'"}'
    cases: list[tuple[bytes, dict[str, str], int, str]] = [
        (b"{", headers, 400, "broken JSON"),
        (b"", headers, 400, "an empty body"),
        (b'{"a": "\xff\xfe"}', headers, 400, "broken UTF-8"),
        (b"[]", headers, 422, "an array"),
        (b"null", headers, 422, "null"),
        (b'"text"', headers, 422, "a text"),
        (b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", headers, 422, "deep nesting"),
        (big, headers, 413, "more than 1 MiB"),
        (b"{}", {**headers, "content-type": "text/plain"}, 415, "text/plain"),
        (b"a=1", {**headers, "content-type": "application/x-www-form-urlencoded"}, 415, "a form"),
    ]
    # One reader of bodies serves all entities.
    for content, sent, status, why in cases if s.leads(e) else cases[::4]:
        expect(await s.client.send("POST", path, content=content, headers=sent), status, why)


async def _nesting(e: Entity, s: Session) -> None:
    fields = [f.name for f in e.fields if f.type is FieldType.JSON and not f.read_only]
    if not fields:
        return
    headers = {**await s.writer(e), "content-type": "application/json"}
    for depth in (101, 3000, 200_000):
        rest = {k: v for k, v in (await s.body(e)).items() if k != fields[0]}
        start = json.dumps(rest)[:-1] + (", " if rest else "") + json.dumps(fields[0])
        content = f"{start}: {'[' * depth}{']' * depth}}}".encode()
        answer = await s.client.send("POST", s.path(e), content=content, headers=headers)
        expect_path(expect(answer, 422, f"nested {depth} deep"), fields[0])


async def _unicode(e: Entity, s: Session) -> None:
    fields = [
        f for f in e.fields
        if f.type in (FieldType.TEXT, FieldType.LONG_TEXT) and not (f.pattern or f.minimum or f.maximum or f.read_only or f.write_only or f.computed)
    ]  # fmt: skip
    if not fields:
        return
    row = await s.create(e)
    for text in ("Zoë 日本語 👩‍👩‍👧 \u202e", "<script>alert(1)</script>", "line\nbreak\ttab"):
        answer = await s.patch(e, row["id"], {fields[0].name: text})
        if answer.status != 409 and expect(answer, 200).body[fields[0].name] != text:
            raise Fault("a text came back changed", answer)
