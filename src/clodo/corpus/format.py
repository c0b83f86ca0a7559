"""The corpus: descriptions with their meaning marked in the text (``data/corpus/FORMAT.md``).

``python -m clodo.corpus.format FILE…`` checks files and prints what is wrong, a line each.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from clodo.understand.cue_labels import CUES
from clodo.understand.draft import Filler
from clodo.understand.naming import entity_name, field_name, figure_name, moment_name
from clodo.understand.nominals import thing_name

STYLES = frozenset(
    ["oneliner", "terse", "chatty", "bullets", "story", "email", "takehome", "brief", "typos", "nonnative"]
)
TYPES = frozenset(["long", "int", "dec", "money", "bool", "date", "dt", "time", "email", "url", "uuid", "json", "list", "enum", "file", "image"])
ROLES = frozenset(["min", "max", "xmin", "xmax", "minlen", "maxlen", "len", "enum", "def", "enumdef"])
ACCESS = ("none", "key", "key-write", "login", "login-write")
VERDICTS = ("vague", "not-a-service", "contradictory")
#: Types of service that need no entity.
_WITHOUT_ENTITIES = ("api-gateway", "static-site", "auth-service")

_MARK = re.compile(r"\[([^\[\]|]+)\|([^\[\]]+)\]")
_HEADER = re.compile(r"^=== *(\S+) *\| *style=(\w+) *\| *domain=(.+?) *$")
_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
_WHO = re.compile(r"public|key|login|role:[a-z]\w*")
_VALUE = re.compile(r"^=(\w+)(?::(.+))?$")


#: What names of dates and times end in.
_ENDS = ("on", "at", "date", "time")


class CorpusError(ValueError):
    """A record that does not follow the format."""


@dataclass(frozen=True)
class Mark:
    """One code of one marked span; ``start`` and ``end`` are characters of the clean text."""

    start: int
    end: int
    kind: str  # entity, field, value, role, name, unsupported, cue
    entity: str = ""
    field: str = ""
    role: str = ""  # of a value towards its field; empty for one that stands alone; a role's name
    constant: str = ""
    attrs: tuple[str, ...] = ()
    cue: str = ""  # what a cue stands for, one of ``cue_labels.CUES``
    slots: tuple[tuple[str, Filler], ...] = ()  # what fills the slots of that name, each by itself


@dataclass
class FieldFacts:
    """What the text states about one field, gathered over all its mentions."""

    type: str = "text"
    attrs: set[str] = field(default_factory=set)
    target: str = ""
    marks: list[Mark] = field(default_factory=list)


@dataclass(frozen=True)
class Relation:
    """``source`` refers to ``target`` (``>``), or both are linked (``*``)."""

    source: str
    target: str
    kind: str
    options: frozenset[str] = frozenset()


@dataclass
class Record:
    """One description and its meaning."""

    id: str
    style: str
    domain: str
    text: str
    marks: list[Mark]
    entities: dict[str, dict[str, FieldFacts]]
    relations: list[Relation] = field(default_factory=list)
    owned: dict[str, str] = field(default_factory=dict)
    flags: dict[str, set[str]] = field(default_factory=dict)
    unique: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    steps: list[tuple[str, str, str, str]] = field(default_factory=list)  # entity, field, a state, one that may follow
    rules: list[tuple[str, str, str]] = field(default_factory=list)
    access: str = ""
    type: str = ""
    verdict: str = ""


def read(path: Path) -> Iterator[Record]:
    """The records of a file.

    Raises:
        CorpusError: a record breaks the format; the message names its id.
    """
    for block in blocks(path):
        yield parse(block)


def blocks(path: Path) -> list[str]:
    """The texts of the records of a file, headers included."""
    parts = re.split(r"(?m)^(?==== )", path.read_text("utf-8"))
    return [p for p in parts if p.strip()]


def parse(block: str) -> Record:
    """One record from its text."""
    head, _, rest = block.partition("\n")
    match = _header(head)
    body, sep, facts = rest.partition("\n---")
    if not sep:
        raise CorpusError(f"{match[1]}: no line '---'")
    text, marks = _unmark(body.strip("\n"), match[1])
    record = Record(match[1], match[2], match[3], text, marks, _gather(marks, match[1]))
    for line in facts.split("\n"):
        if line.strip():
            _fact(record, line.split("#")[0].strip())
    _finish(record)
    return record


def domain_of(block: str) -> str:
    """The domain of a record, from its text, of which no more than the header is read.

    Raises:
        CorpusError: it has no header.
    """
    return _header(block.partition("\n")[0])[3]


def _header(head: str) -> re.Match[str]:
    match = _HEADER.match(head)
    if not match:
        raise CorpusError(f"header not understood: {head!r}")
    return match


def _unmark(body: str, where: str) -> tuple[str, list[Mark]]:
    text, marks, last = "", [], 0
    for m in _MARK.finditer(body):
        text += body[last : m.start()]
        start = len(text)
        text += m[1]
        marks += [_code(c.strip(), m[1], start, where) for c in m[2].split(",")]
        last = m.end()
    text += body[last:]
    if re.search(r"[\[\]|]", text):
        raise CorpusError(f"{where}: stray bracket or bar left in the text")
    return text, marks


def _code(code: str, surface: str, start: int, where: str) -> Mark:
    end = start + len(surface)
    if code == "X":
        return Mark(start, end, "unsupported")
    if code == "NAME":
        return Mark(start, end, "name")
    if code.startswith("ROLE:"):
        return Mark(start, end, "role", role=code[5:])
    if code == "#":
        return Mark(start, end, "value")
    if code.startswith("@"):
        return _cue(code[1:], start, end, where)
    path, *attrs = code.split()
    entity, dot, name = path.partition(".")
    if not _NAME.match(entity):
        raise CorpusError(f"{where}: bad entity name in {code!r}")
    if not dot:
        if attrs:
            raise CorpusError(f"{where}: an entity mark takes no attributes: {code!r}")
        return Mark(start, end, "entity", entity)
    if attrs and (value := _VALUE.match(attrs[0])):
        if value[1] not in ROLES or len(attrs) > 1:
            raise CorpusError(f"{where}: bad value role in {code!r}")
        return Mark(start, end, "value", entity, name, value[1], value[2] or "")
    name = name or _named(surface)
    if not _NAME.match(name):
        raise CorpusError(f"{where}: bad field name in {code!r} ({surface!r})")
    for attr in attrs:
        if attr not in TYPES | {"!", "?", "u", "s", "ro", "wo", "text"} and attr[:2] != "->":
            raise CorpusError(f"{where}: unknown attribute {attr!r} in {code!r}")
    return Mark(start, end, "field", entity, name, attrs=tuple(attrs))


@lru_cache(maxsize=2**16)
def _named(surface: str) -> str:
    """The name of a field from a mention. Most are mentioned in the words of others: a third of the time to read the corpus went into this."""
    return field_name(surface)


def _cue(code: str, start: int, end: int, where: str) -> Mark:
    kind, *fillers = re.split(r" +(?=[a-z]+=)", code)
    if kind not in CUES:
        raise CorpusError(f"{where}: unknown cue {kind!r}")
    slots = []
    for filler in fillers:
        name, _, what = filler.partition("=")
        if name not in CUES[kind]:
            raise CorpusError(f"{where}: {kind!r} has no slot {name!r}")
        slots.append((name, _filler(name, what, where)))
    return Mark(start, end, "cue", cue=kind, slots=tuple(slots))


def _filler(name: str, what: str, where: str) -> Filler:
    if what.startswith("#"):
        return Filler(words=what[1:])
    if what.startswith("role:"):
        return Filler(role=what[5:])
    path, _, words = what.partition(":")
    entity, _, field_ = path.partition(".")
    if not _NAME.match(entity) or (field_ and not _NAME.match(field_)) or (words and not field_):
        raise CorpusError(f"{where}: bad filler {what!r} of the slot {name!r}")
    return Filler(entity, field_, words)


def _gather(marks: list[Mark], where: str) -> dict[str, dict[str, FieldFacts]]:
    entities: dict[str, dict[str, FieldFacts]] = {}
    for mark in marks:
        if mark.kind == "entity":
            entities.setdefault(mark.entity, {})
    for mark in marks:
        if mark.kind not in ("field", "value") or not mark.entity:
            continue
        if mark.entity not in entities:
            raise CorpusError(f"{where}: {mark.entity!r} has a field but is never marked")
        if mark.kind == "field":
            facts = entities[mark.entity].setdefault(mark.field, FieldFacts())
            facts.marks.append(mark)
            _attributes(facts, mark, where)
    for mark in marks:
        if mark.kind == "value" and mark.entity:
            if mark.field not in entities[mark.entity]:
                raise CorpusError(
                    f"{where}: a value for {mark.entity}.{mark.field}, which is never marked"
                )
            if mark.role in ("enum", "enumdef"):
                entities[mark.entity][mark.field].type = "enum"
    return entities


def _attributes(facts: FieldFacts, mark: Mark, where: str) -> None:
    for attr in mark.attrs:
        if attr.startswith("->"):
            facts.target = attr[2:].lstrip(">")
            facts.type = "ref"
        elif attr in TYPES:
            if facts.type not in ("text", attr):
                raise CorpusError(f"{where}: {mark.field} is {facts.type} and {attr}")
            facts.type = attr
        elif attr != "text":
            facts.attrs.add(attr)


def _fact(record: Record, line: str) -> None:
    where, parts = record.id, line.split()
    if not parts:
        return
    if len(parts) >= 3 and parts[1] in (">", ">>", "*"):
        options = set(parts[3:]) | ({"cascade"} if parts[1] == ">>" else set())
        if options - {"required", "optional", "cascade", "restrict", "setnull", "one"}:
            raise CorpusError(f"{where}: unknown option in {line!r}")
        kind = "*" if parts[1] == "*" else ">"
        record.relations.append(Relation(parts[0], parts[2], kind, frozenset(options)))
    elif parts[0] in ("own", "own-write") and len(parts) == 2:
        record.owned[parts[1]] = parts[0]
    elif parts[0] in ("softdelete", "timestamps"):
        for name in parts[1:]:
            record.flags.setdefault(name, set()).add(parts[0])
    elif parts[0] == "unique" and len(parts) >= 4:
        record.unique.append((parts[1], tuple(parts[2:])))
    elif parts[0] == "next" and len(parts) >= 3:
        record.steps += _steps(record, line)
    elif parts[0] in ("read", "write") and len(parts) == 3 and _WHO.fullmatch(parts[2]):
        record.rules.append((parts[0], parts[1], parts[2]))
    elif parts[0] == "access" and parts[1] in ACCESS:
        record.access = parts[1]
    elif parts[0] == "type":
        record.type = parts[1]
    elif parts[0] == "verdict" and parts[1] in VERDICTS:
        record.verdict = parts[1]
    else:
        raise CorpusError(f"{where}: fact not understood: {line!r}")


def _steps(record: Record, line: str) -> Iterator[tuple[str, str, str, str]]:
    """``next order.status new > paid > sent`` as pairs of states."""
    _, path, chain = line.split(maxsplit=2)
    entity, _, name = path.partition(".")
    states = [s.strip() for s in chain.split(">")]
    if len(states) < 2 or name not in record.entities.get(entity, {}):
        raise CorpusError(f"{record.id}: steps not understood: {line!r}")
    for a, b in zip(states, states[1:], strict=False):
        for state in (a, b):
            if not mentions_of(record, entity, name, state):
                raise CorpusError(f"{record.id}: the state {state!r} of {path} is never marked as a value")
        yield entity, name, a, b


_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")


def mentions_of(record: Record, entity: str, name: str, words: str) -> list[Mark]:
    """The marks of a value: of a field, or of one that stands alone (no entity). Commas end codes, so that 1,000 is named without its own."""
    wanted = words.lower()
    return [
        m
        for m in record.marks
        if (m.kind, m.entity, m.field) == ("value", entity, name)
        and wanted in (m.constant.lower(), said := record.text[m.start : m.end].lower(), _THOUSANDS.sub("", said))
    ]


def _finish(record: Record) -> None:
    where, known = record.id, record.entities
    named = [(r.source, "relation") for r in record.relations]
    named += [(r.target, "relation") for r in record.relations]
    named += [(e, "ownership") for e in record.owned] + [(e, "flag") for e in record.flags]
    named += [(e, "rule") for _, e, _ in record.rules] + [(e, "unique") for e, _ in record.unique]
    named += [(f.target, "->") for e in known.values() for f in e.values() if f.target]
    named += [(s.entity, "a cue") for m in record.marks for _, s in m.slots if s.entity]
    for name, what in named:
        if name not in known:
            raise CorpusError(f"{where}: {what} names {name!r}, which is never marked")
    if not record.verdict and not known and record.type not in _WITHOUT_ENTITIES:
        raise CorpusError(f"{where}: no entity and no verdict")
    for filler in (f for m in record.marks for _, f in m.slots):
        _check_filler(record, filler)
    for entity, fields in known.items():
        for name, facts in fields.items():
            same = next((f"{name}_{end}" for end in _ENDS if f"{name}_{end}" in fields), None)
            if same and facts.type == "text" and not facts.attrs:
                raise CorpusError(f"{where}: {entity}.{name} is a field beside {entity}.{same}: mark it [{name}|{entity}.{same}]")
    if record.style not in STYLES:
        raise CorpusError(f"{where}: unknown style {record.style!r}")


def _check_filler(record: Record, f: Filler) -> None:
    if f.field and f.field not in record.entities[f.entity]:
        raise CorpusError(f"{record.id}: a cue names the field {f.entity}.{f.field}, which is never marked")
    if f.words and not mentions_of(record, f.entity, f.field, f.words):
        raise CorpusError(f"{record.id}: a cue names the value {f.words!r}, which is never marked")
    if f.role and not any(m.kind == "role" and m.role == f.role for m in record.marks):
        raise CorpusError(f"{record.id}: a cue names the role {f.role!r}, which is never marked")


def warnings(record: Record) -> Iterator[str]:
    """What looks wrong but may be right: forgotten mentions, odd names, enums of one."""
    spans = [(m.start, m.end) for m in record.marks]
    for m in re.finditer(r"[A-Za-z]+", record.text):
        if any(a <= m.start() < b for a, b in spans):
            continue
        if entity_name(m[0]) in record.entities:
            yield f"{record.id}: mention not marked: {record.text[m.start() - 15 : m.end() + 10]!r}"
    for entity, fields in record.entities.items():
        mentions = [m for m in record.marks if m.kind == "entity" and m.entity == entity]
        if all(thing_name(record.text[m.start : m.end], _before(record.text, m.start)) != entity for m in mentions):
            yield f"{record.id}: entity {entity!r} has no mention of that very name"
        for name, facts in fields.items():
            surfaces = [record.text[m.start : m.end] for m in facts.marks]
            derived = {n for s in surfaces for n in derivable(s, facts.type)}
            last = name.rpartition("_")[0]
            if name not in derived and last not in derived:
                yield f"{record.id}: {name!r} does not follow from {surfaces!r}"
            yield from _enum_warnings(record, entity, name, facts)


def _before(text: str, at: int) -> str:
    """The word in front of a place."""
    return next(iter(re.findall(r"[A-Za-z]+", text[:at])[-1:]), "")


def _enum_warnings(record: Record, entity: str, name: str, facts: FieldFacts) -> Iterator[str]:
    values = [m for m in record.marks if (m.kind, m.entity, m.field) == ("value", entity, name)]
    allowed = {
        (m.constant or record.text[m.start : m.end]).lower()
        for m in values
        if m.role in ("enum", "enumdef")
    }
    if facts.type == "enum" and len(allowed) < 2:
        yield f"{record.id}: enum {name!r} has {len(allowed)} value(s)"
    for m in values:
        got = (m.constant or record.text[m.start : m.end]).lower()
        if facts.type == "enum" and m.role == "def" and got not in allowed:
            yield f"{record.id}: default {got!r} of {name!r} is not among {sorted(allowed)}"


def derivable(surface: str, type_: str) -> set[str]:
    """The names that code can make of a mention of a field of that type."""
    name = field_name(surface)
    return {name, moment_name(name, day=type_ == "date"), moment_name(name, day=False), *([figure_name(name)] if type_ in ("int", "dec") else [])}


def main(paths: list[str]) -> int:
    """Checks files; prints problems; 0 where every record is well formed."""
    bad = total = 0
    for path in paths:
        for block in blocks(Path(path)):
            total += 1
            try:
                for line in warnings(parse(block)):
                    print(f"{path}: warning: {line}")
            except CorpusError as error:
                bad += 1
                print(f"{path}: ERROR: {error}")
    print(f"{total} records, {bad} broken")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
