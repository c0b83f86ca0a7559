"""What is unique together, and what a search looks through: of an entity, or of users."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from clodo.blueprint.clashes import duplicates
from clodo.blueprint.problems import Problem, meant, unique_path
from clodo.blueprint.values import Field, FieldType

_SEARCHABLE = (FieldType.TEXT, FieldType.LONG_TEXT, FieldType.EMAIL, FieldType.URL, FieldType.ENUM, FieldType.LIST)


def group_problems(
    whose: str, owner: str, groups: Sequence[Sequence[str]], fields: Sequence[Field], others: Sequence[str] = ()
) -> Iterator[Problem]:
    """What is wrong with lines ``unique``. ``whose`` names the owner in sentences, ``owner`` in paths; ``others`` are names of
    its references."""
    types = {f.name: f for f in fields}
    known = {*types, *others}
    for group in groups:
        path = unique_path(owner, group)
        yield from duplicates(group, f"A unique group of {whose}", path)
        for name in group:
            if name not in known:
                kinds = "fields or references" if others else "fields"
                yield Problem(f"{_has_no(whose)} {name!r} to be unique.", meant(name, known, f"Name {kinds} of it."), path)
            elif name in types and types[name].computed is not None:
                yield Problem(f"{name!r} is computed and cannot be unique.", "", path)
            elif name in types and types[name].hashed:
                yield Problem(f"{name!r} is hashed, each time with another salt, and cannot be unique.", "Take it out.", path)
    for members, count in Counter(frozenset(g) for g in groups).items():
        if count > 1:
            yield Problem(
                f"{_says(whose)} {count} times that {' and '.join(sorted(members))} are unique together.",
                "Remove the repetition.",
                unique_path(owner, [g for g in groups if frozenset(g) == members][-1]),
                severity="warning",
            )


def search_problems(whose: str, owner: str, search: Sequence[str], fields: Sequence[Field]) -> Iterator[Problem]:
    """What is wrong with a line ``search``, with the same names of the owner."""
    path = f"{owner}.(search)"
    yield from duplicates(search, f"The search of {whose}", path)
    for name in search:
        f = next((f for f in fields if f.name == name), None)
        if f is None:
            mend = f"Name fields of {'users, or email' if whose == 'users' else 'it'}."
            yield Problem(f"{_has_no(whose)} field {name!r} to search.", meant(name, [x.name for x in fields], mend), path)
        elif f.type not in _SEARCHABLE or f.computed is not None:
            yield Problem(f"{owner}.{name} cannot be searched: it is {f.type}.", "Search looks through stored texts.", path)
        elif f.write_only:
            yield Problem(f"{owner}.{name} is write-only; a search would tell it.", "Take it out of the search.", path)


def _has_no(whose: str) -> str:
    return "Users have no" if whose == "users" else f"{whose} has no"


def _says(whose: str) -> str:
    return "The block 'users' says" if whose == "users" else f"{whose} says"
