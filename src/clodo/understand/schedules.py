"""What is done at times, and with which rows: those of which a date has passed, or that are so old, and not those that are so already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from clodo.blueprint.text import number
from clodo.blueprint.values import Entity, Field, FieldType
from clodo.understand.ages import Age
from clodo.understand.cue_names import Unsaid
from clodo.understand.periods import LENGTHS

#: What is kept, if out of sight, is not deleted.
KEPT = r"\b(?:archiv|hid(?:e|es|den|ing)\b|deactivat|suspend)"


@dataclass(frozen=True)
class Run:
    """An action that a schedule runs, and what it sets fields of its row to (``"closed"``, ``true``)."""

    action: str
    outcomes: tuple[tuple[str, str], ...]


def running(e: Entity, run: Run, where: str) -> str:
    """The line that runs an action on the rows of an entity: what has its outcome already is left alone."""
    states = [f"{name} != {value}" for name, value in run.outcomes if '"' in value]
    return f"run {run.action} on {e.name} where {' and '.join(dict.fromkeys(c for c in (where, *states, *unticked(run.outcomes)) if c)) or 'true'}"


def unticked(outcomes: Iterable[tuple[str, str]]) -> list[str]:
    """That yes/no fields are not what some outcomes make them."""
    return [name if value == "false" else f"not {name}" for name, value in outcomes if value in ("true", "false")]


def passed(e: Entity, fields: Sequence[Field], age: Age | None) -> Iterator[str]:
    """That dates or moments have passed, or passed so long ago; where the text names none, that rows are that old.

    Raises:
        Unsaid: there is no such length of time, a field is no date, or rows do not know how old they are.
    """
    many, unit = (age.many, age.unit) if age is not None else (None, "")
    if many is not None and (unit not in LENGTHS or not (fields or e.timestamps)):
        raise Unsaid
    if many is not None and not fields:
        yield f"created_at < now - {unit}s({number(many)})"
    for f in fields:
        length, span = in_days(many, unit, f) if many is not None else (None, "")
        yield f"{f.name} < {now_of(f)}" + (f" - {span}s({number(length)})" if length is not None else "")


def in_days(many: Decimal, unit: str, f: Field) -> tuple[Decimal, str]:
    """A length of time; in days, of which the last counts whole, where it is in hours and the field is a date, which knows no hours."""
    return ((many / 24).to_integral_value(ROUND_CEILING), "day") if f.type is FieldType.DATE and unit == "hour" else (many, unit)


def now_of(f: Field) -> str:
    """The word for this moment, as a date or moment is compared with it.

    Raises:
        Unsaid: the field is neither.
    """
    if f.type not in (FieldType.DATE, FieldType.DATETIME):
        raise Unsaid
    return "today" if f.type is FieldType.DATE else "now"
