"""How well a blueprint says what a text states.

Both sides are sets of small facts. What the text leaves unsaid is not in the reference, so a fact
that a careful author may add (an inferred type, a required reference) costs nothing unless it
contradicts the text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from clodo.blueprint.constructs import construct_of
from clodo.blueprint.text import default_text, expression_text
from clodo.blueprint.values import Blueprint, Field, FieldType, OnDelete, Reference, Who
from clodo.bricks.files.language import FileField
from clodo.bricks.gateway.values import METHODS, Route
from clodo.bricks.static_site.values import Site
from clodo.evaluation.exact import exactly
from clodo.evaluation.wishes import as_called, canonical, same_names
from clodo.understand.naming import singular

Fact = tuple[object, ...]

#: The kinds of fact that are counted, and all figures in the order in which they are shown.
TALLIED = ("entities", "fields", "types", "constraints", "references", "owned", "rules", "parts")
FIGURES = (*TALLIED, "access", "usable", "exact")

#: What references say besides where they lead and what becomes of them: they may be empty; no two rows have the same.
OPTIONAL, ONE = "optional", "one to one"

#: Types that a text may leave open, and what counts as the same.
_SAME_TYPE = {
    "text": {"text", "longtext", "list", "url", "email", "uuid", "time", "file", "image"},
    "longtext": {"text", "longtext"},
    "date or time": {"date", "datetime", "time"},
    "date": {"date", "datetime"},
    "datetime": {"date", "datetime", "time"},
    "time": {"time", "datetime", "text"},
    "decimal": {"decimal", "money", "integer"},
    "money": {"decimal", "money", "integer"},
    "integer": {"integer"},
    "email": {"email", "text"},
    "url": {"url", "text", "file", "image"},
    "file": {"file", "image"},
}


def same_type(wanted: str, got: str) -> bool:
    """Whether a type may stand for the one that the text states or implies."""
    return got == wanted or got in _SAME_TYPE.get(wanted, set())


@dataclass
class Meaning:
    """What a text states, or what a blueprint says, as facts by construct; ``names`` are entities, fields and references
    as they are written, with their types (``clodo.evaluation.exact``)."""

    entities: set[str] = field(default_factory=set)
    fields: dict[tuple[str, str], str] = field(default_factory=dict)
    constraints: set[Fact] = field(default_factory=set)
    references: set[Fact] = field(default_factory=set)
    access: str = ""
    owned: set[str] = field(default_factory=set)
    rules: set[Fact] = field(default_factory=set)
    parts: set[Fact] = field(default_factory=set)
    names: dict[tuple[str, str], str] = field(default_factory=dict)


def key(name: str) -> str:
    """A name for comparison: its words in the singular, joined, without filler."""
    parts = [singular(p) for p in name.lower().split("_") if p]
    parts = [p for p in parts if p not in ("is", "of", "the", "in", "number", "count", "at", "on")] or parts
    aliases = {"mail": "email", "qty": "quantity", "dob": "birth_date", "colour": "color"}
    joined = "_".join(aliases.get(p, p) for p in parts)
    return {"date_birth": "birth_date", "email_address": "email", "birthday": "birth_date"}.get(joined, joined)


def meaning(b: Blueprint) -> Meaning:
    """What a blueprint says."""
    out = Meaning()
    for owner, parts in (("", b.parts), ("user", b.users.parts if b.users else ()), *((key(e.name), e.parts) for e in b.entities)):
        for part in parts:
            if isinstance(part, FileField):
                out.fields[owner, key(part.name)] = out.names[owner, part.name.lower()] = part.kind
                out.parts |= {(owner, "file types", f'types {key(part.name)}: "{type_}"') for type_ in part.types}
                out.parts |= {(owner, "private file", f"private {key(part.name)}")} if part.private else set()
            elif isinstance(part, Site):
                # Each line of a site is one by itself; the block says that there is one.
                head, *lines, _ = construct_of(part).lines(part)
                out.parts |= {("", "site", head), *(("", "site", line.strip()) for line in lines)}
            else:
                out.parts.add((owner, construct_of(part).name, _said("\n".join(construct_of(part).lines(part)))))
    for e in b.entities:
        name = key(e.name)
        out.entities.add(name)
        out.names |= _names(e.name.lower(), e.fields, e.references)
        for f in e.fields:
            out.fields[name, key(f.name)] = f.type.value
            if f.computed is not None:
                out.parts.add((name, "computed", _said(f"{f.name} = {expression_text(f.computed)}")))
            out.constraints |= set(_constraints(name, f))
        for s in e.search:
            out.constraints.add((name, key(s), "search"))
        for group in e.unique:
            out.constraints.add((name, "+".join(sorted(key(g) for g in group)), "together"))
        for r in e.references:
            out.references.add((name, ">", key(r.target)))
            if r.on_delete is not OnDelete.RESTRICT:
                out.references.add((name, r.on_delete.value, key(r.target)))
            if not r.required and r.on_delete is not OnDelete.SET_NULL and key(r.target) != name:
                # A reference that is emptied, and one to the same kind of row, can be empty anyway.
                out.references.add((name, OPTIONAL, key(r.target)))
            if r.unique:
                out.references.add((name, ONE, key(r.target)))
        for link in e.links:
            out.references.add(("*", *sorted((name, key(link.target)))))
        if b.write_access(e).who is Who.OWNER:
            out.owned.add(name)
        # A rule that only repeats the rule of the service says nothing.
        rules = (("read", e.read, b.read), ("write", e.write, b.write), ("create", e.create, b.write_access(e)), ("delete", e.delete, b.write_access(e)))
        for verb, rule, usual in rules:
            if rule is not None and rule != usual:
                out.rules.add((name, verb, rule.who.value, *sorted(key(r) for r in rule.roles)))
        if e.soft_delete:
            out.rules.add((name, "soft delete"))
    if b.users is not None:
        out.entities.add("user")
        out.names |= _names("user", b.users.fields, ())
        for f in b.users.fields:
            out.fields["user", key(f.name)] = f.type.value
            out.constraints |= set(_constraints("user", f))
        out.constraints |= {("user", key(s), "search") for s in b.users.search}
        out.constraints |= {("user", "+".join(sorted(key(g) for g in group)), "together") for group in b.users.unique}
    out.access = _access(b)
    return out


def _names(owner: str, fields: Iterable[Field], references: Iterable[Reference]) -> dict[tuple[str, str], str]:
    found = {(owner, ""): "", **{(owner, f.name.lower()): f.type.value for f in fields}}
    return {**found, **{(owner, r.name.lower()): f"->{r.target}" for r in references}}


def _said(part: str) -> str:
    return canonical(same_names(part, key))


def _access(b: Blueprint) -> str:
    names = {"public": "none", "key": "key", "user": "login"}
    routes = b.parts_of(Route) if not b.entities else ()
    if routes:
        # A gateway's routes say whom they let in: whoever reads, and whoever does the rest.
        reads, rest = ({names[r.access.who] for r in routes if r.access.who in names and some & set(r.all_methods)} for some in ({"GET"}, {*METHODS} - {"GET"}))
        read, write = (next(iter(found)) if len(found) == 1 else "" for found in (reads or rest, rest or reads))
        return read if read == write else f"{write} write"
    read, write = names.get(b.read.who, ""), names.get(b.write.who, "")
    return read if read == write else f"{write} write"


def _constraints(name: str, f: Field) -> Iterable[Fact]:
    where = (name, key(f.name))
    if f.required:
        yield (*where, "required")
    if f.unique:
        yield (*where, "unique")
    if f.default is not None:
        yield (*where, "default", (str(f.default) if f.worked_out is None else default_text(f)).lower())
    length = "length" if f.type.is_textual else ""
    if f.minimum is not None:
        yield (*where, f"minimum{length}", str(f.minimum.value), f.minimum.exclusive)
    if f.maximum is not None:
        yield (*where, f"maximum{length}", str(f.maximum.value), f.maximum.exclusive)
    if f.type is FieldType.ENUM:
        yield (*where, "values", tuple(sorted(v.lower() for v in f.values)))


@dataclass
class Tally:
    """Counts for an F1: right, said, wanted."""

    right: int = 0
    said: int = 0
    wanted: int = 0

    def add(self, said: set[Fact], wanted: set[Fact]) -> None:
        """Counts one text."""
        self.right += len(said & wanted)
        self.said += len(said)
        self.wanted += len(wanted)

    def to_json(self) -> dict[str, float]:
        """Precision, recall, F1 and how many were wanted."""
        return {
            "precision": round(self.right / self.said, 4) if self.said else 1.0,
            "recall": round(self.right / self.wanted, 4) if self.wanted else 1.0,
            "f1": round(self.f1, 4),
            "wanted": self.wanted,
        }

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 1.0 where nothing was wanted or said."""
        total = self.said + self.wanted
        return 2 * self.right / total if total else 1.0


@dataclass
class Score:
    """Tallies over a set of texts, and how many texts were right as a whole and to the letter."""

    tallies: dict[str, Tally] = field(
        default_factory=lambda: {k: Tally() for k in TALLIED}
    )
    texts: int = 0
    usable: int = 0
    exact: int = 0
    access_right: int = 0
    access_stated: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    constructs: dict[str, Tally] = field(default_factory=dict)

    def add(self, said: Meaning, wanted: Meaning, *, lenient: bool = False) -> list[str]:
        """Counts one text; returns what is wrong with it, in words. ``lenient``: the reference does not
        tell exclusive bounds, which references may be empty, rules of single entities or who may read what only its author changes."""
        self.texts += 1
        named = exactly(said.names, wanted.names, plain=lenient)
        said = aligned(said, renames(said, wanted))
        if lenient:
            said, wanted = (replace(m, constraints=bounds(m.constraints), references=_plain(m.references)) for m in (said, wanted))
        faults = _compare(self.tallies, said, wanted, lenient)
        _tally_constructs(self.constructs, said, wanted)
        if wanted.access:
            self.access_stated += 1
            if said.access == wanted.access:
                self.access_right += 1
            else:
                faults.append(f"access: {said.access!r}, not {wanted.access!r}")
        self.faults.update(f.split(":")[0] for f in faults)
        self.usable += not faults
        self.exact += not faults and named
        return faults

    def table(self) -> dict[str, float]:
        """The figures by name, without those of which nothing was there to judge."""
        out = {k: round(t.f1, 4) for k, t in self.tallies.items() if t.wanted + t.said}
        if self.access_stated:
            out["access"] = round(self.access_right / self.access_stated, 4)
        if self.texts:
            out["usable"] = round(self.usable / self.texts, 4)
            out["exact"] = round(self.exact / self.texts, 4)
        return out


def renames(said: Meaning, wanted: Meaning) -> dict[tuple[str, str], str]:
    """The fields that go by a longer or shorter name than the wanted one, and that name: ``crew_name``
    for ``name``, ``rent`` for ``yearly_rent``. Only where the words of one name hold those of the
    other, within one entity, one to one; names that match exactly stay."""
    renamed: dict[tuple[str, str], str] = {}
    for entity in said.entities & wanted.entities:
        extra = sorted(f for e, f in said.fields if e == entity and (e, f) not in wanted.fields)
        missing = sorted(f for e, f in wanted.fields if e == entity and (e, f) not in said.fields)
        for name in extra:
            near = [m for m in missing if _same_thing(name, m)]
            if len(near) == 1:
                renamed[entity, name] = near[0]
                missing.remove(near[0])
    return renamed


def aligned(said: Meaning, renamed: Mapping[tuple[str, str], str]) -> Meaning:
    """The meaning with some fields under other names."""

    def moved(fact: Fact) -> Fact:
        entity, name = str(fact[0]), str(fact[1])
        if fact[2] == "together":
            return entity, "+".join(sorted(renamed.get((entity, n), n) for n in name.split("+"))), fact[2]
        return (entity, renamed[entity, name], *fact[2:]) if (entity, name) in renamed else fact

    return replace(
        said,
        fields={(e, renamed.get((e, f), f)): t for (e, f), t in said.fields.items()},
        constraints={moved(c) for c in said.constraints},
        parts={(o, kind, as_called(str(text), str(o), renamed)) for o, kind, text in said.parts},
    )


def _same_thing(one: str, other: str) -> bool:
    a, b = set(one.split("_")), set(other.split("_"))
    return a < b or b < a


def _compare(
    tallies: dict[str, Tally], said: Meaning, wanted: Meaning, lenient: bool
) -> list[str]:
    # Users who log in are part of the service, an entity only where the text describes them.
    extra_user = {"user"} if "user" not in wanted.entities else set()
    entities = said.entities - extra_user
    fields = {k for k in said.fields if k[0] not in extra_user}
    wanted_fields = set(wanted.fields)
    typed = {(*k, t) for k, t in said.fields.items() if k in wanted_fields}
    wanted_typed = {
        (*k, said.fields[k] if k in said.fields and same_type(t, said.fields[k]) else t)
        for k, t in wanted.fields.items()
        if k in said.fields
    }
    constraints = {c for c in said.constraints if c[0] not in extra_user}
    pairs: dict[str, tuple[set[Fact], set[Fact]]] = {
        "entities": ({(e,) for e in entities}, {(e,) for e in wanted.entities}),
        "fields": (set(fields), set(wanted_fields)),
        "types": (set(typed), set(wanted_typed)),
        "constraints": (constraints, wanted.constraints),
        "references": (said.references, wanted.references),
        "owned": ({(o,) for o in said.owned}, {(o,) for o in wanted.owned}),
    }
    if not lenient:
        pairs["rules"] = (said.rules, wanted.rules)
        pairs["parts"] = (said.parts, wanted.parts)
    faults = []
    for name, (got, want) in pairs.items():
        tallies[name].add(got, want)
        faults += [f"{name}: missing {m}" for m in sorted(want - got, key=str)]
        faults += [f"{name}: extra {m}" for m in sorted(got - want, key=str)]
    return faults


def _tally_constructs(tallies: dict[str, Tally], said: Meaning, wanted: Meaning) -> None:
    """Counts each kind of constraint and reference by itself."""
    for got, want, place in (
        (said.constraints, wanted.constraints, 2),
        (said.references, wanted.references, 1),
        (said.parts, wanted.parts, 0),
    ):
        kinds = {_construct(f, place) for f in got | want}
        for kind in kinds:
            ours = {f for f in got if _construct(f, place) == kind}
            tallies.setdefault(kind, Tally()).add(ours, {f for f in want if _construct(f, place) == kind})


def _construct(fact: Fact, place: int) -> str:
    if place == 0:
        return str(fact[1]).replace("_", " ")
    if place == 2:
        kind = str(fact[2])
        return kind.replace("length", " length") + (" exclusive" if fact[-1] is True else "")
    if fact[0] == "*":
        return "many-to-many"
    if fact[1] in (OPTIONAL, ONE):
        return f"{fact[1]} reference"
    return "reference" if fact[1] == ">" else f"on delete {fact[1]}"


def _plain(references: set[Fact]) -> set[Fact]:
    """The facts of references but whether they may be empty and are one to one."""
    return {f for f in references if f[1] not in (OPTIONAL, ONE)}


def bounds(facts: set[Fact]) -> set[Fact]:
    """The facts with bounds that no longer tell exclusive from inclusive."""
    return {f[:4] if len(f) == 5 else f for f in facts}
