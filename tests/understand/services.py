"""Records with the blueprint that each comes to and the words that it leaves over: of wishes that are of the service as a whole, or of
files, accounts, mails and work in the background (``services``), of what is given with a step and its conditions on other rows
(``steps``), of who gets mails (``mails``), and of how often something may be done (``limits``)."""

from __future__ import annotations

import re
from pathlib import Path

from clodo.blueprint import format_blueprint, parse
from clodo.corpus.format import Record, read
from clodo.corpus.gold import gold_draft
from clodo.understand.compiler import compile_draft

_HERE = Path(__file__).parent / "records"

RECORDS: tuple[Record, ...] = tuple(read(_HERE / "services.txt"))
STEP_RECORDS: tuple[Record, ...] = tuple(read(_HERE / "steps.txt"))
MAIL_RECORDS: tuple[Record, ...] = tuple(read(_HERE / "mails.txt"))
LIMIT_RECORDS: tuple[Record, ...] = tuple(read(_HERE / "limits.txt"))


def expect_blueprint(record: Record) -> None:
    """Fails unless a record's marks come to its blueprint and leave over the words that it is told to."""
    blueprint, left = compile_draft(gold_draft(record))
    assert blueprint is not None
    text, words = wanted()[record.id]
    assert format_blueprint(blueprint) == text
    assert parse(text) == blueprint
    assert [record.text[a:b] for a, b in left] == words


def wanted() -> dict[str, tuple[str, list[str]]]:
    """By id of each record: the text of its blueprint, and the words that are left over."""
    found = {}
    for name in ("services", "steps", "mails", "limits"):
        for block in re.split(r"(?m)^=== ", (_HERE / f"{name}.clodo").read_text("utf-8"))[1:]:
            head, _, text = block.partition("\n")
            id, _, left = head.partition(" | left: ")
            found[id] = (text.strip() + "\n", left.split(", ") if left else [])
    return found
