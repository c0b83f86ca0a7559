"""A user's own pairs as training records.

A line of a JSONL file is ``{"description": …, "blueprint": …}``. The description must say what the
blueprint says: every entity, field and value is looked for in the text, and a row of which some part
cannot be found is refused with the reason, because a model would learn to make it up. So is one whose
blueprint says what records of own pairs cannot (rules, actions, rights of roles), which would be lost without a word. A text that should be
answered by questions is ``{"description": …, "blueprint": null, "verdict": "vague"}``.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clodo.blueprint import InvalidBlueprint, parse
from clodo.blueprint.values import Blueprint, Entity, Field, FieldType, OnDelete, Reference, Who
from clodo.corpus.format import VERDICTS, CorpusError
from clodo.corpus.format import parse as parse_record
from clodo.errors import UsageError
from clodo.training.faithful import check_faithful
from clodo.understand.naming import FILLERS, entity_name, field_name, moment_name
from clodo.understand.numbers import number

_TYPES = {
    FieldType.LONG_TEXT: "long", FieldType.INTEGER: "int", FieldType.DECIMAL: "dec", FieldType.BOOLEAN: "bool",
    FieldType.DATETIME: "dt", FieldType.TEXT: "",
}  # fmt: skip
_ACCESS = {("public", "key"): "key-write", ("public", "user"): "login-write", ("key", "key"): "key", ("user", "user"): "login"}
_ON_DELETE = {OnDelete.CASCADE: "cascade", OnDelete.SET_NULL: "setnull", OnDelete.RESTRICT: ""}
_LONGEST = 4


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be learnt from: its line (from 1) and why."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


def read_pairs(path: Path) -> tuple[list[str], list[BadRow]]:
    """The records (as texts of the corpus format) of a file's rows, and the rows that are no use.

    Raises:
        UsageError: the file is not UTF-8.
    """
    good, bad = [], []
    for i, raw in enumerate(path.read_bytes().removeprefix(BOM_UTF8).split(b"\n"), 1):
        line = _decoded(raw, path, i)
        if not line.strip():
            continue
        try:
            good.append(_row(line, f"own-{i}"))
        except (CorpusError, InvalidBlueprint) as error:
            bad.append(BadRow(i, str(error)))
    return good, bad


def _decoded(raw: bytes, path: Path, line: int) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{str(path)!r} is not UTF-8: line {line}, byte {error.start + 1} ({raw[error.start]:#04x}).",
            hint="It may be Latin-1: iconv -f LATIN1 -t UTF-8 OLD > NEW",
        ) from None


def _row(line: str, id: str) -> str:
    try:
        row = json.loads(line)
        text, source = row["description"], row["blueprint"]
    except (ValueError, KeyError, TypeError):
        raise CorpusError('it is not JSON with "description" and "blueprint"') from None
    if not isinstance(text, str) or not isinstance(source, str | None):
        raise CorpusError('"description" must be a text, "blueprint" a text or null')
    verdict = row.get("verdict")
    if source is None:
        made = _unclear(text, verdict, id)
        parse_record(made)
        return made
    if verdict is not None:
        raise CorpusError('a row with a "verdict" has the blueprint null')
    blueprint = parse(source)
    made = align(text, blueprint, id)
    check_faithful(parse_record(made), blueprint)
    return made


def _unclear(text: str, verdict: object, id: str) -> str:
    """The record of a text that should be answered by questions."""
    if verdict not in VERDICTS:
        raise CorpusError(f'a row without a blueprint has a "verdict": {", ".join(VERDICTS)}')
    return _record(id, _unmarked(text), f"verdict {verdict}")


def _unmarked(text: str) -> str:
    if re.search(r"[\[\]|]", text):
        raise CorpusError("the description has brackets or bars, which marks are made of")
    if re.search(r"(?m)^---", text) or not text.strip():
        raise CorpusError("the description is empty or has a line that begins with ---")
    return text


def _record(id: str, text: str, facts: str) -> str:
    return f"=== {id} | style=chatty | domain=own\n{text}\n---\n{facts}\n"


def align(text: str, b: Blueprint, id: str) -> str:
    """The record that marks in the text what the blueprint says.

    Raises:
        CorpusError: some part of the blueprint cannot be found in the text.
    """
    marks = _Marks(_unmarked(text))
    for e in b.entities:
        marks.entity(e.name)
    for e in b.entities:
        for f in e.fields:
            marks.field(e, f)
        for r in e.references:
            if r.name != r.target and r.name != "parent":
                marks.reference(e, r)
    for e in b.entities:
        for f in e.fields:
            marks.values(e, f)
    return _record(id, marks.text(), "\n".join(_facts(b, marks)))


def _facts(b: Blueprint, marks: _Marks) -> Iterator[str]:
    for e in b.entities:
        for r in e.references:
            if f"{e.name}.{r.name}" not in marks.named:
                options = [_ON_DELETE[r.on_delete], "one" * r.unique, "optional" * _may_be_empty(e, r)]
                yield " ".join([f"{e.name} > {r.target}", *filter(None, options)])
        for link in e.links:
            yield f"{e.name} * {link.target}"
        if b.read_access(e).who is Who.OWNER:
            yield f"own {e.name}"
        elif b.write_access(e).who is Who.OWNER:
            yield f"own-write {e.name}"
        for group in e.unique:
            yield f"unique {e.name} {' '.join(group)}"
        if e.soft_delete:
            yield f"softdelete {e.name}"
    access = _ACCESS.get((str(b.read), str(b.write)))
    if access:
        yield f"access {access}"


def _may_be_empty(e: Entity, r: Reference) -> bool:
    """Whether a reference may be empty that would be required where nothing is said."""
    return not r.required and r.on_delete is not OnDelete.SET_NULL and r.target != e.name


class _Marks:
    """Marked stretches of a text, none overlapping."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._words = [m.span() for m in re.finditer(r"[\w'’.-]*\w", text)]
        self._marked: list[tuple[int, int, str]] = []
        self.named: set[str] = set()

    def text(self) -> str:
        """The text with its marks."""
        out, at = "", 0
        for start, end, code in sorted(self._marked):
            out += f"{self._text[at:start]}[{self._text[start:end]}|{code}]"
            at = end
        return out + self._text[at:]

    def entity(self, name: str) -> None:
        """Marks every mention of an entity."""
        found = [span for span, words in self._phrases() if entity_name(words) == name]
        if not found:
            raise CorpusError(f"no words of the description name the entity '{name}'")
        for span in found:
            self._mark(span, name)

    def field(self, e: Entity, f: Field) -> None:
        """Marks the mention of a field that is nearest to its entity."""
        attrs = [_TYPES.get(f.type, f.type.value)] if f.type is not FieldType.ENUM else ["enum"]
        attrs += ["!"] * f.required + ["u"] * f.unique + ["ro"] * f.read_only + ["wo"] * f.write_only
        attrs += ["s"] * (f.name in e.search)
        self._mark(self._place(e.name, f.name), " ".join([f"{e.name}.{f.name}", *filter(None, attrs)]))

    def reference(self, e: Entity, r: Reference) -> None:
        """Marks a reference whose name is not that of its target."""
        attrs = [f"->{r.target}", "u" * r.unique, "?" * _may_be_empty(e, r)]
        self._mark(self._place(e.name, r.name), " ".join([f"{e.name}.{r.name}", *filter(None, attrs)]))
        self.named.add(f"{e.name}.{r.name}")

    def values(self, e: Entity, f: Field) -> None:
        """Marks the values of a field, each at the place nearest behind the field."""
        path, length = f"{e.name}.{f.name}", "len" if f.type.is_textual else ""
        for value in f.values:
            role = "enumdef" if value == f.default else "enum"
            self._value(path, role, lambda w, v=value: field_name(w) == v or w.lower() == v)
        for role, bound in (("min", f.minimum), ("max", f.maximum)):
            if bound is not None:
                x = "x" if bound.exclusive and not length else ""
                wanted = str(bound.value)
                self._value(path, f"{x}{role}{length}", lambda w, v=wanted: _same(w, v))
        if f.constant_default is not None and not f.values and f.type is not FieldType.BOOLEAN:
            self._value(path, "def", lambda w, v=str(f.constant_default): _same(w, v) or w.lower() == v.lower())

    def _value(self, path: str, role: str, fits: object) -> None:
        assert callable(fits)
        anchor = next(m[0] for m in self._marked if m[2].split()[0] == path)
        free = [span for span, words in self._phrases() if fits(words)]
        if not free:
            raise CorpusError(f"no words of the description say the value '{role}' of '{path}'")
        self._mark(min(free, key=lambda s: (s[0] < anchor, abs(s[0] - anchor))), f"{path} ={role}")

    def _place(self, entity: str, name: str) -> tuple[int, int]:
        def fits(words: str) -> bool:
            made = field_name(words)
            return name in (made, moment_name(made, day=True), moment_name(made, day=False))

        free = [span for span, words in self._phrases() if fits(words)]
        if not free:
            raise CorpusError(f"no words of the description name the field '{entity}.{name}'")
        mentions = [m[0] for m in self._marked if m[2] == entity]
        # Behind its entity is the usual place; before it costs a little.
        return min(free, key=lambda s: min(abs(s[0] - m) * (1 if s[0] > m else 3) for m in mentions))

    def _mark(self, span: tuple[int, int], code: str) -> None:
        if all(span[1] <= a or span[0] >= b for a, b, _ in self._marked):
            self._marked.append((*span, code))

    def _phrases(self) -> Iterator[tuple[tuple[int, int], str]]:
        """Unmarked runs of words that neither begin nor end with a filler, the longest first."""
        fillers = [self._text[a:b].lower() in FILLERS for a, b in self._words]
        for i, (start, _) in enumerate(self._words):
            for n in range(_LONGEST, 0, -1):
                if i + n > len(self._words) or fillers[i] or fillers[i + n - 1]:
                    continue
                end = self._words[i + n - 1][1]
                if all(end <= a or start >= b for a, b, _ in self._marked):
                    yield (start, end), self._text[start:end]


def _same(words: str, value: str) -> bool:
    found = number(words) if re.fullmatch(r"[\w.,'-]+", words) else None
    try:
        return found is not None and float(found) == float(value)
    except ValueError:
        return False
