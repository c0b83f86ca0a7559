"""Test sets of descriptions with their meaning as JSON (``shared/descriptions`` has the shape)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from clodo.training.scoring import Fact, Meaning, key


def load(path: Path) -> list[tuple[str, str, Meaning]]:
    """Triples of id, description and what it states."""
    return [(d["id"], d["description"], _meaning(d["means"])) for d in json.loads(path.read_text("utf-8"))]


def _meaning(means: dict[str, Any]) -> Meaning:
    out = Meaning(access=means.get("access", ""))
    for raw, entity in means["entities"].items():
        name = key(raw)
        out.entities.add(name)
        for raw_field, f in entity["fields"].items():
            out.fields[name, key(raw_field)] = f["type"]
            out.constraints |= _constraints((name, key(raw_field)), f)
        for r in entity.get("references", []):
            out.references.add((name, ">", key(r["to"])))
            if r.get("on_delete"):
                out.references.add((name, r["on_delete"].replace("_", " "), key(r["to"])))
        for target in entity.get("many_to_many", []):
            out.references.add(("*", *sorted((name, key(target)))))
        if entity.get("owned"):
            out.owned.add(name)
    return out


def _constraints(where: tuple[str, str], f: dict[str, Any]) -> set[Fact]:
    out: set[Fact] = set()
    for flag in ("required", "unique"):
        if f.get(flag):
            out.add((*where, flag))
    if f.get("searchable"):
        out.add((*where, "search"))
    if "default" in f:
        out.add((*where, "default", str(f["default"]).lower()))
    for bound in ("minimum", "maximum"):
        if bound in f:
            out.add((*where, bound, str(f[bound]), False))
        if f"{bound[:3]}_length" in f:
            out.add((*where, f"{bound}length", str(f[f"{bound[:3]}_length"]), False))
    if "values" in f:
        out.add((*where, "values", tuple(sorted(v.lower().replace(" ", "_") for v in f["values"]))))
    return out
