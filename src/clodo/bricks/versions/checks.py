"""Checks of versions: ETags, conditional reading, changes that name the version they are made to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity, OnDelete, Reference
from clodo.bricks.files.language import FileField
from clodo.bricks.files.proving import Place
from clodo.bricks.versions.language import Versions
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Headers, Row, Session, expect

#: How many requests change a row at once.
AT_ONCE = 12


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    b = plan.blueprint
    for e in b.entities:
        for versions in e.parts_of(Versions):
            yield Check("versions.etag", f"{e.name}: every state of a row has an ETag of its own", partial(_etag, e))
            yield Check("versions.not-modified", f"{e.name}: If-None-Match answers 304", partial(_not_modified, e))
            yield Check("versions.stale", f"{e.name}: a change of an older state is 412 and stores nothing", partial(_stale, e))
            if changeable(e) is not None:
                yield Check("versions.atomic", f"{e.name}: of changes at once to one state, one wins", partial(_atomic, e))
            for f in e.parts_of(FileField):
                yield Check("versions.files", f"{e.name}.{f.name}: the answer to an upload has the ETag of its row", partial(_files, e, f))
            if versions.required:
                yield Check("versions.required", f"{e.name}: a change without If-Match is 428", partial(_required, e))
        for r in e.references:
            parent = b.entity(r.target)
            if e.parts_of(Versions) and r.on_delete is OnDelete.SET_NULL and parent is not None:
                rule = f"{e.name}.{r.name}: emptied with its row, the {e.name} has another ETag"
                yield Check("versions.emptied", rule, partial(_emptied, e, r, parent))


def changeable(e: Entity) -> str | None:
    """A key that a change can set to the value that it has."""
    for f in e.fields:
        if not (f.read_only or f.write_only or f.made or f.computed is not None):
            return f.name
    return next((f"{r.name}_id" for r in e.references), None)


def tag_of(answer: Answer) -> str:
    """The ETag of an answer."""
    tag = answer.headers.get("etag", "")
    if not (tag.startswith('"') and tag.endswith('"') and len(tag) > 2):
        raise Fault(f"the ETag is {tag!r}", answer)
    return tag


async def _made(s: Session, e: Entity) -> tuple[Row, str]:
    """A new row and its ETag."""
    row = await s.create(e)
    return row, tag_of(expect(await s.get(e, row["id"]), 200))


async def _send(s: Session, e: Entity, method: str, id: str, body: Any, match: str | None) -> Answer:
    headers: Headers = {k: v for k, v in (await s.deleter(e)).items() if k != "if-match"}
    if match is not None:
        headers["if-match"] = match
    return await s.client.send(method, s.path(e, id), body, headers=headers)


def _same_again(e: Entity, row: Row) -> Row:
    key = changeable(e)
    return {} if key is None else {key: row[key]}


async def _etag(e: Entity, s: Session) -> None:
    made = expect(await s.post(e, await s.body(e)), 201)
    row, first = made.body, tag_of(made)
    page = expect(await s.page(e, {"id": row["id"]}), 200)
    if any(item.get("version") != row["version"] for item in page.body["items"]):
        raise Fault("the list does not tell the version of a row", page)
    body = _same_again(e, row)
    changed = await s.patch(e, row["id"], body)
    if body and s.settled(e, changed, 200, body):
        if tag_of(changed) == first or changed.body["version"] == row["version"]:
            raise Fault("a change left the ETag as it was", changed)
        read = expect(await s.get(e, row["id"]), 200)
        if tag_of(read) != tag_of(changed) or read.body["version"] != changed.body["version"]:
            raise Fault("reading gives another ETag than the change did", read)


async def _files(e: Entity, f: FileField, s: Session) -> None:
    place, (row, tag) = Place(s, e, f), await _made(s, e)
    for status in (201, 200):
        before, answer = tag, expect(await place.upload(row["id"], place.content()), status, "an upload")
        tag = tag_of(answer)
        if tag == before or tag != tag_of(expect(await s.get(e, row["id"]), 200)):
            raise Fault("the ETag of an upload is not that of the row with the file", answer)


async def _not_modified(e: Entity, s: Session) -> None:
    row, tag = await _made(s, e)
    headers = await s.reader(e)
    for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = await s.client.send("GET", s.path(e, row["id"]), headers={**headers, "if-none-match": given})
        if expect(answer, 304, f"If-None-Match: {given}").text or answer.headers.get("etag") != tag:
            raise Fault("a 304 has a body, or not the ETag", answer)
    for given in ('"other"', tag.strip('"'), ""):
        answer = await s.client.send("GET", s.path(e, row["id"]), headers={**headers, "if-none-match": given})
        expect(answer, 200, f"If-None-Match: {given}")
    body = _same_again(e, row)
    if body and s.settled(e, await s.patch(e, row["id"], body), 200, body):
        answer = await s.client.send("GET", s.path(e, row["id"]), headers={**headers, "if-none-match": tag})
        expect(answer, 200, "the row has changed")


async def _stale(e: Entity, s: Session) -> None:
    row, tag = await _made(s, e)
    body = _same_again(e, row)
    old = '"01890000-0000-7000-8000-000000000000"'
    wrong = [old, tag.strip('"'), "nonsense", '""', f'"{row["version"]}x"', "%00", '"*"']
    full = await s.body(e)
    for match in wrong:
        expect(await _send(s, e, "PATCH", row["id"], body, match), 412, f"If-Match: {match}")
    expect(await _send(s, e, "PUT", row["id"], full, old), 412, "PUT of an older state")
    expect(await _send(s, e, "DELETE", row["id"], None, old), 412, "DELETE of an older state")
    read = expect(await s.get(e, row["id"]), 200, "it was not deleted")
    if read.body != row:
        raise Fault("a refused change was stored", read)
    if body:
        changed = await _send(s, e, "PATCH", row["id"], body, f"{old}, W/{tag}")
        if s.settled(e, changed, 200, body):
            expect(await _send(s, e, "PATCH", row["id"], body, tag), 412, "the ETag from before the change")
            expect(await _send(s, e, "DELETE", row["id"], None, tag), 412, "the ETag from before the change")
            tag = f'"{changed.body["version"]}"'
    expect(await _send(s, e, "PATCH", "01890000-0000-7000-8000-000000000000", {}, tag), 404, "no such row")
    expect(await _send(s, e, "DELETE", row["id"], None, tag), 204, "the version that the row has")


async def _atomic(e: Entity, s: Session) -> None:
    row, tag = await _made(s, e)
    body = _same_again(e, row)
    answers = await asyncio.gather(*(_send(s, e, "PATCH", row["id"], body, tag) for _ in range(AT_ONCE)))
    if not any(answer.status == 412 for answer in answers) and not s.settled(e, answers[0], 200, body):
        return
    won = [answer for answer in answers if answer.status == 200]
    for answer in answers:
        if answer not in won:
            expect(answer, 412, "another change was first")
    if len(won) != 1:
        raise Fault(f"{len(won)} of {AT_ONCE} changes to one state were stored", won[-1] if won else answers[0])
    if tag_of(expect(await s.get(e, row["id"]), 200)) != tag_of(won[0]):
        raise Fault("the row is not as the change that won answered", won[0])


async def _required(e: Entity, s: Session) -> None:
    row, _ = await _made(s, e)
    requests = [("PATCH", _same_again(e, row)), ("PATCH", {}), ("PUT", await s.body(e)), ("DELETE", None)]
    for method, body in requests:
        expect(await _send(s, e, method, row["id"], body, None), 428, f"{method} without If-Match")
    if expect(await s.get(e, row["id"]), 200).body != row:
        raise Fault("a change without If-Match was stored")
    expect(await _send(s, e, "DELETE", row["id"], None, "*"), 204, "If-Match: *")


async def _emptied(e: Entity, r: Reference, parent: Entity, s: Session) -> None:
    up = await s.create(parent)
    row = await s.create(e, {f"{r.name}_id": up["id"]})
    tag = tag_of(expect(await s.get(e, row["id"]), 200))
    expect(await s.delete(parent, up["id"]), 204)
    headers = {**await s.reader(e), "if-none-match": tag}
    expect(await s.client.send("GET", s.path(e, row["id"]), headers=headers), 200, f"{r.name} was emptied")
    expect(await _send(s, e, "PATCH", row["id"], {}, tag), 412, f"{r.name} was emptied")
