"""A blueprint with what its text wishes besides stored rows.

Cues become lines of the language (``cue_lines``), which are read and checked as if a person had written them. A line that
does not hold up is left out, and its words are shown as not understood: nothing is built that the checks refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from clodo.blueprint.checks import check
from clodo.blueprint.problems import InvalidBlueprint
from clodo.blueprint.syntax import read
from clodo.blueprint.text import field_line, format_blueprint
from clodo.blueprint.values import Blueprint, Entity, Field, ServiceType
from clodo.understand import file_rules, sites
from clodo.understand.ages import KINDS, age_of
from clodo.understand.blocks import written
from clodo.understand.cue_conditions import SERVICE, USERS, Lines
from clodo.understand.cue_labels import CUES
from clodo.understand.cue_lines import lines_of
from clodo.understand.cue_names import Names, Unsaid
from clodo.understand.deleters import says_who_deletes
from clodo.understand.draft import Draft, DraftCue, DraftEntity, DraftField, Filler, Span
from clodo.understand.file_rules import FILES, FileRules
from clodo.understand.gateways import Gateway
from clodo.understand.guarded import guarded
from clodo.understand.locks import with_writers
from clodo.understand.mail_reports import mailed
from clodo.understand.numbers import number
from clodo.understand.rates import writes_of
from clodo.understand.runs import scheduled
from clodo.understand.states import transitions_line
from clodo.understand.step_lines import TICK
from clodo.understand.steps import steps_apart
from clodo.understand.storeless import is_gateway
from clodo.understand.takers import MAKER, MAKERS, STATED, with_takers
from clodo.understand.transfers import with_formats

#: Cues that need people who log in.
NEED_USERS = frozenset(
    ["login-limit", "sessions", "cookies", "user-keys", "confirm-email", "reset-password", "tenants", "limit-user", "jwks", "change-password", "manage-roles"]
)
#: Things that are files themselves: what is stored of one, where the text names neither a file nor an address of it.
PICTURES = ("photo", "picture")
PICTURE = "image"


@dataclass(frozen=True)
class _Wish:
    """What one stretch of text comes to; ``spans`` are its words."""

    made: Lines
    spans: tuple[Span, ...]


def roles_of(draft: Draft) -> list[str]:
    """The roles that cues give rights to; who is told of something, or has so many rows at most, has none by that, nor has
    whoever made a row that is theirs to delete or to take a step with."""
    cues = [cue for cue in draft.cues if cue.kind not in ("notify", "at-most")]
    named = [(cue, f.role) for cue in cues for fillers in cue.slots.values() for f in fillers if f.role not in ("", MAKER)]
    return [role for cue, role in named if role not in MAKERS or not says_who_deletes(cue)]


def is_picture(e: DraftEntity) -> bool:
    """Whether a thing is a picture of which more is told than where it is."""
    return e.name in PICTURES and bool(e.fields) and not any(f.type in (*FILES, "url") or f.name == PICTURE for f in e.fields.values())


def completed(draft: Draft) -> Draft:
    """The draft with what its cues take for granted: rows that can be restored are kept when they are deleted, drafts are
    written by people who log in, and so on. What the text states stays as it is."""
    entities = {name: replace(e, flags=set(e.flags), read_roles=list(e.read_roles), write_roles=list(e.write_roles)) for name, e in draft.entities.items()}
    made = replace(draft, entities=entities, relations=list(draft.relations))
    usual = ROUTES_ACCESS if is_gateway(draft) else ACCESS
    for e in filter(is_picture, entities.values()):
        e.fields = {**e.fields, PICTURE: DraftField(PICTURE, PICTURE)}
    for cue in draft.cues:
        named = [entities[f.entity] for f in cue.slots.get("of", []) if f.entity in entities]
        about = named or list(entities.values())
        if cue.kind == "restore":
            for e in about:
                e.flags.add("softdelete")
        elif cue.kind == "publish":
            roles = [f.role for f in cue.slots.get("by", []) if f.role]
            for e in about:
                _written(made, e, roles)
        elif cue.kind == "at-most" and any(f.role for f in cue.slots.get("per", [])):
            for e in named:
                # Rows that are counted for each user belong to whoever made them.
                e.flags |= {"own-write"} if "own" not in e.flags else set()
        elif cue.kind == "limit-user" or (says_who_deletes(cue) and any(f.role in MAKERS for f in cue.slots["by"])):
            # Whoever is counted, or deletes rows of their own, logs in to make them.
            for e in about if writes_of(cue.words) else named:
                _written(made, e, [])
        for e in named:
            with_writers(made, e, cue, MAKERS, STATED)
        if made.access == "unstated" and cue.kind in usual:
            made.access = usual[cue.kind]
        if cue.kind == "tenants":
            # What only some may see is not open to all.
            made.access = {"none": "login", "login-write": "login"}.get(made.access, made.access)
            # Every row belongs to a tenant, so that no reference needs to say it.
            made.relations = [r for r in made.relations if r.target not in {e.name for e in named}]
    with_takers(made, MAKERS)
    return made


#: What may be taken for granted of a service where its text says nothing of who may call it.
ACCESS = {"tenants": "login", "limit-key": "key-write"}
#: The same of a service of nothing but routes: whoever is counted shows who they are.
ROUTES_ACCESS = {"limit-key": "key", "limit-user": "login"}


def _written(draft: Draft, e: DraftEntity, roles: list[str]) -> None:
    """Lets nobody but people who log in, or those roles, write what everybody could."""
    stated = e.write_roles or e.flags & STATED
    if stated or draft.access not in ("unstated", "none"):
        return
    if roles:
        e.write_roles += roles
    else:
        e.flags.add("write-login")


def with_wishes(
    blueprint: Blueprint, draft: Draft, entity_of: Callable[[str], str], field_of: Callable[[str], str]
) -> tuple[Blueprint, list[Span]]:
    """The blueprint with all that holds up of what the draft wishes, and the words of the rest. ``entity_of`` and
    ``field_of`` give what things of the draft are called in the blueprint."""
    apart = any(cue.kind == "tenants" for cue in draft.cues)
    files = [(e.name, f.name) for e in draft.entities.values() for f in e.fields.values() if f.type in FILES]
    names = Names(blueprint, entity_of, field_of, apart=apart, text=draft.text, files=files)
    wishes: list[_Wish] = []
    rules = FileRules(draft)
    left = list(rules.left)
    for make, spans in _wanted(draft, names, rules):
        try:
            wishes.append(_Wish(make(), spans))
        except Unsaid:
            left += spans
    if not wishes:
        return blueprint, left
    whole = _with(blueprint, wishes)
    if whole is not None:
        return whole, left
    kept: list[_Wish] = []
    for wish in wishes:
        more = _with(blueprint, [*kept, wish])
        if more is None:
            left += wish.spans
        else:
            kept.append(wish)
            whole = more
    return whole or blueprint, left


def _wanted(draft: Draft, names: Names, rules: FileRules) -> Iterator[tuple[Callable[[], Lines], tuple[Span, ...]]]:
    """All wishes of a draft, in the order in which their lines are to stand: a site, files, states, then cues by kind."""
    if names.blueprint.type is ServiceType.STATIC:
        yield sites.site, ()
    for entity in draft.entities.values():
        for f in entity.fields.values():
            spans = tuple(f.evidence.spans)
            if f.type in FILES:
                most = next((n for v in f.values if v.role in ("max", "xmax") and (n := number(v.words)) is not None), None)
                text = f"{names.field_name(f.name)}: {f.type}" + (f" max {int(most)} MB" if most is not None and most >= 1 else "")
                text += rules.tail(entity.name, f)
                yield _in_entity(names, entity.name, partial(str, text)), tuple(rules.spans(entity.name, f))
            if f.steps:
                yield _in_entity(names, entity.name, partial(_transitions, names, entity.name, f.name, f.steps)), spans
    # What keeps rows apart comes first, and what others are of: other wishes must fit in.
    first = ("tenants", "route")
    order = [*first, *(kind for kind in CUES if kind not in first)]
    gateway = Gateway(draft, alone=not names.blueprint.entities)
    for cue, apart, spans in steps_apart(with_formats(sorted(draft.cues, key=lambda c: order.index(c.kind)), draft.text)):
        if cue.kind not in file_rules.KINDS:
            yield _maker(cue, draft, names, gateway, apart), spans


def _maker(cue: DraftCue, draft: Draft, names: Names, gateway: Gateway, apart: bool) -> Callable[[], Lines]:
    """What makes the lines of a cue."""
    if gateway.takes(cue):
        return partial(gateway.lines, cue)
    if sites.takes(cue):
        return partial(sites.lines_of, cue, beside=names.blueprint.type is ServiceType.GATEWAY)
    if cue.kind == "every":
        return partial(scheduled, cue, draft, names)
    if cue.kind == "mail-report":
        return partial(mailed, cue, draft, names)
    return partial(lines_of, cue, names, apart=apart, age=partial(age_of, cue, draft) if cue.kind in KINDS else None)


def _in_entity(names: Names, entity: str, line: Callable[[], str]) -> Callable[[], Lines]:
    return lambda: Lines([(names.entity(Filler(entity)).name, line())])


def _transitions(names: Names, entity: str, name: str, steps: list[tuple[str, str]]) -> str:
    return transitions_line(names.field(Filler(entity, name))[1], steps)


def _with(blueprint: Blueprint, wishes: list[_Wish]) -> Blueprint | None:
    """The blueprint with the lines of some wishes; ``None`` where it does not hold up."""
    worked_out = {item for w in wishes for item in w.made.computed.items()}
    computed = _unfolded(dict(worked_out))
    if len(computed) < len(worked_out):
        return None  # a field is computed in one way
    lines = list(dict.fromkeys(line for w in wishes for line in w.made.lines))
    blocks = written(w.made.blocks for w in wishes)
    if blocks is None:
        return None
    lines += [(SERVICE, block) for block in blocks]
    try:
        brought = {pair for w in wishes for pair in w.made.brought}
        kept = guarded(blueprint, lines)
        # What a step brings to tick is a line of its own.
        lines = [(where, f"{line} read-only" if line.endswith(TICK) and (where, line.removesuffix(TICK)) in kept else line) for where, line in lines]
        made = read("\n".join(_text(_bare(_kept(blueprint, kept), computed, brought), computed, lines)) + "\n")[0]
    except InvalidBlueprint:
        return None
    return None if any(p.severity == "error" for p in check(made)) else made


def _kept(b: Blueprint, names: set[tuple[str, str]]) -> Blueprint:
    """The blueprint with fields that callers cannot set."""

    def kept(e: Entity) -> Entity:
        return replace(e, fields=tuple(replace(f, read_only=True, required=False) if (e.name, f.name) in names else f for f in e.fields))

    return replace(b, entities=tuple(kept(e) for e in b.entities))


_NAME = re.compile(r"(?<![\w.])\w+(?![\w(])")


def _unfolded(computed: dict[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    """The expressions of computed fields, those that they name in the place of their names: a computed field is computed
    from no other."""

    def whole(key: tuple[str, str], above: frozenset[tuple[str, str]]) -> str:
        text = computed[key]
        # What is summed up over other rows names fields of those.
        return text if re.search(r"\b(?:sum|count)\(", text) else _NAME.sub(lambda m: put((key[0], m[0]), above | {key}), text)

    def put(key: tuple[str, str], above: frozenset[tuple[str, str]]) -> str:
        return f"({whole(key, above)})" if key in computed and key not in above else key[1]

    return {key: whole(key, frozenset()) for key in computed}


def _bare(b: Blueprint, computed: dict[tuple[str, str], str], brought: set[tuple[str, str]]) -> Blueprint:
    """The blueprint with nothing but their type said of fields that are computed, and without those that lines bring."""

    def bare(e: Entity) -> Entity:
        fields = [Field(f.name, f.type) if (e.name, f.name) in computed else f for f in e.fields if (e.name, f.name) not in brought]
        gone = {name for entity, name in brought if entity == e.name}
        return replace(
            e, fields=tuple(fields), search=tuple(s for s in e.search if s not in gone), unique=tuple(g for g in e.unique if not gone & set(g))
        )

    return replace(b, entities=tuple(bare(e) for e in b.entities))


def _text(b: Blueprint, computed: dict[tuple[str, str], str], lines: list[tuple[str, str]]) -> Iterator[str]:
    """The lines of a blueprint with further ones, at the end of each block and of the service."""
    fields = {(e.name, field_line(f)): computed[e.name, f.name] for e in b.entities for f in e.fields if (e.name, f.name) in computed}
    block = SERVICE
    for line in format_blueprint(b).splitlines():
        if line.endswith("{") and not line.startswith(" "):
            kind, *rest = line.split()
            block = USERS if kind == "users" else rest[0] if kind == "entity" else SERVICE
        if line == "}" and block:
            yield from (f"  {part}" for where, text in lines if where == block for part in text.splitlines())
            block = SERVICE
        expression = fields.get((block, line.strip()))
        yield f"{line} = {expression}" if expression is not None else line
    for where, text in lines:
        if where == SERVICE:
            yield from ("", *text.splitlines())
