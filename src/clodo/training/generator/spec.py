"""What a record will mean, chosen before its words: entities, fields, rules, relations."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from clodo.understand.naming import entity_name, field_name

_MARKS = {"#": "int", "%": "dec", "$": "money", "?": "bool", "@@": "dt", "@": "date", "&": "email", "~": "long", "+": "list", "/": "url"}  # fmt: skip
_FIELD = re.compile(r"([a-zA-Z][\w\- ]*?)(@@|[#%$?@&~+/])?(?:\{([^}]*)\})?$")


@dataclass
class FieldSpec:
    """A field with all that will be said of it."""

    entity: str
    words: str
    type: str
    values: list[str] = field(default_factory=list)
    required: bool = False
    optional: bool = False
    unique: bool = False
    search: bool = False
    default: str | int | bool | None = None
    low: int | float | None = None
    high: int | float | None = None
    open_low: bool = False
    open_high: bool = False
    min_length: int | None = None
    max_length: int | None = None
    quoted: bool = False

    @property
    def name(self) -> str:
        """The name in snake_case."""
        return field_name(self.words)

    @property
    def path(self) -> str:
        """The path of its marks."""
        return f"{self.entity}.{self.name}"

    def default_words(self, rng: random.Random) -> str:
        """The default as a person would write it."""
        if isinstance(self.default, bool):
            return rng.choice(["true", "yes", "on"] if self.default else ["false", "no", "off"])
        return str(self.default)


@dataclass
class EntitySpec:
    """An entity; ``words`` is its singular phrase."""

    words: str
    plural: str
    fields: list[FieldSpec] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name in snake_case."""
        return entity_name(self.words)


@dataclass
class RelationSpec:
    """``source`` belongs to ``target`` (``>``) or both are linked (``*``)."""

    source: EntitySpec
    target: EntitySpec
    kind: str
    options: list[str] = field(default_factory=list)


@dataclass
class ServiceSpec:
    """All of it."""

    domain: str
    entities: list[EntitySpec]
    relations: list[RelationSpec]


@cache
def catalogue() -> dict[str, tuple[dict[str, list[tuple[str, str, tuple[str, ...]]]], list[str]]]:
    """Domain → (entity phrase → fields as (words, type, values), relations as written)."""
    out = {}
    text = files("clodo.training.generator").joinpath("catalogue.txt").read_text("utf-8")
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        domain, _, rest = line.partition(":")
        entities_text, _, relations = rest.partition("|") if "| " not in rest else rest.rpartition("| ")
        entities = {}
        for name, body in re.findall(r"([a-z][a-z ]*)\(([^)]*)\)", entities_text):
            entities[name.strip()] = [_field(f.strip()) for f in body.split(",")]
        out[domain] = (entities, relations.split())
    return out


def _field(text: str) -> tuple[str, str, tuple[str, ...]]:
    m = _FIELD.match(text)
    assert m, text
    values = tuple((m[3] or "").split("|")) if m[3] else ()
    return m[1].strip(), "enum" if values else _MARKS.get(m[2] or "", "text"), values


@cache
def pool(split: str) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    """Every field of the split's domains by type."""
    out: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for entities, _ in (catalogue()[d] for d in domains(split)):
        for fields in entities.values():
            for words, type_, values in fields:
                out.setdefault(type_, []).append((words, values))
    return out


@cache
def domains(split: str) -> tuple[str, ...]:
    """The domains of a split: the last eight of the catalogue are for validation."""
    names = tuple(catalogue())
    return names[-8:] if split == "valid" else names[:-8]


def service(rng: random.Random, split: str) -> ServiceSpec:
    """A random service: from one domain, or mixed from several."""
    from clodo.training.variation import plural

    domain = rng.choice(domains(split))
    entities, relations = catalogue()[domain]
    wanted = rng.choices([1, 2, 3, 4], [22, 40, 28, 10])[0]
    names = rng.sample(list(entities), min(wanted, len(entities)))
    if rng.random() < 0.8:
        names = _connected(rng, entities, relations, wanted)
    made: dict[str, EntitySpec] = {}
    for name in names:
        words = name
        fields = list(entities[name])
        if rng.random() < 0.12:
            other = catalogue()[rng.choice(domains(split))][0]
            words = rng.choice(list(other))
        if words in made or entity_name(words) in {e.name for e in made.values()}:
            words = name
        e = EntitySpec(words, plural(words))
        _choose_fields(rng, e, fields, split)
        made[name] = e
    keyed = {entity_name(n): e for n, e in made.items()}
    found = []
    for text in relations:
        m = re.match(r"(\w+)([>*])(\w+)", text)
        if m and m[1] in keyed and m[3] in keyed:
            found.append(RelationSpec(keyed[m[1]], keyed[m[3]], m[2]))
    if len(made) > 1 and rng.random() < 0.25:
        one, two = rng.sample(list(made.values()), 2)
        if not any({r.source.name, r.target.name} == {one.name, two.name} for r in found):
            found.append(RelationSpec(one, two, rng.choice(">>*")))
    return ServiceSpec(domain, list(made.values()), found)


def _connected(
    rng: random.Random, entities: dict[str, list[tuple[str, str, tuple[str, ...]]]], relations: list[str], wanted: int
) -> list[str]:
    """Entities that hang together."""
    keys = {entity_name(n): n for n in entities}
    chosen = [rng.choice(list(keys))]
    links = [re.split("[>*]", r) for r in relations]
    for _ in range(8):
        near = [b for a, b in links if a in chosen] + [a for a, b in links if b in chosen]
        near = [n for n in near if n not in chosen and n in keys]
        if len(chosen) >= wanted or not near:
            break
        chosen.append(rng.choice(near))
    names = [keys[c] for c in chosen]
    rng.shuffle(names)
    return names


def _choose_fields(
    rng: random.Random, e: EntitySpec, fields: list[tuple[str, str, tuple[str, ...]]], split: str
) -> None:
    count = rng.choices([0, 1, 2, 3, 4, 5, 6], [3, 14, 22, 26, 18, 10, 7])[0]
    chosen = rng.sample(fields, min(count, len(fields)))
    for words, type_, values in chosen:
        if rng.random() < 0.3:
            words, values = rng.choice(pool(split)[type_])
        if field_name(words) in {f.name for f in e.fields} or words == e.words:
            continue
        f = FieldSpec(e.name, words, type_, list(values))
        _rules(rng, f)
        e.fields.append(f)


def _rules(rng: random.Random, f: FieldSpec) -> None:
    roll = rng.random()
    f.required = rng.random() < 0.16
    f.optional = not f.required and rng.random() < 0.06
    f.quoted = rng.random() < 0.12
    if f.type in ("text", "email", "int"):
        f.unique = rng.random() < (0.16 if f.type != "int" else 0.05)
    if f.type in ("text", "long"):
        f.search = rng.random() < 0.06
        if roll < 0.1:
            f.max_length = rng.choice([10, 20, 40, 50, 60, 64, 80, 100, 120, 140, 200, 255, 500, 1000])
            if rng.random() < 0.3:
                f.min_length = rng.choice([2, 3, 5, 8, 10])
            elif rng.random() < 0.15:
                f.min_length = f.max_length
        elif roll < 0.13:
            f.min_length = rng.choice([2, 3, 5, 8])
    elif f.type in ("int", "dec", "money"):
        _number_rules(rng, f, roll)
    elif f.type == "bool" and roll < 0.28:
        f.default = rng.random() < 0.3
    elif f.type == "enum" and roll < 0.4:
        f.default = f.values[0] if rng.random() < 0.7 else rng.choice(f.values)


def _number_rules(rng: random.Random, f: FieldSpec, roll: float) -> None:
    if roll < 0.2:
        f.low, f.high = rng.choice([(1, 5), (0, 100), (1, 10), (0, 10), (1, 20), (2, 12), (10, 300), (1, 99), (0, 1000), (1900, 2100), (18, 99), (5, 50)])  # fmt: skip
    elif roll < 0.4:
        f.low = rng.choice([0, 0, 0, 1, 1, 2, 5, 10, 18, 100, 1000])
        f.open_low = rng.random() < 0.35
    elif roll < 0.55:
        f.high = rng.choice([5, 10, 12, 20, 24, 30, 50, 60, 100, 120, 200, 300, 500, 999, 1000, 5000])
        f.open_high = rng.random() < 0.3
    if f.type == "int" and rng.random() < 0.12:
        low = 0 if f.low is None else int(f.low) + (1 if f.open_low else 0)
        if f.high is None or low <= f.high:
            f.default = max(low, rng.choice([0, 1, 1, 0, 5, 10]) if f.high is None else low)
