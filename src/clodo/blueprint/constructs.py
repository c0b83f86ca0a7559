"""Constructs of the language that bricks bring: a rule of the grammar and what it means.

A brick is a package: a folder of ``clodo.bricks``, or one that an entry point of the group ``clodo.bricks``
names. Its module ``language``, where it has one, lists ``CONSTRUCTS``. They are found by name, so that this
room imports none of those above it.
"""

from __future__ import annotations

import pkgutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from lark import Tree

from clodo.blueprint.problems import Problem
from clodo.blueprint.values import Blueprint, Entity, Users, Who
from clodo.errors import PluginError

GROUP = "clodo.bricks"

#: Where a construct stands: a block of the service, a line of an entity, or a line of ``users``.
Place = Literal["service", "entity", "users"]
#: What it belongs to: ``None`` for the service itself.
Owner = Entity | Users | None


def _nothing(*_: Any) -> None:
    return None


def _no_problems(blueprint: Blueprint, owner: Owner, value: Any) -> Iterable[Problem]:
    return ()


def _no_headers(value: Any) -> Mapping[str, str]:
    return {}


def _no_paths(plan: Any, owner: Owner, value: Any) -> Iterable[str]:
    return ()


def _no(value: Any) -> bool:
    return False


def _no_key(blueprint: Blueprint, value: Any) -> bool:
    return False


def _no_names(owner: Owner, value: Any) -> Iterable[str]:
    return ()


def _no_fields(blueprint: Blueprint, owner: Owner, value: Any) -> Iterable[tuple[str, str]]:
    return ()


def _no_changes(blueprint: Blueprint, owner: Owner, value: Any) -> Iterable[str]:
    return ()


def _no_room(blueprint: Blueprint, owner: Owner, value: Any) -> Iterable[tuple[str, str, bool]]:
    return ()


@dataclass(frozen=True)
class Construct:
    """One construct.

    ``grammar`` is Lark text that defines the rule ``name`` and what it needs, out of the base grammar's terminals
    and literal words. ``build`` makes the value (frozen, of the class ``value``) of its tree, ``lines`` the
    canonical lines of the value, without indentation. ``check`` finds what the grammar cannot see.
    ``expand`` gives the fields and references that follow from the value: it returns the entity or service with them, which is
    what code, document and proof are made from. ``spread`` gives what follows for the whole service: it takes and returns the
    blueprint, and of an entity's line the entity beside it. ``fit`` changes the body of a sample so that rules of the value hold;
    ``entangled`` are the keys of a body that such rules tie to others, and ``room`` tells the numbers of samples, of other entities
    too, that have to be large or small for them: entity, field, whether large.
    """

    name: str
    place: Place
    value: type
    grammar: str
    build: Callable[[Tree[Any]], Any]
    lines: Callable[[Any], Iterable[str]]
    check: Callable[[Blueprint, Any, Any], Iterable[Problem]] = _no_problems
    expand: Callable[[Any, Any], Any] | None = None
    spread: Callable[[Blueprint, Any, Any], Blueprint] | None = None
    fit: Callable[[Any, Any, dict[str, Any], int], None] = _nothing
    entangled: Callable[[Any, Any], Iterable[str]] = _no_names
    room: Callable[[Blueprint, Any, Any], Iterable[tuple[str, str, bool]]] = _no_room
    #: The paths that it answers at, made of the plan, the owner and the value: ``{id}/restore`` and ``deleted`` below the rows of
    #: the entity that it is a line of, ``/api/audit`` of the service, ``/api/reports/*`` with all below it. ``routes.py`` refuses
    #: two parts that claim one.
    claims: Callable[[Any, Any, Any], Iterable[str]] = _no_paths
    #: Where fresh rows are hidden from readers that may not write: the last part of the path of the request (``POST
    #: /api/posts/{id}/publish``) that shows them.
    shown_by: str = ""
    #: The fields of such a row that say whether it is shown.
    shown_fields: tuple[str, ...] = ()
    #: Of a line of an entity: a stored field whose value goes from one to another by itself when its time comes, as (field, one, other).
    #: Rules hold of a row as it will be then, for nobody is there to be refused.
    turns: tuple[str, str, str] | None = None
    #: Headers that the changes of such rows must carry, as a caller sends them who does not care.
    headers: Callable[[Any], Mapping[str, str]] = _no_headers
    #: Rules within it → what problems call their places, so that each is told at its own line: with ``"action_when": "when"`` the
    #: second such line of an action is ``loan.return.(when 2)``. ``parent/rule`` is a rule within a certain other one; within one
    #: that has a place itself, it is counted anew.
    places: Mapping[str, str] = field(default_factory=dict)
    #: Those of these rules that may stand only once within it.
    singles: frozenset[str] = frozenset()
    #: Whether it may stand only once in its place.
    once: bool = False
    #: Of a block of the service: the entity of which a caller makes a row before all else, and the header that names it then.
    introduction: Callable[[Any], tuple[str, str] | None] = _nothing
    #: Whether a service of nothing but such parts has nothing to store, and needs no database.
    storeless: bool = False
    #: Whether one of them has something to store all the same.
    stores: Callable[[Any], bool] = _no
    #: Whether it needs the API key in such a service, though no rule may name it.
    keyed: Callable[[Blueprint, Any], bool] = _no_key
    #: Of a line of ``users``: whether it brings a list of them, which is what a search looks through.
    lists_users: bool = False
    #: Whether the entity that it is a line of can have few rows at a time.
    few: Callable[[Any], bool] = _no
    #: The stored fields that get values which no body held, each with its entity: their tables see to it that they keep to their rules.
    assigns: Callable[[Blueprint, Any, Any], Iterable[tuple[str, str]]] = _no_fields
    #: The entities whose rows it changes in one transaction: one for each row, two where there may be several.
    together: Callable[[Blueprint, Any, Any], Iterable[str]] = _no_changes


@cache
def packages() -> tuple[str, ...]:
    """The packages of all bricks: Clodo's own by name, then those of plug-ins."""
    folder = Path(__file__).parent.parent / "bricks"
    own = [f"{GROUP}.{m.name}" for m in pkgutil.iter_modules([str(folder)]) if m.ispkg]
    others = sorted({point.value for point in entry_points(group=GROUP)})
    return (*sorted(own), *others)


@cache
def constructs() -> tuple[Construct, ...]:
    """The constructs of all bricks.

    Raises:
        PluginError: a plug-in cannot be loaded, or two bricks bring a construct of one name.
    """
    found: dict[str, Construct] = {}
    for package in packages():
        for construct in constructs_of(package):
            if construct.name in found:
                raise PluginError(
                    f"{package!r} brings the construct {construct.name!r}, which there is already.",
                    hint="Uninstall one of the two plug-ins.",
                )
            found[construct.name] = construct
    return tuple(found.values())


def constructs_of(package: str) -> tuple[Construct, ...]:
    """The constructs of one brick, by its package.

    Raises:
        PluginError: it cannot be loaded.
    """
    try:
        if find_spec(f"{package}.language") is None:
            return ()
        return tuple(import_module(f"{package}.language").CONSTRUCTS)
    except PluginError:
        raise
    except Exception as error:  # a plug-in may break in any way
        raise PluginError(
            f"The brick {package!r} cannot be loaded: {type(error).__name__}: {error}.",
            hint="Uninstall or mend the plug-in that brings it.",
        ) from error


@cache
def _by_name() -> dict[str, Construct]:
    return {c.name: c for c in constructs()}


@cache
def _by_value() -> dict[type, Construct]:
    return {c.value: c for c in constructs()}


def construct_named(name: str) -> Construct | None:
    """The construct whose rule has that name."""
    return _by_name().get(name)


def construct_of(value: Any) -> Construct:
    """The construct that a part of a blueprint is a value of."""
    return _by_value()[type(value)]


def needs_key(b: Blueprint) -> bool:
    """Whether any rule asks for the API key, or a part is guarded by it."""
    parts = (*b.parts, *(part for e in b.entities for part in e.parts))
    return any(a.who is Who.KEY for a in b.accesses) or any(construct_of(part).keyed(b, part) for part in parts)


def introductions(b: Blueprint) -> dict[str, str]:
    """Entities of which a caller makes a row before all else → the header that names it then."""
    return dict(made for part in b.parts if (made := construct_of(part).introduction(part)) is not None and b.entity(made[0]))


def assigned_fields(b: Blueprint) -> frozenset[tuple[str, str]]:
    """Entities and their fields that parts fill with values that no body held."""
    owners: list[Owner] = [None, *b.entities]
    parts = ((owner, part) for owner in owners for part in (b if owner is None else owner).parts)
    return frozenset(found for owner, part in parts for found in construct_of(part).assigns(b, owner, part))


def hidden_at_first(b: Blueprint) -> dict[str, tuple[str, ...]]:
    """The entities whose fresh rows are hidden from readers that may not write → the fields that say whether one is shown."""
    shown = ((e, construct_of(part)) for e in b.entities for part in e.parts)
    return {e.name: c.shown_fields for e, c in shown if c.shown_by}


def path_of(owner: Owner | Blueprint, value: Any) -> str:
    """Where problems with a part are shown: ``loan.return`` for the part ``return`` of ``loan``, ``(report totals)``
    for one of the service, ``loan.(files)`` where it has no name, ``loan.(files 2)`` for the second of these. Of a service, parts
    without names are counted where the blueprint itself is given."""
    kind, name = construct_of(value).name, getattr(value, "name", "")
    if owner is None or isinstance(owner, Blueprint):
        return f"({kind} {name})" if name else place_name(kind, _before(owner, value))
    front = "user" if isinstance(owner, Users) else owner.name
    return f"{front}.{name or place_name(kind, _before(owner, value))}"


def _before(owner: Entity | Users | Blueprint | None, value: Any) -> int:
    """How many parts of the kind stand before a part, which may not be there yet."""
    same = () if owner is None or construct_of(value).once else owner.parts_of(type(value))
    return same.index(value) if value in same else len(same)


def place_name(kind: str, before: int = 0) -> str:
    """The last part of the path of what has no name; ``before`` it stand so many of its kind."""
    return f"({kind} {before + 1})" if before else f"({kind})"


def places_of(construct: Construct, tree: Tree[Any], path: str) -> Iterator[tuple[str, Tree[Any]]]:
    """The paths of all that has a place within the tree of a construct, whose own path is given."""

    def walk(parent: Tree[Any], path: str, counts: Counter[str]) -> Iterator[tuple[str, Tree[Any]]]:
        for child in parent.children:
            if not isinstance(child, Tree):
                continue
            name = construct.places.get(f"{parent.data}/{child.data}") or construct.places.get(str(child.data))
            if name is None:
                yield from walk(child, path, counts)
                continue
            own = f"{path}.{place_name(name, counts[name])}"
            counts[name] += 1
            yield own, child
            yield from walk(child, own, Counter())

    yield from walk(tree, path, Counter())


def part_problems(b: Blueprint) -> Iterable[Problem]:
    """What is wrong with the parts that bricks brought."""
    owners: list[Owner] = [None, *([b.users] if b.users is not None else []), *b.entities]
    for owner in owners:
        for value in (b if owner is None else owner).parts:
            yield from construct_of(value).check(b, owner, value)


def expanded(b: Blueprint) -> Blueprint:
    """The blueprint with all that follows from the parts that bricks brought."""
    from dataclasses import replace

    def grown(owner: Any) -> Any:
        for value in owner.parts:
            expand = construct_of(value).expand
            owner = expand(owner, value) if expand is not None else owner
        return owner

    made = replace(
        b,
        users=grown(b.users) if b.users is not None else None,
        entities=tuple(grown(e) for e in b.entities),
    )
    return _spread(grown(made))


def _spread(b: Blueprint) -> Blueprint:
    """The blueprint with what follows from single lines of entities for other entities."""
    for number, e in enumerate(b.entities):
        for value in e.parts:
            spread = construct_of(value).spread
            if spread is not None:
                b = spread(b, b.entities[number], value)
    return b
