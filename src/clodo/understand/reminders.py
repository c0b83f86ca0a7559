"""Reminders: how long before or after which date or moment somebody is told of a row."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal

from clodo.blueprint.text import number
from clodo.blueprint.values import Entity, FieldType
from clodo.understand.ages import Age
from clodo.understand.cue_names import Names, Unsaid
from clodo.understand.draft import DraftCue, Filler
from clodo.understand.lengths import BARE, OFTEN, told_at
from clodo.understand.nearby import behind
from clodo.understand.numbers import number as number_in
from clodo.understand.periods import unit_of
from clodo.understand.schedules import in_days

_TEMPORAL = (FieldType.DATE, FieldType.DATETIME)
UNITS = ("minute", "hour", "day", "week")
#: Units that reminders know by the name of a smaller one: how many of which.
SMALLER = {"month": (30, "day"), "year": (365, "day")}
#: What stands behind a length of time that is before or after a moment; nothing tells of one before.
SIDES = {"after": r"\s*(?:after|past|since|later|from|overdue)\b", "before": ""}


def reminded(cue: DraftCue, names: Names, e: Entity, age: Callable[[], Age | None]) -> str:
    """How long before or after which moment somebody is reminded; empty where it is no reminder. ``age`` is the length of time that the text says.

    Raises:
        Unsaid: that cannot be read, or is none that reminders have.
    """
    ends = [(filler, "before") for filler in cue.slots.get("from", []) if filler.field]
    ends += [(filler, "after") for filler in late(cue, names)]
    if not ends:
        return ""
    filler, side = ends[0]
    f, path, many, unit = names.field(filler)[1], names.seen_from(e, filler), Decimal(0), "day"
    if not _is_on_the_day(cue, names.text):
        if (said := age()) is not None:
            more, unit = SMALLER.get(said.unit, (1, said.unit))
            many, unit = in_days(said.many * more, unit, f)
            side = _side(ends, said, names.text)
        elif f.type is FieldType.DATE:
            # What has passed is over: a date when its day is.
            many, side = Decimal(1), "after"
        else:
            unit, side = "minute", "after"
    if f.type not in _TEMPORAL or unit not in UNITS or many != int(many) or path.count(".") > 1:
        raise Unsaid
    return f"{number(many)} {unit}{'' if many == 1 else 's'} {side} {path}"


def late(cue: DraftCue, names: Names) -> list[Filler]:
    """Moments that a reminder counts from, not numbers that are compared."""
    return [f for f in cue.slots.get("over", []) if cue.kind == "notify" and names.field(f)[1].type in _TEMPORAL]


def _side(ends: Sequence[tuple[Filler, str]], age: Age, text: str) -> str:
    """Whether a reminder is before or after its moment: where both are heard of one, what stands behind the length of time tells."""
    if len({side for filler, side in ends if filler == ends[0][0]}) == 1:
        return ends[0][1]
    last = max((f.at for f in age.fillers if f.at is not None), default=(0, 0))
    return next(side for side, said in SIDES.items() if re.match(said, behind(text, last)))


def _is_on_the_day(cue: DraftCue, text: str) -> bool:
    """Whether nothing is said of a reminder's time but that it is on the day."""
    told = [f for f in cue.slots.get("per", []) if f.words and not f.entity]
    counted = any(number_in(f.words) is not None for f in cue.slots.get("n", []))
    if counted or unit_of(cue) != "day" or len(told) != 1:
        return False
    return told[0].at is None or told_at(text, told[0].at).kind in (OFTEN, BARE)
