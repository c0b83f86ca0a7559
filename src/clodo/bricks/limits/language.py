"""``limit 100 per minute per address`` and ``limit writes 20 per minute per user on order, note`` in the service, ``limit create 5 per hour per
user`` and ``limit cancel 2 per day per user`` in an entity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import takewhile
from typing import Any

from lark import Tree

from clodo.blueprint.constructs import Construct, needs_key, path_of
from clodo.blueprint.problems import Problem, meant
from clodo.blueprint.text import number
from clodo.blueprint.values import Access, Blueprint, Entity, Who
from clodo.bricks.actions.values import Action, who_may

SECONDS = {"minute": 60, "hour": 60 * 60, "day": 24 * 60 * 60}
#: Every kind of write, in the order in which they are written.
WRITES = ("create", "update", "delete")
_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many requests in a span of time, for each address, user, or for the key."""

    most: Decimal
    span: str
    per: str


def _kinds(writes: tuple[str, ...]) -> tuple[str, ...]:
    return WRITES if writes == ("writes",) else writes


@dataclass(frozen=True, slots=True)
class WriteLimit:
    """The same for writes of an entity, counted together: some of ``WRITES``, or the one word ``writes`` for all, and actions by their
    names."""

    writes: tuple[str, ...]
    most: Decimal
    span: str
    per: str

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of write that are counted; an action is one by its name."""
        return _kinds(self.writes)


@dataclass(frozen=True, slots=True)
class JointLimit:
    """The same for writes of several entities, counted together: of those named in ``entities``, or of all."""

    writes: tuple[str, ...]
    most: Decimal
    span: str
    per: str
    entities: tuple[str, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of write that are counted."""
        return _kinds(self.writes)

    def counted(self, b: Blueprint) -> tuple[Entity, ...]:
        """The entities whose writes it counts."""
        return tuple(e for e in b.entities if not self.entities or e.name in self.entities)


def _limit(tree: Tree[Any]) -> Limit:
    most, span, per = map(str, tree.children)
    return Limit(Decimal(most), span, per)


def _write_limit(tree: Tree[Any]) -> WriteLimit:
    *writes, most, span, per = map(str, tree.children)
    return WriteLimit(tuple(writes), Decimal(most), span, per)


def _joint_limit(tree: Tree[Any]) -> JointLimit:
    on = [str(name) for part in tree.children if isinstance(part, Tree) for name in part.children]
    *writes, most, span, per = (str(part) for part in tree.children if not isinstance(part, Tree))
    return JointLimit(tuple(writes), Decimal(most), span, per, tuple(on))


def _words(limit: Limit | WriteLimit | JointLimit) -> str:
    return f"{number(limit.most)} per {limit.span} per {limit.per}"


def _problems(b: Blueprint, owner: None, limit: Limit) -> Iterator[Problem]:
    where = path_of(b, limit)
    yield from _number_problems(limit, where)
    if limit.per == "user" and b.users is None:
        yield Problem("A limit per user needs users.", "Add a block users { }, or limit per address.", where)
    if limit.per == "key" and not needs_key(b):
        yield Problem("A limit per key needs something that the key opens.", "Add 'write key', or limit per address.", where)
    same = [other for other in b.parts_of(Limit) if (other.span, other.per) == (limit.span, limit.per)]
    if len(same) > 1 and same[0] is limit:
        yield Problem(f"There are two limits per {limit.span} per {limit.per}.", "Keep the smaller one.", where)


def _write_problems(b: Blueprint, e: Entity, limit: WriteLimit) -> Iterator[Problem]:
    where = path_of(e, limit)
    yield from _number_problems(limit, where)
    if len(set(limit.writes)) < len(limit.writes) or (len(limit.writes) > 1 and "writes" in limit.writes):
        yield Problem(f"'limit {', '.join(limit.writes)}' names a write twice.", "Name each once, or say 'writes' for all.", where)
        return
    steps = [action.name for action in e.parts_of(Action)]
    for kind in (k for k in limit.kinds if k not in (*WRITES, *steps)):
        known = [*WRITES, "writes", *steps]
        yield Problem(f"{e.name} has no action {kind!r} to limit.", meant(kind, known, f"Choose from {', '.join(known)}."), where)
        return
    yield from _uncounted_problems(b, e, limit.kinds, limit.per, where)
    alike = [o for o in e.parts_of(WriteLimit) if (o.span, o.per) == (limit.span, limit.per)]
    before = takewhile(lambda o: o is not limit, alike)
    if any(set(o.kinds) & set(limit.kinds) for o in before):
        yield Problem(f"A write of {e.name} has two limits per {limit.span} per {limit.per}.", "Keep one of them.", where)


def _uncounted_problems(b: Blueprint, e: Entity, kinds: Iterable[str], per: str, where: str) -> Iterator[Problem]:
    """What is wrong where some can write an entity of whom nobody is known that could be counted."""
    who = {access_of(b, e, kind).who for kind in kinds}
    if per == "user" and not who <= {Who.USER, Who.OWNER, Who.ROLE}:
        yield Problem(f"{e.name} can be written without an account, and nobody would be counted.", "Add 'write user', or limit per address.", where)
    if per == "key" and who != {Who.KEY}:
        yield Problem(f"{e.name} can be written without the key, and nobody would be counted.", "Add 'write key', or limit per address.", where)


def _joint_problems(b: Blueprint, owner: None, limit: JointLimit) -> Iterator[Problem]:
    where = path_of(b, limit)
    yield from _number_problems(limit, where)
    known = [e.name for e in b.entities]
    for name in limit.entities:
        if name not in known:
            yield Problem(f"There is no entity {name!r}.", meant(name, known, "Name entities of the service."), where)
    for kind in limit.kinds:
        if kind not in WRITES:
            yield Problem(f"{kind!r} is no write of every entity.", meant(kind, [*WRITES, "writes"], f"Choose from {', '.join(WRITES)}, or say 'writes' for all."), where)
    if len(set(limit.writes)) < len(limit.writes) or len(set(limit.entities)) < len(limit.entities):
        yield Problem(f"'limit {', '.join(limit.writes)}' names something twice.", "Name each once.", where)
    if limit.per == "user" and b.users is None:
        yield Problem("A limit per user needs users.", "Add a block users { }, or limit per address.", where)
    counted = limit.counted(b)
    if len(counted) < 2:
        yield Problem("A limit of the service on writes counts those of several entities together.", "Put it into the entity, without 'on'.", where)
    for e in counted:
        yield from _uncounted_problems(b, e, [kind for kind in limit.kinds if kind in WRITES], limit.per, where)
    alike = takewhile(lambda o: o is not limit, (o for o in b.parts_of(JointLimit) if (o.span, o.per) == (limit.span, limit.per)))
    if any(set(o.kinds) & set(limit.kinds) and {e.name for e in o.counted(b)} & {e.name for e in counted} for o in alike):
        yield Problem(f"Some writes have two limits of the service per {limit.span} per {limit.per}.", "Keep one of them.", where)


def access_of(b: Blueprint, e: Entity, kind: str) -> Access:
    """Who may do what a limit counts."""
    rights = {"create": b.create_access, "update": b.write_access, "delete": b.delete_access}
    if kind in rights:
        return rights[kind](e)
    return who_may(b, e, next(action for action in e.parts_of(Action) if action.name == kind))


def _number_problems(limit: Limit | WriteLimit | JointLimit, where: str) -> Iterator[Problem]:
    if limit.most != limit.most.to_integral_value() or not 1 <= limit.most <= _MOST:
        yield Problem(f"{number(limit.most)} is no number of requests.", f"Give a whole number from 1 to {_MOST:,}.", where)


CONSTRUCTS = (
    Construct(
        name="limit",
        place="service",
        value=Limit,
        grammar=(
            'limit: "limit" NUMBER "per" LIMIT_SPAN "per" LIMIT_SUBJECT _NL\n'
            'LIMIT_SPAN: "minute" | "hour" | "day"\n'
            'LIMIT_SUBJECT: "address" | "key" | "user"'
        ),
        build=_limit,
        lines=lambda limit: [f"limit {_words(limit)}"],
        check=_problems,
    ),
    Construct(
        name="joint_limit",
        place="service",
        value=JointLimit,
        grammar='joint_limit: "limit" NAME ("," NAME)* NUMBER "per" LIMIT_SPAN "per" LIMIT_SUBJECT limit_on? _NL\nlimit_on: "on" NAME ("," NAME)*',
        build=_joint_limit,
        lines=lambda limit: [f"limit {', '.join(limit.writes)} {_words(limit)}{' on ' if limit.entities else ''}{', '.join(limit.entities)}"],
        check=_joint_problems,
    ),
    Construct(
        name="write_limit",
        place="entity",
        value=WriteLimit,
        grammar='write_limit: "limit" NAME ("," NAME)* NUMBER "per" LIMIT_SPAN "per" LIMIT_SUBJECT _NL',
        build=_write_limit,
        lines=lambda limit: [f"limit {', '.join(limit.writes)} {_words(limit)}"],
        check=_write_problems,
    ),
)
