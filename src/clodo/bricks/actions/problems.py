"""What can be wrong with an action."""

from __future__ import annotations

from collections.abc import Iterator

from clodo.blueprint.checks import access_problems
from clodo.blueprint.clashes import duplicates, name_problems
from clodo.blueprint.constructs import place_name
from clodo.blueprint.defaults import default_problems
from clodo.blueprint.fields import field_problems
from clodo.blueprint.formulas import Scope, condition_problems, member, value_problems
from clodo.blueprint.plan import is_owned
from clodo.blueprint.problems import Problem
from clodo.blueprint.reads import narrows
from clodo.blueprint.values import Blueprint, Entity, Field, Operand, Reference, Who
from clodo.bricks.actions.persons import is_others_only
from clodo.bricks.actions.rows import circle
from clodo.bricks.actions.states import never_reached
from clodo.bricks.actions.sums import steps
from clodo.bricks.actions.values import (
    Action,
    Assignment,
    CreateRow,
    DeleteRows,
    Guard,
    SetValues,
    UpdateRows,
    named_rows,
    scope_of,
    target_field,
    tenant_columns,
    who_may,
)
from clodo.bricks.rules.samples import conjuncts

#: What expressions call by these names is not to be hidden behind a parameter.
_WORDS = frozenset({"now", "today", "this", "caller", "owner", "empty", "true", "false"})


def action_problems(b: Blueprint, e: Entity, action: Action) -> Iterator[Problem]:
    """The problems of an action of ``e``."""
    path = f"{e.name}.{action.name}"
    yield from name_problems(action.name, path)
    yield from _access(b, e, action, path)
    yield from _parameters(b, action, path)
    scope = scope_of(b, e, action)
    for n, guard in enumerate(action.guards):
        line = f"{path}.{place_name('when', n)}"
        yield from _told(condition_problems(guard.condition, scope), line)
        yield from _for_nobody(b, e, action, guard, line)
        if len(guard.message) > 200 or "\n" in guard.message:
            yield Problem("The message of a guard is one short line.", "Shorten it.", line)
    if b.entity("t") is not None:
        yield Problem("Actions call their row 't' in the database, and an entity has that name.", "Rename the entity t.", path)
    if not action.effects:
        yield Problem(f"The action {action.name!r} does nothing.", "Add a line such as 'set status = \"done\"'.", path)
    for n, effect in enumerate(action.effects):
        yield from effect_problems(b, e, effect, scope, f"{path}.{place_name('effect', n)}")


def _told(messages: list[str], path: str) -> Iterator[Problem]:
    return (Problem(message, "Mend the expression.", path) for message in messages)


def _access(b: Blueprint, e: Entity, action: Action, path: str) -> Iterator[Problem]:
    who, path = who_may(b, e, action), f"{path}.(by)"
    yield from access_problems(b, who, path)
    read = b.read_access(e)
    if who.who is Who.PUBLIC and read.who is not Who.PUBLIC:
        yield Problem(
            f"Whoever is not signed in takes this step with no {e.name}, since they see none.",
            "Say 'read public' in the entity, if they are to see them, or 'by user' in the action.",
            path,
            severity="warning",
        )
    if who.who is Who.OWNER and not is_owned(b, e):
        yield Problem(f"Rows of {e.name} have no owner.", "Say 'write owner' in the entity, or choose another 'by'.", path)
    blind = [r for r in who.roles if r not in read.roles and (r != "admin" or not read.roles)] if read.who in (Who.OWNER, Who.ROLE) else []
    if blind:
        seen = f"{read}, {', '.join(blind)}" if read.roles else f"{read} or role {', '.join(blind)}"
        yield Problem(
            f"Whoever is {' or '.join(blind)} takes this step with no {e.name} of others, since they see none.",
            f"Say 'read {seen}' in the entity, if they are to see them.",
            path,
            severity="warning",
        )


def _for_nobody(b: Blueprint, e: Entity, action: Action, guard: Guard, path: str) -> Iterator[Problem]:
    """An owner who alone may see a row, or take the action with it, and may not."""
    alone = [who for who in (b.read_access(e), who_may(b, e, action)) if who.who is Who.OWNER and not who.roles]
    if alone and any(map(is_others_only, conjuncts(guard.condition))):
        yield Problem(f"Nobody but the owner of a {e.name} gets at it, and this keeps the owner off.", "Say 'owner or role …' there, or remove the guard.", path)


def _parameters(b: Blueprint, action: Action, action_path: str) -> Iterator[Problem]:
    keys = [p.name if isinstance(p, Field) else f"{p.name}_id" for p in action.parameters]
    names = [p.name for p in action.parameters]
    yield from duplicates(names if len(set(names)) < len(names) else keys, f"The action {action.name!r}", action_path)
    known = [x.name for x in b.entities] + (["user"] if b.users is not None else [])
    for n, p in enumerate(action.parameters):
        path = f"{action_path}.{place_name('parameter', n)}"
        yield from name_problems(p.name, path)
        if p.name in _WORDS:
            yield Problem(f"{p.name!r} is a word of expressions, and no parameter.", f"Write {p.name}_given, say.", path)
        if isinstance(p, Reference):
            if p.target not in known:
                yield Problem(f"{p.name!r} refers to {p.target!r}, which does not exist.", "Name an entity.", path)
        else:
            yield from field_problems(p, path)
            if p.unique or p.computed is not None or p.read_only or p.write_only:
                yield Problem(
                    f"{p.name!r} is a parameter, so it has a type, bounds and a default at most.",
                    "Remove the rest.",
                    path,
                )
    places = {
        p.name: f"{action_path}.{place_name('parameter', n)}"
        for n, p in enumerate(action.parameters)
    }
    yield from default_problems(action.name, action.fields, action.references, places)


def effect_problems(
    b: Blueprint, e: Entity, effect: SetValues | CreateRow | UpdateRows | DeleteRows, scope: Scope, path: str
) -> Iterator[Problem]:
    """The problems of one effect that stands in ``scope``."""
    if isinstance(effect, SetValues):
        for n, a in enumerate(effect.assignments):
            yield from _assigned(b, e, a, scope, _value(path, n))
        yield from duplicates([".".join(a.target) for a in effect.assignments], "A line 'set'", path)
        if found := circle(effect, scope):
            names = " and ".join(repr(".".join(a.target)) for row in found for a in row.assignments)
            mend = "Write several lines 'set': each sees what those above it did, so keep in a field of its own what is still needed."
            yield Problem(f"A line 'set' changes one row after the other, and {names} each need a value that another of them sets.", mend, path)
        return
    entity = b.entity(effect.entity)
    if entity is None:
        yield Problem(f"There is no entity {effect.entity!r}.", "Name one of the service.", path)
        return
    if isinstance(effect, CreateRow):
        for n, a in enumerate(effect.assignments):
            yield from _assigned(b, entity, a, scope, _value(path, n), alone=True)
        yield from _left_out(b, entity, effect, scope, path)
        return
    within = scope.within(entity)
    wrong = condition_problems(effect.where, within)
    yield from _told(wrong, path)
    if not wrong and not narrows(effect.where, within):
        mend = f"Name a field or reference of {entity.name} in it, or set a field of the row that a parameter names, as in 'set to.field = …'."
        yield Problem(f"This condition names nothing of the rows of {entity.name}: it chooses all of them or none.", mend, path)
    if isinstance(effect, UpdateRows):
        for n, a in enumerate(effect.assignments):
            yield from _assigned(b, entity, a, within, _value(path, n), alone=True)
            yield from _shifted(entity, a, within, _value(path, n))


def _shifted(e: Entity, a: Assignment, scope: Scope, path: str) -> Iterator[Problem]:
    """A field that several rows are moved on in, one by one, and that no two of them may share at any time."""
    m = member(e, a.target[0])
    alone = m is not None and m.unique
    if steps(a, scope) and (alone or any(a.target[0] in group for group in e.unique)):
        group = "" if alone else " with the rest of its 'unique'"
        yield Problem(
            f"Rows are changed one after the other, and each is refused whose new {a.target[0]!r} another row{group} still has: "
            "this fails as soon as two rows follow each other.",
            f"Leave {a.target[0]} out of 'unique', or give rows a {a.target[0]} between those of two others (a decimal) in the place of moving all behind it.",
            path,
            severity="warning",
        )


def _value(path: str, n: int) -> str:
    """Where what an effect sets stands."""
    return f"{path}.{place_name('value', n)}"


def _assigned(b: Blueprint, e: Entity, a: Assignment, scope: Scope, path: str, *, alone: bool = False) -> Iterator[Problem]:
    """``e`` is the entity whose member is changed, ``alone``: it and no row that it refers to; the value stands in ``scope``."""
    found = target_field(b, e, a.target, named_rows(scope)) if len(a.target) == 1 or not alone else None
    name = ".".join(a.target)
    if found is None:
        yield Problem(f"{e.name} has no {name!r} to set.", "Name a field or reference of it.", path)
        return
    if isinstance(found[1], Field) and found[1].computed is not None:
        yield Problem(f"{name!r} is computed and cannot be set.", "Set what it is computed from.", path)
    if isinstance(found[1], Field) and found[1].hashed:
        yield Problem(f"{name!r} is hashed, and only the body of a request can give it.", "Leave it out.", path)
    if found[1].name in found[0].unique_within:
        yield Problem(f"{name!r} says whose a {found[0].name} is, and cannot be set.", "Remove it.", path)
    if never_reached(found[0], found[1].name, a.value) and not alone:
        mend = f"Add it to 'transitions {found[1].name}', as in 'open -> {a.value.value}'." if isinstance(a.value, Operand) else ""
        yield Problem(f"No change leads to this {found[1].name}, so that the action is always refused.", mend, path, severity="warning")
    given = next((r for r in named_rows(scope) if len(a.target) > 1 and r.name == a.target[0]), None)
    if given is not None and not given.required:
        yield Problem(
            f"Where no {given.name!r} is given, {name} is set nowhere, and the rest of the action is done.",
            f"Write {given.name}: -> {given.target} required, if there is always one.",
            path,
            severity="warning",
        )
    yield from _told(value_problems(a.value, scope, found[1]), path)


def _left_out(b: Blueprint, e: Entity, effect: CreateRow, scope: Scope, path: str) -> Iterator[Problem]:
    given = {a.target[0] for a in effect.assignments}
    of_tenant = tenant_columns(scope.own, e)
    needed = [f.name for f in e.fields if f.required and f.default is None and f.computed is None and not f.made and f.name not in of_tenant]
    needed += [r.name for r in e.references if r.required]
    for name in needed:
        if name not in given:
            yield Problem(f"A {e.name} needs {name!r}, which 'create' does not give.", f"Add {name} = … to it.", path)
    if is_owned(b, e) and not scope.has_caller:
        yield Problem(f"A {e.name} has an owner, and this action may be called by nobody known.", "Say 'by user' in the action.", path)
