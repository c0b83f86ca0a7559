"""Cues of gateways: paths that lead to other servers, and what becomes of requests on their way.

Several cues make one route: each says what it adds to the blocks of routes and of their upstreams. Limits and caching are
of the paths that they name, else of every route that can have them. A path below one that is led somewhere is then a route
of its own, to the same server and for the same callers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from clodo.blueprint.text import number, quote
from clodo.understand.addresses import SIGNS, address, segments, upstream_name
from clodo.understand.blocks import Block
from clodo.understand.cue_conditions import Lines, amount
from clodo.understand.cue_names import Unsaid
from clodo.understand.draft import Draft, DraftCue, Filler
from clodo.understand.naming import words
from clodo.understand.periods import unit_of
from clodo.understand.rates import rate
from clodo.understand.storeless import is_folder

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_CHANGES = METHODS[1:]
#: Words for methods besides their names.
METHOD_WORDS = {
    **{m.lower(): (m,) for m in METHODS},
    **dict.fromkeys(("read", "reads", "reading"), METHODS[:1]),
    **dict.fromkeys(("write", "writes", "writing"), _CHANGES),
}
#: Headers that answers have, not requests.
OF_ANSWERS = frozenset(
    ["age", "cache-control", "content-disposition", "content-security-policy", "etag", "expires", "last-modified", "permissions-policy", "referrer-policy",
     "retry-after", "server", "server-timing", "set-cookie", "strict-transport-security", "vary", "x-cache", "x-content-type-options", "x-frame-options",
     "x-powered-by", "x-robots-tag", "x-runtime", "x-xss-protection"]
)  # fmt: skip
OF_ANSWERS_BEGIN = ("access-control-", "cross-origin-", "x-aspnet")
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
#: How often a request is tried again where the text does not say it.
USUAL_RETRIES = Decimal(2)
_ALLOWED = {"key": "key", "login": "user"}
_LONGER = ("hour", "day")
#: Kinds of cue that are of single paths where they name some.
LIMITS = ("limit-address", "limit-key", "limit-user")
_OF_PATHS = (*LIMITS, "cache")


@dataclass(frozen=True)
class _Route:
    """A block ``route``, the block of its upstream, the segments of its path, where it leads, and whom it lets in (empty: everybody)."""

    block: Block
    upstream: Block
    path: tuple[str, ...]
    where: str
    methods: tuple[str, ...]
    allow: str

    def lines(self) -> Iterable[tuple[Block, str]]:
        """Itself, with the upstream."""
        yield self.upstream, ""
        yield self.block, ""
        if self.methods:
            yield self.block, f"methods {', '.join(self.methods)}"
        if self.allow:
            yield self.block, f"allow {self.allow}"


class Gateway:
    """The routes of a draft, and what its cues say of them."""

    def __init__(self, draft: Draft, *, alone: bool) -> None:
        """``alone``: there is nothing but the gateway, so that limits and caching can only be of its routes."""
        self._access, self._alone = draft.access, alone
        self._names: dict[str, str] = {}
        self._said = [cue for cue in draft.cues if cue.kind == "route" and not is_folder(cue)]
        self._routes: list[_Route] = []
        for cue in self._said:
            try:
                self._routes += self._of(cue)
            except Unsaid:
                continue
        # Of several rules for one path the narrower holds.
        narrow = {r.block[0] for r in self._routes if r.allow.startswith("role ")}
        self._routes = [r for r in self._routes if r.block[0] not in narrow or r.allow.startswith("role ")]
        for cue in draft.cues:
            self._routes += [route for path in self._paths(cue) for route in self._below(path)]
        self._limited = {one for cue in draft.cues if self._paths(cue) for one in self._limits(cue)}

    def takes(self, cue: DraftCue) -> bool:
        """Whether a cue is about the gateway."""
        if cue.kind in ("header-set", "header-remove"):
            return bool(self._said)
        if cue.kind in ("route", "retry", "timeout"):
            return not is_folder(cue)
        if cue.kind in _OF_PATHS and self._said and cue.slots.get("from"):
            return True
        if not (cue.kind in _WRITERS and self._alone and self._said) or cue.slots.get("of"):
            return False
        # Of all paths together, a route counts by the minute; what is counted longer is the service's.
        return not cue.kind.startswith("limit-") or unit_of(cue) not in _LONGER

    def lines(self, cue: DraftCue) -> Lines:
        """What it adds.

        Raises:
            Unsaid: the text leaves open what a line would need, or no route can have it.
        """
        made = list(_WRITERS[cue.kind](self, cue))
        if not made:
            raise Unsaid
        return Lines(blocks=list(dict.fromkeys(made)))

    def _of(self, cue: DraftCue) -> list[_Route]:
        where = next((found for f in cue.slots.get("to", []) if (found := address(f.words))), "")
        paths = paths_of(cue)
        if not where or not paths:
            raise Unsaid
        return [self._made(path, where, methods, allow) for path in paths for methods, allow in self._callers(cue)]

    def _made(self, path: tuple[str, ...], where: str, methods: tuple[str, ...], allow: str) -> _Route:
        if where not in self._names:
            self._names[where] = upstream_name(where, list(path), set(self._names.values()))
        name = self._names[where]
        block, upstream = (f"route {quote('/'.join(['', *path, '*']))} to {name}", ", ".join(methods)), (f"upstream {name} {quote(where)}", "")
        return _Route(block, upstream, path, where, methods, allow)

    def _paths(self, cue: DraftCue) -> list[tuple[str, ...]]:
        """The single paths that a limit or caching is of; none where it is of all."""
        return [path for path in paths_of(cue) if path] if cue.kind in _OF_PATHS else []

    def _below(self, path: tuple[str, ...]) -> list[_Route]:
        """The routes of a path that has none yet: they lead where the longest path does that it lies below."""
        above = [r.path for r in self._routes if r.path == path[: len(r.path)]]
        longest = max(above, key=len, default=path)
        return [self._made(path, r.where, r.methods, r.allow) for r in self._routes if r.path == longest != path]

    def _at(self, cue: DraftCue) -> list[_Route]:
        """The routes that a limit or caching is of."""
        paths = self._paths(cue)
        if cue.slots.get("from") and not paths_of(cue):
            raise Unsaid
        return [r for r in self._routes if not paths or r.path in paths]

    def _limits(self, cue: DraftCue) -> set[tuple[Block, str]]:
        """The blocks that a limit is of, with the time that it counts by; none where it is no limit, or cannot be."""
        try:
            return {(block, _span(line)) for block, line in self._limit(cue) if line.startswith("limit ")} if cue.kind in LIMITS else set()
        except Unsaid:
            return set()

    def _callers(self, cue: DraftCue) -> list[tuple[tuple[str, ...], str]]:
        """The methods of a route (none: all) by whom they let in."""
        methods = methods_of(cue.slots.get("n", []))
        roles = list(dict.fromkeys(f.role for f in cue.slots.get("by", []) if f.role))
        if roles:
            return [(methods, "user" if "user" in roles else f"role {', '.join(roles)}")]
        kind, _, changes = self._access.partition("-")
        allow = _ALLOWED.get(kind, "")
        if not changes or not allow:
            return [(methods, allow)]
        # Everybody reads.
        open_, closed = (tuple(m for m in methods or METHODS if m in some) for some in (METHODS[:1], _CHANGES))
        return [(some, who) for some, who in ((open_, ""), (closed, allow)) if some]

    # What cues add.

    def _route(self, cue: DraftCue) -> Iterable[tuple[Block, str]]:
        blocks = {r.block[0] for r in self._of(cue)}
        return (line for route in self._routes if route.block[0] in blocks for line in route.lines())

    def _retry(self, cue: DraftCue) -> Iterable[tuple[Block, str]]:
        times = amount(cue)
        return self._upstreams(f"retry {number(USUAL_RETRIES if times is None else times)} times")

    def _timeout(self, cue: DraftCue) -> Iterable[tuple[Block, str]]:
        many = amount(cue)
        unit = unit_of(cue) or "second"
        if many is None or unit not in ("millisecond", "second", "minute"):
            raise Unsaid
        seconds = many / 1000 if unit == "millisecond" else many * SECONDS[unit]
        return self._upstreams(f"timeout {number(seconds)} s")

    def _upstreams(self, line: str) -> Iterable[tuple[Block, str]]:
        return ((route.upstream, line) for route in self._routes)

    def _header_set(self, cue: DraftCue) -> Iterable[tuple[Block, str]]:
        name, value = header_of(cue)
        line = f"{'answer ' if is_of_answers(name) else ''}set {quote(name)} {quote(value)}"
        return ((route.block, line) for route in self._routes)

    def _header_remove(self, cue: DraftCue) -> Iterable[tuple[Block, str]]:
        names = [f.words.strip(SIGNS + ":") for f in cue.slots.get("n", []) if f.words]
        lines = [f"{'answer ' if is_of_answers(name) else ''}remove {quote(name)}" for name in names]
        return ((route.block, line) for route in self._routes for line in lines)

    def _limit(self, cue: DraftCue) -> Iterable[tuple[Block, str]]:
        often, who = rate(amount(cue), unit_of(cue) or "minute"), cue.kind.partition("-")[2]
        counted = [r for r in self._at(cue) if who == "address" or r.allow.partition(" ")[0] in {"key": ("key",), "user": ("user", "role")}[who]]
        if self._paths(cue):
            return self._of_paths(counted, f"limit {often} per {who}")
        # What has a limit of its own keeps to that.
        return ((r.block, f"limit {often} per {who}") for r in counted if (r.block, _span(often)) not in self._limited)

    def _cache(self, cue: DraftCue) -> Iterable[tuple[Block, str]]:
        many, unit = amount(cue) or Decimal(1), unit_of(cue) or "minute"
        if unit not in SECONDS:
            raise Unsaid
        line = f"cache {number(many * SECONDS[unit])} s"
        kept = [r for r in self._at(cue) if "GET" in (r.methods or METHODS)]
        return self._of_paths(kept, line) if self._paths(cue) else ((r.block, line) for r in kept)

    @staticmethod
    def _of_paths(routes: Iterable[_Route], line: str) -> Iterable[tuple[Block, str]]:
        """A line of the routes of single paths, and these routes, which nothing else may have made."""
        return (member for r in routes for member in (*r.lines(), (r.block, line)))


def _span(often: str) -> str:
    """The time that a limit counts by: of "60 per minute per key" the minute."""
    return often.split(" per ")[1]


def paths_of(cue: DraftCue) -> list[tuple[str, ...]]:
    """The paths in the slot ``from`` of a cue, in small letters, each as its segments; an empty one stands for all paths."""
    said = [segments(f.words) for f in cue.slots.get("from", []) if f.words]
    return [tuple(part.lower() for part in path) for path in said if path is not None]


def methods_of(fillers: Iterable[Filler]) -> tuple[str, ...]:
    """The methods that are named, in the order of the language; none where nothing is.

    Raises:
        Unsaid: the words name no method.
    """
    told = [f.words for f in fillers if f.words]
    found = {m for text in told for word in words(text) for m in METHOD_WORDS.get(word.lower(), ())}
    if told and not found:
        raise Unsaid
    return tuple(m for m in METHODS if m in found) if len(found) < len(METHODS) else ()


def header_of(cue: DraftCue) -> tuple[str, str]:
    """The name and the value of a header that is added.

    Raises:
        Unsaid: one of them is missing.
    """
    name = next((f.words.strip(SIGNS + ":") for f in cue.slots.get("from", []) if f.words), "")
    value = next((f.words.strip("\"'“”‘’` ") for f in cue.slots.get("to", []) if f.words), "")
    if not name or not value:
        raise Unsaid
    return name, value


def is_of_answers(name: str) -> bool:
    """Whether a header is one of answers."""
    return name.lower() in OF_ANSWERS or name.lower().startswith(OF_ANSWERS_BEGIN)


_WRITERS: dict[str, Callable[[Gateway, DraftCue], Iterable[tuple[Block, str]]]] = {
    "route": Gateway._route, "retry": Gateway._retry, "timeout": Gateway._timeout,
    "header-set": Gateway._header_set, "header-remove": Gateway._header_remove, "cache": Gateway._cache,
    **dict.fromkeys(LIMITS, Gateway._limit),
}  # fmt: skip
