"""Lines of bricks: what says the same, and what does not."""

from __future__ import annotations

import pytest

from clodo.blueprint import parse
from clodo.evaluation.scoring import Score, meaning

SERVICE = """service library
read public
write key

users {
  roles clerk, chief
}

entity reader {
  name: text required
}

entity book {
  title: text required
  read role clerk, chief
}

entity loan {
  book: -> book required
  reader: -> reader required
  begins_on: date required
  ends_on: date required
  fee: money
  paid: boolean default false
  state: enum(open, late, back, lost) default open
  transitions state: open -> late -> back, open -> back, late -> lost
  at most 5 per reader, book where state in ("open", "late")
  no overlap (begins_on, ends_on) per book
  check ends_on > begins_on
  action lend(until: date required, to: enum(home, hall) required) later {
    create loan (book = book, reader = reader, begins_on = today, ends_on = until)
  }
  action borrow(marked_on: date required) {
    create mark (loan = this, marked_on = marked_on)
  }
  action close {
    when not paid and fee > 0
    when state = "open"
    set state = "back", paid = true
  }
}

entity mark {
  loan: -> loan required
  marked_on: date required
  write user
  change when marked_on >= today and loan.fee = 0 except role chief, clerk
}

limit create, delete 9 per hour per address on loan, book

report fees {
  from loan where state = "open" and not paid
  group by reader, book
  show sum(fee)
}
"""


def faults(said: str) -> list[str]:
    return Score().add(meaning(parse(said)), meaning(parse(SERVICE)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("role clerk, chief", "role chief, clerk"),
        ("open -> late -> back, open -> back, late -> lost", "late -> lost, open -> back, open -> late, late -> back"),
        ("per reader, book", "per book, reader"),
        ('in ("open", "late")', 'in ("late", "open")'),
        ("when not paid and fee > 0", "when fee > 0 and not paid"),
        ('    when not paid and fee > 0\n    when state = "open"\n', '    when state = "open"\n    when not paid and fee > 0\n'),
        ('set state = "back", paid = true', 'set paid = true, state = "back"'),
        ('state = "open" and not paid', 'not paid and state = "open"'),
        ("group by reader, book", "group by book, reader"),
        ("until: date required, to: enum(home, hall) required", "to: enum(home, hall) required, until: date required"),
        ("begins_on = today, ends_on = until", "ends_on = until, begins_on = today"),
        ("except role chief, clerk", "except role clerk, chief"),
        ("marked_on >= today and loan.fee = 0", "loan.fee = 0 and marked_on >= today"),
        ("on loan, book", "on book, loan"),
        ("ends_on", "end_on"),
        ("begins_on", "loan_begins_on"),
        ("fee", "loan_fee"),
        ("marked_on", "mark_marked_on"),
    ],
)
def test_said_otherwise_is_the_same(old: str, new: str) -> None:
    assert old in SERVICE
    assert faults(SERVICE.replace(old, new).replace("report loan_fees", "report fees")) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("read role clerk, chief", "read role clerk"),
        ("late -> lost", "back -> lost"),
        ("at most 5", "at most 4"),
        ("per reader, book", "per reader"),
        ("overlap (begins_on, ends_on)", "overlap (ends_on, begins_on)"),
        ("check ends_on > begins_on", "check begins_on > ends_on"),
        ("not paid and fee > 0", "not paid or fee > 0"),
        ("fee > 0", "fee > 1"),
        ('set state = "back"', 'set state = "lost"'),
        ("except role chief, clerk", "except role chief"),
        ("on loan, book", "on loan, reader"),
        ("delete 9 per hour", "delete 8 per hour"),
        ("group by reader, book", "group by reader"),
        ("sum(fee)", "avg(fee)"),
        ("until: date required, to", "until: date, to"),
        ("begins_on = today, ends_on = until", "begins_on = until, ends_on = today"),
        ('from loan where state = "open" and not paid', 'from loan where state = "open" and paid'),
    ],
)
def test_what_says_something_else_is_a_fault(old: str, new: str) -> None:
    assert old in SERVICE
    assert faults(SERVICE.replace(old, new)) != []
