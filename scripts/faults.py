"""How many faults the tests plant for each brick: ``python -m scripts.faults``.

Each is planted by ``make faults``, one at a time, and must be found by a check of its brick (the first word of the check's id), or the
test fails: all of them are found. Of those of one check ``make test`` plants one.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator

import tests.bricks
import tests.proof
from tests.bricks.proving import Fault
from tests.proof.test_mutations import Mutation

from clodo.bricks.registry import bricks


def planted() -> Counter[str]:
    """The number of faults by brick."""
    known = {brick.name for brick in bricks()}
    found: Counter[str] = Counter()
    for package in (tests.bricks, tests.proof):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            name = module.name.rpartition(".")[2]
            if name.startswith("test_"):
                for fault in {id(f): f for f in _faults(vars(importlib.import_module(module.name)))}.values():
                    # Of own code's own tests, which ask no check, the brick is that of the file.
                    by = [prefix.partition(".")[0] for prefix in fault.caught_by.split("|")]
                    found[next((b for b in by if b in known), name.removeprefix("test_"))] += 1
    return found


def _faults(value: object) -> Iterator[Fault | Mutation]:
    if isinstance(value, (Fault, Mutation)):
        yield value
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _faults(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if not str(name).startswith("__"):
                yield from _faults(one)


if __name__ == "__main__":
    for brick, count in sorted(planted().items()):
        print(f"{count:4d} {brick}")
