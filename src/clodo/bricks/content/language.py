"""``slug from title``, ``publish`` and ``markdown body`` in entities."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from lark import Tree

from clodo.blueprint.constructs import Construct, path_of
from clodo.blueprint.formulas import AGGREGATES, Scope, parts, target_of
from clodo.blueprint.problems import Problem
from clodo.blueprint.reads import Read, afar, reads
from clodo.blueprint.values import Blueprint, Bound, Call, Entity, Expression, Field, FieldType, Who

SLUG_PATTERN = "^[a-z0-9](-?[a-z0-9])*$"
SLUG_LENGTH = 100
#: The fields that say whether a row is out.
SHOWN = ("status", "published_at")
STATES = ("draft", "scheduled", "published")


@dataclass(frozen=True, slots=True)
class Slug:
    """Rows have a short name made from the field ``source``; ``follow``: it changes with that field."""

    source: str
    follow: bool = False


@dataclass(frozen=True, slots=True)
class Publish:
    """Rows are drafts until they are published, now or at a time."""


@dataclass(frozen=True, slots=True)
class Markdown:
    """A field holds Markdown, and rows have it as HTML too."""

    source: str

    @property
    def html(self) -> str:
        """The name of the field with the HTML."""
        return f"{self.source}_html"


def _source(e: Entity, value: Slug | Markdown, types: tuple[FieldType, ...], what: str) -> Iterator[Problem]:
    """What is wrong with the field that a value is made of."""
    path = path_of(e, value)
    f = e.field(value.source)
    if f is None:
        near = difflib.get_close_matches(value.source, [x.name for x in e.fields], n=1)
        mend = f"Did you mean {near[0]}?" if near else f"Add a field '{value.source}: {types[0]}'."
        yield Problem(f"{e.name} has no field {value.source!r} to make {what} of.", mend, path)
    elif f.type not in types or f.computed is not None:
        words = " or ".join(types)
        yield Problem(f"{e.name}.{f.name} cannot be made into {what}.", f"Name a stored field of the type {words}.", path)
    elif f.write_only:
        yield Problem(f"{e.name}.{f.name} is write-only; {what} would tell it.", "Name another field.", path)


def _slug_problems(b: Blueprint, e: Entity, slug: Slug) -> Iterator[Problem]:
    yield from _source(e, slug, (FieldType.TEXT,), "a slug")


def _markdown_problems(b: Blueprint, e: Entity, markdown: Markdown) -> Iterator[Problem]:
    yield from _source(e, markdown, (FieldType.LONG_TEXT, FieldType.TEXT), "HTML")


def _publish_problems(b: Blueprint, e: Entity, publish: Publish) -> Iterator[Problem]:
    path = path_of(e, publish)
    if b.write_access(e).who is Who.PUBLIC:
        yield Problem(
            f"Everybody may write a {e.name}, so everybody would see its drafts.", "Say who may, with a line 'write key', say.", path
        )
    elif b.read_access(e) in (b.write_access(e), b.write_access(e).__class__(Who.OWNER)):
        yield Problem(
            f"Whoever may read a {e.name} sees its drafts too, so publishing shows it to nobody else.",
            "Let more people read it than write it, with a line 'read public', say.",
            path,
            severity="warning",
        )
    for teller, f in _tells_of_drafts(b, e):
        yield Problem(
            f"{teller}.{f} looks at drafts of {e.name} too, for everybody who may read a {teller}.",
            "Add 'and published_at <= now' to its condition, so that only what is out counts.",
            f"{teller}.{f}",
            severity="warning",
        )
    for teller, f, name in _shows_drafts(b, e):
        yield Problem(
            f"{teller}.{f} tells {name} of a {e.name} that is a draft too, to everybody who may read a {teller}.",
            f"Leave it out, so that it is read with the {e.name}, or let only those read a {teller} who may write a {e.name}.",
            f"{teller}.{f}",
            severity="warning",
        )


def _told_further(b: Blueprint, e: Entity) -> Iterator[tuple[Entity, Field, Expression]]:
    """The computed fields of all entities that others read than those who write ``e``, each with its expression."""
    for teller in b.entities:
        if not b.read_access(teller).is_within(b.write_access(e)):
            yield from ((teller, f, f.computed) for f in teller.fields if f.computed is not None)


def _shows_drafts(b: Blueprint, e: Entity) -> Iterator[tuple[str, str, str]]:
    """The computed fields, as entity, field and what is looked at, that tell others of rows of ``e`` that are referred to, whether these are
    out or not."""
    for teller, f, computed in _told_further(b, e):
        if seen := afar(computed, Scope(b, teller), e.name) - {*SHOWN}:
            yield teller.name, f.name, min(seen)


def _tells_of_drafts(b: Blueprint, e: Entity) -> Iterator[tuple[str, str]]:
    """The computed fields, as entity and field, that count rows of ``e`` for others, whether they are out or not."""
    for teller, f, computed in _told_further(b, e):
        for part in parts(computed):
            if isinstance(part, Call) and part.function in AGGREGATES and target_of(part)[0] == e.name and not _by_state(b, e, part):
                yield teller.name, f.name


def _by_state(b: Blueprint, e: Entity, call: Call) -> bool:
    """Whether the rows that are counted are chosen by whether they are out."""
    if call.where is None:
        return False
    found = reads(call.where, Scope(b, e))
    return any(isinstance(r, Read) and r.entity.name == e.name and r.name in SHOWN for r in found)


def _with_slug(e: Entity, slug: Slug) -> Entity:
    made = Field("slug", unique=True, pattern=SLUG_PATTERN, maximum=Bound(Decimal(SLUG_LENGTH)), made=True)
    return replace(e, fields=(*e.fields, made))


def _with_states(e: Entity, publish: Publish) -> Entity:
    status = Field("status", FieldType.ENUM, STATES, required=True, default="draft", read_only=True)
    moment = Field("published_at", FieldType.DATETIME, read_only=True)
    return replace(e, fields=(*e.fields, status, moment))


def _with_html(e: Entity, markdown: Markdown) -> Entity:
    return replace(e, fields=(*e.fields, Field(markdown.html, FieldType.LONG_TEXT, read_only=True, made=True)))


def _fit_slug(e: Entity, slug: Slug, body: dict[str, Any], number: int) -> None:
    if "slug" in body:
        body["slug"] = f"row-{number}"


def _slug(tree: Tree[Any]) -> Slug:
    source, *rest = tree.children
    return Slug(str(source), follow=bool(rest))


CONSTRUCTS = (
    Construct(
        name="slug_line",
        place="entity",
        value=Slug,
        grammar='slug_line: "slug" "from" NAME slug_follow? _NL\nslug_follow: "follow"',
        build=_slug,
        lines=lambda slug: [f"slug from {slug.source}{' follow' if slug.follow else ''}"],
        check=_slug_problems,
        expand=_with_slug,
        fit=_fit_slug,
        once=True,
        claims=lambda plan, owner, value: ["by-slug/{slug}"],
    ),
    Construct(
        name="publish_line",
        place="entity",
        value=Publish,
        grammar='publish_line: "publish" _NL',
        build=lambda tree: Publish(),
        lines=lambda publish: ["publish"],
        check=_publish_problems,
        expand=_with_states,
        shown_by="publish",
        shown_fields=SHOWN,
        turns=("status", "scheduled", "published"),
        once=True,
        claims=lambda plan, owner, value: ["{id}/publish", "{id}/unpublish"],
    ),
    Construct(
        name="markdown_line",
        place="entity",
        value=Markdown,
        grammar='markdown_line: "markdown" NAME _NL',
        build=lambda tree: Markdown(str(tree.children[0])),
        lines=lambda markdown: [f"markdown {markdown.source}"],
        check=_markdown_problems,
        expand=_with_html,
    ),
)
