"""``incoming payments from stripe``, ``incoming orders from hmac in "X-Shop-Signature" known by event_id read role clerk``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lark import Token, Tree

from clodo.blueprint.checks import access_problems
from clodo.blueprint.constructs import Construct, path_of
from clodo.blueprint.plan import kebab
from clodo.blueprint.problems import Problem
from clodo.blueprint.syntax import access_of, text_of
from clodo.blueprint.text import quote
from clodo.blueprint.values import KEY, Access, Blueprint, Who
from clodo.bricks.tenants.language import tenants_of

#: The path under which events come in.
PATH = "incoming"
#: Where the signature of a plain HMAC stands, unless the blueprint names another header.
HEADER = "X-Signature-256"
_TAKEN = {"authorization", "content-length", "content-type", "cookie", "host", "x-api-key"}


@dataclass(frozen=True, slots=True)
class Incoming:
    """Events of one sender; ``header`` is where a plain HMAC has its signature. ``field`` of the body or ``id_header`` is what it knows its
    events by; without either, they are known by the whole body. ``access`` says who reads what came."""

    name: str
    sender: str
    header: str = ""
    access: Access = KEY
    field: str = ""
    id_header: str = ""

    @property
    def label(self) -> str:
        """Who signs its events, in words."""
        names = {"stripe": "Stripe", "github": "GitHub", "standard": "Standard Webhooks"}
        return names.get(self.sender, f"HMAC-SHA256 in {self.header or HEADER}")

    @property
    def secret(self) -> str:
        """The name of its secret."""
        return f"INCOMING_{self.name.upper()}_SECRET"

    @property
    def name_in_path(self) -> str:
        """The last part of its path; its events bear that name."""
        return kebab(self.name)

    @property
    def path(self) -> str:
        """Where its events are sent to, and read."""
        return f"/api/{PATH}/{self.name_in_path}"


def _build(tree: Tree[Any]) -> Incoming:
    name, sender, *rest = tree.children
    header = next((text_of(t) for t in rest if isinstance(t, Token)), "")
    access = next((access_of(t) for t in rest if isinstance(t, Tree) and t.data != "incoming_known"), KEY)
    known = next((t.children[0] for t in rest if isinstance(t, Tree) and t.data == "incoming_known"), None)
    field, id_header = "", ""
    if isinstance(known, Token):
        field, id_header = ("", text_of(known)) if known.type == "STRING" else (str(known), "")
    return Incoming(str(name), str(sender), header, access, field, id_header)


def _lines(hook: Incoming) -> Iterator[str]:
    header = f" in {quote(hook.header)}" if hook.header else ""
    reader = f" read {hook.access}" if hook.access != KEY else ""
    known = hook.field or (quote(hook.id_header) if hook.id_header else "")
    yield f"incoming {hook.name} from {hook.sender}{header}{f' known by {known}' if known else ''}{reader}"


def _problems(b: Blueprint, owner: None, hook: Incoming) -> Iterator[Problem]:
    path = path_of(None, hook)
    yield from access_problems(b, hook.access, path)
    if hook.access.who in (Who.PUBLIC, Who.OWNER):
        yield Problem(
            f"incoming {hook.name}: what comes in has no owner, and is not for everybody.",
            "Say 'read role …', or leave it out, so that it needs the API key.",
            path,
        )
    elif hook.access != KEY and (tenants := tenants_of(b)) is not None:
        yield Problem(
            f"incoming {hook.name}: what comes in names no {tenants.entity}, and '{hook.access}' would read what is meant for others.",
            "Leave out 'read …', so that it needs the API key.",
            path,
        )
    if hook.header and hook.sender != "hmac":
        yield Problem(f"incoming {hook.name}: {hook.sender} has a header of its own.", f"Leave out 'in {quote(hook.header)}'.", path)
    if (hook.field or hook.id_header) and hook.sender != "hmac":
        yield Problem(f"incoming {hook.name}: {hook.sender} says itself what its events are known by.", "Leave out 'known by …'.", path)
    if hook.id_header and (not _is_header(hook.id_header) or hook.id_header.lower() == (hook.header or HEADER).lower()):
        yield Problem(f"{hook.id_header!r} cannot be the header of an id.", 'Name one such as "X-Event-Id".', path)
    if hook.header and not _is_header(hook.header):
        yield Problem(f"{hook.header!r} cannot be the header of a signature.", f'Name one such as "{HEADER}".', path)
    for other in b.parts_of(Incoming):
        if other.name != hook.name and other.path == hook.path and b.parts_of(Incoming).index(other) < b.parts_of(Incoming).index(hook):
            yield Problem(f"incoming {hook.name} would stand where incoming {other.name} does.", "Rename one.", path)


def _is_header(name: str) -> bool:
    """Whether a sender may use a header of that name."""
    return re.fullmatch(r"[A-Za-z0-9-]{1,60}", name) is not None and name.lower() not in _TAKEN


CONSTRUCTS = (
    Construct(
        name="incoming",
        place="service",
        value=Incoming,
        grammar="""
            incoming: "incoming" NAME "from" SENDER ("in" STRING)? incoming_known? ("read" access)? _NL
            incoming_known: "known" "by" (NAME | STRING)
            SENDER: "stripe" | "github" | "standard" | "hmac"
        """,
        build=_build,
        lines=_lines,
        check=_problems,
        claims=lambda plan, owner, value: [f"/api/{PATH}/*"],
    ),
)
