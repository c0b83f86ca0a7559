"""The corpus: every record means something, the format's faults are told, and the splits are apart."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

import pytest

from clodo.blueprint import check, format_blueprint, parse
from clodo.corpus import format as corpus
from clodo.corpus.format import CorpusError
from clodo.corpus.gold import gold_draft
from clodo.corpus.splits import WRITTEN, load_split, written_blocks
from clodo.training.data import Mixture
from clodo.training.generator import generate
from clodo.training.variation import Vocabulary, vary
from clodo.understand.compiler import compile_draft
from tests.understand.services import RECORDS

SHOP = """=== s-1 | style=terse | domain=shop
[Books|book] have a [title|book. !] and a [score|book. int] from [1|book.score =min] to [5|book.score =max].
---
access none
"""


def every_block() -> list[str]:
    return [b for path in sorted(WRITTEN.glob("*.txt")) for b in corpus.blocks(path)]


def test_every_written_record_is_well_formed_and_has_an_id_of_its_own() -> None:
    records = [r for _, r in written_blocks()]
    assert len(records) == len(every_block()) > 350
    assert len({r.id for r in records}) == len(records)


def test_what_a_record_means_is_a_sound_blueprint_and_its_numbers_stand_in_the_text(request: pytest.FixtureRequest) -> None:
    # Every sixth record here, all of them in `make faults`, for whoever writes records.
    every = 1 if request.config.getoption("--all-faults") else 6
    for i, (_, record) in enumerate(written_blocks()[::every]):
        if record.verdict:
            continue
        blueprint, _ = compile_draft(gold_draft(record))
        assert blueprint is not None, record.id
        assert [p for p in check(blueprint) if p.severity == "error"] == [], record.id
        if i % 2 == 0:
            assert parse(format_blueprint(blueprint)) == blueprint, record.id


def test_marks_are_taken_out_of_the_text_and_point_into_it() -> None:
    record = corpus.parse(SHOP)
    assert record.text == "Books have a title and a score from 1 to 5."
    assert [record.text[m.start : m.end] for m in record.marks] == ["Books", "title", "score", "1", "5"]
    blueprint, left = compile_draft(gold_draft(record))
    assert blueprint is not None and not left
    assert "score: integer min 1 max 5" in format_blueprint(blueprint)
    assert "title: text required" in format_blueprint(blueprint)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[title|book. !]", "[title|book. nonsense]"),
        ("[1|book.score =min]", "[1|book.nothing =min]"),
        ("access none", "access everybody"),
        ("access none", "review > book"),
        ("[Books|book]", "[Books|book"),
        ("=== s-1", "== s-1"),
    ],
)
def test_faults_of_the_format_are_errors_that_name_the_record(old: str, new: str) -> None:
    with pytest.raises(CorpusError):
        corpus.parse(SHOP.replace(old, new))


@pytest.mark.parametrize("split", ["train", "valid"])
def test_generated_records_mean_sound_blueprints(split: str) -> None:
    rng = random.Random(7)
    for _ in range(150):
        record = corpus.parse(generate(rng, split))
        if record.verdict:
            continue
        blueprint, _ = compile_draft(gold_draft(record))
        assert blueprint is not None
        assert [p for p in check(blueprint) if p.severity == "error"] == [], record.text


def test_the_generator_repeats_itself_for_the_same_seed_only() -> None:
    one, two, other = (generate(random.Random(s)) for s in (1, 1, 2))
    assert one == two != other


def test_variation_keeps_the_meaning_and_changes_the_words() -> None:
    block = SHOP.replace("---", "---\nunique book title score", 1)
    vocabulary = Vocabulary.of(corpus.parse(b) for b in every_block()[:60])
    rng = random.Random(3)
    varied = [corpus.parse(vary(block, vocabulary, rng)) for _ in range(40)]
    for record in varied:
        (entity,) = gold_draft(record).entities.values()
        assert len(entity.fields) == 2 and [len(group) for group in entity.together] == [2]
        assert sorted(v.role for f in entity.fields.values() for v in f.values) == ["max", "min"]
    assert len({r.text for r in varied}) > 5


def test_splits_share_no_domain_and_the_mixture_only_draws_from_training() -> None:
    valid = {r.domain.lower().strip() for r in load_split("valid")}
    train = {r.domain.lower().strip() for r in load_split("train")}
    assert valid and not valid & train
    drawn = islice(Mixture(random.Random(0), 1.0).records(), 40)
    assert not {r.domain.lower().strip() for r in drawn} & valid


def test_the_words_that_spelling_knows_are_those_of_the_corpus() -> None:
    from clodo.training.lexicon import words
    from clodo.understand.spelling import name_words

    assert name_words() == words(), "run `python -m clodo.training.lexicon`"


def test_a_folder_without_records_gives_none(tmp_path: Path) -> None:
    assert load_split("train", tmp_path) == []


def test_records_without_entities_are_drawn_and_varied_as_others_are() -> None:
    texts = corpus.blocks(Path(__file__).parents[1] / "understand" / "records" / "services.txt")
    drawn = list(islice(Mixture(random.Random(5), 1.0, texts).records(), 200))
    assert {r.id for r in drawn} == {r.id for r in RECORDS}
    assert len({(r.id, r.text) for r in drawn}) > 40
    for record in drawn:
        blueprint, _ = compile_draft(gold_draft(record))
        assert blueprint is not None, record.text
    assert [line for r in RECORDS for line in corpus.warnings(r)] == []
