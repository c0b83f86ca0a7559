"""From records to training examples: which words are mentions, and what they say of each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clodo.corpus.format import Mark, Record, mentions_of
from clodo.corpus.gold import FIELD_ATTRS, named_options
from clodo.understand import labels as L
from clodo.understand.draft import Filler
from clodo.understand.naming import field_name, moment_name
from clodo.understand.nominals import thing_name
from clodo.understand.reading import Reading, pair_features, read

_KIND = {k: i for i, k in enumerate(L.KINDS)}
#: The tag of a word that is not judged (what cross entropy ignores by default).
UNJUDGED = -100


@dataclass
class Example:
    """One text with every decision that the model should take. ``E``, ``F``: the numbers of
    entities and fields; ``N``: of mentions; ``V``: of distinct values of enums; ``A`` and ``B``: of distinct surfaces of entities and fields."""

    reading: Reading
    tags: np.ndarray  # [words]
    spans: list[tuple[int, int]]  # [N] first and last word
    kinds: np.ndarray  # [N]
    features: np.ndarray  # [N, N, 3]
    in_entity: np.ndarray  # [E, N] 0/1
    in_field: np.ndarray  # [F, N] 0/1
    surfaces: np.ndarray  # [A, N] 0/1
    alias: np.ndarray  # [A, A] 0/1
    field_surfaces: np.ndarray  # [B, N] 0/1
    field_alias: np.ndarray  # [B, B] 0/1, -1 where the two are of different entities
    owners: np.ndarray  # [N, E] 0/1 entities of a field mention
    types: np.ndarray  # [F]
    field_flags: np.ndarray  # [F, flags]
    targets: np.ndarray  # [F] entity, -1 where it is no reference
    target_flags: np.ndarray  # [F, flags]
    entity_flags: np.ndarray  # [E, flags]
    relations: np.ndarray  # [E, E] 0 none, 1 belongs, 2 many
    relation_flags: np.ndarray  # [E, E, flags]
    values: np.ndarray  # [N, F] 0 none, 1 + role
    in_role: np.ndarray  # [R, N] 0/1: mentions of one role
    roles: np.ndarray  # [R, E, 2] who may read and write what
    together: np.ndarray  # [F + E, F + E]
    cues: np.ndarray  # [N] class of a cue, -1 elsewhere
    slots: np.ndarray  # [N, E + F + N, slots] 0/1, -1 where it is not judged
    states: np.ndarray  # [V, N] 0/1: mentions of one value of one field
    steps: np.ndarray  # [V, V] 1 where the second may follow the first, -1 where the two are of different fields
    whole: np.ndarray  # access, verdict, service type


def example(record: Record, tokenizer: Any) -> Example:
    """The example of a record. Marks beyond what the model reads are left out."""
    return _Builder(record, read(record.text, tokenizer)).build()


class _Builder:
    def __init__(self, record: Record, reading: Reading) -> None:
        self.record, self.reading = record, reading
        self.entities = {name: i for i, name in enumerate(record.entities)}
        self.fields = {
            (e, f): i
            for i, (e, f) in enumerate(
                (e, f) for e, fs in record.entities.items() for f in fs
            )
        }
        self.nodes: list[tuple[tuple[int, int], str]] = []
        self.codes: list[list[Mark]] = []
        self._place()

    def _place(self) -> None:
        """Marks become mentions: one for each span, in the order of the text, none overlapping."""
        by_span: dict[tuple[int, int], list[Mark]] = {}
        for mark in sorted(self.record.marks, key=lambda m: (m.start, m.end)):
            span = self.reading.word_span(mark.start, mark.end)
            if span is not None:
                by_span.setdefault(span, []).append(mark)
        taken = -1
        for span, marks in sorted(by_span.items()):
            if span[0] <= taken:
                continue
            kind = marks[0].kind
            self.nodes.append((span, kind))
            self.codes.append([m for m in marks if m.kind == kind])
            taken = span[1]

    def build(self) -> Example:
        n, e, f = len(self.nodes), len(self.entities), len(self.fields)
        spans = [s for s, _ in self.nodes]
        in_entity, in_field = np.zeros((e, n)), np.zeros((f, n))
        owners = np.zeros((n, e))
        for i, codes in enumerate(self.codes):
            for mark in codes:
                if mark.kind == "entity":
                    in_entity[self.entities[mark.entity], i] = 1
                elif mark.kind == "field":
                    in_field[self.fields[mark.entity, mark.field], i] = 1
                    owners[i, self.entities[mark.entity]] = 1
        surfaces, alias = self._surfaces(n)
        field_surfaces, field_alias = self._field_surfaces(n)
        types, flags, targets, target_flags = self._fields(f)
        relations, relation_flags = self._relations(e)
        return Example(
            reading=self.reading,
            tags=self._tags(),
            spans=spans,
            kinds=np.array([_KIND[k] for _, k in self.nodes], dtype=np.int64),
            features=pair_features(self.reading, spans, [k == "entity" for _, k in self.nodes]),
            in_entity=in_entity,
            in_field=in_field,
            surfaces=surfaces,
            alias=alias,
            field_surfaces=field_surfaces,
            field_alias=field_alias,
            owners=owners,
            types=types,
            field_flags=flags,
            targets=targets,
            target_flags=target_flags,
            entity_flags=self._entity_flags(e),
            relations=relations,
            relation_flags=relation_flags,
            values=self._values(n, f),
            **self._roles(n, e),
            together=self._together(e, f),
            cues=self._cues(),
            slots=self._slots(n, e, f),
            **self._steps(n),
            whole=self._whole(),
        )

    def _tags(self) -> np.ndarray:
        tags = np.zeros(len(self.reading.words), dtype=np.int64)
        for (first, last), kind in self.nodes:
            begin = 1 + 2 * _KIND[kind]
            tags[first] = begin
            tags[first + 1 : last + 1] = begin + 1
        # A noun in passing ("our ticket shop") may or may not count as a mention: not judged.
        for word in np.flatnonzero(tags == 0):
            if thing_name(self.reading.surface(int(word), int(word)), self.reading.before(int(word))) in self.entities:
                tags[word] = UNJUDGED
        return tags

    def _surfaces(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        groups: dict[str, list[int]] = {}
        means: dict[str, str] = {}
        for i, ((first, last), kind) in enumerate(self.nodes):
            if kind == "entity":
                name = thing_name(self.reading.surface(first, last), self.reading.before(first), self.reading.behind(last))
                groups.setdefault(name, []).append(i)
                means.setdefault(name, self.codes[i][0].entity)
        names = list(groups)
        member = np.zeros((len(names), n))
        for a, name in enumerate(names):
            member[a, groups[name]] = 1
        alias = np.zeros((len(names), len(names)))
        for a, name in enumerate(names):
            if name != means[name] and means[name] in names:
                alias[a, names.index(means[name])] = 1
        return member, alias

    def _field_surfaces(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Mentions by field and surface; every other surface of a field is an alias of the one that names
        it: the one that reads like its name, else the first."""
        groups: dict[tuple[str, str, str], list[int]] = {}
        for i, ((first, last), kind) in enumerate(self.nodes):
            if kind == "field":
                surface = field_name(self.reading.surface(first, last))
                for code in self.codes[i]:
                    groups.setdefault((code.entity, code.field, surface), []).append(i)
        keys = list(groups)
        names: dict[tuple[str, str], str] = {}
        for entity, name, surface in keys:
            if surface == name or (entity, name) not in names:
                names[entity, name] = surface
        member = np.zeros((len(keys), n))
        alias = np.zeros((len(keys), len(keys)))
        for a, (entity, name, surface) in enumerate(keys):
            member[a, groups[entity, name, surface]] = 1
            for b, other in enumerate(keys):
                if entity != other[0]:
                    alias[a, b] = -1
                elif a != b and name == other[1] and other[2] == names[entity, name]:
                    alias[a, b] = 1
        return member, alias

    def _fields(self, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        types = np.zeros(count, dtype=np.int64)
        flags = np.zeros((count, len(L.FIELD_FLAGS)))
        targets = np.full(count, -1)
        target_flags = np.zeros((count, len(L.REFERENCE_FLAGS)))
        for (entity, name), i in self.fields.items():
            facts = self.record.entities[entity][name]
            types[i] = L.TYPES.index(facts.type)
            wanted = {FIELD_ATTRS[a] for a in facts.attrs}
            wanted |= self._name_flags(name, [m.start for m in facts.marks], facts.marks)
            for flag in wanted:
                flags[i, L.FIELD_FLAGS.index(flag)] = 1
            if facts.target:
                targets[i] = self.entities[facts.target]
                stated = {flag for flag, attr in (("required", "!"), ("optional", "?"), ("one", "u")) if attr in facts.attrs}
                for flag in stated | named_options(self.record, entity, facts.target):
                    target_flags[i, L.REFERENCE_FLAGS.index(flag)] = 1
        return types, flags, targets, target_flags

    def _name_flags(self, name: str, starts: Sequence[int], marks: Sequence[Mark]) -> set[str]:
        plain = {field_name(self.record.text[m.start : m.end]) for m in marks}
        if name in plain:
            return set()
        if name in {moment_name(p, day=day) for p in plain for day in (True, False)}:
            return {"moment"}
        stem, _, last = name.rpartition("_")
        return {"elliptic"} if stem in plain and last in self._last_words(max(starts)) else set()

    def _last_words(self, after: int) -> set[str]:
        """The last words of the fields that are named behind a place in the text."""
        marks = [m for m in self.record.marks if m.kind == "field" and m.start > after]
        return {field_name(self.record.text[m.start : m.end]).rpartition("_")[2] for m in marks}

    def _entity_flags(self, count: int) -> np.ndarray:
        flags = np.zeros((count, len(L.ENTITY_FLAGS)))
        r = self.record
        stated = [(e, kind) for e, kind in r.owned.items()]
        stated += [(e, flag) for e, names in r.flags.items() for flag in names]
        stated += [(e, f"{verb}-{who}") for verb, e, who in r.rules]
        for entity, flag in stated:
            if flag in L.ENTITY_FLAGS:
                flags[self.entities[entity], L.ENTITY_FLAGS.index(flag)] = 1
        return flags

    def _relations(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        kinds = np.zeros((count, count), dtype=np.int64)
        flags = np.zeros((count, count, len(L.REFERENCE_FLAGS)))
        named = {(entity, f.target) for entity, fields in self.record.entities.items() for f in fields.values()}
        for r in self.record.relations:
            a, b = self.entities[r.source], self.entities[r.target]
            if r.kind != "*" and (r.source, r.target) in named:
                continue  # told of the named reference
            if r.kind == "*":
                kinds[a, b] = kinds[b, a] = 2
            else:
                kinds[a, b] = 1
                for flag in r.options:
                    flags[a, b, L.REFERENCE_FLAGS.index(flag)] = 1
        return kinds, flags

    def _values(self, n: int, f: int) -> np.ndarray:
        roles = np.zeros((n, f), dtype=np.int64)
        for i, codes in enumerate(self.codes):
            for mark in codes:
                if mark.kind == "value" and mark.entity:
                    column = self.fields[mark.entity, mark.field]
                    roles[i, column] = 1 + L.VALUE_ROLES.index(mark.role)
        return roles

    def _roles(self, n: int, e: int) -> dict[str, np.ndarray]:
        """A right may be said at any one mention of its role, and is not said at the others."""
        rows = {role: row for row, role in enumerate(dict.fromkeys(m.role for codes in self.codes for m in codes if m.kind == "role"))}
        in_role, roles = np.zeros((len(rows), n)), np.zeros((len(rows), e, 2))
        for i, codes in enumerate(self.codes):
            for mark in codes:
                if mark.kind == "role":
                    in_role[rows[mark.role], i] = 1
        for verb, entity, who in self.record.rules:
            role = who.partition(":")[2]
            if role in rows:
                roles[rows[role], self.entities[entity], 0 if verb == "read" else 1] = 1
        return {"in_role": in_role, "roles": roles}

    def _together(self, e: int, f: int) -> np.ndarray:
        out = np.zeros((f + e, f + e))
        for entity, names in self.record.unique:
            ids = [
                self.fields[entity, n] if (entity, n) in self.fields else f + self.entities[n]
                for n in names
                if (entity, n) in self.fields or n in self.entities
            ]
            for a in ids:
                for b in ids:
                    out[a, b] = a != b
        return out

    def _cues(self) -> np.ndarray:
        kinds = [codes[0].cue for codes in self.codes]
        return np.array([L.CLASSES.index(k) if k else -1 for k in kinds], dtype=np.int64)

    def _slots(self, n: int, e: int, f: int) -> np.ndarray:
        """Only what may fill a slot is judged: entities, fields, values and roles."""
        out = np.zeros((n, e + f + n, len(L.SLOTS)))
        fills = np.array([kind in ("value", "role") for _, kind in self.nodes], dtype=bool)
        out[:, e + f :][:, ~fills] = -1
        for i, codes in enumerate(self.codes):
            for name, filler in codes[0].slots:
                column = L.SLOTS.index(name)
                if filler.words or filler.role:
                    # Any mention of that value would do; the one that stands nearest is the one to find.
                    same = sorted(self._mentions(filler), key=lambda j: abs(j - i))
                    out[i, [e + f + j for j in same], column] = -1
                    out[i, [e + f + j for j in same[:1]], column] = 1
                elif filler.field:
                    out[i, e + self.fields[filler.entity, filler.field], column] = 1
                else:
                    out[i, self.entities[filler.entity], column] = 1
        return out

    def _mentions(self, filler: Filler) -> list[int]:
        """The nodes that a value or a role of a slot may be."""
        if filler.role:
            return [i for i, codes in enumerate(self.codes) if any(m.kind == "role" and m.role == filler.role for m in codes)]
        marks = mentions_of(self.record, filler.entity, filler.field, filler.words)
        return [i for i, codes in enumerate(self.codes) if any(m in marks for m in codes)]

    def _steps(self, n: int) -> dict[str, np.ndarray]:
        groups: dict[tuple[str, str, str], list[int]] = {}
        for i, codes in enumerate(self.codes):
            for m in codes:
                if m.kind == "value" and m.role in ("enum", "enumdef"):
                    words = m.constant or self.record.text[m.start : m.end]
                    groups.setdefault((m.entity, m.field, words.lower()), []).append(i)
        keys = list(groups)
        states = np.zeros((len(keys), n))
        steps = np.full((len(keys), len(keys)), -1)
        stated = {(e, f, a.lower(), b.lower()) for e, f, a, b in self.record.steps}
        for a, (entity, name, before) in enumerate(keys):
            states[a, groups[entity, name, before]] = 1
            for b, (other, field, after) in enumerate(keys):
                if (entity, name) == (other, field) and a != b:
                    steps[a, b] = (entity, name, before, after) in stated
        return {"states": states, "steps": steps}

    def _whole(self) -> np.ndarray:
        r = self.record
        return np.array([
            L.ACCESS.index(r.access) if r.access else 0,
            L.VERDICTS.index(r.verdict) if r.verdict else 0,
            L.SERVICE_TYPES.index(r.type) if r.type in L.SERVICE_TYPES else 0,
        ])
