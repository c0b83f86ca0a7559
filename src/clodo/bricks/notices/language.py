"""``notify admin when stock < 5 "Stock is low"`` and ``notify "team@example.com" on created`` in an entity."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lark import Token, Tree

from clodo.blueprint.constructs import Construct, path_of
from clodo.blueprint.formulas import Scope, condition_problems, member, parts
from clodo.blueprint.plan import is_owned
from clodo.blueprint.problems import Problem
from clodo.blueprint.syntax import expression_of, text_of
from clodo.blueprint.text import expression_text, quote
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
_ADDRESS = re.compile(r"[^\s@<>\"]{1,64}@[^\s@<>\"]{1,190}\.[^\s@<>\".]{2,}")


@dataclass(frozen=True, slots=True)
class Notice:
    """A mail. ``to`` is an address, or the path of an e-mail field (``customer.email``), ``owner`` or ``admin``. It goes
    once a row meets ``condition`` and did not before; without one, for each new row."""

    to: str
    condition: Expression | None = None
    subject: str = ""

    @property
    def is_address(self) -> bool:
        """Whether it goes to one address, whatever the row says."""
        return "@" in self.to


def is_address(text: str) -> bool:
    """Whether a text is an address that mail can go to."""
    return _ADDRESS.fullmatch(text) is not None


def subject_of(e: Entity, notice: Notice) -> str:
    """The subject of its mails."""
    if notice.subject:
        return notice.subject
    words = e.name.replace("_", " ")
    return f"{words.capitalize()}: {expression_text(notice.condition)}" if notice.condition is not None else f"New {words}"


def _build(tree: Tree[Any]) -> Notice:
    to, *rest = tree.children
    names = [str(t) for t in to.children] if to.data == "notice_path" else []
    address = text_of(to.children[0]) if not names else ".".join(names)
    condition = next((expression_of(t) for t in rest if isinstance(t, Tree) and t.data != "notice_created"), None)
    subject = next((text_of(t) for t in rest if isinstance(t, Token) and t.type == "STRING"), "")
    return Notice(address, condition, subject)


def _lines(notice: Notice) -> Iterator[str]:
    to = quote(notice.to) if notice.is_address else notice.to
    why = f"when {expression_text(notice.condition)}" if notice.condition is not None else "on created"
    yield f"notify {to} {why}" + (f" {quote(notice.subject)}" if notice.subject else "")


def _problems(b: Blueprint, e: Entity, notice: Notice) -> Iterator[Problem]:
    path = path_of(e, notice)
    yield from _recipient(b, e, notice, path)
    if len(notice.subject) > 200 or "\n" in notice.subject:
        yield Problem("The subject of a notice is one short line.", "Shorten it.", path)
    if notice.condition is None:
        return
    for message in condition_problems(notice.condition, Scope(b, e)):
        yield Problem(message, "Mend the condition of the notice.", path)
    for part in parts(notice.condition):
        if isinstance(part, Call) or (isinstance(part, Operand) and part.is_field and part.value in ("now", "today")):
            yield Problem(
                "A notice looks at the row that changed: it counts no other rows, and time alone changes none.",
                "Compare fields of the row; for what time brings about, let a schedule change the row.", path,
            )  # fmt: skip
            return


def _recipient(b: Blueprint, e: Entity, notice: Notice, path: str) -> Iterator[Problem]:
    if notice.is_address:
        if not is_address(notice.to):
            yield Problem(f"{notice.to!r} is no address.", 'Write "team@example.com", say.', path)
    elif notice.to == ADMIN:
        return  # the address in ADMIN_EMAIL, whether there are users or not
    elif notice.to == OWNER:
        if not is_owned(b, e):
            yield Problem(f"Rows of {e.name} have no owner.", "Add 'write owner', or name an address.", path)
    elif email_field(b, e, notice.to) is None:
        yield Problem(f"{notice.to!r} is no e-mail field of {e.name} or of what it refers to.", "Name a field of the type email.", path)


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
)
