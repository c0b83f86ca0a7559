"""Checks of text search."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity, FieldType
from clodo.proof.check import Check
from clodo.proof.session import Fault, Session, expect, expect_path


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
            if changed.status == 200:
                text = word
                await _words(e, s, row["id"], word)
        if f.type is FieldType.LIST and not (f.minimum or f.maximum or f.read_only):
            await _items(e, s, row["id"], name)
        if not isinstance(text, str) or not text.strip():
            continue
        for word in (text.split()[0].lower(), text.split()[0].upper()):
            if row["id"] not in await s.ids(e, {"q": word, "limit": 100}):
                raise Fault(f"q did not find a word of {name}, whatever its case")
    nothing = expect(await s.page(e, {"q": "zzqx no such words"}), 200)
    if nothing.body["items"]:
        raise Fault("q found rows without the words", nothing)
    many = expect(await s.page(e, {"q": "one two three four five six seven eight nine"}), 400)
    expect_path(many, "q")
    for odd in ("%", "_", "' OR 1=1 --", "\\", "x" * 300):
        page = expect(await s.page(e, {"q": odd}), 200, f"q={odd[:20]}")
        if odd in ("' OR 1=1 --",) and any(i["id"] == other["id"] for i in page.body["items"]):
            raise Fault("q is open to injection", page)


async def _words(e: Entity, s: Session, id: str, word: str) -> None:
    if id not in await s.ids(e, {"q": f"stack {word}", "limit": 100}):
        raise Fault("q did not find two words of a field")
    if await s.ids(e, {"q": f"{word} zzqx", "limit": 100}):
        raise Fault("q found a row that holds one of two words only")


async def _items(e: Entity, s: Session, id: str, name: str) -> None:
    word = f"Needle{s.number()}"
    expect(await s.patch(e, id, {name: [f'a "{word}"', "b"]}), 200)
    if id not in await s.ids(e, {"q": f'"{word}"', "limit": 100}):
        raise Fault(f"q did not find an item of {name}")
    if id in await s.ids(e, {"q": '","', "limit": 100}):
        raise Fault(f"q found what separates the items of {name}")
