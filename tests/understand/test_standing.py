"""Words are understood where a part of the blueprint comes from them, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import given, settings

from clodo.blueprint import format_blueprint
from clodo.blueprint.values import Blueprint, Field
from clodo.corpus.gold import gold_draft
from clodo.understand.choices import chosen
from clodo.understand.compiler import compile_draft, entity_called, field_called
from clodo.understand.draft import (
    Draft,
    DraftCue,
    DraftEntity,
    DraftField,
    DraftRelation,
    DraftValue,
    Evidence,
    Filler,
    Span,
)
from clodo.understand.numbers import number
from clodo.understand.standing import standing, taken
from tests.understand.test_compiler import drafts
from tests.understand.test_cues import record_of


def spread(draft: Draft) -> Draft:
    """The draft, each part of which rests on words of its own where it rests on none."""
    places = count()
    for evidence in _evidence(draft):
        at = 1000 + 2 * next(places)
        evidence.spans = evidence.spans or [(at, at + 1)]
    return draft


def _evidence(draft: Draft) -> Iterator[Evidence]:
    for e in draft.entities.values():
        yield e.evidence
        for f in e.fields.values():
            yield from (f.evidence, *(v.evidence for v in f.values))
    yield from (r.evidence for r in draft.relations)
    yield from (cue.evidence for cue in draft.cues)


def coloured(draft: Draft, blueprint: Blueprint | None, left: list[Span]) -> set[Span]:
    return {(s.start, s.end) for s in taken(standing(draft, blueprint, left)) if s.role != "unsupported"}


@given(drafts())
@settings(max_examples=150, deadline=None)
def test_what_is_coloured_is_in_the_blueprint(draft: Draft) -> None:
    blueprint, left = compile_draft(spread(draft))
    found = coloured(draft, blueprint, left)
    assert not found & set(left)
    if blueprint is None:
        assert not found
        return
    for e in draft.entities.values():
        holder = blueprint.entity(entity_called(e.name)) or (blueprint.users if e.name == "user" else None)
        if found & set(e.evidence.spans):
            assert holder is not None
        for f in e.fields.values():
            stored = next((x for x in holder.fields if x.name == field_called(f.name)), None) if holder is not None else None
            for v in f.values:
                if found & set(v.evidence.spans) and stored is not None:
                    assert says(stored, v), (stored, v)


def says(f: Field, v: DraftValue) -> bool:
    """Whether a field of a blueprint says a value, as its line shows."""
    if v.role == "def":
        return f.default is not None
    if v.role in ("enum", "enumdef"):
        return chosen(f.values, v.words) is not None
    value = number(v.words)
    bounds = {Decimal(b.value) for b in (f.minimum, f.maximum) if b is not None}
    # "under 80 characters" is at most 79 of them.
    return value is not None and bool({value - 1, value, value + 1} & bounds)


@given(drafts())
@settings(max_examples=100, deadline=None)
def test_what_is_dropped_loses_its_colour(draft: Draft) -> None:
    blueprint, left = compile_draft(spread(draft))
    if blueprint is None:
        return
    whole = coloured(draft, blueprint, left)
    for e in blueprint.entities:
        said = next(d for d in draft.entities.values() if entity_called(d.name) == e.name)
        without = replace(blueprint, entities=tuple(x for x in blueprint.entities if x is not e))
        lost = {s for evidence in (said.evidence, *(f.evidence for f in said.fields.values())) for s in evidence.spans}
        if not (said.name == "user" and blueprint.users is not None):
            assert not lost & coloured(draft, without, left)
        for f in e.fields:
            told = next((d for d in said.fields.values() if field_called(d.name) == f.name), None)
            if told is None:
                continue
            bare = replace(f, minimum=None, maximum=None, default=None)
            for fields, gone in (
                (tuple(x for x in e.fields if x is not f), [told.evidence, *(v.evidence for v in told.values)]),
                (tuple(bare if x is f else x for x in e.fields), [v.evidence for v in told.values if v.role != "enum"]),
            ):
                less = replace(blueprint, entities=tuple(replace(x, fields=fields) if x is e else x for x in blueprint.entities))
                spans = {s for evidence in gone for s in evidence.spans}
                kept_anyway = f.name in {"password"} or any(f.name in (r.name, f"{r.name}_id") for r in e.references) or told.type in ("file", "image")
                assert kept_anyway or not spans & coloured(draft, less, left)
    assert whole >= coloured(draft, blueprint, [*left, *whole])


def book(*values: DraftValue, **more: DraftField) -> Draft:
    fields = {"price": DraftField("price", "int", values=list(values)), **more}
    return spread(Draft({"book": DraftEntity("book", fields)}))


def test_words_that_two_parts_share_stay_coloured_for_the_other() -> None:
    shared = DraftValue("max", "5", Evidence(spans=[(3, 4)]))
    stars = DraftField("stars", "int", values=[DraftValue("max", "5", Evidence(spans=[(3, 4)]))])
    draft = book(shared, stars=stars)
    blueprint, left = compile_draft(draft)
    assert blueprint is not None and left == []
    e = blueprint.entities[0]
    for gone in e.fields:
        less = replace(blueprint, entities=(replace(e, fields=tuple(f for f in e.fields if f is not gone)),))
        assert (3, 4) in coloured(draft, less, left)
    assert (3, 4) not in coloured(draft, replace(blueprint, entities=(replace(e, fields=()),)), left)


def test_of_two_bounds_the_one_that_holds_was_understood() -> None:
    first, second = DraftValue("min", "1"), DraftValue("min", "3")
    draft = book(first, second)
    found = coloured(draft, *compile_draft(draft))
    assert not set(first.evidence.spans) & found and set(second.evidence.spans) <= found


ORDER = "[Orders|order] have a [title|order.], [paid at|order. dt] and a [state|order. enum]: [open|order.state =enum], [paid|order.state =enum]. "


def test_a_wish_that_was_not_made_colours_nothing() -> None:
    record = record_of(ORDER + "[At most|@at-most of=order n=#7] [7|#] of them.")
    draft = gold_draft(record)
    cue = draft.cues[0]
    cue.evidence.spans.append((900, 901))
    blueprint, left = compile_draft(draft)
    assert blueprint is not None and "at most" not in format_blueprint(blueprint)
    assert cue.evidence.spans[0] in left and not set(cue.evidence.spans) & coloured(draft, blueprint, left)


@pytest.mark.parametrize(
    ("words", "unit", "stands"), [("7", "day", True), ("9", "day", False), ("1", "week", True), ("3", "week", False), ("one", "", True), ("none", "", True)]
)
def test_a_number_that_no_line_has_was_not_understood(words: str, unit: str, stands: bool) -> None:
    draft = book(DraftValue("max", "7"))
    slots = {"n": [Filler(words=words, at=(500, 501))], "per": [Filler(words=unit, at=(502, 503))]}
    draft.cues = [DraftCue("export", "export", slots, Evidence(spans=[(498, 499), (500, 501), (502, 503)]))]
    found = coloured(draft, *compile_draft(draft))
    assert (498, 499) in found and ((500, 501) in found) is stands


def test_a_field_is_worked_out_in_one_way_and_the_other_is_shown() -> None:
    text = "[Lines|line] have a [price|line. int], an [amount|line. int], a [total|line. int]. Total is price [times|@times set=line.total from=line.price from=line.amount] amount, or [plus|@added set=line.total from=line.price from=line.amount]."
    draft = gold_draft(record_of(text))
    blueprint, left = compile_draft(draft)
    assert blueprint is not None and "total: integer = " in format_blueprint(blueprint)
    assert len(set(left) & {c.evidence.spans[0] for c in draft.cues}) == 1


def test_rules_that_a_computed_field_loses_are_not_understood() -> None:
    text = "[Lines|line] have a [price|line. int], an [amount|line. int], a [total|line. int !] of [at most|x] [90|line.total =max]. It is price [times|@times set=line.total from=line.price from=line.amount] amount."
    draft = spread(gold_draft(record_of(text.replace("[at most|x]", "at most"))))
    blueprint, left = compile_draft(draft)
    total = draft.entities["line"].fields["total"]
    assert blueprint is not None and blueprint.entities[0].fields[2].computed is not None
    kept = standing(draft, blueprint, left).entities["line"].fields["total"]
    assert total.values and kept.values == [] and "required" not in kept.flags


def test_a_relation_and_its_rule_stand_as_the_blueprint_has_them() -> None:
    draft = spread(Draft({n: DraftEntity(n, {"name": DraftField("name")}) for n in ("book", "shelf")}))
    draft.relations = [DraftRelation("book", "shelf", "belongs", {"cascade", "one"})]
    blueprint, left = compile_draft(draft)
    assert blueprint is not None
    assert standing(draft, blueprint, left).relations[0].flags == {"cascade", "one"}
    e = blueprint.entities[0]
    plain = replace(e, references=tuple(replace(r, unique=False) for r in e.references))
    assert standing(draft, replace(blueprint, entities=(plain, *blueprint.entities[1:])), left).relations[0].flags == {"cascade"}
    none = replace(blueprint, entities=(replace(e, references=()), *blueprint.entities[1:]))
    assert standing(draft, none, left).relations == []
