"""Checks of hashed fields: what is stored is a hash of what was given, and nothing tells either."""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import Iterator
from functools import partial
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.ranges import lengths
from clodo.blueprint.samples import sample
from clodo.blueprint.values import Entity, Field
from clodo.bricks.hashed.brick import hashed_fields
from clodo.bricks.transfer.bodies import Way, ways
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Session, TooFewValues, expect

_ROUNDS = 100_000
#: Shorter texts are in answers by chance.
_TELLING = 8


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    for e in plan.blueprint.entities:
        for f in hashed_fields(e):
            yield Check("hashed.stored", f"{e.name}.{f.name}: only a salted hash is stored", partial(_stored, e, f))
            yield Check("hashed.told", f"{e.name}.{f.name}: is told nowhere, nor is its hash", partial(_told, e, f))
            for way in ways(e):
                yield Check("hashed.many", f"{way}: only a hash of {f.name} is stored", partial(_many, e, f, way))
    users = plan.blueprint.users
    for f in users.fields if users is not None else ():
        if f.hashed:
            yield Check("hashed.users", f"users' {f.name}: only a salted hash is stored, and is told nowhere", partial(_of_users, f))


def _given(f: Field, number: int) -> str:
    """A text that the field takes, and that nothing else in the service is, where the field leaves room for that."""
    low, high = lengths(f)
    if f.pattern is None:
        return f"{number:x}-unheard-of".ljust(low, "~")[:high]
    found = sample(f, number)
    if found is None:
        raise TooFewValues(f"no text was found that {f.name} takes")
    return str(found)


def _hold(stored: Any, given: str, when: str) -> None:
    """A fault where what is stored is no hash of the text."""
    parts = str(stored).split("$")
    if len(parts) != 4 or parts[0] != "pbkdf2-sha256" or not parts[1].isdigit() or int(parts[1]) < _ROUNDS:
        raise Fault(f"what is stored {when} is no hash with {_ROUNDS:,} rounds")
    material = unicodedata.normalize("NFKC", given).encode()
    made = hashlib.pbkdf2_hmac("sha256", material, base64.b64decode(parts[2]), int(parts[1]))
    if made != base64.b64decode(parts[3]):
        raise Fault(f"what is stored {when} is no hash of what was given")


async def _column(s: Session, table: str, f: Field, id: str) -> Any:
    [row] = await s.query(f'SELECT "{f.name}" AS "stored" FROM "{table}" WHERE "id" = ?', id)
    return row["stored"]


async def _stored(e: Entity, f: Field, s: Session) -> None:
    first, second, third = (_given(f, s.number()) for _ in range(3))
    row, other = await s.create(e, {f.name: first}), await s.create(e, {f.name: first})
    stored = await _column(s, e.name, f, row["id"])
    _hold(stored, first, "of a new row")
    if stored == await _column(s, e.name, f, other["id"]):
        raise Fault("the same text gives the same hash: there is no salt")
    rest = next((o.name for o in e.fields if not (o.hashed or o.read_only or o.unique or o.made or o.computed is not None)), None)
    if rest is not None:
        await s.patch(e, row["id"], {rest: s.sample(e, rest)})
        if await _column(s, e.name, f, row["id"]) != stored:
            raise Fault(f"a change of {rest} changed what is stored of {f.name}")
    if s.settled(e, await s.patch(e, row["id"], {f.name: second}), 200, [f.name]):
        _hold(await _column(s, e.name, f, row["id"]), second, "after a change")
    body = await s.body(e, {f.name: third})
    answer = await s.client.send("PUT", s.path(e, row["id"]), body, headers=await s.writer(e))
    if s.settled(e, answer, 200, body):
        _hold(await _column(s, e.name, f, row["id"]), third, "after a replacement")
    if not f.required and s.settled(e, await s.patch(e, row["id"], {f.name: None}), 200, [f.name]):
        if await _column(s, e.name, f, row["id"]) is not None:
            raise Fault("what was emptied is still stored")
    await _kept_nowhere(s, e.name, f, [first, second, third], [str(stored)])


async def _kept_nowhere(s: Session, table: str, f: Field, texts: list[str], hashes: list[str]) -> None:
    """A fault where anything holds one of the texts, or one of the hashes beside their own column: logs, queues and answers
    that are kept are stored too."""
    telling = [text for text in texts if len(text) >= _TELLING]
    tables = await s.query("""SELECT "name" FROM "sqlite_master" WHERE "type" = 'table' AND "name" NOT LIKE 'sqlite%' AND "name" NOT LIKE '\\_cf%' ESCAPE '\\'""")
    for name in (str(found["name"]) for found in tables):
        for row in await s.query(f'SELECT * FROM "{name}"'):
            if any(text in str(value) for value in row.values() for text in telling):
                raise Fault(f"the table {name!r} holds a text in clear of which there should only be a hash")
            others = (str(value) for key, value in row.items() if (name, key) != (table, f.name))
            if any(hash in value for value in others for hash in hashes):
                raise Fault(f"the table {name!r} holds the hash of {f.name} once more")


async def _told(e: Entity, f: Field, s: Session) -> None:
    given, later = _given(f, s.number()), _given(f, s.number())
    body = await s.body(e, {f.name: given})
    made = expect(await s.post(e, body), 201)
    id = str(made.body["id"])
    answers = [made, await s.post(e, {**body, "no_such_field": 1})]
    stored = [await _column(s, e.name, f, id)]
    answers.append(await s.patch(e, id, {f.name: later}))
    stored.append(await _column(s, e.name, f, id))
    headers = {**await s.reader(e), **await s.writer(e)}
    for path in await _readable(s):
        answers.append(await s.client.send("GET", path.replace("{id}", id), headers=headers))
    for text in (given, later, str(stored[-1])) if e.search else ():
        found = expect(await s.page(e, {"q": text, "id": id}), 200, "a search")
        if len(text) >= _TELLING and found.body["items"]:
            raise Fault(f"a search for {f.name} or its hash finds the row", found)
    for query in ({f.name: later}, {"sort": f.name}, {"sort": f"-{f.name}"}):
        expect(await s.page(e, query), 400, f"{f.name} in a list")
    _silent(answers, f, [given, later], stored)


async def _readable(s: Session) -> list[str]:
    """The paths that answer a GET with a text, and that ask for nothing but the id of a row."""
    document = (await s.client.send("GET", "/openapi.json")).body
    found = []
    for path, item in document["paths"].items():
        types = item.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if path.startswith("/api/") and "{" not in path.replace("{id}", "") and types and "text/event-stream" not in types:
            found.append(path)
    return found


def _silent(answers: list[Answer], f: Field, texts: list[str], stored: list[Any]) -> None:
    telling = [*(text for text in texts if len(text) >= _TELLING), *map(str, stored)]
    for answer in answers:
        if any(text in answer.text for text in telling):
            raise Fault(f"an answer tells what {f.name} is, or its hash", answer)


async def _many(e: Entity, f: Field, way: Way, s: Session) -> None:
    given = _given(f, s.number())
    answer = expect(await way.send(s, [await s.body(e, {f.name: given})]), way.success)
    # Other checks may have made rows in the meantime.
    for row in await s.query(f'SELECT "{f.name}" AS "stored" FROM "{e.name}" ORDER BY "id" DESC LIMIT 50'):
        try:
            return _hold(row["stored"], given, "of a row made with others")
        except Fault:
            continue
    raise Fault("no row holds a hash of what was given", answer)


async def _of_users(f: Field, s: Session) -> None:
    given = _given(f, s.number())
    body = {**s.registration(f"hashed-{s.number()}@example.com"), f.name: given}
    made = expect(await s.client.send("POST", "/api/auth/register", body), 201, "registration")
    id, headers = str(made.body["user"]["id"]), {"authorization": f"Bearer {made.body['token']}"}
    stored = await _column(s, "user", f, id)
    _hold(stored, given, "of a new user")
    me = expect(await s.client.send("GET", "/api/auth/me", headers=headers), 200)
    _silent([made, me], f, [given], [stored])
    await _kept_nowhere(s, "user", f, [given], [str(stored)])
