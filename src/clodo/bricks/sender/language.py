"""``mail from "club@example.com"`` in the service: Cloudflare's mail binding sends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from clodo.blueprint.constants import normal
from clodo.blueprint.constructs import Construct
from clodo.blueprint.problems import Problem
from clodo.blueprint.syntax import text_of
from clodo.blueprint.text import quote
from clodo.blueprint.values import Blueprint, FieldType
from clodo.bricks.mail.language import ConfirmEmail, ResetPassword
from clodo.bricks.notices.brick import mailed_reports, notices
from clodo.bricks.notices.reminders import reminders

_ADDRESS = re.compile(r"[A-Za-z0-9._'+%&-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII)


@dataclass(frozen=True, slots=True)
class MailFrom:
    """The address that mails come from."""

    address: str


def mails(b: Blueprint) -> bool:
    """Whether a service has anything to mail."""
    users = b.users
    tokens = users is not None and bool(users.parts_of(ConfirmEmail) or users.parts_of(ResetPassword))
    return tokens or bool(notices(b) or reminders(b) or mailed_reports(b))


def _problems(b: Blueprint, owner: Blueprint, value: MailFrom) -> Iterator[Problem]:
    if normal(FieldType.EMAIL, value.address) is None or not _ADDRESS.fullmatch(value.address):
        yield Problem(f"{value.address!r} is no e-mail address.", 'Write mail from "club@example.com", say.', "(mail_from)")
    if not mails(b):
        yield Problem("Nothing is mailed.", "Say what is, as with 'confirm email' or 'notify'; or leave the line 'mail from' out.", "(mail_from)")


CONSTRUCTS = (
    Construct(
        name="mail_from",
        place="service",
        value=MailFrom,
        grammar='mail_from: "mail" "from" STRING _NL',
        build=lambda tree: MailFrom(text_of(tree.children[0])),
        lines=lambda value: [f"mail from {quote(value.address)}"],
        check=_problems,
        once=True,
    ),
)
