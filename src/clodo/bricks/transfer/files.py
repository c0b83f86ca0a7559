"""Rows as files, made and read without the service's own code."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from clodo.blueprint.values import Entity, FieldType
from clodo.bricks.transfer.document import MEDIA
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Headers, Row

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def guarded(text: str) -> str:
    """The text as a spreadsheet takes it for one."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def cell(value: Any) -> str:
    """A value as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, str):
        return guarded(value)
    return json.dumps(value)


def written(form: str, rows: Sequence[Row]) -> bytes:
    """Bodies as a file; in CSV all of them have the same keys, or lack some."""
    if form == "ndjson":
        return "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    columns = list(dict.fromkeys(key for row in rows for key in row))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([cell(row.get(key)) for key in columns] for row in rows)
    return out.getvalue().encode()


def typed(form: str, headers: Headers) -> Headers:
    """Headers of a request that carries such a file."""
    return {**headers, "content-type": MEDIA[form]}


def check_export(e: Entity, form: str, answer: Answer, rows: Sequence[Row]) -> None:
    """A fault unless the file holds exactly these rows, as the service answers them."""
    if form == "ndjson":
        if [json.loads(line) for line in answer.text.splitlines()] != list(rows):
            raise Fault("the file does not hold the rows as they are answered", answer)
        return
    records = list(csv.reader(io.StringIO(answer.text, newline="")))
    if not records or len(records) != len(rows) + 1 or any(set(records[0]) != set(row) for row in rows):
        raise Fault(f"the file does not hold a header and {len(rows)} rows", answer)
    if not answer.text.endswith("\r\n"):
        raise Fault("the lines of the file do not end as RFC 4180 wants", answer)
    of_json = {f.name for f in e.fields if f.type is FieldType.JSON}
    for record, row in zip(records[1:], rows, strict=True):
        for name, text in zip(records[0], record, strict=True):
            if not _same(text, row[name], as_json=name in of_json):
                raise Fault(f"the cell of {name} is {text!r}, and its value {row[name]!r}", answer)


def _same(text: str, value: Any, *, as_json: bool) -> bool:
    if value is None or (isinstance(value, str) and not as_json):
        return text == cell(value)
    try:
        return bool(json.loads(text) == value)
    except ValueError:
        return False
