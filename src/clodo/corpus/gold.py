"""What a record means, as a draft: the yardstick for what a model understood."""

from __future__ import annotations

from dataclasses import replace

from clodo.corpus.format import FieldFacts, Mark, Record, mentions_of
from clodo.understand.draft import (
    Draft,
    DraftCue,
    DraftEntity,
    DraftField,
    DraftRelation,
    DraftValue,
    Evidence,
    Filler,
    Span,
)

#: Attributes of a field mark, as the decisions they stand for.
FIELD_ATTRS = {
    "!": "required", "?": "optional", "u": "unique", "s": "search", "ro": "read_only",
    "wo": "write_only",
}  # fmt: skip


def gold_draft(record: Record) -> Draft:
    """The draft of a record: all that its text states, nothing else."""
    draft = Draft(
        access=record.access or "unstated",
        service_type=record.type or "unstated",
        verdict=record.verdict or "clear",
        text=record.text,
    )
    for name, fields in record.entities.items():
        entity = DraftEntity(name)
        for field, facts in fields.items():
            entity.fields[field] = _field(record, name, field, facts)
        entity.flags |= record.flags.get(name, set())
        entity.together = [group for e, group in record.unique if e == name]
        draft.entities[name] = entity
    for name, kind in record.owned.items():
        draft.entities[name].flags.add(kind)
    for verb, name, who in record.rules:
        role = who.partition(":")[2]
        entity = draft.entities[name]
        if role:
            (entity.read_roles if verb == "read" else entity.write_roles).append(role)
        else:
            entity.flags.add(f"{verb}-{who}")
    for r in record.relations:
        kind = "many" if r.kind == "*" else "belongs"
        draft.relations.append(DraftRelation(r.source, r.target, kind, set(r.options)))
    for owner, field, before, after in record.steps:
        draft.entities[owner].fields[field].steps.append((before, after))
    for mark in record.marks:
        if mark.kind == "cue":
            draft.cues.append(_cue(record, mark))
        if mark.kind == "name":
            draft.name = record.text[mark.start : mark.end]
        elif mark.kind == "unsupported":
            draft.unsupported.append((mark.start, mark.end))
    return draft


def _cue(record: Record, mark: Mark) -> DraftCue:
    cue = DraftCue(mark.cue, record.text[mark.start : mark.end], evidence=Evidence(spans=[(mark.start, mark.end)]))
    for name, filler in mark.slots:
        cue.slots.setdefault(name, []).append(replace(filler, at=_place(record, mark, filler)))
    return cue


def _place(record: Record, cue: Mark, filler: Filler) -> Span | None:
    """Where the words or the role that fill a slot of a cue are marked: of several marks, the one that is next to the cue."""
    if filler.role:
        marks = [m for m in record.marks if (m.kind, m.role) == ("role", filler.role)]
    else:
        marks = mentions_of(record, filler.entity, filler.field, filler.words) if filler.words else []
    nearest = min(marks, key=lambda m: max(m.start - cue.end, cue.start - m.end), default=None)
    return (nearest.start, nearest.end) if nearest is not None else None


def _field(record: Record, entity: str, name: str, facts: FieldFacts) -> DraftField:
    flags = {FIELD_ATTRS[a] for a in facts.attrs}
    made = DraftField(name, facts.type, flags, target=facts.target)
    if facts.target:
        made.reference_flags = (flags & {"required", "optional"}) | named_options(record, entity, facts.target)
    seen: set[tuple[str, str]] = set()
    for m in record.marks:
        if (m.kind, m.entity, m.field) == ("value", entity, name):
            words = m.constant or record.text[m.start : m.end]
            if (m.role, words.lower()) not in seen:
                seen.add((m.role, words.lower()))
                made.values.append(DraftValue(m.role, words))
    return made


def named_options(record: Record, entity: str, target: str) -> set[str]:
    """What the facts ``entity > target`` of a record tell of the named references that lead there: what becomes of them on deletion."""
    return {o for r in record.relations if (r.source, r.target) == (entity, target) and r.kind != "*" for o in r.options}
