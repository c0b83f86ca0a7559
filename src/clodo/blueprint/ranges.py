"""The values that the bounds of a field leave: as whole steps, so that they can be counted.

A step is 1 for integers, a hundredth for money, a day for dates, a second for times, a millisecond for
moments, and for decimals as small a part as it takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

from clodo.blueprint.constants import LENGTHS, MOST_MONEY, SAFE_INTEGER, length, normal
from clodo.blueprint.patterns import matches
from clodo.blueprint.values import Bound, Constant, Field, FieldType

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
#: The shortest value of a type that is no free text: ``a@b.cc`` and ``http://a``.
_SHORTEST = {FieldType.EMAIL: 6, FieldType.URL: 8}


@dataclass(frozen=True, slots=True)
class Steps:
    """The whole steps from ``low`` to ``high``, both among them; ``size`` is one step of a number."""

    low: int
    high: int
    size: Decimal = Decimal(1)

    @property
    def count(self) -> int:
        """How many values there are."""
        return max(0, self.high - self.low + 1)


def lengths(f: Field) -> tuple[int, int]:
    """The least and the greatest length that the service takes, in characters or items."""
    least = int(Decimal(f.minimum.value)) if f.minimum else 0
    if f.required and f.type in (FieldType.TEXT, FieldType.LONG_TEXT):
        least = max(least, 1)
    return least, int(Decimal(f.maximum.value)) if f.maximum else LENGTHS[f.type]


def steps(f: Field) -> Steps:
    """The values of a number or a moment that its bounds leave; the bounds have to be well-formed."""
    with localcontext(prec=80):
        low, high = _ends(f)
        for places in range(20):
            size = _size(f.type, places)
            found = Steps(
                _whole(low / size, ROUND_CEILING, f.minimum, 1), _whole(high / size, ROUND_FLOOR, f.maximum, -1), size
            )
            if found.count or f.type is not FieldType.DECIMAL:
                break
        return found


def _size(type_: FieldType, places: int) -> Decimal:
    if type_ is FieldType.MONEY:
        return Decimal("0.01")
    return Decimal("0.5").scaleb(-places) if type_ is FieldType.DECIMAL else Decimal(1)


def _whole(steps_: Decimal, rounding: str, bound: Bound | None, inwards: int) -> int:
    step = steps_.to_integral_value(rounding)
    return int(step) + (inwards if bound is not None and bound.exclusive and step == steps_ else 0)


def _ends(f: Field) -> tuple[Decimal, Decimal]:
    """The ends of the range as numbers; where there is no bound, those of the type."""
    low = None if f.minimum is None else _number(f.type, f.minimum.value)
    high = None if f.maximum is None else _number(f.type, f.maximum.value)
    if f.type is FieldType.DECIMAL:
        far = Decimal(SAFE_INTEGER)
        return (
            min(-far, (high or 0) - far) if low is None else low,
            max(far, (low or 0) + far) if high is None else high,
        )
    first, last = _limits(f.type)
    return first if low is None else max(low, first), last if high is None else min(high, last)


def _limits(type_: FieldType) -> tuple[Decimal, Decimal]:
    if type_ is FieldType.MONEY:
        return Decimal(-MOST_MONEY), Decimal(MOST_MONEY)
    if type_ is FieldType.INTEGER:
        return Decimal(-SAFE_INTEGER), Decimal(SAFE_INTEGER)
    first, last = {
        FieldType.DATE: ("0001-01-01", "9999-12-31"),
        FieldType.TIME: ("00:00:00", "23:59:59"),
        FieldType.DATETIME: ("0001-01-02T00:00:00.000Z", "9999-12-30T23:59:59.999Z"),
    }[type_]
    return _number(type_, first), _number(type_, last)


def _number(type_: FieldType, value: Constant) -> Decimal:
    if isinstance(value, Decimal):
        return value
    text = str(normal(type_, value))
    if type_ is FieldType.DATE:
        return Decimal(date.fromisoformat(text).toordinal())
    if type_ is FieldType.TIME:
        t = time.fromisoformat(text)
        return Decimal(t.hour * 3600 + t.minute * 60 + t.second)
    return Decimal((datetime.fromisoformat(text) - _EPOCH) // _MILLISECOND)


def moment(type_: FieldType, step: int) -> str:
    """The date, time or moment of a step, as the service answers it."""
    if type_ is FieldType.DATE:
        return date.fromordinal(step).isoformat()
    if type_ is FieldType.TIME:
        return f"{step // 3600:02d}:{step // 60 % 60:02d}:{step % 60:02d}"
    return str(normal(type_, (_EPOCH + step * _MILLISECOND).isoformat(timespec="milliseconds")))


def is_empty(f: Field) -> bool:
    """Whether no value at all keeps to the bounds, which have to be well-formed."""
    if f.type.is_textual:
        least, most = lengths(f)
        return max(least, _SHORTEST.get(f.type, 0)) > most
    return (f.type.is_number or f.type.is_temporal) and steps(f).count == 0


def is_within(f: Field, value: Constant) -> bool:
    """Whether a constant of the right type keeps to the bounds and the pattern of the field."""
    made = normal(f.type, value)
    if f.type.is_textual:
        least, most = lengths(f)
        text = str(made)
        return least <= length(text) <= most and (f.pattern is None or matches(f.pattern, text))
    if made is None or not (f.type.is_number or f.type.is_temporal):
        return True
    number = _number(f.type, made)
    low, high = f.minimum, f.maximum
    if low is not None and not _keeps(number - _number(f.type, low.value), low):
        return False
    return high is None or _keeps(_number(f.type, high.value) - number, high)


def _keeps(distance: Decimal, bound: Bound) -> bool:
    return distance > 0 if bound.exclusive else distance >= 0
