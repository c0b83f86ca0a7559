"""``report NAME { from … where …, group by …, show …, read … }`` in the service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from lark import Tree

from clodo.blueprint.checks import access_problems
from clodo.blueprint.clashes import duplicates, name_problems
from clodo.blueprint.constructs import (
    Construct,
    hidden_at_first,
    path_of,
    place_name,
)
from clodo.blueprint.formulas import Kind, Scope, Type, condition_problems, member, parts, type_of
from clodo.blueprint.plan import kebab
from clodo.blueprint.problems import Problem
from clodo.blueprint.reads import afar
from clodo.blueprint.syntax import access_of, expression_of
from clodo.blueprint.text import expression_text
from clodo.blueprint.values import (
    Access,
    Blueprint,
    Call,
    Entity,
    Expression,
    Field,
    FieldType,
    Operand,
    Path,
    Reference,
    Who,
)

#: What a column may do with the rows of a group.
SUMMARIES = ("sum", "avg", "min", "max")


@dataclass(frozen=True, slots=True)
class Column:
    """One column; ``alias`` may be empty. In ``show``, the word ``count`` counts rows, and ``sum``, ``avg``, ``min``
    and ``max`` look at an expression over the rows of a group."""

    value: Expression
    alias: str = ""

    @property
    def key(self) -> str:
        """Its key in the answer: the alias, else words of the expression."""
        if self.alias:
            return self.alias
        if isinstance(self.value, Call) and self.value.function in SUMMARIES:
            return f"{self.value.function}_{_word(self.value.argument)}"
        return _word(self.value)


def _word(e: Expression) -> str:
    if isinstance(e, Operand) and e.is_field:
        return str(e.value)
    if isinstance(e, Path):
        return "_".join(e.names)
    return e.function if isinstance(e, Call) else "value"


@dataclass(frozen=True, slots=True)
class Report:
    """``GET /api/reports/{name}``: the rows of ``source`` that meet ``where``, grouped by ``group``."""

    name: str
    source: str
    where: Expression | None = None
    group: tuple[Column, ...] = ()
    show: tuple[Column, ...] = ()
    read: Access | None = None


def columns(b: Blueprint, report: Report) -> tuple[Column, ...]:
    """The columns of the answer: what it is grouped by, then what is shown; a reference is shown by its id."""
    e = b.entity(report.source)
    assert e is not None
    by = tuple(c if c.alias or not _is_reference(e, c.value) else replace(c, alias=f"{c.key}_id") for c in report.group)
    return (*by, *report.show)


def _is_reference(e: Entity, value: Expression) -> bool:
    return isinstance(value, Operand) and value.is_field and isinstance(member(e, str(value.value)), Reference)


def is_count(c: Column) -> bool:
    """Whether a shown column is the number of rows."""
    return c.value == Operand("count", is_field=True)


def who_reads(b: Blueprint, report: Report) -> Access:
    """Who may read a report."""
    e = b.entity(report.source)
    return report.read or (b.read_access(e) if e is not None else b.read)


def widens(b: Blueprint, report: Report) -> bool:
    """Whether a report is told to callers who may not read the rows that it counts."""
    e = b.entity(report.source)
    assert e is not None
    read, rows = who_reads(b, report), b.read_access(e)
    if rows.who is Who.OWNER and not read.is_like(rows):  # any user is let in, and their own rows are all that they see
        return read.who not in (Who.USER, Who.OWNER, Who.ROLE)
    return not read.is_within(rows)


def _told_afar(b: Blueprint, e: Entity, report: Report, path: str) -> Iterator[Problem]:
    """Columns that tell fields of rows which some readers of the report may not read."""
    read = who_reads(b, report)
    for c in (*report.group, *report.show):
        for part in parts(c.value):
            owner = _whose(b, e, part) if isinstance(part, Path) else None
            rows = b.read_access(owner) if owner is not None else None
            if owner is None or rows is None or (read.is_within(rows) and rows.who is not Who.OWNER):
                continue
            if rows.who is Who.OWNER and rows.roles and read.is_within(Access(Who.ROLE, rows.roles)):
                continue
            yield Problem(
                f"The report tells {expression_text(part)!r} to all who may read it, and 'read {rows}' of {owner.name} keeps that from some of them.",
                "Say who may read the report with a line 'read …', or leave that column out.",
                path,
                severity="warning",
            )


def _whose(b: Blueprint, e: Entity, path: Path) -> Entity | None:
    """The entity behind references that a path ends in a field of."""
    names = path.names[1:] if path.names[:1] == ("this",) else path.names
    at: Entity | None = e
    for name in names[:-1]:
        m = member(at, name) if at is not None else None
        at = b.entity(m.target) if isinstance(m, Reference) else None
    return at if len(names) > 1 else None


def filters_of(e: Entity, report: Report) -> list[str]:
    """The columns of the entity that a report is grouped by as they are."""
    names = [str(c.value.value) for c in report.group if isinstance(c.value, Operand) and c.value.is_field]
    return [f"{name}_id" if isinstance(member(e, name), Reference) or (name == "owner" and member(e, name) is None) else name for name in names]


def column_type(b: Blueprint, report: Report, c: Column) -> Type:
    """The type of a column's values."""
    e = b.entity(report.source)
    assert e is not None
    if is_count(c) and c in report.show:
        return Type(Kind.NUMBER)
    value = c.value.argument if isinstance(c.value, Call) and c.value.function in SUMMARIES else c.value
    return type_of(value, Scope(b, e), [])


def is_money(b: Blueprint, report: Report, c: Column) -> bool:
    """Whether a column is a field of money, or its sum, least or greatest."""
    value = c.value.argument if isinstance(c.value, Call) and c.value.function in SUMMARIES else c.value
    names = value.names if isinstance(value, Path) else (str(value.value),) if isinstance(value, Operand) and value.is_field else ()
    e, f = b.entity(report.source), None
    for name in names[1:] if names[:1] == ("this",) else names:
        f = member(e, name) if e is not None else None
        e = b.entity(f.target) if isinstance(f, Reference) else None
    return isinstance(f, Field) and f.type is FieldType.MONEY


def _build(tree: Tree[Any]) -> Report:
    name, source, *rest = tree.children
    where = expression_of(source.children[1]) if len(source.children) > 1 else None
    report = Report(str(name), str(source.children[0]), where)
    for part in rest:
        if part.data == "report_read":
            report = replace(report, read=access_of(part.children[0]))
        elif part.data == "report_group":
            report = replace(report, group=(*report.group, *map(_column, part.children)))
        else:
            report = replace(report, show=(*report.show, *map(_column, part.children)))
    return report


def _column(tree: Tree[Any]) -> Column:
    value, *alias = tree.children
    return Column(expression_of(value), str(alias[0]) if alias else "")


def _lines(report: Report) -> Iterator[str]:
    yield f"report {report.name} {{"
    where = f" where {expression_text(report.where)}" if report.where is not None else ""
    yield f"  from {report.source}{where}"
    if report.group:
        yield f"  group by {_texts(report.group)}"
    if report.show:
        yield f"  show {_texts(report.show)}"
    if report.read is not None:
        yield f"  read {report.read}"
    yield "}"


def _texts(found: tuple[Column, ...]) -> str:
    return ", ".join(expression_text(c.value) + (f" as {c.alias}" if c.alias else "") for c in found)


def _problems(b: Blueprint, owner: None, report: Report) -> Iterator[Problem]:
    path = path_of(owner, report)
    yield from name_problems(report.name, path)
    e = b.entity(report.source)
    if e is None:
        yield Problem(f"There is no entity {report.source!r} to report on.", "Name one of the service.", f"{path}.(from)")
        return
    if report.where is not None:
        yield from (Problem(m, "Mend the condition.", f"{path}.(from)") for m in condition_problems(report.where, Scope(b, e)))
    if not report.show:
        yield Problem(f"The report {report.name!r} shows nothing.", "Add a line such as 'show count, sum(total)'.", path)
    by = [f"{path}.{place_name('group', n)}" for n in range(len(report.group))]
    shown = [f"{path}.{place_name('show', n)}" for n in range(len(report.show))]
    for c, place in zip(report.group, by, strict=True):
        yield from _grouped(b, e, c, place)
    for c, place in zip(report.show, shown, strict=True):
        yield from _shown(b, e, c, place)
    keys = [c.key for c in columns(b, report)]
    for key in dict.fromkeys(keys):
        # Told where it stands last.
        yield from duplicates([k for k in keys if k == key], f"The report {report.name!r}", [*by, *shown][len(keys) - 1 - keys[::-1].index(key)])
    yield from _access(b, e, report, path)
    yield from _told_afar(b, e, report, path)
    yield from _hidden(b, e, report, path)


def _hidden(b: Blueprint, e: Entity, report: Report, path: str) -> Iterator[Problem]:
    """What a report tells of rows that others refer to and that its readers may not see yet."""
    scope, where = Scope(b, e), () if report.where is None else (report.where,)
    values = [*where, *(c.value for c in report.group), *(c.value.argument for c in report.show if isinstance(c.value, Call))]
    for name, states in hidden_at_first(b).items():
        other = b.entity(name)
        chosen = {seen for value in where for seen in afar(value, scope, name)} & {*states}
        told = {seen for value in values for seen in afar(value, scope, name)} - {*states}
        if other is None or not told or chosen or who_reads(b, report).is_within(b.write_access(other)):
            continue
        yield Problem(
            f"The report {report.name!r} tells {min(told)} of a {name} that is not out yet, too.",
            f"Ask for it behind 'from {e.name} where', with {' or '.join(states)} of the {name}, or let only those read the report who may write a {name}.",
            path,
            severity="warning",
        )


def _grouped(b: Blueprint, e: Entity, c: Column, path: str) -> Iterator[Problem]:
    found: list[str] = []
    kind = type_of(c.value, Scope(b, e), found).kind
    yield from (Problem(m, "Mend the column.", path) for m in found)
    if kind in (Kind.DURATION, Kind.OTHER):
        yield Problem(f"Rows cannot be grouped by a {kind}.", "Group by a text, number, date or reference.", path)


def _shown(b: Blueprint, e: Entity, c: Column, path: str) -> Iterator[Problem]:
    if is_count(c):
        return
    call = c.value
    if not isinstance(call, Call) or call.function not in SUMMARIES or call.where is not None:
        yield Problem(f"{expression_text(c.value)!r} is no summary of rows.", "Show count, sum(…), avg(…), min(…) or max(…).", path)
        return
    found: list[str] = []
    kind = type_of(call.argument, Scope(b, e), found).kind
    yield from (Problem(m, "Mend the column.", path) for m in found)
    fine = (Kind.NUMBER,) if call.function in ("sum", "avg") else (Kind.NUMBER, Kind.DATE, Kind.DATETIME, Kind.TIME, Kind.TEXT)
    if kind not in (*fine, Kind.UNKNOWN):
        yield Problem(f"{call.function}(…) cannot take a {kind}.", "Choose another field.", path)


def _access(b: Blueprint, e: Entity, report: Report, path: str) -> Iterator[Problem]:
    read, path = who_reads(b, report), f"{path}.(read)"
    yield from access_problems(b, read, path)
    if read.who is Who.OWNER and b.read_access(e).who is not Who.OWNER:
        yield Problem(f"Rows of {e.name} are not private.", "Say who may read the report, or 'read owner' in the entity.", path)
    rows = b.read_access(e)
    if rows.who is Who.OWNER and read.who in (Who.ROLE, Who.PUBLIC, Who.KEY):
        blind = [r for r in read.roles if r not in rows.roles and (r != "admin" or not rows.roles)]
        if blind or not read.roles:
            whom = f"Whoever is {' or '.join(blind)}" if blind else f"Whoever is let in by 'read {read}'"
            seen = f"{rows}, {', '.join(blind)}" if rows.roles else f"{rows} or role {', '.join(blind)}"
            yield Problem(
                f"{whom} is told nothing of the rows of {e.name} of others, since 'read {rows}' of the entity keeps them private.",
                f"Say 'read {seen}' in the entity, if the report is to count them." if blind else "Let users read the report, each of whom sees their own.",
                path,
                severity="warning",
            )


_GRAMMAR = """
report: "report" NAME "{" _NL report_from report_line* "}" _NL
report_from: "from" NAME ("where" expression)? _NL
?report_line: report_group | report_show | report_read
report_group: "group" "by" report_column ("," report_column)* _NL
report_show: "show" report_column ("," report_column)* _NL
report_read: "read" access _NL
report_column: expression ("as" NAME)?
"""


def path_of_report(r: Report) -> str:
    """The path of a report."""
    return f"/api/reports/{kebab(r.name)}"


CONSTRUCTS = (
    Construct(
        name="report",
        place="service",
        value=Report,
        grammar=_GRAMMAR.strip(),
        build=_build,
        lines=_lines,
        check=_problems,
        places={"report_from": "from", "report_read": "read", "report_group/report_column": "group", "report_show/report_column": "show"},
        singles=frozenset(["report_read"]),
        claims=lambda plan, owner, report: [path_of_report(report)],
    ),
)
