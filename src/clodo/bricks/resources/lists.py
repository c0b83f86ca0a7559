"""Checks of lists: pages, order, filters."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity, Field, FieldType
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Session, expect, expect_path

_PLAIN = (FieldType.JSON, FieldType.LIST)


def list_checks(e: Entity) -> Iterator[Check]:
    """The checks of an entity's list."""
    yield Check("resources.paging", f"{e.name}: pages hold every row exactly once", partial(_paging, e))
    yield Check("resources.sort", f"{e.name}: lists are sorted as asked", partial(_sorting, e))
    yield Check("resources.filter", f"{e.name}: filters choose the right rows", partial(_filters, e))
    yield Check("resources.bad-parameter", f"{e.name}: senseless parameters are 400", partial(_bad, e))


def plan_checks(plan: Plan) -> Iterator[Check]:
    """The checks of lists that one entity is enough for: the one whose rows are made most easily."""
    entities = sorted(plan.blueprint.entities, key=lambda e: (len(e.references), len(e.unique), len(e.fields)))
    for e in entities[:1]:
        yield Check("resources.default-limit", f"{e.name}: a page holds 20 rows unless asked", partial(_default_limit, e))


async def _default_limit(e: Entity, s: Session) -> None:
    # Most rows that are needed are there already, from other checks.
    there = len(expect(await s.page(e, {"limit": 21}), 200).body["items"])
    made = await asyncio.gather(*(s.create(e) for _ in range(21 - there)), return_exceptions=True)
    if any(isinstance(row, BaseException) for row in made):
        return  # there are not so many different rows
    page = expect(await s.page(e), 200)
    if len(page.body["items"]) != 20 or page.body["next_cursor"] is None:
        raise Fault("without limit, a page of more than 20 rows does not hold 20", page)


def comparable(e: Entity) -> list[Field]:
    """The fields that lists can be sorted and filtered by."""
    return [f for f in e.fields if f.type not in _PLAIN and f.computed is None and not f.write_only]


async def _rows(e: Entity, s: Session, count: int, *, apart: bool = False) -> list[dict[str, Any]]:
    """Rows of which every other one lacks its optional values; ``apart``: with rows of their own to refer to."""
    optional = [
        f.name
        for f in e.fields
        if not (f.required or f.default is not None or f.read_only or f.computed is not None)
    ]
    # All at once, so that few rows of other checks are in between.
    rows = await asyncio.gather(*(s.create(e, apart=apart) for _ in range(count)))
    made = []
    for i, row in enumerate(rows):
        if i % 2 and optional:
            answer = await s.patch(e, row["id"], dict.fromkeys(optional))
            row = answer.body if s.settled(e, answer, 200, optional) else row
        made.append(row)
    return made


async def _paging(e: Entity, s: Session) -> None:
    rows = await _rows(e, s, 5)
    wanted = [r["id"] for r in rows]
    first = expect(await s.page(e, {"limit": 2}), 200)
    if len(first.body["items"]) != 2 or first.body["next_cursor"] is None:
        raise Fault("limit=2 did not give two rows and a cursor", first)
    # Both directions, and every kind of field in one of them.
    most = 4 if s.leads(e) else 2
    sorts = ["id", "-id"] + [f"{sign}{f.name}" for f, sign in zip(comparable(e)[:most], ("", "-", "", "-"), strict=False)]
    # Rows of other checks are in between; those from before and after would only cost time.
    moments = sorted(row.get("created_at", "") for row in rows)
    window = {"created_at_min": moments[0], "created_at_max": moments[-1]} if e.timestamps else {}
    walks = await asyncio.gather(*(s.ids(e, {**window, "limit": 4, "sort": sort}) for sort in sorts))
    for sort, found in zip(sorts, walks, strict=True):
        mine = [i for i in found if i in wanted]
        # Other rows may be changing meanwhile, and so may move; these ones do not.
        if sorted(mine) != sorted(wanted):
            raise Fault(f"paging by {sort} skipped or repeated rows")
    last = expect(await s.page(e, {"limit": 1, "id": wanted[0]}), 200)
    if last.body["next_cursor"] is not None:
        raise Fault("the last page has a cursor", last)


def _key(value: Any) -> tuple[bool, Any]:
    if isinstance(value, str):
        return True, value.encode()
    return (value is not None, value if value is not None else 0)


async def _sorting(e: Entity, s: Session) -> None:
    await _rows(e, s, 4)
    for f in comparable(e):
        for sign, descending in (("", False), ("-", True)):
            page = expect(await s.page(e, {"sort": f"{sign}{f.name}", "limit": 100}), 200)
            keys = [_key(row[f.name]) for row in page.body["items"]]
            if keys != sorted(keys, reverse=descending):
                raise Fault(f"sort={sign}{f.name} is not in order", page)
    default = expect(await s.page(e, {"limit": 100}), 200)
    ids = [row["id"] for row in default.body["items"]]
    if ids != sorted(ids):
        raise Fault("without sort, rows are not in the order of their making", default)


async def _filters(e: Entity, s: Session) -> None:
    row = (await _rows(e, s, 2, apart=True))[0]
    keys = [f.name for f in comparable(e)] + [f"{r.name}_id" for r in e.references] + ["id"]
    for key in keys:
        value = row.get(key)
        if value is None:
            continue
        page = expect(await s.page(e, {key: _text(value), "limit": 100}), 200)
        items = page.body["items"]
        if any(item[key] != value for item in items):
            raise Fault(f"filtering by {key} let other rows through", page)
        if not await _holds(e, s, page, row["id"], {key: _text(value)}):
            raise Fault(f"filtering by {key} lost the row", page)
    for f in comparable(e):
        if (f.type.is_number or f.type.is_temporal) and row.get(f.name) is not None:
            await _range_filter(e, s, f, row)
    numbers = [f for f in comparable(e) if f.type.is_number]
    for f in numbers[:1]:
        expect(await s.page(e, {f"{f.name}_min": "1e3"}), 200, "a number with an exponent")
    if e.timestamps:
        for key in ("created_at", "updated_at") if s.leads(e) else ("created_at",):
            await _moment_filter(e, s, key, row)


async def _holds(e: Entity, s: Session, page: Answer, id: str, params: dict[str, str]) -> bool:
    """Whether a list has the row, on the page that was seen or on one of the others."""
    if any(item["id"] == id for item in page.body["items"]):
        return True
    return page.body["next_cursor"] is not None and id in await s.ids(e, {**params, "limit": 100})


async def _moment_filter(e: Entity, s: Session, key: str, row: dict[str, Any]) -> None:
    cases = (
        (f"{key}_min", "2000-01-01", True), (f"{key}_min", row[key], True), (f"{key}_min", "9999-12-31", False),
        (f"{key}_max", "2000-01-01", False), (f"{key}_max", row[key], True), (f"{key}_max", "9999-12-31", True),
    )  # fmt: skip
    for name, value, wanted in cases:
        page = expect(await s.page(e, {name: value, "id": row["id"]}), 200)
        if bool(page.body["items"]) is not wanted:
            raise Fault(f"{name}={value} {'lost the row' if wanted else 'let the row through'}", page)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


async def _range_filter(e: Entity, s: Session, f: Field, row: dict[str, Any]) -> None:
    value = row[f.name]
    for side in ("min", "max"):
        page = expect(await s.page(e, {f"{f.name}_{side}": _text(value), "limit": 100}), 200)
        for item in page.body["items"]:
            got = item[f.name]
            if got is None or (got < value if side == "min" else got > value):
                raise Fault(f"{f.name}_{side} let {got!r} through", page)
        if not await _holds(e, s, page, row["id"], {f"{f.name}_{side}": _text(value)}):
            raise Fault(f"{f.name}_{side} is not inclusive", page)


async def _bad(e: Entity, s: Session) -> None:
    await s.create(e)
    await s.create(e)
    bad: list[tuple[str, str]] = [
        ("limit", "0"), ("limit", "101"), ("limit", "x"), ("limit", "-1"), ("sort", "no_such_field"),
        ("sort", "--id"), ("cursor", "broken"), ("cursor", "W10"), ("no_such_field", "1"), ("id_min", "1"),
    ]  # fmt: skip
    if e.timestamps:
        bad += [("created_at_min", "2020-02-30"), ("updated_at", "soon")]
    for f in comparable(e):
        if f.type.is_number or f.type.is_temporal:
            bad += [(f"{f.name}_min", "abc"), (f.name, "abc")]
        elif f.type is FieldType.BOOLEAN:
            bad.append((f.name, "maybe"))
        elif f.type is FieldType.ENUM:
            bad.append((f.name, "no such value"))
    # What is the same for all lists is tried on one, and a little of it on the others.
    for name, value in bad if s.leads(e) else bad[1:10:3] + bad[10:]:
        answer = expect(await s.page(e, {name: value}), 400, f"{name}={value}")
        expect_path(answer, name)
    page = expect(await s.page(e, {"limit": 1}), 200)
    cursor = page.body["next_cursor"]
    expect(await s.page(e, {"limit": 1, "sort": "-id", "cursor": cursor}), 400, "a cursor of another order")
    expect(await s.page(e, {"limit": 1, "cursor": cursor[:-3] + "AAA"}), 400, "a tampered cursor")
    path = f"{s.path(e)}?limit=1&limit=2"
    twice = await s.client.send("GET", path, headers=await s.reader(e))
    expect(twice, 400, "a repeated parameter")
    odd = f"{s.path(e)}?{quote(chr(39) + ' OR 1=1 --')}=1"
    expect(await s.client.send("GET", odd, headers=await s.reader(e)), 400, "an odd parameter")
