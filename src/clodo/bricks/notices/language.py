"""``notify admin when stock < 5 "Stock is low"`` and ``remind owner 3 days before due_on`` in an entity."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lark import Token, Tree

from clodo.blueprint.constructs import Construct, path_of
from clodo.blueprint.formulas import Scope, condition_problems, member, parts
from clodo.blueprint.plan import is_owned
from clodo.blueprint.problems import Problem
from clodo.blueprint.syntax import expression_of, text_of
from clodo.blueprint.text import expression_text, number, quote
from clodo.blueprint.values import (
    Blueprint,
    Call,
    Entity,
    Expression,
    Field,
    FieldType,
    Operand,
    Reference,
)

#: Words for people whose address the service knows: whoever made the row, and the administrator.
OWNER, ADMIN = "owner", "admin"
_HOURS = {"minute": 1 / 60, "hour": 1, "day": 24, "week": 7 * 24}
_MOST = 10_000
_STAMPS = ("created_at", "updated_at")
_ADDRESS = re.compile(r"[^\s@<>\"]{1,64}@[^\s@<>\"]{1,190}\.[^\s@<>\".]{2,}")


class _Addressed:
    """What goes ``to`` somebody."""

    __slots__ = ()
    to: str

    @property
    def is_address(self) -> bool:
        """Whether it goes to one address, whatever the row says."""
        return "@" in self.to


@dataclass(frozen=True, slots=True)
class Notice(_Addressed):
    """A mail. ``to`` is an address, or the path of an e-mail field (``customer.email``), ``owner`` or ``admin``. It goes
    once a row meets ``condition`` and did not before; without one, for each new row."""

    to: str
    condition: Expression | None = None
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Reminder(_Addressed):
    """A mail that goes so long ``before`` or ``after`` the moment that ``field`` names, of the row (``due_on``) or of one that it
    refers to (``shift.starts_at``), for a row that meets ``condition`` then. ``to`` is as in a notice; ``unit`` is ``minute``, ``hour``,
    ``day`` or ``week``."""

    to: str
    amount: Decimal
    unit: str
    side: str
    field: str
    condition: Expression | None = None
    subject: str = ""

    @property
    def way(self) -> str:
        """The reference that leads to the row with its moment; empty where that is the row itself."""
        return self.field.rpartition(".")[0]

    @property
    def when(self) -> str:
        """The words for its moment: ``3 days before due_on``."""
        return f"{number(self.amount)} {self.unit}{'' if self.amount == 1 else 's'} {self.side} {self.field}"

    @property
    def hours(self) -> float:
        """How long its moment lies behind that of the field, in hours; negative where it lies before."""
        return float(self.amount) * _HOURS[self.unit] * (-1 if self.side == "before" else 1)


#: What goes to somebody by mail.
Told = Notice | Reminder


def is_address(text: str) -> bool:
    """Whether a text is an address that mail can go to."""
    return _ADDRESS.fullmatch(text) is not None


def subject_of(e: Entity, told: Told) -> str:
    """The subject of its mails."""
    if told.subject:
        return told.subject
    words = e.name.replace("_", " ")
    if isinstance(told, Reminder):
        return f"{words.capitalize()}: {told.when.replace('.', ' ')}"
    return f"{words.capitalize()}: {expression_text(told.condition)}" if told.condition is not None else f"New {words}"


def _build(tree: Tree[Any]) -> Notice:
    to, *rest = tree.children
    condition = next((expression_of(t) for t in rest if isinstance(t, Tree) and t.data != "notice_created"), None)
    return Notice(_to(to), condition, _subject(rest))


def _reminder(tree: Tree[Any]) -> Reminder:
    to, amount, unit, side, name, *rest = tree.children
    condition = next((expression_of(t) for t in rest if isinstance(t, Tree)), None)
    assert isinstance(name, Tree)
    return Reminder(_to(to), Decimal(str(amount)), str(unit).removesuffix("s"), str(side), ".".join(map(str, name.children)), condition, _subject(rest))


def _to(tree: Tree[Any]) -> str:
    names = [str(t) for t in tree.children] if tree.data == "notice_path" else []
    return text_of(tree.children[0]) if not names else ".".join(names)


def _subject(rest: list[Any]) -> str:
    return next((text_of(t) for t in rest if isinstance(t, Token) and t.type == "STRING"), "")


def _lines(notice: Notice) -> Iterator[str]:
    yield f"notify {_to_text(notice)} {_condition_text(notice) or 'on created'}{_subject_text(notice)}"


def _reminder_lines(reminder: Reminder) -> Iterator[str]:
    condition = _condition_text(reminder)
    yield f"remind {_to_text(reminder)} {reminder.when}{f' {condition}' if condition else ''}{_subject_text(reminder)}"


def _to_text(told: Told) -> str:
    return quote(told.to) if told.is_address else told.to


def _condition_text(told: Told) -> str:
    return f"when {expression_text(told.condition)}" if told.condition is not None else ""


def _subject_text(told: Told) -> str:
    return f" {quote(told.subject)}" if told.subject else ""


def _problems(b: Blueprint, e: Entity, notice: Notice) -> Iterator[Problem]:
    path = path_of(e, notice)
    yield from _mail_problems(b, e, notice, "notice", path)
    for part in parts(notice.condition) if notice.condition is not None else ():
        if isinstance(part, Call) or (isinstance(part, Operand) and part.is_field and part.value in ("now", "today")):
            yield Problem(
                "A notice looks at the row that changed: it counts no other rows, and time alone changes none.",
                "Compare fields of the row; for what time brings about, say 'remind', or let a schedule change the row.", path,
            )  # fmt: skip
            return


def _reminder_problems(b: Blueprint, e: Entity, reminder: Reminder) -> Iterator[Problem]:
    path = path_of(e, reminder)
    yield from _mail_problems(b, e, reminder, "reminder", path)
    amount = reminder.amount
    if amount != amount.to_integral_value() or not 0 <= amount <= _MOST:
        words = f"{number(amount)} {reminder.unit}s"
        yield Problem(f"{words!r} is no time that a reminder knows.", f"Give a whole number, from 0 to {_MOST:,}.", path)
    yield from _moment_problems(b, e, reminder, path)
    if e.parts_of(Reminder).count(reminder) > 1:
        yield Problem("This reminder is said twice.", "Remove one of the two.", path)


def holder_of(b: Blueprint, e: Entity, reminder: Reminder) -> tuple[Entity, str] | None:
    """The entity that has the date or datetime of a reminder of ``e``, and its name there; ``None`` where ``e`` refers to none."""
    way, _, name = reminder.field.rpartition(".")
    reference = member(e, way)
    holder = e if not way else b.entity(reference.target) if isinstance(reference, Reference) else None
    return (holder, name) if holder is not None else None


def _moment_problems(b: Blueprint, e: Entity, reminder: Reminder, path: str) -> Iterator[Problem]:
    found = holder_of(b, e, reminder)
    if found is None:
        yield Problem(f"{e.name} has no reference {reminder.way!r}.", "Name one of its references, such as loan.due_on.", path)
        return
    e, name = found
    f = e.field(name)
    type_ = moment_type(e, name)
    if type_ is None:
        known = [f.name for f in e.fields if moment_type(e, f.name) is not None]
        mend = f"Name {' or '.join(known)}." if known else f"Add a field such as 'due_on: date' to {e.name}."
        yield Problem(f"{name!r} is no date or datetime of {e.name}.", mend, path)
    elif f is not None and f.computed is not None:
        yield Problem(f"{name!r} is computed, and a reminder looks for a stored date or datetime.", "Name one that is stored.", path)
    elif f is not None and f.write_only:
        yield Problem(f"{name!r} is write-only, and a reminder would tell it.", "Name a date or datetime that may be read.", path)
    elif type_ is FieldType.DATE and reminder.unit in ("minute", "hour"):
        yield Problem(f"{name!r} is a date and knows no {reminder.unit}s.", "Count in days or weeks, or make it a datetime.", path)


def moment_type(e: Entity, name: str) -> FieldType | None:
    """The type of the date or datetime of that name: a field, or when rows were made or changed; ``None`` where there is none."""
    f = e.field(name)
    if f is None:
        return FieldType.DATETIME if name in _STAMPS and e.timestamps else None
    return f.type if f.type in (FieldType.DATE, FieldType.DATETIME) else None


def _mail_problems(b: Blueprint, e: Entity, told: Told, what: str, path: str) -> Iterator[Problem]:
    yield from _recipient(b, e, told, path)
    if len(told.subject) > 200 or "\n" in told.subject:
        yield Problem(f"The subject of a {what} is one short line.", "Shorten it.", path)
    if told.condition is not None:
        for message in condition_problems(told.condition, Scope(b, e)):
            yield Problem(message, f"Mend the condition of the {what}.", path)


def _recipient(b: Blueprint, e: Entity, told: Told, path: str) -> Iterator[Problem]:
    if told.is_address:
        if not is_address(told.to):
            yield Problem(f"{told.to!r} is no address.", 'Write "team@example.com", say.', path)
    elif told.to == ADMIN:
        return  # the address in ADMIN_EMAIL, whether there are users or not
    elif told.to == OWNER:
        if not is_owned(b, e):
            yield Problem(f"Rows of {e.name} have no owner.", "Add 'write owner', or name an address.", path)
    elif email_field(b, e, told.to) is None and account(e, told.to) is None:
        yield Problem(f"{told.to!r} is no e-mail field of {e.name} or of what it refers to.", "Name a field of the type email.", path)


def account(e: Entity, path: str) -> Reference | None:
    """The reference to a user whose address a path names: ``guest.email``."""
    way, _, name = path.partition(".")
    found = member(e, way)
    return found if isinstance(found, Reference) and found.target == "user" and name == "email" else None


def email_field(b: Blueprint, e: Entity, path: str) -> Field | None:
    """The e-mail field at a path from an entity."""
    *way, name = path.split(".")
    for step in way:
        reference = member(e, step)
        target = b.entity(reference.target) if isinstance(reference, Reference) else None
        if target is None:
            return None
        e = target
    found = e.field(name)
    return found if found is not None and found.type is FieldType.EMAIL and not found.write_only else None


CONSTRUCTS = (
    Construct(
        name="notice",
        place="entity",
        value=Notice,
        grammar="""
            notice: "notify" notice_to notice_cause STRING? _NL
            ?notice_cause: "when" expression | "on" "created" -> notice_created
            ?notice_to: STRING -> notice_address | NAME ("." NAME)* -> notice_path
        """,
        build=_build,
        lines=_lines,
        check=_problems,
    ),
    Construct(
        name="reminder",
        place="entity",
        value=Reminder,
        grammar="""
            reminder: "remind" notice_to NUMBER REMINDER_UNIT REMINDER_SIDE reminder_moment ("when" expression)? STRING? _NL
            reminder_moment: NAME ("." NAME)?
            REMINDER_UNIT: "minutes" | "minute" | "hours" | "hour" | "days" | "day" | "weeks" | "week"
            REMINDER_SIDE: "before" | "after"
        """,
        build=_reminder,
        lines=_reminder_lines,
        check=_reminder_problems,
    ),
)
