"""Checks of the audit: what is written down, that nothing else is, and who may read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity, Field, OnDelete, Reference, Who
from clodo.bricks.audit.language import Audit
from clodo.bricks.tenants.language import tenant_column
from clodo.bricks.tenants.strangers import STRANGER, sent_by
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Headers, Row, Session, StatementRefused, expect

_NO_ROW = "01890000-0000-7000-8000-000000000000"


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    for e in plan.blueprint.entities:
        for audit in e.parts_of(Audit):
            yield from _of(plan, e, audit)


def _of(plan: Plan, e: Entity, audit: Audit) -> Iterator[Check]:
    yield Check("audit.changes", f"{e.name}: each change is written down: who, when, what", partial(_changes, e, audit))
    yield Check("audit.refused", f"{e.name}: what was refused is not written down", partial(_refused, e, audit))
    yield Check("audit.readers", f"{e.name}: the audit is for '{audit.access}'", partial(_readers, e, audit))
    yield Check("audit.kept", f"{e.name}: what is written down cannot be changed", partial(_kept, e, audit))
    yield Check("audit.pages", f"{e.name}: the audit comes in pages, filtered as lists are", partial(_pages, e, audit))
    if tenant_column(plan.blueprint, e):
        yield Check("audit.apart", f"{e.name}: the audit of a tenant is for its members", partial(_apart, e))
    if any(f.write_only and not f.made for f in e.fields):
        yield Check("audit.secret", f"{e.name}: no write-only value is written down", partial(_secret, e, audit))
    for r in e.references:
        parent = plan.blueprint.entity(r.target)
        if parent is not None and parent is not e and r.on_delete is not OnDelete.RESTRICT:
            rule = f"{e.name}.{r.name}: what happens with its {r.target} is written down"
            yield Check("audit.follows", rule, partial(_follows, e, audit, r, parent))


async def _entries(s: Session, e: Entity, audit: Audit, id: str, params: Row | None = None) -> Answer:
    headers = await s.headers(audit.access)
    path = f"{s.path(e, id)}/audit"
    return expect(await s.client.send("GET", path, headers=headers, params=params), 200, "the audit of a row")


def _settable(e: Entity) -> list[Field]:
    return [f for f in e.fields if not (f.read_only or f.write_only or f.made or f.computed is not None)]


def _told(entry: Row, field: str) -> Row | None:
    """What an entry tells of a field."""
    return next((dict(change) for change in entry["changes"] if change["field"] == field), None)


async def _writer_of(s: Session, headers: Headers) -> tuple[str, str | None]:
    if "authorization" in headers:
        return "user", (await s.account("admin")).id
    return ("key" if "x-api-key" in headers else "public"), None


async def _changed(s: Session, e: Entity, row: Row) -> tuple[str, Row] | None:
    """A field that was changed, and the row as it is then."""
    for f in _settable(e):
        value = s.sample(e, f.name)
        answer = await s.patch(e, row["id"], {f.name: value})
        if answer.status == 200 and answer.body[f.name] != row[f.name]:
            return f.name, answer.body
        if answer.status == 200:
            row = answer.body
    return None


async def _changes(e: Entity, audit: Audit, s: Session) -> None:
    row = await s.create(e)
    changed = await _changed(s, e, row)
    # A body that says what the row says already changes nothing in it.
    again = await s.patch(e, row["id"], {f.name: changed[1][f.name] for f in _settable(e)}) if changed else None
    expect(await s.delete(e, row["id"]), 204)
    answer = await _entries(s, e, audit, row["id"])
    entries = answer.body["items"]
    actions = [entry["action"] for entry in entries]
    if actions[0] != "create" or actions[-1] != "delete" or (changed and "update" not in actions):
        raise Fault(f"the changes that are written down are {actions}", answer)
    who = await _writer_of(s, await s.writer(e))
    for entry in entries:
        if (entry["by"], entry["user_id"]) != who or entry["entity"] != e.name or entry["row_id"] != row["id"]:
            raise Fault("an entry does not tell whose change it is, or of which row", answer)
        if not re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", entry["at"]):
            raise Fault(f"{entry['at']!r} is no moment", answer)
    _whole(e, entries[0], row, "after", answer)
    if changed is None:
        return
    name, after = changed
    _whole(e, entries[-1], after, "before", answer)
    _replayed(e, entries, after, answer)
    if again is not None and again.status == 200 and entries[-2]["changes"]:
        raise Fault("an entry tells fields that did not change", answer)
    told = [change for entry in entries if entry["action"] == "update" and (change := _told(entry, name))]
    if not told or (told[0].get("before"), told[-1].get("after")) != (row[name], after[name]):
        raise Fault(f"the change of {name} is not told as it was", answer)


def _whole(e: Entity, entry: Row, row: Row, side: str, answer: Answer) -> None:
    """Holds an entry against the whole row, as it was made or as it went."""
    keys = [f.name for f in _settable(e)] + [f"{r.name}_id" for r in e.references]
    for key in keys:
        told = (_told(entry, key) or {}).get(side)
        if told != row[key]:
            raise Fault(f"{key} is told as {told!r}, not {row[key]!r}", answer)


def _replayed(e: Entity, entries: list[Row], row: Row, answer: Answer) -> None:
    """What is told from the creation on leads to the row as it is, with what followed from the changes."""
    told = {change["field"]: change.get("after") for change in entries[0]["changes"]}
    for change in (change for entry in entries if entry["action"] == "update" for change in entry["changes"]):
        if told.get(change["field"]) != change.get("before"):
            raise Fault(f"{change['field']} was {told.get(change['field'])!r}, not {change.get('before')!r}, as the change of it tells", answer)
        told[change["field"]] = change.get("after")
    for key in [f.name for f in e.fields if f in _settable(e) or (f.made and not (f.read_only or f.write_only))]:
        if told.get(key) != row[key]:
            raise Fault(f"{key} is told to have become {told.get(key)!r}, not {row[key]!r}", answer)


async def _refused(e: Entity, audit: Audit, s: Session) -> None:
    row = await s.create(e)
    made = (await _entries(s, e, audit, row["id"])).body["items"]
    expect(await s.patch(e, row["id"], {"no_such_field": 1}), 422)
    expect(await s.patch(e, row["id"], {}), 200, "nothing to change")
    stranger = await s.client.send("DELETE", s.path(e, row["id"]))
    if stranger.status in (401, 403, 404, 428):
        entries = await _entries(s, e, audit, row["id"])
        if entries.body["items"] != made:
            raise Fault("a refused change is written down", entries)
    unique = next((f for f in _settable(e) if f.unique), None)
    if unique is not None and stranger.status != 204:
        other = await s.create(e)
        answer = await s.patch(e, row["id"], {unique.name: other[unique.name]})
        s.settled(e, answer, 409, [unique.name], "a value that is taken")
        entries = await _entries(s, e, audit, row["id"])
        if answer.status == 409 and entries.body["items"] != made:
            raise Fault("a change that the database refused is written down", entries)


async def _readers(e: Entity, audit: Audit, s: Session) -> None:
    row = await s.create(e)
    paths = [f"{s.path(e, row['id'])}/audit", f"/api/audit?row_id={row['id']}"]
    good = await s.headers(audit.access)
    for path in paths:
        page = expect(await s.client.send("GET", path, headers=good), 200, "who may read the audit")
        if {entry["row_id"] for entry in page.body["items"]} != {row["id"]}:
            raise Fault("the audit does not tell that the row was made", page)
    expect(await s.client.send("GET", f"{s.path(e, _NO_ROW)}/audit", headers=good), 404, "no such row")
    wrong: list[tuple[Headers, int]] = []
    if audit.access.who is not Who.PUBLIC:
        wrong.append(({}, 401))
    if s.blueprint.users is not None and audit.access.who in (Who.KEY, Who.ROLE):
        wrong.append(((await s.account("ann")).headers, 403))
    if "API_KEY" in s.secrets and audit.access.who in (Who.USER, Who.ROLE):
        wrong.append(({"x-api-key": s.secrets["API_KEY"]}, 403))
    for headers, status in wrong:
        expect(await s.client.send("GET", paths[0], headers=headers), status, "who may not read the audit")
        page = await s.client.send("GET", paths[1], headers=headers)
        if page.status == 200 and page.body["items"]:
            raise Fault("the list of all changes tells those of rows that it should not", page)


async def _apart(e: Entity, s: Session) -> None:
    row = await s.create(e)
    headers = sent_by(s, await s.account(STRANGER))
    expect(await s.client.send("GET", f"{s.path(e, row['id'])}/audit", headers=headers), 404, "a row of another tenant")
    for params in ({"limit": "100", "sort": "-id"}, {"row_id": row["id"]}):
        page = expect(await s.client.send("GET", "/api/audit", headers=headers, params=params), 200, "another tenant's audit")
        if any(entry["row_id"] == row["id"] for entry in page.body["items"]):
            raise Fault("the audit tells of a row of another tenant", page)


async def _kept(e: Entity, audit: Audit, s: Session) -> None:
    row = await s.create(e)
    before = await _entries(s, e, audit, row["id"])
    for sql in ('UPDATE "_audit" SET "by" = \'key\' WHERE "row_id" = ?', 'DELETE FROM "_audit" WHERE "row_id" = ?'):
        try:
            await s.query(sql, row["id"])
        except StatementRefused:
            continue
        raise Fault("the database lets what is written down be changed")
    after = await _entries(s, e, audit, row["id"])
    if after.body != before.body:
        raise Fault("what was written down is another", after)
    headers = await s.headers(audit.access)
    for path in (f"{s.path(e, row['id'])}/audit", "/api/audit"):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            expect(await s.client.send(method, path, {}, headers=headers), 405, "an audit is only read")


async def _pages(e: Entity, audit: Audit, s: Session) -> None:
    row = await s.create(e)
    await _changed(s, e, row)
    whole = (await _entries(s, e, audit, row["id"])).body["items"]
    first = await _entries(s, e, audit, row["id"], {"limit": 1, "sort": "-id"})
    if [entry["id"] for entry in first.body["items"]] != [whole[-1]["id"]]:
        raise Fault("sort=-id does not begin with the newest entry", first)
    if len(whole) > 1:
        more = {"limit": 1, "sort": "-id", "cursor": first.body["next_cursor"]}
        second = await _entries(s, e, audit, row["id"], more)
        if [entry["id"] for entry in second.body["items"]] != [whole[-2]["id"]]:
            raise Fault("the second page does not follow the first", second)
    made = await _entries(s, e, audit, row["id"], {"action": "create"})
    if [entry["action"] for entry in made.body["items"]] != ["create"]:
        raise Fault("the filter by action is not heard", made)
    headers = await s.headers(audit.access)
    for query in ("limit=0", "action=nonsense", "no_such=1", "cursor=x", "sort=changes"):
        expect(await s.client.send("GET", f"/api/audit?{query}", headers=headers), 400, query)


async def _secret(e: Entity, audit: Audit, s: Session) -> None:
    secrets = [f for f in e.fields if f.write_only and not f.made and not f.read_only]
    values: dict[str, Any] = {f.name: s.sample(e, f.name) for f in secrets}
    row = await s.create(e, values)
    later = {f.name: s.sample(e, f.name) for f in secrets}
    s.settled(e, await s.patch(e, row["id"], later), 200, later)
    expect(await s.delete(e, row["id"]), 204)
    answer = await _entries(s, e, audit, row["id"])
    for f in secrets:
        told = [change for entry in answer.body["items"] for change in entry["changes"] if change["field"] == f.name]
        if any(set(change) != {"field"} for change in told):
            raise Fault(f"the audit tells values of {f.name}", answer)
        if not any(_told(entry, f.name) for entry in answer.body["items"] if entry["action"] == "update"):
            raise Fault(f"the audit does not tell that {f.name} was changed", answer)
    without = {f.name: None for f in secrets if not f.required}
    bare = await s.post(e, await s.body(e, without))
    if without and bare.status == 201:
        entries = await _entries(s, e, audit, bare.body["id"])
        if any(_told(entry, name) for entry in entries.body["items"] for name in without):
            raise Fault("a write-only field that is empty is told to have been set", entries)
    stored = await s.query('SELECT "before" || "after" AS "all", "before", "after" FROM "_audit" WHERE "row_id" = ?', row["id"])
    texts = [str(value) for value in {**values, **later}.values() if isinstance(value, str) and len(value) > len("true")]
    if any(text in str(line) for line in stored for text in texts):
        raise Fault("a write-only value is stored in the audit")


async def _follows(e: Entity, audit: Audit, r: Reference, parent: Entity, s: Session) -> None:
    key = f"{r.name}_id"
    up = await s.create(parent)
    row = await s.create(e, {key: up["id"]})
    expect(await s.delete(parent, up["id"]), 204)
    answer = await _entries(s, e, audit, row["id"], {"sort": "-id"})
    newest = answer.body["items"][0]
    if r.on_delete is OnDelete.CASCADE:
        if newest["action"] != "delete" or (_told(newest, key) or {}).get("before") != up["id"]:
            raise Fault(f"the {e.name} that went with its {parent.name} is not written down", answer)
        return
    told = {"field": key, "before": up["id"], "after": None}
    if newest["action"] != "update" or newest["by"] != "cascade" or _told(newest, key) != told:
        raise Fault(f"that {key} was emptied is not written down", answer)
    by, user = await _writer_of(s, await s.writer(parent))
    if by == "user" and parent.parts_of(Audit) and newest["user_id"] != user:
        raise Fault(f"who deleted the {parent.name} is not written down", answer)
