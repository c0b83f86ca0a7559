"""Checks of export, import and bulk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import OWNER, Entity, Field, FieldType, Who
from clodo.bricks.transfer.bodies import Way, bodies, named, storing, traces, ways, wrong_cell
from clodo.bricks.transfer.files import check_export, typed, written
from clodo.bricks.transfer.language import Bulk, Export, Import
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Row, Session, expect, expect_path

_NOBODY = "01890000-0000-7000-8000-00000000dead"
_AWKWARD = ("=1+1", "'=x", "it's, \"so\"\r\n+4", "@now", " \u00dcn\u00ef\u20ac, ")
_MANY = 130  # more than one page of the service's own


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    for e in plan.blueprint.entities:
        for export in e.parts_of(Export):
            yield Check("transfer.export", f"{e.name}: an export holds the rows as they are answered", partial(_export, e, export))
            yield Check("transfer.export-access", f"{e.name}: an export holds what its caller may see", partial(_export_access, e))
        for bulk in e.parts_of(Bulk):
            yield Check("transfer.bulk", f"{e.name}: up to {bulk.most} bodies at once", partial(_bulk_sizes, e, bulk))
        for way in ways(e):
            yield Check(f"transfer.{way.kind}", f"{way}: stores what it is given", partial(_stores, way))
            yield Check(f"transfer.{way.kind}-rules", f"{way}: each row is checked as a creation is", partial(_faults, way))
            yield Check(f"transfer.{way.kind}-access", f"{way}: who may not create may not do this", partial(_access, way))
        for part in e.parts_of(Import):
            yield Check("transfer.import-partial", f"{e.name}: ?mode=partial stores the good rows", partial(_partial, e, part))
            yield Check("transfer.import-file", f"{e.name}: files that make no sense are refused", partial(_files, e, part))
        if ways(e) and e.parts_of(Export):
            yield Check("transfer.all", f"{e.name}: an export leaves out no row and repeats none", partial(_all, ways(e)[0]))


def _free_text(e: Entity) -> Field | None:
    """A field that takes any text."""
    plain = (FieldType.TEXT, FieldType.LONG_TEXT)
    found = (f for f in e.fields if f.type in plain and not (f.pattern or f.read_only or f.write_only or f.maximum or f.minimum))
    return next((f for f in found if f.computed is None and not f.unique), None)


async def _export(e: Entity, export: Export, s: Session) -> None:
    path, headers = f"{s.path(e)}/export", await s.reader(e)
    row = await s.create(e)
    texts = _free_text(e)
    for text in _AWKWARD if texts is not None else ("",):
        if texts is not None:
            answer = await s.patch(e, row["id"], {texts.name: text})
            if answer.status != 200:
                break  # a rule that ties this field to others
            row = answer.body
        for form in export.formats:
            got = expect(await s.client.send("GET", path, headers=headers, params={"format": form, "id": row["id"]}), 200)
            check_export(e, form, got, [row])
            name = f'attachment; filename="{s.plan.path(e)}.{form}"'
            if got.headers.get("content-disposition") != name:
                raise Fault(f"the export is not offered as {name}", got)
    other = await s.create(e)
    for sort in ("id", "-id"):
        both = sorted((row["id"], other["id"]), reverse=sort == "-id")
        form = export.formats[-1]
        params = {"format": form, "sort": sort}
        got = expect(await s.client.send("GET", path, headers=headers, params=params), 200)
        places = [got.text.find(id) for id in both]
        if min(places) < 0 or places != sorted(places):
            raise Fault("the export does not keep to the order that is asked for", got)
    wrong: tuple[tuple[Row, str], ...] = (({"format": "xml"}, "format"), ({"limit": 5}, "limit"), ({"cursor": "x"}, "cursor"), ({"nosuch": 1}, "nosuch"), ({"sort": "nosuch"}, "sort"))
    for params, bad in wrong:
        expect_path(expect(await s.client.send("GET", path, headers=headers, params=params), 400), bad)
    expect(await s.client.send("POST", path, {}, headers=headers), 405, "an export is read")


async def _export_access(e: Entity, s: Session) -> None:
    path, rule = f"{s.path(e)}/export", s.blueprint.read_access(e)
    if rule.who is not Who.PUBLIC:
        expect(await s.client.send("GET", path), 401, "an export without a credential")
    if rule.who is Who.ROLE:
        expect(await s.client.send("GET", path, headers=(await s.account("ann")).headers), 403, "an export without the role")
    if rule.who is Who.OWNER:
        row = await s.create(e, user="ann")
        for user, held in (("ann", True), ("ben", False)):
            got = expect(await s.client.send("GET", path, headers=await s.reader(e, user)), 200)
            if (row["id"] in got.text) is not held:
                raise Fault(f"the export of {'the owner' if held else 'someone else'} is not what they may see", got)
    if e.soft_delete:
        row = await s.create(e)
        expect(await s.delete(e, row["id"]), 204)
        got = expect(await s.client.send("GET", path, headers=await s.reader(e), params={"id": row["id"]}), 200)
        if row["id"] in got.text:
            raise Fault("the export holds a deleted row", got)


async def _stores(way: Way, s: Session) -> None:
    e, texts = way.entity, _free_text(way.entity)
    given = await storing(way, s, 3)
    if texts is not None:
        for row, text in zip(given, _AWKWARD[:3], strict=True):
            row[texts.name] = text
    answer = await way.send(s, given)
    if answer.status == 422 and texts is not None:
        return  # a rule that ties this field to others
    expect(answer, way.success)
    found = answer.body.get("items")
    for index, body in enumerate(given):
        rows = await traces(s, e, body)
        if not rows:
            raise Fault(f"row {index} is not there as it was given", answer)
        if found is not None and found[index]["id"] not in [row["id"] for row in rows]:
            raise Fault("the rows are not answered in the order of their bodies", answer)
        for row in rows[:1]:
            _compare(e, body, row, await _owner_of(way, s))


def _compare(e: Entity, body: Row, row: Row, owner: str | None) -> None:
    texts = _free_text(e)
    if texts is not None and row[texts.name] != body[texts.name]:
        raise Fault(f"{texts.name} was stored as {row[texts.name]!r}, not {body[texts.name]!r}")
    if "owner_id" in row and row["owner_id"] != owner:
        raise Fault("the rows do not belong to who sent them")


async def _owner_of(way: Way, s: Session) -> str | None:
    return (await s.account("admin")).id if s.blueprint.users is not None else None


async def _faults(way: Way, s: Session) -> None:
    e = way.entity
    for key, bad, status in await _bad(way, s):
        good, faulty = await bodies(s, e, 2)
        faulty = {**faulty, key: bad}
        answer = expect(await way.send(s, [good, faulty]), status, f"a bad {key}")
        expect_path(answer, f"{way.first + 1}.{key}")
        if await traces(s, e, good):
            raise Fault("rows are stored though another one is refused", answer)
    for r in e.references:
        target = s.blueprint.entity(r.target)
        # The administrator, who sends them, sees what any role may.
        if target is None or s.blueprint.read_access(target) != OWNER:
            continue
        private = await s.create(target, user="ann")
        [body] = await bodies(s, e, 1)
        answer = expect(await way.send(s, [{**body, f"{r.name}_id": private["id"]}]), 422, "someone else's private row")
        expect_path(answer, f"{way.first}.{r.name}_id")
    await _taken(way, s)


async def _bad(way: Way, s: Session) -> list[tuple[str, Any, int]]:
    e = way.entity
    found: list[tuple[str, Any, int]] = [(f"{r.name}_id", _NOBODY, 422) for r in e.references[:1]]
    if way.form != "csv":
        found += [("no_such_field", 1, 422)]
    found += [(f.name, wrong, 422) for f in e.fields if (wrong := wrong_cell(f)) is not None][:2]
    missing = [f for f in e.fields if f.required and f.default is None and not f.read_only and f.computed is None]
    return found + [(f.name, None, 422) for f in missing[:1]]


async def _taken(way: Way, s: Session) -> None:
    """A unique value that another row has, in the database or in the same request."""
    e = way.entity
    for f in e.fields:
        if not f.unique or f.write_only or f.read_only or f.computed is not None:
            continue
        first, second, third = await bodies(s, e, 3)
        twins = [first, {**second, f.name: first[f.name]}]
        answer = expect(await way.send(s, twins), 409, f"{f.name} twice in one request")
        if named(answer, way.first + 1):
            expect_path(answer, f"{way.first + 1}.{f.name}")
        else:
            raise Fault(f"the answer does not tell which row has a {f.name} that is taken", answer)
        if await traces(s, e, first):
            raise Fault("a row is stored though the request is refused", answer)
        stored = await s.create(e)
        answer = expect(await way.send(s, [third, {**second, f.name: stored[f.name]}]), 409, f"{f.name} is taken")
        expect_path(answer, f"{way.first + 1}.{f.name}")
        return


async def _access(way: Way, s: Session) -> None:
    e, rule = way.entity, s.blueprint.write_access(way.entity)
    [body] = await bodies(s, e, 1)
    if rule.who is not Who.PUBLIC:
        expect(await way.send(s, [body], headers={}), 401, "without a credential")
    if rule.who is Who.ROLE:
        expect(await way.send(s, [body], headers=(await s.account("ann")).headers), 403, "without the role")
    if await traces(s, e, body):
        raise Fault("a refused request stored a row")


async def _partial(e: Entity, part: Import, s: Session) -> None:
    way = Way(e, part.formats[-1])
    wrong = next(iter(await _bad(way, s)), None)
    if wrong is None:
        return
    good, other, bad = [*await storing(way, s, 2), *await bodies(s, e, 1)]
    bad = {**bad, wrong[0]: wrong[1]}
    answer = expect(await way.send(s, [good, bad, other], query="&mode=partial"), 200)
    if (answer.body["created"], answer.body["failed"]) != (2, 1):
        raise Fault("the answer does not count two good rows and a bad one", answer)
    expect_path(answer, f"2.{wrong[0]}")
    for body, there in ((good, True), (other, True)):
        if bool(await traces(s, e, body)) is not there:
            raise Fault("a good row is not stored", answer)
    unique = next((f for f in e.fields if f.unique and not (f.write_only or f.read_only) and f.computed is None), None)
    if unique is not None:
        first, twin, last = await bodies(s, e, 3)
        answer = await way.send(s, [first, {**twin, unique.name: first[unique.name]}, last], query="&mode=partial")
        if expect(answer, 200).body["created"] != 2:
            raise Fault("of two rows with one unique value not just one is stored", answer)
        expect_path(answer, f"2.{unique.name}")


async def _files(e: Entity, part: Import, s: Session) -> None:
    headers, path = await s.writer(e), f"{s.path(e)}/import"
    form = part.formats[0]
    [body] = await bodies(s, e, 1)
    file = written(form, [body])

    async def sent(content: bytes, query: str = f"format={form}", kind: str = form) -> Answer:
        return await s.client.send("POST", f"{path}?{query}", content=content, headers=typed(kind, headers))

    expect_path(expect(await sent(file, "format=xml"), 400), "format")
    expect_path(expect(await sent(file, f"format={form}&mode=some"), 400), "mode")
    expect_path(expect(await sent(file, f"format={form}&nosuch=1"), 400), "nosuch")
    wrong = {**headers, "content-type": "application/json"}
    expect(await s.client.send("POST", f"{path}?format={form}", content=file, headers=wrong), 415, "another content type")
    expect(await sent(file + b"\xff\xfe\n"), 400, "no UTF-8")
    for form in part.formats:
        if form == "csv":
            expect(await sent(b'name\r\n"never closed', "format=csv", "csv"), 400 if "name" in body else 422)
            expect(await sent(b"", "format=csv", "csv"), 422, "no header")
            expect_path(expect(await sent(b"no_such_column\r\n1\r\n", "format=csv", "csv"), 422), "no_such_column")
            expect_path(expect(await sent(written("csv", [body]) + b"x\r\n", "format=csv", "csv"), 422, "a row with too few cells"), "2")
        else:
            expect_path(expect(await sent(b'{"a": 1\n', "format=ndjson", "ndjson"), 422, "broken JSON"), "1")
            expect_path(expect(await sent(b"[1]\n", "format=ndjson", "ndjson"), 422, "no object"), "1")
    if await traces(s, e, body):
        raise Fault("a refused file stored a row")
    [body] = await storing(Way(e, form), s, 1)
    padded = written(form, [body]) + b"\n" * (1200 * 1024)
    expect(await sent(padded, f"format={form}", form), 200, "a file of more than 1 MiB")
    if not await traces(s, e, body):
        raise Fault("a large file stored nothing")
    expect(await sent(b"\n" * (10 * 1024 * 1024 + 1), f"format={form}", form), 413, "a file of more than 10 MiB")


async def _bulk_sizes(e: Entity, bulk: Bulk, s: Session) -> None:
    way, headers, path = Way(e, "bulk"), await s.writer(e), f"{s.path(e)}/bulk"
    [body] = await bodies(s, e, 1)
    none: tuple[Any, ...] = ([], {}, body, "x", None)
    for odd in none:
        expect(await s.client.send("POST", path, content=json.dumps(odd).encode(), headers={**headers, "content-type": "application/json"}), 422, "no list of bodies")
    expect(await way.send(s, [body] * (int(bulk.most) + 1)), 422, "too many bodies")
    expect_path(expect(await way.send(s, [body, 5]), 422, "no object"), "1")
    expect(await s.client.send("POST", path, content=b"[", headers={**headers, "content-type": "application/json"}), 400)
    expect(await s.client.send("POST", path, content=b"[]", headers={**headers, "content-type": "text/plain"}), 415)
    if await traces(s, e, body):
        raise Fault("a refused request stored a row")


async def _all(way: Way, s: Session) -> None:
    e = way.entity
    most = next((int(b.most) for b in e.parts_of(Bulk)), _MANY) if way.form == "bulk" else _MANY
    if e.name in s.scarce or most < _MANY // 4:
        return
    # All of them refer to the same rows; where that is not possible there are fewer rows to export.
    one = await s.body(e)
    for _ in range(-(-_MANY // most)):
        await way.send(s, [{**one, **s.plain_body(e)} for _ in range(min(most, _MANY))])
    for sort in ("id", "-created_at" if e.timestamps else "-id"):
        form = e.parts_of(Export)[0].formats[0]
        path, params = f"{s.path(e)}/export", {"format": form, "sort": sort}
        before = await s.ids(e, {"limit": 100, "sort": sort})
        got = expect(await s.client.send("GET", path, headers=await s.reader(e), params=params), 200)
        # Other checks delete rows of theirs meanwhile.
        there = set(await s.ids(e, {"limit": 100, "sort": sort}))
        for id in before:
            times = got.text.count(f'"id":"{id}"' if form == "ndjson" else f"\n{id}")
            if times > 1 or (times == 0 and id in there):
                raise Fault(f"a row is {times} times in the export, sorted by {sort}", got)
