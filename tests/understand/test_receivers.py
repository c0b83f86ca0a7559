"""Who gets mails, and what is told of those that go to the administrator: from marks to lines and notes."""

from __future__ import annotations

import pytest
from evals.edge_agreement import MODEL

from clodo.blueprint import format_blueprint
from clodo.corpus.format import Record
from clodo.corpus.gold import gold_draft
from clodo.training.ceiling import differences
from clodo.understand.compiler import compile_draft
from clodo.understand.draft import Draft
from clodo.understand.questions import notes_on
from clodo.understand.quoting import around
from clodo.understand.reading import load_tokenizer
from clodo.understand.standing import standing
from tests.understand.services import MAIL_RECORDS, expect_blueprint, wanted
from tests.understand.test_cues import built, record_of

KNOWN = "The service knows no e-mail address of {} for each {}, so the mail goes to the administrator. To reach them, describe an e-mail field, or name an address."
FIELD = "{} of each {} is no e-mail address, so the mail goes to the administrator. To reach them, describe an e-mail field, or name an address."
NOBODY = "The text names no address for {}, so the mail goes to the administrator. To reach somebody else, describe an e-mail field, or name an address."
#: By id of each record: the notes on its mails.
NOTES = {
    "mail-01": [KNOWN.format("“customer”", "order")],
    "mail-02": [KNOWN.format("“pupil”", "lesson")],
    "mail-03": [FIELD.format("“customer”", "job")],
    "mail-04": [NOBODY.format("“Mail me once the stock is under 5, and warn the admin …”")],
    "mail-05": [KNOWN.format("“boss”", "rental")],
    "mail-08": [KNOWN.format("“customer”", "parcel")],
}
VISIT = (
    "[Visits|visit] ([day|visit. date], [paid|visit. bool], [guide|visit. ->guide], [fee|visit. money]) of a [guest|guest] ([name|guest.], [phone|guest.]) of a [house|house] ([name|house.], [e-mail|house.email email]); "
    "[guides|guide] ([name|guide.], [code|guide. wo]), [cooks|cook] ([name|cook.], [e-mail|cook.email email]). "
)
FACTS = ("visit > guest", "guest > house")
#: What is said, further facts, the receivers, and whom the notes speak of.
SAID: list[tuple[str, tuple[str, ...], list[str], list[str]]] = [
    ("[tell|@notify of=visit to=house] the [house|house]", (), ["guest.house.email"], []),
    ("[tell|@notify of=house to=house] it", (), ["email"], []),
    ("[tell|@notify of=visit to=cook] the [cooks|cook]", (), ["admin"], ["“cooks”"]),
    ("[tell|@notify of=visit to=visit.guide to=house.email] the [guide|visit.]", (), ["guest.house.email", "admin"], ["“guide” of each visit"]),
    ("[tell|@notify of=visit to=visit.guide n=#a@b.example] the [guide|visit.] at [a@b.example|#]", (), ['"a@b.example"'], []),
    ("[tell|@notify of=visit to=house.email by=role:admin] the [admin|ROLE:admin]", (), ["guest.house.email", "admin"], []),
    ("[tell|@notify of=visit by=role:creator] its [creator|ROLE:creator]", (), ["admin"], ["“creator”"]),
    ("[tell|@notify of=visit by=role:creator] its [creator|ROLE:creator]", ("own visit",), ["owner"], []),
    ("[tell|@notify of=visit by=role:user by=role:clerk] the [user|ROLE:user] and a [clerk|ROLE:clerk]", ("own-write visit",), ["owner", "admin"], ["“clerk”"]),
    ("[tell|@notify of=visit by=role:user] each [user|ROLE:user]", ("access login",), ["admin"], ["“user”"]),
    ("friends see their own visits, and the [friend|ROLE:friend] [gets a mail|@notify of=visit by=role:friend]", ("own visit",), ["owner"], []),
    ("friends see their own visits, and the [friend|ROLE:friend] [gets a mail|@notify of=visit by=role:friend]", (), ["admin"], ["“friend”"]),
    ("friends see their own visits, and the [boss|ROLE:boss] [gets a mail|@notify of=visit by=role:boss]", ("own visit",), ["admin"], ["“boss”"]),
    ("[tell|@notify of=visit to=user] the [users|user] with a [nickname|user.]", ("access login", "own visit"), ["owner"], []),
    ("[tell|@notify of=visit to=user] the [users|user] with a [nickname|user.]", ("access login", "visit > user"), ["user.email"], []),
    ("[tell|@notify of=visit to=user] the [users|user] with a [nickname|user.]", ("access login",), ["admin"], ["“users”"]),
]  # fmt: skip


def evident(record: Record) -> Draft:
    """The draft of a record, in which things and fields rest on their marks."""
    draft = gold_draft(record)
    for e in draft.entities.values():
        e.evidence.spans += [(m.start, m.end) for m in record.marks if (m.kind, m.entity) == ("entity", e.name)]
        for f in e.fields.values():
            f.evidence.spans += [(m.start, m.end) for m in record.marks if (m.kind, m.entity, m.field) == ("field", e.name, f.name)]
    return draft


def told(record: Record) -> tuple[str, list[str]]:
    """The text of a record's blueprint, and the notes on its mails."""
    draft = evident(record)
    blueprint, left = compile_draft(draft)
    assert blueprint is not None
    notes = notes_on(draft, blueprint, standing(draft, blueprint, left))
    return format_blueprint(blueprint), [note for note in notes if "administrator" in note]


@pytest.mark.parametrize("record", MAIL_RECORDS, ids=lambda r: r.id)
def test_a_record_comes_to_its_blueprint_and_notes(record: Record) -> None:
    expect_blueprint(record)
    assert told(record) == (wanted()[record.id][0], NOTES.get(record.id, []))


@pytest.mark.parametrize(("said", "facts", "to", "missing"), SAID)
def test_whom_mails_reach_and_whom_they_do_not(said: str, facts: tuple[str, ...], to: list[str], missing: list[str]) -> None:
    record = record_of(VISIT + said, *FACTS, *facts)
    text, notes = told(record)
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("notify")]
    assert lines == [f"notify {one} on created" for one in to]
    assert len(notes) == len(missing) and all(words in note for words, note in zip(missing, notes, strict=True))


@pytest.mark.parametrize("slot", ["visit.fee", "visit.day", "cook.email"])
def test_what_is_nobody_and_what_no_row_leads_to_is_left_over(slot: str) -> None:
    lines, left = built(f"{VISIT} [tell|@notify of=visit to={slot}] it", *FACTS)
    assert left == ["tell"] and not any(line.startswith("notify") for line in lines)


def test_mails_that_were_not_understood_have_no_note() -> None:
    assert told(record_of(f"{VISIT} [tell|@notify of=visit over=visit.paid] me", *FACTS))[1] == []


def test_of_mails_for_nobody_each_sentence_is_quoted_once() -> None:
    said = "[Write|@notify of=visit] a mail, [write|@notify of=visit when=visit.paid] one. A [note|@notify of=visit] goes out. [Tell|@notify of=house] it. [Say|@notify of=house] so."
    record = record_of(VISIT + said, *FACTS)
    assert told(record)[1] == [NOBODY.format("“Write a mail, write one”, “A note goes out” and “Tell it”")]


def test_the_words_next_to_the_wish_are_quoted() -> None:
    _, notes = told(record_of("[Cooks|cook] have a [name|cook.]. [Visits|visit] have a [day|visit. date]. [Tell|@notify of=visit to=cook] the [cook|cook]. [The cooks|cook] eat."))
    assert notes == [KNOWN.format("“cook”", "visit")]


def test_who_gets_mails_is_decoded_as_it_is_marked() -> None:
    assert differences(MAIL_RECORDS, load_tokenizer(MODEL)) == {}


def test_a_long_sentence_is_quoted_around_a_stretch() -> None:
    text = "It is so. a b c d e f g h i j k l, m n o p. More"
    assert around(text, (text.index("b"), text.index("b") + 1), 6) == "“a b c d e f …”"
    assert around(text, (text.index("h"), text.index("h") + 1), 6) == "“… e f g h i j …”"
    assert around(text, (text.index("o p"), text.index("o p") + 3), 6) == "“… k l, m n o p”"
    assert around(text, (0, 2), 6) == "“It is so”"


def test_a_draft_without_mails_has_no_note_on_them() -> None:
    blueprint, _ = compile_draft(gold_draft(record_of(VISIT, *FACTS)))
    assert not [note for note in notes_on(Draft(), blueprint, Draft()) if "mail" in note]
