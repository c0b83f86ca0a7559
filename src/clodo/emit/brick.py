"""What a brick adds to a service's code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from importlib.resources import files
from typing import Any

from clodo.blueprint.plan import Plan


class Stage(IntEnum):
    """Where a middleware stands, from the outside of every request to its handler."""

    LOG = 0
    EDGE = 1
    LIMIT = 2
    #: Behind this stage the caller's credentials can be asked for.
    KNOWN = 3
    INNER = 4


@dataclass(frozen=True)
class Import:
    """One named import of a module, as ``src/index.ts`` would write its path (``./lib/search``)."""

    name: str
    source: str
    is_type: bool = False


@dataclass(frozen=True)
class EntityParts:
    """What a brick adds to the module of one entity; paths of imports begin with ``../``. ``hooks`` are
    expressions of the type ``Hook``."""

    imports: tuple[Import, ...] = ()
    hooks: tuple[str, ...] = ()
    #: Expressions that give what else limits the rows that a caller may know of (``limits`` of ``Entity``).
    limits: tuple[str, ...] = ()
    #: Further properties of the entity, as ``name: expression``.
    properties: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parts:
    """What a brick adds to the files that all bricks share; what it leaves out adds nothing.

    ``middleware`` and ``routes`` are statements of ``src/index.ts`` over ``app``, ``authenticators`` names of the type
    ``Authenticator``, ``handlers`` further properties of the Worker (``scheduled``, ``queue``) by name (each of several
    bricks gets every event, and leaves alone what is not its own), ``exports``
    whole lines (classes of Durable Objects). ``env`` are bindings with their TypeScript types, ``wrangler`` goes
    into ``wrangler.jsonc`` (objects are merged, lists joined), ``sql`` are statements behind the tables of the
    first migration. ``files`` are whole files; ``amend`` changes the OpenAPI document in its place, ``finish`` when every brick has
    amended it: what holds of all operations, whoever brings them. ``offered`` are
    modules of ``src`` that stay though no generated code imports them: the user's own code may.
    """

    imports: tuple[Import, ...] = ()
    middleware: tuple[tuple[Stage, str], ...] = ()
    authenticators: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    #: Routes that stand before all others: their paths (``/api/books/export``) would else be taken for a row's.
    ahead: tuple[str, ...] = ()
    handlers: Mapping[str, str] = field(default_factory=dict)
    exports: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    wrangler: Mapping[str, Any] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    sql: tuple[str, ...] = ()
    entities: Mapping[str, EntityParts] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    offered: tuple[str, ...] = ()
    readme: str = ""
    amend: Callable[[dict[str, Any]], None] | None = None
    finish: Callable[[dict[str, Any]], None] | None = None


@dataclass(frozen=True)
class Brick:
    """A part that services are put together from.

    ``package`` is its folder; the files in ``ts/lib`` beneath go into ``src/lib`` of the services
    that it ``applies`` to, as far as their code imports them, and ``parts`` say what it adds to the files that bricks share. Bricks come in the
    ``order`` of their numbers, and then of their names.
    """

    name: str
    package: str
    applies: Callable[[Plan], bool]
    parts: Callable[[Plan], Parts] = lambda plan: Parts()
    order: int = 50

    def sources(self) -> dict[str, str]:
        """Path in the service → text."""
        return _sources(self.package)


@cache
def _sources(package: str) -> dict[str, str]:
    folder = files(package).joinpath("ts", "lib")
    if not folder.is_dir():
        return {}
    return {
        f"src/lib/{item.name}": item.read_text("utf-8")
        for item in sorted(folder.iterdir(), key=lambda i: i.name)
        if item.name.endswith(".ts")
    }
