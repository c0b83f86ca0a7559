"""Texts made longer keep what they state."""

from __future__ import annotations

import random

from clodo.corpus.format import parse
from clodo.corpus.gold import gold_draft
from clodo.training.background import Background, parts

TALK = """=== a-1 | style=email | domain=x
Hello there, thanks for the cake yesterday. A [hive|hive] has a [number|hive. int]. We started out with a bucket and a broom.
---"""
LOCKED = """=== a-2 | style=email | domain=y
Everybody has to sign in before anything else. A [boat|boat] has a [name|boat.].
---
access login"""
OWN = """=== a-3 | style=email | domain=z
I want [books|book]. Each [book|book] has a [title|book. !], always. Thank you.
---
access none"""


def test_only_talk_that_states_nothing_is_lent() -> None:
    made = Background([TALK, LOCKED])
    assert made.sentences == ["Hello there, thanks for the cake yesterday.", "We started out with a bucket and a broom."]


def test_the_marks_and_facts_of_a_record_stay_as_they_are() -> None:
    made, plain = Background([TALK, LOCKED]), parse(OWN)
    rng, longer = random.Random(4), 0
    for _ in range(60):
        block = made.extend(OWN, rng)
        record = parse(block)
        own = {n: fields for n, fields in record.entities.items() if n != "hive"}
        assert own.keys() == plain.entities.keys()
        assert [record.text[m.start : m.end] for m in record.marks][: len(plain.marks)] == ["books", "book", "title"]
        longer += len(record.text) > len(plain.text)
        if "hive" not in record.entities:
            assert gold_draft(record).access == gold_draft(plain).access
    assert 10 < longer < 50


def test_services_with_a_name_in_common_are_not_put_together() -> None:
    twin = TALK.replace("hive", "book")
    made = Background([twin])
    made.sentences.clear()
    assert all(made.extend(OWN, random.Random(i)) == OWN for i in range(80))


def test_a_text_to_ask_about_stays_as_it_is() -> None:
    vague = "=== v | style=chatty | domain=v\nSomething nice. For me.\n---\nverdict vague"
    assert all(Background([TALK]).extend(vague, random.Random(i)) == vague for i in range(40))
    assert parts(vague)[1] == "Something nice. For me."
