"""Checks of text search."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity, FieldType
from clodo.proof.check import Check
from clodo.proof.session import Fault, Session, expect


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    for e in plan.blueprint.entities:
        if e.search:
            yield Check("search.q", f"{e.name}: q finds in {', '.join(e.search)}", partial(_search, e))


async def _search(e: Entity, s: Session) -> None:
    other = await s.create(e)
    for name in e.search:
        f = e.field(name)
        assert f is not None
        row = await s.create(e)
        text = row[name]
        if f.type in (FieldType.TEXT, FieldType.LONG_TEXT) and not (f.pattern or f.read_only or f.maximum):
            word = f"Needle{s.number()}"
            changed = await s.patch(e, row["id"], {name: f"hay {word} stack"})
            text = word if changed.status == 200 else text
        if not isinstance(text, str) or not text.strip():
            continue
        if row["id"] not in await s.ids(e, q=text.split()[0].lower(), limit=100):
            raise Fault(f"q did not find a word of {name}")
        nothing = expect(await s.page(e, q="zzqx no such words"), 200)
        if nothing.body["items"]:
            raise Fault("q found rows without the words", nothing)
        for odd in ("%", "_", "' OR 1=1 --", "\\", "x" * 300):
            page = expect(await s.page(e, q=odd), 200, f"q={odd[:20]}")
            if odd in ("' OR 1=1 --",) and any(i["id"] == other["id"] for i in page.body["items"]):
                raise Fault("q is open to injection", page)
