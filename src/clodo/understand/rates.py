"""How often something may be done in some time: by whom it is counted, and what of rows is meant where words name it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from clodo.blueprint.text import number
from clodo.blueprint.values import Access, Who
from clodo.understand.cue_names import Unsaid
from clodo.understand.draft import Filler
from clodo.understand.verbs import lock_of, step_name

#: Units of time that limits know.
SPANS = ("minute", "hour", "day")
#: What limits call what is done with rows, by how locks call it.
WRITES = {"change": "update", "delete": "delete"}
#: A word for all of these, and what it is a form of.
ALL, WRITE = "writes", "write"


def rate(many: Decimal | None, unit: str) -> str:
    """How many times per which time, as the language has it.

    Raises:
        Unsaid: the text names no number, or a time that limits do not know.
    """
    if many is not None and unit == "second":
        many, unit = many * 60, "minute"
    if many is None or unit not in SPANS:
        raise Unsaid
    return f"{number(many)} per {unit}"


def counted_by(rule: Access) -> str:
    """Who is counted of those whom a rule lets in: each user, the key, or each address."""
    return "address" if rule.who is Who.PUBLIC else "key" if rule.who is Who.KEY else "user"


def limited(step: str) -> tuple[str, ...]:
    """What a limit calls a step by; empty where it would mean what every row has done to it."""
    return () if step in ("create", *WRITES.values(), ALL) else (step,)


def is_length(text: str, many: Filler, spans: Sequence[Filler]) -> bool:
    """Whether a number and a time stand together in the text and so are a length of time: "24 hours", not "twice a day" or "5 daily"."""
    time = next((f.at for f in spans if f.at is not None), None)
    if many.at is None or time is None or text[slice(*time)].lower().endswith("ly"):
        return False
    return many.at[1] <= time[0] and not text[many.at[1] : time[0]].strip(" -")


def writes_of(words: str) -> tuple[str, ...]:
    """What of rows is meant by words such as ``edits``, ``deleted`` and ``writes``; empty where they are no such words."""
    if step_name(words) == WRITE:
        return (ALL,)
    verbs, allowed = lock_of(words)
    return tuple(WRITES[verb] for verb in verbs) if allowed else ()
