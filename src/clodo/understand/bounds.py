"""Who takes a step under which conditions, where a text says it of several: "managers approve up to 1,000, above that a director does".

A figure bounds the roles that are named with it, and those of whom none is named where another role is needed above (or below) it. Whoever
may more is not held to what bounds the others: a director approves small amounts, too. An administrator, who may do what any role may, is
bound only where the text names one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from clodo.blueprint.text import number
from clodo.understand.cue_names import Unsaid

#: What holds where a comparison does not.
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
ADMIN = "admin"


@dataclass(frozen=True)
class Figure:
    """``left sign right``; ``right`` is a number of the text, or an expression."""

    left: str
    sign: str
    right: Decimal | str

    def __str__(self) -> str:
        return f"{self.left} {self.sign} {number(self.right) if isinstance(self.right, Decimal) else self.right}"


@dataclass(frozen=True)
class Part:
    """What one cue says of a step: the ``roles`` that take it (none: whoever may), the states that must hold, and its figures."""

    roles: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()


def are_told_apart(parts: Sequence[Part]) -> bool:
    """Whether different people take the step under different conditions."""
    return bool(_members(parts))


def guards(parts: Sequence[Part], maker: str) -> Iterator[str]:
    """The conditions of a step, each by itself; ``maker`` stands for whoever made the row.

    Raises:
        Unsaid: what bounds roles is not one figure that numbers of the text are compared with.
    """
    members = _members(parts)
    common = [s for s in members[0].states if all(s in m.states for m in members)] if members else []
    plain = [p for p in parts if all(p is not m for m in members)]
    yield from dict.fromkeys([*common, *(s for p in plain for s in p.states), *(str(f) for p in plain for f in p.figures)])
    bound = [(Part(m.roles, tuple(s for s in m.states if s not in common)), m) for m in members]
    for own, m in bound:
        free = [role for other in members if other is not m for role in other.roles if role not in m.roles]
        yield from (_unless(s, free, m.roles, maker) for s in own.states)
    yield from _bounds(members, maker)


def _members(parts: Sequence[Part]) -> list[Part]:
    """The parts that different people are told apart by; none where all is said of the same."""
    named = [p for p in parts if p.roles]
    if parts and not parts[0].roles and any(p.figures for p in named):
        named.insert(0, parts[0])
    apart = len({frozenset(p.roles) for p in named}) > 1 and len({(frozenset(p.states), p.figures) for p in named}) > 1
    return named if apart else []


def _bounds(members: Sequence[Part], maker: str) -> Iterator[str]:
    figures = [f for m in members for f in m.figures]
    if len({f.left for f in figures}) > 1 or not all(isinstance(f.right, Decimal) for f in figures) or any(f.sign not in OPPOSITE for f in figures):
        raise Unsaid
    most = [_most(m, members) for m in members]
    for top in dict.fromkeys(top for top in most if top is not None):
        free = [role for m, other in zip(members, most, strict=True) if _is_more(other, top) for role in m.roles]
        held = [role for m, other in zip(members, most, strict=True) if not _is_more(other, top) for role in m.roles]
        yield _unless(str(top), free, held, maker)


def _most(m: Part, members: Sequence[Part]) -> Figure | None:
    """What bounds the roles of a part; ``None`` where nothing does."""
    caps = [f for f in m.figures if f.sign in ("<", "<=")]
    needs = [f.right for f in m.figures if f.sign in (">", ">=")]
    if caps:
        return min(caps, key=_size)
    above = [f for other in members if other is not m for f in other.figures if f.sign in (">", ">=") and all(_size(f) > _decimal(n) for n in needs)]
    least = min(above, key=_size, default=None)
    return Figure(least.left, OPPOSITE[least.sign], least.right) if least is not None else None


def _is_more(other: Figure | None, top: Figure) -> bool:
    return other is None or _size(other) > _size(top)


def _size(f: Figure) -> Decimal:
    return _decimal(f.right)


def _decimal(value: Decimal | str) -> Decimal:
    assert isinstance(value, Decimal)
    return value


def _unless(condition: str, free: Iterable[str], held: Iterable[str], maker: str) -> str:
    """A condition from which some are free."""
    named = list(dict.fromkeys(free))
    roles = [role for role in named if role != maker]
    if not named:
        return condition
    if ADMIN not in (*roles, *held):
        roles.append(ADMIN)
    ways = [f'caller.role in ({", ".join(f"{chr(34)}{r}{chr(34)}" for r in roles)})' if len(roles) > 1 else f'caller.role = "{roles[0]}"'] if roles else []
    ways += ["caller = owner"] if maker in named else []
    return " or ".join([condition, *ways])
