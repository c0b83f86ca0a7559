"""The same record with other words: other entities and fields in its sentences, and typing slips.

A person's sentence keeps its shape while its nouns change, so that the model learns the shape.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from clodo.corpus.format import Record
from clodo.understand.naming import entity_name, field_name
from clodo.understand.nominals import follows

_MARK = re.compile(r"\[([^\[\]|]+)\|([^\[\]]+)\]")
#: Codes that name no entity or field of their own: roles, cues, values that stand alone.
_BESIDE = ("ROLE:", "@", "#")
#: The share of records that come back as they are (``docs/experiments.md``).
_LEFT = 0.25
_FILLER = re.compile(r"( [a-z]+=)([a-z]\w*)(?![\w:])(?:\.(\w+))?")


@cache
def _inflector() -> Any:
    import inflect

    return inflect.engine()


@cache
def plural(phrase: str) -> str:
    """The plural of a noun phrase."""
    return str(_inflector().plural_noun(phrase) or f"{phrase}s")


@dataclass
class Vocabulary:
    """Surfaces to choose from: singular entity phrases, and field phrases by type."""

    entities: list[str] = field(default_factory=list)
    fields: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @staticmethod
    def of(records: Iterable[Record]) -> Vocabulary:
        """All that some records name, each once."""
        entities: set[str] = set()
        fields: dict[str, set[str]] = defaultdict(set)
        for r in records:
            entities |= {e.replace("_", " ") for e in r.entities}
            for owned in r.entities.values():
                for name, facts in owned.items():
                    surfaces = {r.text[m.start : m.end].lower() for m in facts.marks}
                    plain = [s for s in surfaces if field_name(s) == name]
                    if plain and len(plain[0]) < 30:
                        fields[facts.type].add(plain[0])
        return Vocabulary(sorted(entities), {t: sorted(s) for t, s in fields.items()})


def vary(block: str, vocabulary: Vocabulary, rng: random.Random) -> str:
    """A variation of the text of a record; some come back as they are."""
    if "\nverdict " in block or rng.random() < _LEFT:
        return block
    head, _, rest = block.partition("\n")
    body, sep, facts = rest.partition("\n---")
    changed = _Variation(body, facts, vocabulary, rng)
    body, facts = changed.run(), changed.facts_text
    if rng.random() < 0.2:
        body = slips(body, rng)
    return f"{head}\n{body}{sep}{facts}"


class _Variation:
    def __init__(
        self, body: str, facts: str, vocabulary: Vocabulary, rng: random.Random
    ) -> None:
        self.body, self.facts_text, self.vocabulary, self.rng = body, facts, vocabulary, rng
        self.surfaces: dict[str, list[str]] = defaultdict(list)
        self.types: dict[tuple[str, str], str] = {}
        self.field_surfaces: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.verbal: set[str] = set()
        for found in _MARK.finditer(body):
            for code in found[2].split(","):
                self._note(found[1], code.strip())
            before = body[: found.start()].rsplit(None, 1)[-1:]
            if before and follows(before[0]) and entity_name(found[1]) == found[1].lower():
                self.verbal.add(found[2])

    def _note(self, surface: str, code: str) -> None:
        if code in ("X", "NAME") or code.startswith(_BESIDE):
            return
        path, *attrs = code.split()
        entity, dot, name = path.partition(".")
        if not dot:
            self.surfaces[entity].append(surface)
        elif not (attrs and attrs[0].startswith("=")):
            key = entity, name or field_name(surface)
            self.field_surfaces[key].add(surface.lower())
            type_ = next((a for a in attrs if a in self.vocabulary.fields), "")
            if any(a.startswith("->") for a in attrs):
                type_ = "ref"
            self.types[key] = type_ or self.types.get(key, "text")
        elif attrs[0] in ("=enum", "=enumdef"):
            self.types[entity, name] = "enum"

    def run(self) -> str:
        entities = self._new_entities()
        fields = self._new_fields()
        self.facts_text = self._facts(entities, fields)
        return _MARK.sub(lambda m: self._mark(m, entities, fields), self.body)

    def _new_entities(self) -> dict[str, str]:
        """Old name → new singular phrase, for those whose every mention bears their name."""
        share = self.rng.choice([0.0, 0.5, 1.0])
        out: dict[str, str] = {}
        for name, surfaces in self.surfaces.items():
            plain = name not in self.verbal and all(entity_name(s) == name for s in surfaces)
            if plain and name != "user" and self.rng.random() < share:
                new = self.rng.choice(self.vocabulary.entities)
                key = entity_name(new)
                taken = {*self.surfaces, *(entity_name(v) for v in out.values())}
                if key not in taken and plural(new) != new and key.replace("_", " ") == new:
                    out[name] = new
        return out

    def _new_fields(self) -> dict[tuple[str, str], str]:
        share = self.rng.choice([0.0, 0.3, 0.6])
        out: dict[tuple[str, str], str] = {}
        for key, surfaces in self.field_surfaces.items():
            pool = self.vocabulary.fields.get(self.types.get(key, "text"), [])
            only = next(iter(surfaces))
            plain = len(surfaces) == 1 and field_name(only) == key[1]
            if not plain or not pool or self.types[key] == "ref" or self.rng.random() >= share:
                continue
            new = self.rng.choice(pool)
            name = field_name(new)
            taken = {n for e, n in self.field_surfaces if e == key[0]}
            taken |= {field_name(v) for (e, _), v in out.items() if e == key[0]}
            if name and name not in taken:
                out[key] = new
        return out

    def _mark(
        self, m: re.Match[str], entities: dict[str, str], fields: dict[tuple[str, str], str]
    ) -> str:
        surface, codes = m[1], [c.strip() for c in m[2].split(",")]
        made = []
        for code in codes:
            if code.startswith("@"):
                made.append(_FILLER.sub(lambda f: f[1] + self._path(f[2], f[3], entities, fields), code))
                continue
            path, *attrs = code.split()
            entity, dot, name = path.partition(".")
            if code in ("X", "NAME") or code.startswith(_BESIDE) or entity not in self.surfaces:
                made.append(code)
                continue
            renamed = entity_name(entities[entity]) if entity in entities else entity
            if not dot:
                if entity in entities:
                    surface = _like(surface, entities[entity])
                made.append(renamed)
                continue
            is_value = bool(attrs and attrs[0].startswith("="))
            name = name or field_name(surface)
            if (entity, name) in fields:
                new = fields[entity, name]
                name = field_name(new)
                if not is_value:
                    surface = new.capitalize() if surface[:1].isupper() and surface[1:2].islower() else new
            attrs = [self._attr(a, entities) for a in attrs]
            made.append(" ".join([f"{renamed}.{name}", *attrs]))
        return f"[{surface}|{', '.join(made)}]"

    def _path(self, entity: str, name: str, entities: dict[str, str], fields: dict[tuple[str, str], str]) -> str:
        """``entity`` or ``entity.name`` by its new names."""
        renamed = entity_name(entities[entity]) if entity in entities else entity
        if not name:
            return renamed
        return f"{renamed}.{field_name(fields[entity, name]) if (entity, name) in fields else name}"

    def _attr(self, attr: str, entities: dict[str, str]) -> str:
        if attr.startswith("->") and attr[2:] in entities:
            return f"->{entity_name(entities[attr[2:]])}"
        return attr

    def _facts(self, entities: dict[str, str], fields: dict[tuple[str, str], str]) -> str:
        lines = []
        for line in self.facts_text.split("\n"):
            words = line.split()
            if words[:1] == ["unique"] and len(words) > 3:
                e = words[1]
                words[2:] = [field_name(fields[e, w]) if (e, w) in fields else w for w in words[2:]]
            if words[:1] == ["next"]:
                entity, _, name = words[1].partition(".")
                words[1] = self._path(entity, name, entities, fields)
            elif words[:1] not in (["access"], ["verdict"], ["type"]):
                words = [entity_name(entities[w]) if w in entities else w for w in words]
            lines.append(" ".join(words))
        return "\n".join(lines)


def _like(surface: str, new: str) -> str:
    """The new phrase in the number and case of the old surface."""
    is_plural = surface.lower().replace("-", " ") != entity_name(surface).replace("_", " ")
    out = plural(new) if is_plural else new
    return out.capitalize() if surface[:1].isupper() and not surface.isupper() else out


def slips(body: str, rng: random.Random) -> str:
    """Typing slips, inside and outside of marks; names keep their clean spelling."""
    parts = re.split(r"(\[[^\[\]]*\])", body)
    return "".join(_slipped_mark(p, rng) if p.startswith("[") else _slip(p, rng) for p in parts)


def _slipped_mark(mark: str, rng: random.Random) -> str:
    """A slip in the name of an entity or a field: its code then spells the name out."""
    m = _MARK.fullmatch(mark)
    if m is None or rng.random() < 0.5:
        return mark
    if not m[2].startswith("@") and any(sign in m[2] for sign in "=,:"):
        return mark
    path, _, attrs = m[2].strip().partition(" ")
    if path in ("X", "NAME", "#"):
        return mark
    if path.startswith("@"):
        return f"[{_slip(m[1], rng)}|{m[2]}]"
    if path.endswith("."):
        path += field_name(m[1])
    return f"[{_slip(m[1], rng)}|{path}{' ' if attrs else ''}{attrs}]"


def _slip(text: str, rng: random.Random) -> str:
    def one(m: re.Match[str]) -> str:
        word = m[0]
        if len(word) < 4 or rng.random() > 0.06:
            return word
        i = rng.randrange(1, len(word) - 1)
        kind = rng.random()
        if kind < 0.4:
            return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
        return word[:i] + word[i + 1 :] if kind < 0.8 else word[:i] + word[i] + word[i:]

    return re.sub(r"[A-Za-z']+", one, text)
