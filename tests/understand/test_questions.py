"""What is asked where there is no blueprint: whole sentences with the text's own words in them, of what the model heard."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from clodo.app.models import DEFAULT_MODEL, open_understander
from clodo.understand.compiler import compile_draft
from clodo.understand.contradiction import MOST_READ, clashing
from clodo.understand.document import document
from clodo.understand.draft import Draft, DraftCue, DraftEntity, DraftField, Evidence, Filler, Span
from clodo.understand.labels import VERDICTS
from clodo.understand.port import Understander
from clodo.understand.questions import questions_for
from clodo.understand.quoting import plain, quoted
from clodo.understand.reading import Reading

WHO = "Who may read and change them: everybody, people who log in, or callers with an API key?"
WHAT = "What things should the service keep? Name them, such as books and their reviews."
WHICH = "What do you want to know about each of them? Name the fields, such as a title and a price."
RULE = "Can you say the rule that matters in one sentence?"

SAYS = "Dear all, my bookings have a price and a colour, and send reminders; pay by card."


def at(words: str, text: str = SAYS) -> Span:
    start = text.index(words)
    return start, start + len(words)


def thing(name: str, words: str, *fields: str, sure: float = 0.9) -> dict[str, DraftEntity]:
    held = {f: DraftField(f, evidence=Evidence(spans=[at(f)])) for f in fields}
    return {name: DraftEntity(name, held, evidence=Evidence(sure, [at(words)]))}


def vague(**heard: object) -> Draft:
    return Draft(text=SAYS, verdict="vague", **heard)  # type: ignore[arg-type]


BOOKING = thing("booking", "bookings")
REMIND = DraftCue("notify", "send reminders", evidence=Evidence(spans=[at("send reminders")]))
AIMED = replace(REMIND, slots={"of": [Filler("booking")]})
LONG = "every member of this honourable old society of ours has at most one locker and no second one"
CASES: list[tuple[Draft, tuple[str, ...]]] = [
    (vague(), (WHAT, WHICH, WHO)),
    (vague(access="none"), (WHAT, WHICH)),
    (vague(entities=BOOKING), ("What do you want to know about “bookings”? Name the fields, such as a name and a date.", WHO)),
    (vague(entities=BOOKING | thing("guest", "all")), ("What do you want to know about “bookings” and “all”? Name the fields, such as a name and a date.", WHO)),
    (vague(entities=thing("booking", "bookings", sure=0.5)), (WHAT, WHICH, WHO)),
    (vague(entities=thing("booking", "bookings", "price", "colour")), ("What else should the service keep of “bookings”, besides “price” and “colour”?", WHO)),
    (vague(loose=[at("price"), at("colour"), at("price")]), ("What are “price” and “colour” of? Name the things that the service should keep.", WHO)),
    (vague(loose=[at("price")], access="key"), ("What is “price” of? Name the things that the service should keep.",)),
    (vague(cues=[REMIND]), (WHAT, "What things does the wish “send reminders” concern, and what should happen to them?", WHO)),
    (vague(cues=[AIMED], entities=BOOKING), ("What do you want to know about “bookings”? Name the fields, such as a name and a date.", WHO)),
    (
        vague(unsupported=[at("pay by card")], cues=[AIMED], entities=BOOKING),
        ("What do you want to know about “bookings”? Name the fields, such as a name and a date.",
         "What should the service keep for “pay by card”? Name the things and their fields.", WHO),
    ),
    (Draft(text=SAYS, verdict="not-a-service"), ("This does not describe a service. What data should a service keep for you?", "Which fields does each of these things have?")),
    (Draft(text=SAYS, verdict="not-a-service", entities=BOOKING), ("This does not describe a service. Should one keep “bookings”, and what do you want to know of each?",)),
    (Draft(text=SAYS, verdict="not-a-service", loose=[at("price")]), ("This does not describe a service. Should one keep “price”, and of what things?",)),
    (Draft(text=SAYS, verdict="contradictory"), ("Some of these rules exclude each other. Which of them should hold?", RULE)),
    (Draft(text=SAYS, verdict="contradictory", clash=at("pay by card.")), ("“pay by card” seems to exclude another rule. Which of them should hold?", RULE)),
    (Draft(text=f"- {LONG}!", verdict="contradictory", clash=(2, 2 + len(LONG))),
     ("“every member of this honourable old society of ours has at most …” seems to exclude itself. Which part of it should hold?", RULE)),
    (Draft(text=SAYS, entities={"booking": DraftEntity("booking", evidence=Evidence(spans=[at("bookings")]))}), ("What do you want to know about “bookings”? Name the fields, such as a name and a date.",)),
    (Draft(text=SAYS, loose=[at("price"), at("colour")], access="none"), ("What are “price” and “colour” of? Name the things that the service should keep.",)),
    (Draft(text="<b>{} keep", verdict="vague", access="none", entities={"b": DraftEntity("b", {"x": DraftField("x", evidence=Evidence(spans=[(3, 5)]))}, evidence=Evidence(spans=[(3, 5)]))}),
     ("What else should the service keep of “{}”, besides “{}”?",)),
]  # fmt: skip
ABSTAINING = [draft for draft, _ in CASES]


@pytest.mark.parametrize(("draft", "questions"), CASES)
def test_what_was_heard_is_asked_about_in_the_text_s_words(draft: Draft, questions: tuple[str, ...]) -> None:
    assert questions_for(draft, compile_draft(draft)[0]) == questions
    assert 1 <= len(questions) <= 3 and all(len(q.split()) <= 25 for q in questions)


def odd_words(count: int) -> list[str]:
    """Words with signs that a terminal or a page obeys, the same each time."""
    dice = random.Random(3)
    signs = "ab\x1b\x00\x9b\u202e\u200b\ufeff<>&`\\\"“'…\t\n\u2028\u00a0é中.-–"
    return ["".join(dice.choice(signs) for _ in range(4)) for _ in range(count)]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_a_quotation_is_short_and_nothing_in_it_is_obeyed(text: str) -> None:
    said = quoted(text, 12)
    assert re.fullmatch("“[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e<>&`\\\\\"“”]*”", said)
    assert len(said) <= 124 and len(said.split()) <= 13
    assert plain(plain(text)) == plain(text)


def test_a_long_word_and_a_long_sentence_are_cut() -> None:
    assert quoted("a" * 500, 3) == f"“{'a' * 30} …”"
    assert quoted("– one two, three four.", 3) == "“one two, three …”"
    assert quoted("\x1b[31mred<script>", 3) == "“[31mred script”"


def reading_of(*sentences: str) -> Reading:
    """A reading with one piece for each word, numbered from 1."""
    text = " ".join(sentences)
    words, numbers, start = [], [], 0
    for number, sentence in enumerate(sentences):
        for m in re.finditer(r"\S+", sentence):
            words.append((start + m.start(), start + m.end()))
            numbers.append(number)
        start += len(sentence) + 1
    places = list(range(1, len(words) + 1))
    return Reading(text, [101, *places, 102], places, places, words, numbers, len(text))


def verdict(contradictory: float, clear: float = 0.0) -> NDArray[np.float32]:
    scores = dict.fromkeys(VERDICTS, 9.0) | {"contradictory": contradictory, "clear": clear}
    return np.array([scores[v] for v in VERDICTS], np.float32)


def test_the_sentence_without_which_a_text_contradicts_itself_least_is_found() -> None:
    reading = reading_of("Books have titles.", "They have none.", "–", "Anyone reads.")
    asked: list[list[int]] = []

    def judge(pieces: list[int]) -> NDArray[np.float32]:
        asked.append(pieces)
        return verdict(6.0 if 4 in pieces else -3.0, clear=1.0 if 1 in pieces else 3.0)

    found = clashing(reading, judge)
    assert found is not None and reading.text[slice(*found)] == "They have none."
    assert asked == [reading.pieces, [101, 4, 5, 6, 7, 8, 9, 102], [101, 1, 2, 3, 7, 8, 9, 102], [101, 1, 2, 3, 4, 5, 6, 7, 102]], "what says nothing is not left out"


def test_where_no_sentence_stands_out_or_too_much_were_to_be_read_none_is_told() -> None:
    def fails(pieces: list[int]) -> NDArray[np.float32]:
        raise AssertionError("it is not asked")

    assert clashing(reading_of("One.", "Two."), lambda pieces: verdict(1.0 if len(pieces) == 4 else 2.0)) is None
    assert clashing(reading_of(*["Much is said here."] * (MOST_READ // 100)), fails) is None
    assert clashing(reading_of("?", "!"), fails) is None
    only = reading_of("Both at once.")
    assert clashing(only, fails) == (0, len(only.text))


@pytest.fixture(scope="module")
def model() -> Understander:
    return open_understander(DEFAULT_MODEL)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("An app to keep track of customers and invoices", "What do you want to know about “customers” and “invoices”?"),
        ("Members have a name. Every member has exactly one locker. No member may ever have a locker.", "“No member may ever have a locker” seems to exclude another rule."),
        ("Make me an app.", WHAT),
    ],
)
def test_the_built_in_model_asks_in_the_text_s_words(model: Understander, text: str, first: str) -> None:
    told = document(model.understand(text), {})
    assert told["questions"][0].startswith(first) and told["blueprint"] is None
    assert told["parts"] == [], "nothing stands in a blueprint that there is not"
    assert bool(told["not_understood"]) == (text != "Make me an app.")
