"""In which order a line ``set`` changes its rows. All its values are those from before the line; each row is changed by a statement of its own,
so one that looks at what another sets must go first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from clodo.blueprint.formulas import Scope
from clodo.blueprint.reads import AFAR, COUNTED, OWN, Read, reads
from clodo.blueprint.values import Entity
from clodo.bricks.actions.values import Assignment, SetValues, named_rows, target_field


@dataclass(frozen=True)
class RowChange:
    """What a line sets in one row: the row itself where ``name`` is empty, else the one that this reference or parameter names."""

    name: str
    entity: Entity
    assignments: tuple[Assignment, ...]
    looks_at: frozenset[tuple[str, str, str]]
    """The entity, the member and whose it is (as in ``reads``) of all that decides on the values and on the row."""

    @property
    def sets(self) -> set[tuple[str, str]]:
        """The members, each with its entity."""
        changed = {(self.entity.name, a.target[-1]) for a in self.assignments}
        return changed | ({(self.entity.name, "updated_at")} if self.entity.timestamps else set())


def row_changes(effect: SetValues, scope: Scope) -> list[RowChange]:
    """The changes of a line, as they are to follow each other; those of which none can go first stay at the end, as they are written."""
    changes = list(_changes(effect, scope))
    first = _first(changes)
    placed: list[RowChange] = []
    while free := [c for c in changes if c not in placed and not any(c.name in first[other.name] for other in changes if other not in placed)]:
        placed.append(free[0])
    return [*placed, *(c for c in changes if c not in placed)]


def circle(effect: SetValues, scope: Scope) -> list[RowChange]:
    """Changes each of which would have to go before the others; empty where there are none."""
    changes = list(_changes(effect, scope))
    first = _first(changes)
    return [c for c in changes if c.name in _behind(first, c.name)]


def _changes(effect: SetValues, scope: Scope) -> Iterator[RowChange]:
    by_row: dict[str, list[Assignment]] = {}
    for a in effect.assignments:
        by_row.setdefault(a.target[0] if len(a.target) > 1 else OWN, []).append(a)
    given = {r.name for r in named_rows(scope)}
    for name, assignments in by_row.items():
        found = target_field(scope.blueprint, scope.entity, assignments[0].target, named_rows(scope))
        if found is None:
            continue
        looked = {(r.entity.name, r.name, r.whose) for a in assignments for r in reads(a.value, scope) if isinstance(r, Read)}
        if name not in {OWN, *given}:
            looked.add((scope.entity.name, name, OWN))
        yield RowChange(name, found[0], tuple(assignments), frozenset(looked))


def _first(changes: list[RowChange]) -> dict[str, set[str]]:
    """The name of each change → those that it must go before. Two names may mean one row, as a parameter may the row itself: where the
    line allows for it, that counts too. (A sum that is moved from one to the other comes out right either way.)"""
    first: dict[str, set[str]] = {c.name: set() for c in changes}
    pairs = [(c, other, whose) for c in changes for other in changes if c is not other for entity, name, whose in sorted(c.looks_at) if (entity, name) in other.sets]
    for c, other, whose in pairs:
        if whose in (other.name, AFAR, COUNTED):
            first[c.name].add(other.name)
    for c, other, _ in pairs:
        if c.name not in _behind(first, other.name):
            first[c.name].add(other.name)
    return first


def _behind(first: Mapping[str, set[str]], name: str) -> set[str]:
    """All that must come behind a change, also by way of others."""
    found: set[str] = set()
    left = [name]
    while left:
        fresh = first[left.pop()] - found
        found |= fresh
        left += fresh
    return found
