"""Which mentions of fields belong together, and whose they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clodo.understand.naming import entity_name

Array = NDArray[np.float32]

#: The difference in log-odds up to which a mention's owner is open. Set on validation texts, as the others.
AS_WELL = 2.0
#: The difference in log-odds up to which a mention is of several owners at once ("books and films have a title").
SHARED = 0.7
#: The log-odds above which the last word of a longer name is short for it: of an entity's, of a field's.
LEAST_SHORT = -7.0
LEAST_SHORT_FIELD = -3.0


def shortened(clusters: dict[tuple[int, str], list[int]]) -> dict[tuple[int, str], tuple[int, str]]:
    """Each field whose name is the last word of the one longer name before it ("full name … the name") → that one."""
    out = {}
    for owner, name in clusters:
        longer = [key for key in clusters if key[0] == owner and key[1].endswith(f"_{name}")]
        if len(longer) == 1 and min(clusters[longer[0]]) < min(clusters[owner, name]):
            out[owner, name] = longer[0]
    return out


def settled(owners: dict[int, Array]) -> dict[int, list[int]]:
    """Mentions of one name by owner. A lone mention that could as well be of an entity that has a field of that
    name is of that one: a rule names a field again more often than it makes a second one. A mention of which several
    owners are as likely is of all of them, or of those that other mentions are of without a doubt."""
    chosen = {i: int(scores.argmax()) for i, scores in owners.items()}
    for i, scores in owners.items():
        others = {o for j, o in chosen.items() if j != i}
        if chosen[i] not in others and others:
            best = max(others, key=lambda o: float(scores[o]))
            if scores[chosen[i]] - scores[best] < AS_WELL:
                chosen[i] = best
    all_of = {i: {int(o) for o in likely(scores)} for i, scores in owners.items()}
    firm = {owner for i, owner in chosen.items() if len(all_of[i]) == 1}
    out: dict[int, list[int]] = {}
    for i, owner in chosen.items():
        for o in sorted(all_of[i] & firm or all_of[i]) if owner in all_of[i] else [owner]:
            out.setdefault(o, []).append(i)
    return out


def likely(scores: Array) -> NDArray[np.int64]:
    """The owners that are about as likely as the likeliest."""
    return np.asarray(np.flatnonzero(scores > scores.max() - SHARED))


def singulars(clusters: dict[tuple[int, str], list[int]]) -> dict[tuple[int, str], list[int]]:
    """The clusters, the plural of a name that is there too joined to it: ``titles must be unique``."""
    out: dict[tuple[int, str], list[int]] = {}
    for (owner, name), group in clusters.items():
        one = entity_name(name.replace("_", " "))
        key = (owner, one) if one != name and (owner, one) in clusters else (owner, name)
        out.setdefault(key, []).extend(group)
    return {key: sorted(group) for key, group in out.items()}


def cliques(pairs: list[tuple[str, str]]) -> list[tuple[str, ...]]:
    """The largest groups of which every two are a pair, in the order of the pairs."""
    groups: list[list[str]] = []
    known = {frozenset(pair) for pair in pairs}
    members = list(dict.fromkeys(x for pair in pairs for x in pair))
    for pair in pairs:
        if any(set(pair) <= set(g) for g in groups):
            continue
        group = list(pair)
        group += [m for m in members if m not in pair and all(frozenset((m, g)) in known for g in group)]
        groups.append(group)
    return [tuple(g) for g in groups]
