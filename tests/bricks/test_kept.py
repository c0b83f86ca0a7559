"""What actions and schedules store keeps to the rules of its fields."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, parse
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, checks_of, expect_caught, proof
from tests.bricks.tables import carry_out, put, tables

SOURCE = """service labels

entity tag {
  name: text required max 500
  note: text
  label: text max 12
  title: text required
  big: integer
  cents: money
  factor: integer

  action mark {
    set label = label & name
  }

  action retitle {
    set title = note
  }

  action grow {
    set big = big * factor
  }

  action pay(more: money required) {
    set cents = cents + more
  }
}
"""
MIGRATION = "migrations/0001_init.sql"
FAULTS = [
    Fault("too long a text", MIGRATION, "<= 12", "<= 1200", "actions.kept"),
    Fault("an empty text", MIGRATION, 'CHECK (length(CAST("title" AS BLOB)) >= 1 AND', "CHECK (", "actions.kept"),
    Fault("too large a number", MIGRATION, 'CHECK ("big" BETWEEN -9007199254740991 AND 9007199254740991)', "", "actions.kept"),
    Fault("too much money", MIGRATION, '"cents" BETWEEN -900000000000000 AND 900000000000000', '"cents" < 9e99', "actions.kept"),
]


@pytest.mark.workerd
@pytest.mark.parametrize("fault", [None, *FAULTS], ids=lambda f: f.name.replace(" ", "-") if f else "none")
def test_too_much_is_refused_in_words(fault: Fault | None, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    if fault is not None:
        expect_caught(SOURCE, tmp_path / "s", toolchain, host, fault, checks=checks_of("actions"))
        return
    report = proof(SOURCE, tmp_path / "s", toolchain, host, types=True, checks=checks_of("actions"))
    assert not report.failures, report.failures
    assert [e.outcome for e in report.evidence if e.id == "actions.kept"] == ["passed"] * 4


def test_what_a_schedule_fills_is_bounded_too() -> None:
    db, _ = tables('service x\n\nentity shop {\n  sign: text max 5\n  name: text\n  note: text max 5\n}\n\nevery day at "03:00" {\n  update shop set sign = sign & name where name != ""\n}\n')
    put(db, "shop", id="a", sign="12345", name="6", note="more than five", created_at="", updated_at="")
    with pytest.raises(sqlite3.IntegrityError, match="sign"):
        db.execute("UPDATE shop SET sign = sign || name")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("site: url", '"https://x.example/" & name', "'site' takes a constant or the url of another field, and the value is worked out."),
        ("site: url", "name", "'site' takes a constant or the url of another field, and the value is of type text."),
        ("site: url", "maker.site", ""),
        ("site: url", "maker.name", "'site' takes a constant or the url of another field, and the value is of type text."),
        ('code: text pattern "[A-Z]+"', "name", "'code' has a pattern"),
        ('code: text pattern "[A-Z]+"', "maker.code", ""),
        ('code: text pattern "[A-Z]+"', '"ABC"', ""),
    ],
)
def test_what_the_database_cannot_check_is_refused_when_it_is_read(field: str, value: str, words: str) -> None:
    source = f'service x\n\nentity maker {{\n  name: text\n  site: url\n  code: text pattern "[A-Z]+"\n}}\n\nentity tool {{\n  name: text\n  {field}\n  maker: -> maker\n\n  action go {{\n    set {field.split(":")[0]} = {value}\n  }}\n}}\n'
    if not words:
        parse(source)
        return
    with pytest.raises(InvalidBlueprint) as caught:
        parse(source)
    assert words in caught.value.message


#: What a row may hold that another fills through a parameter.
THROUGH = """service labels

entity tag {
  label: text required max 12
  day: date
  big: integer max 100
  cents: money max 5
  no timestamps
}

entity pen {
  name: text required max 500
  no timestamps

  action mark(to: -> tag required) {
    set to.label = to.label & name
  }

  action grow(to: -> tag required) {
    set to.big = to.big * 2, to.cents = to.cents + 1
  }
}
"""


@pytest.mark.parametrize(("name", "values"), [("mark", {}), ("grow", {"big": 60}), ("grow", {"cents": 450})])
def test_what_is_filled_through_a_parameter_is_bounded_too(name: str, values: dict[str, int]) -> None:
    db, b = tables(THROUGH)
    put(db, "tag", id="t", label="tag", **values)
    put(db, "pen", id="p", name="a name that is too long")
    with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed"):
        carry_out(db, b, "pen", name, "p", "t")
