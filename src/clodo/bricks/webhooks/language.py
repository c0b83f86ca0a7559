"""``webhook order_events on order created, updated and customer deleted for role manager``."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lark import Token, Tree

from clodo.blueprint.checks import access_problems
from clodo.blueprint.constructs import Construct, hidden_at_first, path_of
from clodo.blueprint.problems import Problem
from clodo.blueprint.syntax import access_of
from clodo.blueprint.values import KEY, Access, Blueprint, Who
from clodo.bricks.tenants.language import apart

#: The last part of the path under which subscriptions are found.
PATH = "webhooks"


@dataclass(frozen=True, slots=True)
class Watched:
    """The changes of one entity that are told: ``created``, ``updated``, ``deleted``."""

    entity: str
    events: tuple[str, ...]

    @property
    def types(self) -> tuple[str, ...]:
        """The types of the events, as subscribers know them: ``order.created``."""
        return tuple(f"{self.entity}.{event}" for event in self.events)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A set of events that can be subscribed to, all of them by its name; ``access`` says who may."""

    name: str
    watched: tuple[Watched, ...]
    access: Access = KEY

    @property
    def types(self) -> tuple[str, ...]:
        """The types of its events."""
        return tuple(t for watched in self.watched for t in watched.types)


def _build(tree: Tree[Any]) -> Webhook:
    name, *rest = tree.children
    watched = tuple(_watched(t) for t in rest if t.data == "watched")
    access = next((access_of(t) for t in rest if t.data != "watched"), KEY)
    return Webhook(str(name), watched, access)


def _watched(tree: Tree[Any]) -> Watched:
    entity, *events = (str(t) for t in tree.children if isinstance(t, Token))
    return Watched(entity, tuple(events))


def _lines(webhook: Webhook) -> Iterator[str]:
    watched = " and ".join(f"{w.entity} {', '.join(w.events)}" for w in webhook.watched)
    whom = f" for {webhook.access}" if webhook.access != KEY else ""
    yield f"webhook {webhook.name} on {watched}{whom}"


def _problems(b: Blueprint, owner: None, webhook: Webhook) -> Iterator[Problem]:
    path = path_of(None, webhook)
    yield from _access_problems(b, webhook, path)
    seen: set[str] = set()
    for watched in webhook.watched:
        yield from _watched_problems(b, webhook, watched, path)
        if watched.entity in seen:
            yield Problem(f"{watched.entity!r} is named twice.", "Write its events in one place.", path)
        seen.add(watched.entity)


def _watched_problems(b: Blueprint, webhook: Webhook, watched: Watched, path: str) -> Iterator[Problem]:
    entity = b.entity(watched.entity)
    if entity is None:
        close = difflib.get_close_matches(watched.entity, [e.name for e in b.entities], 1)
        mend = f"Did you mean {close[0]}?" if close else "Name an entity of this service."
        yield Problem(f"webhook {webhook.name} watches {watched.entity!r}, which does not exist.", mend, path)
        return
    for event in dict.fromkeys(watched.events):
        if watched.events.count(event) > 1:
            yield Problem(f"webhook {webhook.name} says '{watched.entity} {event}' twice.", "Remove one of the two.", path)
    if webhook.access.who is Who.ROLE and (tenant := apart(b, entity)):
        yield Problem(
            f"webhook {webhook.name} would show the rows of every {tenant} to '{webhook.access}', and members may know of their own "
            f"{tenant}'s only.",
            "Leave out 'for …', so that it needs the API key.",
            path,
        )
    elif webhook.access.who is Who.ROLE and not webhook.access.is_within(b.read_access(entity)):
        yield Problem(
            f"webhook {webhook.name} would show every row of {entity.name!r} to '{webhook.access}', which the rule "
            f"'read {b.read_access(entity)}' keeps from some of them.",
            "Leave out 'for …', so that it needs the API key, or change the rule of the entity.",
            path,
        )
    elif webhook.access.who is Who.ROLE and entity.name in hidden_at_first(b) and not webhook.access.is_within(b.write_access(entity)):
        yield Problem(
            f"webhook {webhook.name} would show rows of {entity.name!r} that are not out yet to '{webhook.access}', and only whoever may write "
            f"them ('write {b.write_access(entity)}') may see these.",
            "Name roles that may write them, or leave out 'for …', so that it needs the API key.",
            path,
        )


def _access_problems(b: Blueprint, webhook: Webhook, path: str) -> Iterator[Problem]:
    yield from access_problems(b, webhook.access, path)
    if webhook.access.who not in (Who.KEY, Who.ROLE):
        yield Problem(
            f"webhook {webhook.name} tells of every row, so 'for {webhook.access}' would let too many see them.",
            "Say 'for role …', or leave it out, so that it needs the API key.",
            path,
        )
    first = b.parts_of(Webhook)[0]
    if webhook.access != first.access:
        yield Problem(
            f"webhook {webhook.name} is for '{webhook.access}' and webhook {first.name} for '{first.access}', but there is "
            f"one list of subscriptions.",
            "Give both the same 'for …'.",
            path,
        )


CONSTRUCTS = (
    Construct(
        name="webhook",
        place="service",
        value=Webhook,
        grammar="""
            webhook: "webhook" NAME "on" watched ("and" watched)* ("for" access)? _NL
            watched: NAME ROW_EVENT ("," ROW_EVENT)*
            ROW_EVENT: "created" | "updated" | "deleted"
        """,
        build=_build,
        lines=_lines,
        check=_problems,
        claims=lambda plan, owner, value: [f"/api/{PATH}/*"],
    ),
)
