"""Which answers are cached, and the triggers that tell when they are old."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import (
    Call,
    Entity,
    Expression,
    IsEmpty,
    IsIn,
    Not,
    Operation,
    Path,
    Who,
)
from clodo.bricks.cache.language import Cache
from clodo.bricks.versions.language import Versions
from clodo.emit.brick import Brick, Import, Parts, Stage
from clodo.emit.typescript import literal

_ID = ":id{[0-9a-f-]{36}}"
_TOKEN = "lower(hex(randomblob(8)))"

_README = """## Cache

Answers that are the same for everybody come from the cache of the data centre, as `X-Cache: HIT` tells. A write makes new
answers at once: each table has a token that changes with its rows, and cached answers are found by it. Requests with a credential
or a cookie are never answered from the cache. It has no effect on `*.workers.dev`: serve the Worker on a domain of your own.
"""


@dataclass(frozen=True)
class Cached:
    """A path whose answers are cached: as the router knows it, as the document does, and the tables that they are made of."""

    route: str
    path: str
    seconds: int
    tables: tuple[str, ...]
    #: Whether other bricks put an ETag on the answers.
    tagged: bool = False

    @property
    def ware(self) -> str:
        """The middleware of the path."""
        parts = [str(self.seconds), literal(list(self.tables)), *(["false"] if self.tagged else [])]
        return f"app.use({literal(self.route)}, cached({', '.join(parts)}));"


def cached_entities(plan: Plan) -> dict[str, Cache]:
    """The entities with the line, by name."""
    return {e.name: cache for e in plan.blueprint.entities for cache in e.parts_of(Cache)}


def cached_paths(plan: Plan) -> Iterator[Cached]:
    """The paths of lists and rows, of children and links. Both ends of these must be for everybody."""
    b, lines = plan.blueprint, cached_entities(plan)

    def public(e: Entity) -> bool:
        return b.read_access(e).who is Who.PUBLIC

    for e in b.entities:
        if e.name in lines:
            base, seconds, tables = f"/api/{plan.path(e)}", lines[e.name].seconds, _tables(plan, [e])
            yield Cached(base, base, seconds, tables)
            yield Cached(f"{base}/{_ID}", f"{base}/{{id}}", seconds, tables, bool(e.parts_of(Versions)))
    for child in plan.children:
        if child.child.name in lines and public(child.parent):
            tables = _tables(plan, [child.parent, child.child])
            yield _below(plan, child.parent, child.path, lines[child.child.name].seconds, tables)
    for link in plan.links:
        sides = [(link.source, link.target, link.source_path)]
        if not link.is_self:
            sides.append((link.target, link.source, link.target_path))
        for here, there, path in sides:
            if there.name in lines and public(here):
                tables = _tables(plan, [here, there], link.table)
                yield _below(plan, here, path, lines[there.name].seconds, tables)


def _below(plan: Plan, e: Entity, path: str, seconds: int, tables: tuple[str, ...]) -> Cached:
    base = f"/api/{plan.path(e)}"
    return Cached(f"{base}/{_ID}/{path}", f"{base}/{{id}}/{path}", seconds, tables)


def _tables(plan: Plan, entities: list[Entity], *links: str) -> tuple[str, ...]:
    """The tables that answers with such rows are made of: all of them where a field is worked out of other rows."""
    if not any(f.computed is not None and _looks_around(f.computed) for e in entities for f in e.fields):
        return tuple(sorted({e.name for e in entities} | set(links)))
    b = plan.blueprint
    users = {"user"} if b.users is not None else set()
    return tuple(sorted({e.name for e in b.entities} | {link.table for link in plan.links} | users))


def _looks_around(e: Expression) -> bool:
    if isinstance(e, Path | Call):
        return True
    if isinstance(e, Operation):
        return _looks_around(e.left) or _looks_around(e.right)
    return isinstance(e, Not | IsEmpty | IsIn) and _looks_around(e.inner)


def _sql(tables: list[str]) -> Iterator[str]:
    """Each table's token is another one after each write, whatever wrote: a request, or a reference that was followed."""
    rows = ",\n".join(f"  ('{table}', {_TOKEN})" for table in tables)
    yield 'CREATE TABLE "_cache" (\n  "name" TEXT PRIMARY KEY NOT NULL,\n  "token" TEXT NOT NULL\n) WITHOUT ROWID;'
    yield f'INSERT INTO "_cache" ("name", "token") VALUES\n{rows};'
    for table in tables:
        for event in ("INSERT", "UPDATE", "DELETE"):
            yield f"""CREATE TRIGGER "_cache__{table}__{event.lower()}" AFTER {event} ON "{table}"
BEGIN
  UPDATE "_cache" SET "token" = {_TOKEN} WHERE "name" = '{table}';
END;"""


def _parts(plan: Plan) -> Parts:
    found = list(cached_paths(plan))
    tables = sorted({table for cached in found for table in cached.tables})
    return Parts(
        imports=(Import("cached", "./lib/cache"),),
        middleware=tuple((Stage.INNER, cached.ware) for cached in found),
        sql=tuple(_sql(tables)),
        readme=_README,
        amend=lambda document: _amend(found, document),
    )


def _amend(found: list[Cached], document: dict[str, Any]) -> None:
    headers = {
        "ETag": {"schema": {"type": "string"}},
        "X-Cache": {"schema": {"enum": ["HIT", "MISS"]}, "description": "Absent where a credential was sent."},
        "Age": {"schema": {"type": "integer"}, "description": "How old an answer from the cache is, in seconds."},
    }
    known = {"name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"}}
    for cached in found:
        get = document["paths"][cached.path]["get"]
        get["responses"]["200"]["headers"] = {**headers, **get["responses"]["200"].get("headers", {})}
        get["responses"].setdefault("304", {"description": "The answer is as the caller has it"})
        if not any(p["name"] == known["name"] for p in get.setdefault("parameters", [])):
            get["parameters"].append({**known, "description": "ETags that the caller has."})


# Inside of what puts ETags on rows, which has its own.
BRICK = Brick("cache", "clodo.bricks.cache", lambda plan: bool(cached_entities(plan)), _parts, order=88)
