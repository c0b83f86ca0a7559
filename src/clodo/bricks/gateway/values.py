"""What an upstream and a route are."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from clodo.blueprint.values import PUBLIC, Access

#: The methods that a route may have, in the order in which they are shown.
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Upstream:
    """A server behind the gateway. ``timeout`` and ``pause`` are seconds, ``failures`` in a row open the breaker; without
    it ``failures`` is ``None``."""

    name: str
    address: str
    timeout: Decimal = Decimal(10)
    retries: Decimal = Decimal(0)
    failures: Decimal | None = None
    pause: Decimal = Decimal(30)

    @property
    def variable(self) -> str:
        """The variable of the Worker that holds the address."""
        return f"UPSTREAM_{self.name.upper()}"


@dataclass(frozen=True, slots=True)
class Header:
    """A header that is set: to a text, or to the value of a secret of that name."""

    name: str
    value: str = ""
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in a ``minute``, ``hour`` or ``day`` for each ``address``, ``key`` or ``user``."""

    count: Decimal
    per: str
    span: str = "minute"


@dataclass(frozen=True, slots=True)
class Route:
    """Paths that lead to an upstream. ``methods`` is empty where all do; ``max_body`` is in megabytes, ``cache`` in
    seconds. ``set`` and ``remove`` are of requests, ``answer_set`` and ``answer_remove`` of answers."""

    path: str
    upstream: str
    methods: tuple[str, ...] = ()
    strip: str = ""
    access: Access = PUBLIC
    limits: tuple[Limit, ...] = ()
    max_body: Decimal | None = None
    cache: Decimal | None = None
    set: tuple[Header, ...] = ()
    remove: tuple[str, ...] = ()
    answer_set: tuple[Header, ...] = ()
    answer_remove: tuple[str, ...] = ()
    credentials: bool = False
    #: Names of options that the text gives twice.
    twice: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The path, behind its methods where it does not have them all."""
        return f"{', '.join(self.methods)} {self.path}".lstrip()

    @property
    def limit(self) -> Limit | None:
        """Its limit by the minute."""
        return next((i for i in self.limits if i.span == "minute"), None)

    @property
    def stored_limits(self) -> tuple[Limit, ...]:
        """Its limits by the hour and the day, of which the counts are stored."""
        return tuple(i for i in self.limits if i.span != "minute")

    @property
    def prefix(self) -> str:
        """The path without the star: empty for all paths."""
        return self.path.removesuffix("/*") if self.path.endswith("/*") else self.path

    @property
    def below(self) -> bool:
        """Whether what lies below the path belongs to it too."""
        return self.path.endswith("/*")

    @property
    def all_methods(self) -> tuple[str, ...]:
        """The methods that it has."""
        return self.methods or METHODS
