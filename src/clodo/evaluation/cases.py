"""Sets of descriptions with their meaning.

Three shapes: JSON, a list of ``{"id", "description", "means"}`` (``evals/README.md``), marked text in
the format of the corpus (``data/corpus/FORMAT.md``), and a user's own pairs (``docs/training.md``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from clodo.corpus.format import CorpusError, Record, blocks, parse
from clodo.corpus.gold import gold_draft
from clodo.errors import UsageError
from clodo.evaluation.case import Case
from clodo.evaluation.pairs import from_pairs, is_pairs
from clodo.evaluation.scoring import Fact, Meaning, key, meaning
from clodo.understand.compiler import compile_draft


def load(path: Path) -> list[Case]:
    """The cases of a set.

    Raises:
        UsageError: the file cannot be read or is no set.
    """
    try:
        if path.suffix == ".json":
            found = json.loads(path.read_text("utf-8"))
            if not isinstance(found, list):
                raise ValueError("not a list")
            return [_from_json(d) for d in found]
        text = path.read_text("utf-8-sig")
        if is_pairs(text):
            return list(from_pairs(text))
        return from_records(parse(b) for b in blocks(path))
    except OSError as error:
        raise UsageError(f"{str(path)!r} cannot be read: {error}.", hint="Check the path.") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        kind = str(error) if isinstance(error, CorpusError) else f"it is not of the known shape ({error})"
        raise UsageError(
            f"{str(path)!r} is no set of descriptions: {kind}.", hint="Its shapes are in evals/README.md."
        ) from None


def from_records(records: Any) -> list[Case]:
    """Records of the corpus as cases."""
    return [_from_record(r) for r in records]


def _from_record(record: Record) -> Case:
    if record.verdict:
        return Case(record.id, record.text, None, record.style, True)
    blueprint, _ = compile_draft(gold_draft(record))
    if blueprint is None:
        raise CorpusError(f"{record.id} means nothing that can be built")
    wanted = meaning(blueprint)
    if not record.access:
        wanted.access = ""
    return Case(record.id, record.text, wanted, record.style, True)


def _from_json(d: dict[str, Any]) -> Case:
    wanted = None if d["means"] is None else _meaning(d["means"])
    return Case(d["id"], d["description"], wanted, d.get("style", ""))


def _meaning(means: dict[str, Any]) -> Meaning:
    out = Meaning(access=means.get("access", ""))
    for raw, entity in means["entities"].items():
        name = key(raw)
        out.entities.add(name)
        out.names[raw.lower(), ""] = ""
        for raw_field, f in entity["fields"].items():
            out.fields[name, key(raw_field)] = out.names[raw.lower(), raw_field.lower()] = f["type"]
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
