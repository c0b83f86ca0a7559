"""Which modules of a service its code reaches: it carries none of the library, and no entity, that nothing imports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from posixpath import dirname, normpath

#: Modules that are there to be imported; every other one (the Worker's, the user's own, the tests) is called from outside.
_IMPORTED = ("src/lib/", "src/entities/")

#: What stands behind ``from``, ``import`` or ``import(``. A comment that looks like it keeps a file, and loses none.
_SOURCES = re.compile(r"""\b(?:from|import)\s*\(?\s*["'](\.[^"'\n]*)["']""")


def unreached(tree: Mapping[str, str], kept: Iterable[str] = ()) -> set[str]:
    """The paths of modules that no module which is called imports, directly or through others. ``kept`` are further paths
    that count as imported."""
    modules = {path for path in tree if path.endswith(".ts")}
    todo = [path for path in modules if not path.startswith(_IMPORTED)]
    todo += [path for path in kept if path in modules]
    seen: set[str] = set()
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for source in _SOURCES.findall(tree[path]):
            place = normpath(f"{dirname(path)}/{source}")
            todo += [m for m in (place, f"{place}.ts", f"{place}/index.ts") if m in modules]
    return modules - seen
