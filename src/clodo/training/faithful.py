"""Whether a record says all that a blueprint says: what it cannot say would be left out of a training without a word."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from clodo.blueprint import format_blueprint
from clodo.blueprint.values import Blueprint, Entity, Field
from clodo.corpus.format import CorpusError, Record
from clodo.corpus.gold import gold_draft
from clodo.understand.compiler import compile_draft

_SHOWN = 3

#: A line of a blueprint and the block that it stands in.
Line = tuple[str, str]


def check_faithful(record: Record, wanted: Blueprint) -> None:
    """Compiles a record and compares what comes of it with the blueprint that it was made from. The service's name and the order of
    things do not count.

    Raises:
        CorpusError: they differ.
    """
    made, _ = compile_draft(gold_draft(record))
    ours, theirs = _lines(wanted), _lines(made) if made is not None else Counter()
    lost, added = ours - theirs, theirs - ours
    if lost:
        raise CorpusError(f"cannot be learnt yet: {_told(lost)}")
    if added:
        raise CorpusError(f"cannot be learnt yet: without {_told(added)}, which follows from the rest")


def _told(lines: Counter[Line]) -> str:
    shown = [f"{block}: {line}" if block else line for block, line in sorted(lines)]
    return "; ".join(shown[:_SHOWN]) + (f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else "")


def _lines(b: Blueprint) -> Counter[Line]:
    plain = replace(
        b,
        entities=tuple(_entity(e) for e in b.entities),
        users=replace(b.users, fields=tuple(_field(f) for f in b.users.fields)) if b.users is not None else None,
    )
    out: Counter[Line] = Counter()
    block = ""
    for raw in format_blueprint(plain).split("\n"):
        line = raw.strip().removesuffix(" {")
        if line in ("", "}") or line.startswith("service "):
            continue
        if raw[0] != " ":
            block = line if raw.endswith("{") else ""
            out["", line] += 1
        else:
            out[block, line] += 1
    return out


def _entity(e: Entity) -> Entity:
    unique = tuple(tuple(sorted(group)) for group in e.unique)
    return replace(e, fields=tuple(_field(f) for f in e.fields), search=tuple(sorted(e.search)), unique=unique)


def _field(f: Field) -> Field:
    return replace(f, values=tuple(sorted(f.values)))
