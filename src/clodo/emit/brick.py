"""What a brick adds to a service's code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from clodo.blueprint.plan import Plan


@dataclass(frozen=True)
class Brick:
    """A part that services are put together from.

    ``package`` is its folder; the files in ``ts/lib`` beneath go into ``src/lib`` of every service
    that ``applies``. ``secrets`` are the names of the secrets that the service then needs.
    """

    name: str
    package: str
    applies: Callable[[Plan], bool]
    secrets: tuple[str, ...] = ()

    def sources(self) -> dict[str, str]:
        """Path in the service → text."""
        return _sources(self.package)


@cache
def _sources(package: str) -> dict[str, str]:
    folder = files(package).joinpath("ts", "lib")
    return {
        f"src/lib/{item.name}": item.read_text("utf-8")
        for item in sorted(folder.iterdir(), key=lambda i: i.name)
        if item.name.endswith(".ts")
    }
