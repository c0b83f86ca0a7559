"""From scores to mentions: the rules that code adds to what the model says."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest

from clodo.understand import labels as L
from clodo.understand.clusters import AS_WELL, cliques, settled
from clodo.understand.decoding import LinkScores, Mention, _Decoder, joined_values, mentions_of
from clodo.understand.draft import Draft, DraftEntity, DraftField, DraftValue, Evidence
from clodo.understand.reading import Reading, load_tokenizer, read


def reading(text: str) -> Reading:
    """A reading whose words are those between spaces."""
    words, at = [], 0
    for word in re.split("[ \n]", text):
        words.append((at, at + len(word)))
        at += len(word) + 1
    words = [w for w in words if w[0] < w[1]]
    places = list(range(1, len(words) + 1))
    return Reading(text, [], places, places, words, [0] * len(words), len(text))


@pytest.mark.parametrize(
    ("text", "values", "joined"),
    [
        ("card , bank transfer , cash", [0, 2, 3, 5], [(0, 0), (2, 3), (5, 5)]),
        ("1 5", [0, 1], [(0, 0), (1, 1)]),
        ("yes or no", [0, 2], [(0, 0), (2, 2)]),
        ("small medium large", [0, 1, 2], [(0, 0), (1, 1), (2, 2)]),
        ("Ten days before", [0, 1], [(0, 0), (1, 1)]),
        ("a year", [0, 1], [(0, 0), (1, 1)]),
        ("paid  shipped", [0, 1], [(0, 0), (1, 1)]),
        ("paid\nshipped", [0, 1], [(0, 0), (1, 1)]),
    ],
)
def test_values_with_nothing_between_them_are_one(text: str, values: list[int], joined: list[tuple[int, int]]) -> None:
    found = joined_values([Mention("value", i, i, 0.9) for i in values], reading(text))
    assert [(m.first, m.last) for m in found] == joined


def test_other_mentions_side_by_side_stay_apart() -> None:
    mentions = [Mention("field", 0, 0, 0.9), Mention("field", 1, 1, 0.9), Mention("value", 2, 2, 0.9)]
    assert joined_values(mentions, reading("a b c")) == mentions


def test_a_lone_mention_goes_to_the_entity_that_has_a_field_of_its_name_unless_it_is_sure() -> None:
    first = np.array([-0.01, -6.0], dtype=np.float32)
    torn = np.array([-1.2, -0.4], dtype=np.float32)
    sure = np.array([-AS_WELL - 1, -0.01], dtype=np.float32)
    assert settled({3: first, 8: torn}) == {0: [3, 8]}
    assert settled({3: first, 8: sure}) == {0: [3], 1: [8]}
    assert settled({8: torn}) == {1: [8]}


def test_a_mention_is_of_all_owners_that_are_as_likely_or_of_those_that_others_are_of() -> None:
    both = np.array([-0.7, -0.75, -6.0], dtype=np.float32)
    first = np.array([-0.01, -6.0, -7.0], dtype=np.float32)
    third = np.array([-6.0, -7.0, -0.01], dtype=np.float32)
    assert settled({2: both}) == {0: [2], 1: [2]}
    assert settled({2: both, 5: both}) == {0: [2, 5], 1: [2, 5]}
    assert settled({2: both, 5: first}) == {0: [2, 5]}
    assert settled({2: both, 5: third}) == {0: [2], 1: [2], 2: [5]}


@pytest.mark.parametrize(
    ("names", "score", "means"),
    [
        ({"accident_report": [0], "report": [1]}, -6.9, "accident_report"), ({"accident_report": [0], "report": [1]}, -7.1, "report"),
        ({"accident_report": [1], "report": [0]}, -3.4, "accident_report"), ({"accident_report": [1], "report": [0]}, -3.6, "report"),
        ({"accident_report": [0], "weather_report": [2], "report": [1]}, -1.0, "report"), ({"accident_reporter": [0], "report": [1]}, -1.0, "report"),
    ],
)  # fmt: skip
def test_the_last_word_of_a_name_is_short_for_it(names: dict[str, list[int]], score: float, means: str) -> None:
    decoder = object.__new__(_Decoder)
    decoder.powers = np.full((3, 3, len(L.PAIRS)), np.exp(score), dtype=np.float32)
    assert decoder._aliases(names) == {**{name: name for name in names}, "report": means}


@pytest.mark.parametrize(
    ("clusters", "score", "same"),
    [
        ({(0, "full_name"): [0], (0, "name"): [1]}, -2.9, True), ({(0, "full_name"): [0], (0, "name"): [1]}, -3.1, False),
        ({(0, "full_name"): [1], (0, "name"): [0]}, -2.9, False), ({(0, "full_name"): [0], (1, "name"): [1]}, -2.9, False),
        ({(0, "full_name"): [0], (0, "dog_name"): [2], (0, "name"): [1]}, -2.9, False), ({(0, "grade"): [0], (0, "mark"): [1]}, 0.1, True),
    ],
)  # fmt: skip
def test_the_last_word_of_the_field_before_is_short_for_it(clusters: dict[tuple[int, str], list[int]], score: float, same: bool) -> None:
    decoder = object.__new__(_Decoder)
    decoder.powers = np.full((3, 3, len(L.PAIRS)), np.exp(score), dtype=np.float32)
    assert (len(decoder._same_fields(clusters)) < len(clusters)) is same


def test_a_group_is_what_is_unique_pair_by_pair() -> None:
    assert cliques([("room", "day"), ("guest", "day")]) == [("room", "day"), ("guest", "day")]
    assert cliques([("a", "b"), ("b", "c"), ("a", "c")]) == [("a", "b", "c")]


def test_a_denied_yes_or_no_is_the_field_that_it_denies_where_that_is_named() -> None:
    types = np.zeros((4, len(L.CLASSES)), dtype=np.float32)
    types[[0, 1, 2], L.TYPES.index("bool")] = 9
    types[3, L.TYPES.index("dt")] = 9
    decoder = object.__new__(_Decoder)
    decoder.scores = LinkScores(np.zeros((4, 4, 1)), types, np.zeros((4, 1)), np.zeros((4, 1)))
    assert decoder._affirmed({"unpaid": [1], "paid": [0]}) == {"paid": [0, 1]}
    assert decoder._affirmed({"unhatched": [2]}) == {"unhatched": [2]}
    assert decoder._affirmed({"unlocked": [3], "locked": [0]}) == {"unlocked": [3], "locked": [0]}


@pytest.mark.parametrize(
    ("spans", "owners", "kept"),
    [
        ([[(1, 2), (3, 4)], [(1, 2), (3, 4)]], [0, 0], ["stars"]),
        ([[(1, 2), (3, 4)], [(1, 2)]], [0, 0], ["score", "stars"]),
        ([[(1, 2)], [(1, 2)]], [0, 1], ["score", "stars"]),
        ([[], []], [0, 0], ["score", "stars"]),
    ],
)
def test_a_figure_that_only_its_bounds_name_is_the_field_that_has_them(
    spans: list[list[tuple[int, int]]], owners: list[int], kept: list[str]
) -> None:
    decoder = object.__new__(_Decoder)
    decoder.names, decoder.field_owner, decoder.figures = ["rating", "film"], owners, {0}
    decoder.draft = Draft({name: DraftEntity(name) for name in decoder.names})
    decoder.fields = [
        DraftField(name, "int", values=[DraftValue("max", "5", Evidence(spans=[span])) for span in found])
        for name, found in zip(["score", "stars"], spans, strict=True)
    ]
    for made, owner in zip(decoder.fields, owners, strict=True):
        decoder.draft.entities[decoder.names[owner]].fields[made.name] = made
    decoder._same_figures()
    assert [name for e in decoder.draft.entities.values() for name in e.fields] == kept


def test_an_arrow_that_touches_words_is_no_letter_of_theirs() -> None:
    found = read("draft→sent → paid ⇒done", load_tokenizer(Path(str(files("clodo.models").joinpath("clodo-1")))))
    assert [found.surface(i, i) for i in range(len(found.words))] == ["draft", "→", "sent", "→", "paid", "⇒", "done"]


def test_the_word_in_front_of_a_word_is_found_over_signs() -> None:
    found = reading("podcasts , rate ( them )")
    assert [found.before(i) for i in (0, 2, 4)] == ["", "podcasts", "rate"]


@pytest.mark.parametrize(
    ("text", "light"),
    [
        ("Readers can leave reviews", True), ("customers leave a short review", True), ("A leave has reviews", False),
        ("can leave notes of the last three reviews", False), ("can rate reviews", False),
    ],
)  # fmt: skip
def test_a_verb_that_only_brings_its_object_is_no_thing(text: str, light: bool) -> None:
    decoder = object.__new__(_Decoder)
    decoder.reading = reading(text)
    words = text.split()
    verb = next(i for i, word in enumerate(words) if word in ("leave", "rate"))
    decoder.mentions = [Mention("entity", verb, verb, 0.9), Mention("entity", len(words) - 1, len(words) - 1, 0.9)]
    assert decoder._is_light(0, 1) is light


def decoder_of(kinds: list[str], scores: dict[tuple[int, int, str], float]) -> _Decoder:
    """A decoder of one-word mentions ``ant bee cat …``, of which nothing is said of each other but what ``scores`` says."""
    words = ["ant", "bee", "cat", "dog", "elk", "fox"][: len(kinds)]
    decoder = object.__new__(_Decoder)
    decoder.reading, decoder.spell = reading(" ".join(words)), lambda word: word
    decoder.mentions = [Mention(kind, i, i, 0.9) for i, kind in enumerate(kinds)]
    decoder.draft = Draft()
    decoder.fields, decoder.field_owner, decoder.field_mentions, decoder.value_fields = [], [], [], {}
    decoder.names = [words[i] for i, kind in enumerate(kinds) if kind == "entity"]
    decoder.groups = [[i] for i, kind in enumerate(kinds) if kind == "entity"]
    for name in decoder.names:
        decoder.draft.entities[name] = DraftEntity(name)
    pairs = np.full((len(kinds), len(kinds), len(L.PAIRS)), -9.0, dtype=np.float32)
    for (i, j, label), score in scores.items():
        pairs[i, j, L.PAIRS.index(label)] = score
    decoder.powers = np.exp(pairs)
    types = np.full((len(kinds), len(L.CLASSES)), -9.0, dtype=np.float32)
    types[:, L.CLASSES.index("action")] = 9
    decoder.scores = LinkScores(pairs, types, np.zeros((len(kinds), len(L.FIELD_FLAGS))), np.zeros((len(kinds), len(L.ENTITY_FLAGS))))
    return decoder


def test_a_right_is_said_at_any_one_mention_of_its_role() -> None:
    decoder = decoder_of(["entity", "role", "entity", "role"], {(1, 0, "role-read"): -0.5, (3, 0, "role-read"): -0.5, (3, 2, "role-write"): -0.5})
    decoder.reading = reading("ant bee cat bee")
    decoder._roles()
    # Half a doubt at two mentions is more than none, at one it is not.
    assert decoder.draft.entities["ant"].read_roles == ["bee"]
    assert decoder.draft.entities["cat"].write_roles == []
    assert len(decoder.draft.roles) == 2


def test_of_several_who_may_read_the_surest_is_meant() -> None:
    decoder = decoder_of(["entity"], {})
    decoder.scores.entity_flags[:] = -9.0
    for flag, score in (("read-public", 0.6), ("read-login", 2.7), ("write-key", 1.0), ("softdelete", 3.0)):
        decoder.scores.entity_flags[0, L.ENTITY_FLAGS.index(flag)] = score
    decoder._entity_flags()
    assert decoder.draft.entities["ant"].flags == {"read-login", "write-key", "softdelete"}


def test_a_step_is_of_the_entity_that_is_surest() -> None:
    decoder = decoder_of(["entity", "entity", "cue"], {(2, 0, "cue-of"): 4.0, (2, 1, "cue-of"): 5.0})
    decoder._cues()
    assert [f.entity for f in decoder.draft.cues[0].slots["of"]] == ["bee"]


def test_slots_that_seldom_hold_several_things_hold_the_surest_and_what_is_beyond_doubt() -> None:
    scores = {(1, 0, "cue-of"): 5.0, (1, 2, "cue-by"): 0.5, (1, 3, "cue-by"): 0.5, (1, 0, "cue-makes"): 1.0, (1, 4, "cue-makes"): 2.0, (1, 5, "cue-makes"): 3.5}
    decoder = decoder_of(["entity", "cue", "role", "role", "entity", "entity"], scores)
    decoder._cues()
    slots = decoder.draft.cues[0].slots
    assert [f.role for f in slots["by"]] == ["cat", "dog"]
    assert [f.entity for f in slots["makes"]] == ["fox"]
    decoder.powers[1, 4, L.PAIRS.index("cue-makes")] = np.exp(3.2)
    decoder.draft.cues.clear()
    decoder._cues()
    assert [f.entity for f in decoder.draft.cues[0].slots["makes"]] == ["elk", "fox"]


def test_mentions_are_the_likeliest_tags_that_may_follow_each_other() -> None:
    for seed in range(20):
        tags = np.random.default_rng(seed).normal(0, 3, (3, len(L.TAGS))).astype(np.float32)
        found = [0, 0, 0]
        for mention in mentions_of(tags):
            begin = 1 + 2 * L.KINDS.index(mention.kind)
            found[mention.first : mention.last + 1] = [begin, *[begin + 1] * (mention.last - mention.first)]
        fit = [path for path in product(range(len(L.TAGS)), repeat=3) if all(b == 0 or b % 2 or a in (b - 1, b) for a, b in pairwise((0, *path)))]
        assert tuple(found) == max(fit, key=lambda path: sum(tags[i, tag] for i, tag in enumerate(path)))
