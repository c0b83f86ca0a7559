"""Checks of reports: groups, sums, filters, who may read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from clodo.blueprint.formulas import Scope
from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Access, Call, Entity, Not, Who
from clodo.bricks.actions.view import alike
from clodo.bricks.reports.brick import column_sql, filter_parameters, is_own_filter
from clodo.bricks.reports.language import (
    Column,
    Report,
    columns,
    is_money,
    path_of_report,
    who_reads,
    widens,
)
from clodo.bricks.rules.placing import bring, put
from clodo.bricks.rules.samples import conjuncts, made_to_hold, satisfying
from clodo.emit.expressions import Place, sql
from clodo.proof.check import Check
from clodo.proof.session import Fault, Row, Session, TooFewValues, expect, expect_path

_ROWS = 4


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    for r in plan.blueprint.parts_of(Report):
        e = plan.blueprint.entity(r.source)
        assert e is not None
        yield Check("reports.sums", f"report {r.name}: groups and sums are right", partial(_sums, plan, r, e))
        if r.where is not None:
            yield Check("reports.where", f"report {r.name}: counts only what it is about", partial(_where, plan, r, e))
        yield Check("reports.parameters", f"report {r.name}: takes filters, and no others", partial(_parameters, r, e))
        if widens(plan.blueprint, r):
            yield Check("reports.rows", f"report {r.name}: tells nothing of single rows to whoever may not read them", partial(_of_rows, plan, r, e))
        if who_reads(plan.blueprint, r).who is not Who.PUBLIC:
            yield Check("reports.access", f"report {r.name}: only for {who_reads(plan.blueprint, r)}", partial(_access, r))


async def _get(s: Session, r: Report, params: dict[str, str]) -> Any:
    # Filters are for those who may read the rows.
    e = s.blueprint.entity(r.source)
    assert e is not None
    headers = await s.headers(who_reads(s.blueprint, r), s.blueprint.read_access(e))
    return await s.client.send("GET", path_of_report(r), headers=headers, params=params)


async def _rows(s: Session, r: Report, e: Entity) -> list[Row]:
    """New rows that the report is about, as the database has them, with one parent where there is one."""
    shared: Row = {}
    for reference in e.references:
        target = s.blueprint.entity(reference.target)
        if target is not None and not reference.unique and f"{reference.name}_id" not in s.tied(e):
            shared[f"{reference.name}_id"] = (await s.create(target))["id"]
            break
    made = []
    for _ in range(_ROWS if shared else 1):
        row = await _row(s, r, e, shared)
        if row is not None:
            made.append(row)
    return made


async def _row(s: Session, r: Report, e: Entity, shared: Row) -> Row | None:
    """A new row that the report is about; ``None`` where a rule leaves no room for it."""
    plain = {**await s.body(e, shared), **shared}
    body = dict(plain)
    if r.where is not None:
        made_to_hold(e, r.where, body)
    for tried in (body,) if body == plain else (body, plain):  # what only actions change is not set at first
        try:
            row = await s.create(e, tried)
        except Fault:
            continue
        if r.where is not None:
            await bring(s, e, r.where, row)
        return row
    return None


async def _sums(plan: Plan, r: Report, e: Entity, s: Session) -> None:
    rows = await _rows(s, r, e)
    if not rows:
        raise TooFewValues("no rows were found for this report")
    keys = [f"{x.name}_id" for x in e.references if len({row[f"{x.name}_id"] for row in rows}) == 1]
    filters = {keys[0]: rows[0][keys[0]]} if len(rows) > 1 and keys else {"id": rows[0]["id"]}
    answer = expect(await _get(s, r, filters), 200)
    found = answer.body["items"]
    wanted = await _worked_out(plan, r, e, s, filters)
    if len(found) != len(wanted):
        raise Fault(f"the report has {len(found)} groups, not {len(wanted)}", answer)
    if answer.body["complete"] is not True:
        raise Fault("the report says that it is not whole, and it is", answer)
    for got, row in zip(found, wanted, strict=True):
        for key, value in row.items():
            if not alike(got.get(key), value):
                raise Fault(f"{key} is {got.get(key)!r}, not {value!r}", answer)
    await _apart(plan, r, e, s)


async def _apart(plan: Plan, r: Report, e: Entity, s: Session) -> None:
    """Groups are kept apart. (Other checks make rows meanwhile, so their number is not exact.)"""
    if not r.group or e.parts or plan.blueprint.read_access(e).who is Who.OWNER:
        return  # the caller may not know of all rows
    by = ", ".join(column_sql(plan, r, c, "x.") for c in r.group)
    [row] = await s.query(f'SELECT COUNT(*) AS "n" FROM (SELECT 1 FROM "{e.name}" AS x WHERE 1 = 1{_condition(plan, r)} GROUP BY {by})')
    answer = expect(await _get(s, r, {}), 200)
    if row["n"] > 1 and len(answer.body["items"]) < 2:
        raise Fault("rows of several groups are told as one", answer)


async def _worked_out(plan: Plan, r: Report, e: Entity, s: Session, filters: dict[str, str]) -> list[Row]:
    """The groups, summed up here from the values of single rows in the database."""
    [(key, id)] = filters.items()
    b = plan.blueprint
    by = [f'{column_sql(plan, r, c, "x.")} AS "g{n}"' for n, c in enumerate(r.group)]
    of = [f'{_of_one(plan, r, c)} AS "s{n}"' for n, c in enumerate(r.show)]
    where = _condition(plan, r)
    single = await s.query(f'SELECT {", ".join([*by, *of])} FROM "{e.name}" AS x WHERE x."{key}" = ?{where}', id)
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in single:
        groups.setdefault(tuple(row[f"g{n}"] for n in range(len(r.group))), []).append(row)
    names = [c.key for c in columns(b, r)]
    out = []
    for group in sorted(groups, key=lambda g: [(v is not None, v) for v in g]):
        values = [*group, *(_summary(c, [row[f"s{n}"] for row in groups[group]], money=is_money(b, r, c)) for n, c in enumerate(r.show))]
        out.append(dict(zip(names, values, strict=True)))
    return out or ([] if r.group else [dict.fromkeys(names, 0)])


def _of_one(plan: Plan, r: Report, c: Column) -> str:
    """A shown column as a value of one row."""
    return column_sql(plan, r, replace(c, value=c.value.argument), "x.") if isinstance(c.value, Call) else "1"


def _condition(plan: Plan, r: Report) -> str:
    e = plan.blueprint.entity(r.source)
    assert e is not None
    shown = ' AND x."deleted_at" IS NULL' if e.soft_delete else ""
    return shown + (f" AND {sql(r.where, Place(Scope(plan.blueprint, e), 'x.', 'x.'))}" if r.where is not None else "")


def _summary(c: Column, values: list[Any], *, money: bool) -> Any:
    if not isinstance(c.value, Call):
        return len(values)
    known = [v for v in values if v is not None]
    if c.value.function == "sum":
        return round(sum(known), 2) if money else sum(known)
    if not known:
        return None
    made = {"avg": lambda: sum(known) / len(known), "min": lambda: min(known), "max": lambda: max(known)}[c.value.function]()
    return round(made, 2) if money else made


async def _where(plan: Plan, r: Report, e: Entity, s: Session) -> None:
    assert r.where is not None
    body = await s.body(e)
    row = expect(await s.post(e, body), 201).body
    for part in conjuncts(r.where):
        for name, value in satisfying(e, Not(part), body):
            await put(s, e, row["id"], name, value)
            if await s.query(f'SELECT 1 FROM "{e.name}" AS x WHERE x."id" = ?{_condition(plan, r)}', row["id"]):
                continue
            answer = expect(await _get(s, r, {"id": row["id"]}), 200)
            if any(any(v not in (0, None) for v in item.values()) for item in answer.body["items"]):
                raise Fault("the report counts a row that it is not about", answer)
            return
    raise TooFewValues("no row was found that the report is not about")


async def _parameters(r: Report, e: Entity, s: Session) -> None:
    for name, value in (("no_such_field", "1"), ("limit", "5"), ("sort", "id"), ("id_min", "x")):
        expect_path(expect(await _get(s, r, {name: value}), 400, f"{name}={value}"), name)
    empty = expect(await _get(s, r, {"id": "' OR 1=1 --"}), 200)
    if any(any(v not in (0, None) for v in item.values()) for item in empty.body["items"]):
        raise Fault("the filter is open to injection", empty)


async def _of_rows(plan: Plan, r: Report, e: Entity, s: Session) -> None:
    """Whoever may read the report alone chooses among its groups, and cannot narrow what a group is made of."""
    read, rows = who_reads(plan.blueprint, r), plan.blueprint.read_access(e)
    if read.who is Who.ROLE:
        role = next((role for role in read.roles if role not in (*rows.roles, "admin")), None)
        if role is None:
            raise TooFewValues("every role that may read the report may read the rows")
        account = await s.account("stranger" if role == "user" else f"role:{role}")
        headers = account.headers
    else:
        headers = await s.headers(read, user="stranger")
    row = await s.create(e)
    shown = set((await s.query(f'SELECT * FROM "{e.name}" WHERE "id" = ?', row["id"]))[0])
    for name in (p["name"] for p in filter_parameters(plan, r)):
        column = name if name in shown else name.removesuffix("_min").removesuffix("_max")
        value = row.get(column) if row.get(column) is not None else "2026-01-01"
        text = str(value).lower() if isinstance(value, bool) else str(value)
        answer = await s.client.send("GET", path_of_report(r), headers=headers, params={name: text})
        if not is_own_filter(plan, r, name):
            expect_path(expect(answer, 400, f"by {name}, for whoever may not read the rows"), name)
        elif answer.status != 400 or row.get(column) is not None:
            expect(answer, 200, f"by {name}, which the report is grouped by")


async def _access(r: Report, s: Session) -> None:
    expect(await s.client.send("GET", path_of_report(r)), 401, "without a credential")
    rule: Access = who_reads(s.blueprint, r)
    if rule.who is Who.ROLE and "user" not in rule.roles:
        stranger = await s.account("stranger")
        expect(await s.client.send("GET", path_of_report(r), headers=stranger.headers), 403, "another role")
