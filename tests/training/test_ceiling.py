"""What the marks of the corpus say comes back whole through labels, decoding and compiler."""

from __future__ import annotations

from pathlib import Path

import pytest

import clodo
from clodo.blueprint import format_blueprint
from clodo.corpus.format import Record, parse
from clodo.corpus.splits import load_split
from clodo.training.ceiling import differences, perfect_draft
from clodo.training.examples import example
from clodo.understand.compiler import compile_draft
from clodo.understand.reading import load_tokenizer
from tests.understand.services import RECORDS, wanted

TOKENIZER = load_tokenizer(Path(clodo.__file__).parent / "models" / "clodo-1")


def lost(text: str, facts: str = "") -> dict[str, list[str]]:
    return differences([parse(f"=== t-1 | style=chatty | domain=t\n{text}\n---\n{facts}".rstrip())], TOKENIZER)


def test_a_shorter_word_for_a_field_is_that_field() -> None:
    assert not lost(
        "Each [member|member] has a [card number|member. !] and a [name|member.]. "
        "The [number|member.card_number u] is given once, two [names|member.name] may be alike."
    )


def test_only_fields_that_are_all_unique_together_make_a_group() -> None:
    text = (
        "A [stay|stay] has a [room|stay.], a [guest|stay.] and a [day|stay. date]. "
        "A [room|stay.] is taken once a [day|stay.], and a [guest|stay.] comes once a [day|stay.]."
    )
    assert not lost(text, "unique stay room day\nunique stay guest day")


def test_values_in_a_row_without_commas_are_a_list() -> None:
    assert not lost("A [shirt|shirt] has a [size|shirt. enum]: [S|shirt.size =enum] [M|shirt.size =enum] [XL|shirt.size =enum].")


def test_yes_and_no_are_read_in_everyday_words() -> None:
    text = "A [job|job] is [closed|job. bool] ([open|job.closed =def:false] at first) and [urgent|job. bool] (it [isn't|job.urgent =def:false])."
    assert not lost(text)


def test_a_field_that_several_things_have_at_once_is_of_each() -> None:
    text = (
        "[Books|book] and [films|film] have a [title|book. !, film. !], [books|book] also an [author|book.]. "
        "[Titles|book.title u, film.title u] are unique and have [80|book.title =maxlen, film.title =maxlen] letters at most."
    )
    assert not lost(text)


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        (
            "A [ticket|ticket] has a [subject|ticket. !]. [Reporters|ROLE:reporter] [open|@action of=ticket by=role:reporter] [tickets|ticket], [agents|ROLE:agent] edit them.",
            "write ticket role:agent",
        ),
        (
            "[Essays|essay] ([title|essay.]) are [handed in|@action of=essay by=role:pupil by=role:guest] by [pupils|ROLE:pupil] or [guests|ROLE:guest] "
            "and touched by [teachers|ROLE:teacher] only; just [admins|ROLE:admin] [delete|@action of=essay by=role:admin] them.",
            "access login\nwrite essay role:teacher",
        ),
    ],
)
def test_who_adds_rows_comes_back(text: str, facts: str) -> None:
    assert not lost(text, facts)


def test_eleven_of_twelve_validation_records_come_back_whole() -> None:
    records = [r for r in load_split("valid") if not r.verdict][::4]
    found = differences(records, TOKENIZER)
    assert len(found) < len(records) / 12, found


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.id)
def test_gateways_sites_accounts_and_files_come_back_whole(record: Record) -> None:
    assert not differences([record], TOKENIZER)
    blueprint, left = compile_draft(perfect_draft(example(record, TOKENIZER), lambda phrase: phrase))  # type: ignore[arg-type]
    assert blueprint is not None
    assert (format_blueprint(blueprint), [record.text[a:b] for a, b in left]) == wanted()[record.id]
