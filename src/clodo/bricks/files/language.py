"""``photo: image max 5 MB`` and ``contract: file max 10 MB types "application/pdf" private`` in entities."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from lark import Tree

from clodo.blueprint.constructs import Construct, path_of
from clodo.blueprint.plan import kebab
from clodo.blueprint.problems import Problem
from clodo.blueprint.syntax import text_of
from clodo.blueprint.text import number, quote
from clodo.blueprint.values import Blueprint, Entity, Field, FieldType, Who

#: What pictures can be: formats that browsers show and that carry no script.
IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif")
#: How browsers send forms. Whoever uploads one has not sent the file itself.
FORM_TYPES = ("multipart/form-data", "application/x-www-form-urlencoded")

_UNITS = {"KB": 1000, "MB": 1_000_000}
_USUAL_BYTES = 10_000_000
_LEAST_BYTES, _MOST_BYTES = 1000, 500_000_000
#: Bodies that Cloudflare lets through on every plan.
_EVERY_PLAN_BYTES = 100_000_000
_MOST_TYPES = 30
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,49}/[a-z0-9][a-z0-9!#$&^_.+-]{0,79}")
_SHORT = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "pdf": "application/pdf", "csv": "text/csv", "zip": "application/zip"}


@dataclass(frozen=True, slots=True)
class FileField:
    """A file of each row. ``max_bytes`` is the largest that is taken, ``types`` the media types that are (empty: any; of
    an image: any that images can have). A private one is served by signed links only."""

    name: str
    kind: Literal["file", "image"]
    max_bytes: int
    types: tuple[str, ...] = ()
    private: bool = False

    @property
    def allowed(self) -> tuple[str, ...]:
        """The media types that are taken; empty for any."""
        return self.types or (IMAGE_TYPES if self.kind == "image" else ())

    @property
    def path(self) -> str:
        """The segment of its path, below that of a row."""
        return kebab(self.name)

    @property
    def size(self) -> str:
        """The largest size, in words."""
        unit = "MB" if self.max_bytes % _UNITS["MB"] == 0 else "KB"
        return f"{number(Decimal(self.max_bytes) / _UNITS[unit])} {unit}"


def _file_field(tree: Tree[Any]) -> FileField:
    key, kind, *rules = tree.children
    made = FileField(str(key).rstrip(": \t"), str(kind), _USUAL_BYTES)  # type: ignore[arg-type]
    for rule in rules:
        if rule.data == "file_max":
            size, unit = rule.children
            # A fraction of a byte is no size: it stands for none, which is refused.
            exact = Decimal(str(size)) * _UNITS[str(unit)]
            made = replace(made, max_bytes=int(exact) if exact == int(exact) else 0)
        elif rule.data == "file_types":
            made = replace(made, types=tuple(text_of(t) for t in rule.children))
        else:
            made = replace(made, private=True)
    return made


def _lines(f: FileField) -> Iterator[str]:
    types = f" types {', '.join(map(quote, f.types))}" if f.types else ""
    yield f"{f.name}: {f.kind} max {f.size}{types}{' private' if f.private else ''}"


def _with_metadata(entity: Entity, f: FileField) -> Entity:
    """The row tells what is stored; only an upload changes it."""
    return replace(entity, fields=(*entity.fields, Field(f.name, FieldType.JSON, read_only=True)))


def _problems(b: Blueprint, e: Entity, f: FileField) -> Iterator[Problem]:
    path = path_of(e, f)
    if not _LEAST_BYTES <= f.max_bytes <= _MOST_BYTES:
        yield Problem(
            f"The size of {f.name!r} has to be from 1 KB to 500 MB, in whole bytes.", "Write max 10 MB, say.", path
        )
    elif f.max_bytes > _EVERY_PLAN_BYTES:
        yield Problem(
            f"Files of {f.name!r} may have {f.size}, and Cloudflare takes uploads above 100 MB only on its larger plans.",
            "Make sure that yours does, or lower the maximum.",
            path,
            severity="warning",
        )
    yield from _type_problems(f, path)
    if f.private and b.read_access(e).who is Who.PUBLIC:
        yield Problem(
            f"{f.name!r} is private, yet everybody may read a {e.name} and so ask for a link to it.",
            f"Say in {e.name} who may read it, such as 'read key'.",
            path,
            severity="warning",
        )
    if any(f.name in group for group in e.unique):
        yield Problem(f"{f.name!r} is a file and cannot be unique.", "Take it out of the group.", path)


def _type_problems(f: FileField, path: str) -> Iterator[Problem]:
    for type_, count in Counter(f.types).items():
        if count > 1:
            yield Problem(f"{f.name!r} has the type {type_!r} {count} times.", "Remove the repetition.", path)
    if len(f.types) > _MOST_TYPES:
        yield Problem(f"{f.name!r} has {len(f.types)} types, and {_MOST_TYPES} are possible.", "Remove some.", path)
    for type_ in dict.fromkeys(f.types):
        if f.kind == "image" and type_ not in IMAGE_TYPES:
            yield Problem(f"{type_!r} is no type of an image here.", _image_mend(type_), path)
        elif not _TYPE.fullmatch(type_):
            meant = _SHORT.get(type_.lower().lstrip("."), type_.strip().lower())
            yield Problem(
                f"{type_!r} is no media type.",
                f'Write "{meant if _TYPE.fullmatch(meant) else "application/pdf"}", say.',
                path,
            )
        elif type_ in FORM_TYPES:
            yield Problem(f"{type_!r} is how forms are sent, and no type of a file.", "Remove it.", path)


def _image_mend(type_: str) -> str:
    if type_ == "image/svg+xml":
        return "An SVG can carry scripts. Choose other types, or make it a file, which browsers save and do not show."
    near = difflib.get_close_matches(_SHORT.get(type_.lower().lstrip("."), type_), IMAGE_TYPES, n=1)
    return f'Write "{near[0]}".' if near else f"Choose from {', '.join(IMAGE_TYPES)}, or make it a file."


CONSTRUCTS = (
    Construct(
        name="file_field",
        place="entity",
        value=FileField,
        grammar="""file_field: KEY FILE_KIND file_max? file_types? file_private? _NL
file_max: "max" NUMBER FILE_UNIT
file_types: "types" STRING ("," STRING)*
file_private: "private"
FILE_KIND: "file" | "image"
FILE_UNIT: "KB" | "MB"
""",
        build=_file_field,
        lines=_lines,
        check=_problems,
        expand=_with_metadata,
        claims=lambda plan, owner, value: [f"{{id}}/{value.path}", *([f"{{id}}/{value.path}/link"] if value.private else [])],
    ),
)
