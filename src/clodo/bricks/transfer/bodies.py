"""The ways of sending many bodies at once, and what they leave behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clodo.blueprint.values import Entity, Field, FieldType
from clodo.bricks.transfer.files import typed, written
from clodo.bricks.transfer.language import Bulk, Import
from clodo.proof.client import Answer
from clodo.proof.session import Headers, Row, Session, TooFewValues, expect

_NOT_LISTED = (FieldType.JSON, FieldType.LIST)


@dataclass(frozen=True)
class Way:
    """``form`` is the format of an import, or ``bulk``."""

    entity: Entity
    form: str

    def __str__(self) -> str:
        return f"{self.entity.name}: bulk" if self.form == "bulk" else f"{self.entity.name}: import of {self.form}"

    @property
    def kind(self) -> str:
        """In the ids of checks."""
        return "bulk" if self.form == "bulk" else "import"

    @property
    def success(self) -> int:
        """The status where all goes well."""
        return 201 if self.form == "bulk" else 200

    @property
    def first(self) -> int:
        """The number of the first row: those of an array count from 0, those of a file from 1."""
        return 0 if self.form == "bulk" else 1

    async def send(self, s: Session, rows: Sequence[Any], *, headers: Headers | None = None, query: str = "") -> Answer:
        """Sends the bodies."""
        headers = await s.writer(self.entity) if headers is None else headers
        path = s.path(self.entity)
        if self.form == "bulk":
            return await s.client.send("POST", f"{path}/bulk", list(rows), headers=headers)
        content = written(self.form, rows)
        target = f"{path}/import?format={self.form}{query}"
        return await s.client.send("POST", target, content=content, headers=typed(self.form, headers))


def ways(e: Entity) -> list[Way]:
    """All ways of an entity."""
    forms = [form for part in e.parts_of(Import) for form in part.formats]
    return [Way(e, form) for form in (*forms, *("bulk" for _ in e.parts_of(Bulk)))]


async def bodies(s: Session, e: Entity, count: int) -> list[Row]:
    """Valid bodies."""
    return [await s.body(e) for _ in range(count)]


async def storing(way: Way, s: Session, count: int) -> list[Row]:
    """Valid bodies whose unique values are free: those of a field with few values are tried first."""
    if way.entity.name in s.scarce:
        raise TooFewValues(f"{way.entity.name} has a unique field with too few values for this check")
    return await bodies(s, way.entity, count)


async def traces(s: Session, e: Entity, body: Row) -> list[Row]:
    """The rows that hold what the body says."""
    params = {}
    for key, value in body.items():
        f = e.field(key)
        if value is None or (f is not None and (f.type in _NOT_LISTED or f.write_only)):
            continue
        params[key] = str(value).lower() if isinstance(value, bool) else value
    page = expect(await s.page(e, {**params, "limit": 100}), 200, "finding rows by their values")
    return list(page.body["items"])


def named(answer: Answer, row: int) -> bool:
    """Whether the errors name a row."""
    return any(str(e["path"]).split(".")[0] == str(row) for e in (answer.body or {}).get("errors", []))


def wrong_cell(f: Field) -> Any:
    """A text that is no value of the field, whatever the format; ``None`` where there is none."""
    if f.read_only or f.computed is not None:
        return None
    if f.type.is_number or f.type.is_temporal or f.type in (FieldType.EMAIL, FieldType.ENUM, FieldType.BOOLEAN, FieldType.UUID):
        return "no such value"
    return None
