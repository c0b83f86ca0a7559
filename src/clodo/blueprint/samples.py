"""Values that a field accepts, for examples and tests; the same for the same number."""

from __future__ import annotations

import random
from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal
from functools import cache
from string import ascii_lowercase, digits
from typing import Any

from clodo.blueprint.constants import length
from clodo.blueprint.constructs import construct_of
from clodo.blueprint.patterns import matches, translated
from clodo.blueprint.ranges import Steps, lengths, moment, steps
from clodo.blueprint.values import Bound, Entity, Field, FieldType

_FIXED: dict[FieldType, Any] = {
    FieldType.BOOLEAN: True,
    FieldType.JSON: {"any": "json"},
}
#: Where moments without a minimum start, and how far apart they are: a day, a minute, a day and a minute.
_FIRST = {
    FieldType.DATE: ("2026-01-01", 1),
    FieldType.TIME: ("08:30:00", 60),
    FieldType.DATETIME: ("2026-01-01T09:00:00.000Z", 86_460_000),
}
_TRIES = 200
#: What leaves room enough for sums of samples.
_FAR = 1_000_000


def sample_body(fields: Iterable[Field], number: int = 0) -> dict[str, Any]:
    """A body with a value for every field that callers may set, but those for which none was found."""
    made = {f.name: sample(f, number) for f in fields if not f.read_only and f.computed is None}
    return {name: value for name, value in made.items() if value is not None}


def entity_body(e: Entity, number: int = 0, room: Iterable[tuple[str, bool]] = ()) -> dict[str, Any]:
    """A body for a row of an entity, without its references, in which the rules that bricks brought hold. ``room`` names numbers
    that have to be large, or else small."""
    body = sample_body(e.fields, number)
    for name, large in room:
        if (f := e.field(name)) is not None and name in body:
            body[name] = _roomy(f, number, large=large)
    for part in e.parts:
        construct_of(part).fit(e, part, body, number)
    return body


def sample(f: Field, number: int = 0) -> Any:
    """A value that the field accepts; different numbers give different values where there is room.
    ``None`` where no text was found that fits a pattern."""
    if f.type in _FIXED:
        return _FIXED[f.type]
    if f.type is FieldType.ENUM:
        return f.values[number % len(f.values)]
    if f.type.is_number:
        return _number(f, number)
    if f.type.is_temporal:
        return _moment(f, number)
    if f.type is FieldType.UUID:
        return f"01890000-0000-7000-8000-{number:012x}"
    return _text(f, number)


def _roomy(f: Field, number: int, *, large: bool) -> float | int:
    """A number as large as the bounds allow, or a million more than others; or else one of the smallest that are not negative."""
    room = steps(f)
    if large and f.maximum is None:
        return _number(f, number) + _FAR
    step = room.high if large else min(max(0, room.low) + number % 2, room.high)
    value = step * room.size
    return float(value) if value != value.to_integral_value() else int(value)


def _number(f: Field, number: int) -> float | int:
    room = steps(f)
    # Halves show that fractions are kept; without a minimum, small whole numbers read better.
    apart = Decimal(1) if f.type is FieldType.INTEGER or f.minimum is None else Decimal("0.5")
    whole = room.low if f.minimum is not None else int(Decimal(5) / room.size)
    whole = int((whole * room.size).to_integral_value(ROUND_CEILING) / room.size)
    start = min(whole, room.high)
    value = _walked(room, start, max(1, int(apart / room.size)), number) * room.size
    return float(value) if value != value.to_integral_value() else int(value)


def _moment(f: Field, number: int) -> str:
    room = steps(f)
    first, apart = _FIRST[f.type]
    if f.minimum is not None:
        start = room.low
    elif f.maximum is not None:
        start, apart = room.high, -apart
    else:
        start = steps(Field("", f.type, minimum=Bound(first))).low
    return moment(f.type, _walked(room, start, apart, number))


def _walked(room: Steps, start: int, apart: int, number: int) -> int:
    """The step that lies ``number`` times ``apart`` from the start, around the ends of the room; where
    the room is small, each step is used."""
    if room.count < 1000 * abs(apart):
        apart = 1
    return room.low + (start - room.low + number * apart) % room.count


@cache
def _matching(pattern: str, number: int, low: int, high: int) -> str | None:
    """A text that a pattern accepts, of a length within the bounds, where one is soon found."""
    import rstr

    maker = rstr.Rstr(random.Random(number))
    source = translated(pattern, ascii_only=True)
    for _ in range(_TRIES):
        try:
            text = str(maker.xeger(source))
        except Exception:  # what it cannot make texts for it says in many ways
            return None
        if max(low, 1) <= length(text) <= high and text.isprintable() and matches(pattern, text):
            return text
    return None


def _text(f: Field, number: int) -> Any:
    low, high = lengths(f)
    if f.type is FieldType.LIST:
        return [f"item {i + 1}" for i in range(min(max(low, 1), high))]
    if f.type is FieldType.EMAIL:
        return _email(number, low, high)
    if f.type is FieldType.URL:
        return _url(number, low, high)
    if f.pattern is not None:
        return _matching(f.pattern, number, low, high)
    text = f"{f.name.replace('_', ' ')} {number + 1}"
    if len(text) > high:
        text = f"{_code(number, high)} {text}"[:high]
    return text.ljust(low, "x")


def _email(number: int, low: int, high: int) -> str:
    name, host = f"someone{number}", "example.com"
    if len(name) + 1 + len(host) > high:
        host = "a.co"
        name = _code(number, high - 1 - len(host))
    while (missing := low - len(name) - 1 - len(host)) > 0:
        if missing <= 64 - len(name):
            name += "x" * missing
        else:  # the name would be longer than names may be
            host = f"{'x' * min(60, missing - 1)}.{host}"
    return f"{name}@{host}"


def _url(number: int, low: int, high: int) -> str:
    url = f"https://example.com/{number}"
    if len(url) > high:
        # Letters only: a host that is a number would be taken for an address.
        url = f"http://{_code(number, high - len('http://'), ascii_lowercase)}"
    return f"{url}/".ljust(low, "x") if len(url) < low else url


def _code(number: int, size: int, signs: str = digits + ascii_lowercase) -> str:
    """The number in as few signs as it takes, the last ``size`` of them."""
    made = ""
    while True:
        number, rest = divmod(number, len(signs))
        made = signs[rest] + made
        if number == 0:
            return made[-size:] if size > 0 else ""
