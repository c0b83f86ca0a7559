"""How old rows are: from the words of a text to what is deleted, changed and told, and never without the age that it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.blueprint import format_blueprint
from clodo.corpus.gold import gold_draft
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from clodo.understand.ages import with_ages
from clodo.understand.compiler import compile_draft
from clodo.understand.coverage import unexplained
from clodo.understand.draft import Draft
from clodo.understand.lengths import told_at
from clodo.understand.standing import standing, taken
from tests.bricks.proving import proof
from tests.understand.test_cues import built, record_of

CLASSES = "[Classes|class] have a [title|class.], a [start|class. dt], a [day|class. date], an [email|class. email] and a [state|class. enum] [open|class.state =enum], [full|class.state =enum]. "

#: A length of time with its unit marked, and how it is read.
LENGTHS = [
    ("older than a [year]", "1 year"), ("after [30 days]", "30 day"), ("for 90 [days]", "90 day"), ("half a [year] ago", "6 month"), ("a half [hour]", "30 minute"),
    ("one [month]", "1 month"), ("an [hour]", "1 hour"), ("a couple of [weeks]", "2 week"), ("twenty-five [days]", "25 day"), ("two hundred [days]", "200 day"), ("1,000 [days]", "1000 day"),
    ("a [fortnight]", "2 week"), ("three [quarters]", "9 month"), ("two full [months]", "2 month"), ("30-[day]-old", "30 day"), ("4 [wks]", "4 week"), ("72[h]", "72 hour"), ("1.5 [years]", "1.5 year"),
    ("the [day] before", "1 day"), ("six [moths]", "6 month"), ("a [year] after", "1 year"), ("2 to 3 [years]", "3 year"), ("done and 36 [hours] old", "36 hour"), ("needs one one [day] before", "1 day"), ("told each 14 [days] before", "14 day"), ("once 5 [days] before", "5 day"), ("a second time 10 [days] after", "10 day"), ("a hundred and twenty [days]", "120 day"),
    # At which something is done, not how long it has been so.
    ("every [year]", "often"), ("each 15 [minutes]", "often"), ("once a [week]", "often"), ("twice a [day]", "often"), ("[nightly]", "often"), ("on [Monday]", "often"), ("3 times per [month]", "often"),
    ("at the end of the [day]", "often"), ("every quarter of an [hour]", "often"), ("at each begin of the [month]", "often"), ("every other [week]", "often"), ("on the 1st of each [month]", "often"),
    # How many there are is not said, or not all of it.
    ("for [weeks]", "vague"), ("old [days]", "several"), ("on the last [day]", ""), ("some [weeks] ago", "vague"), ("last [year]'s", "vague"), ("in the past [month]", "vague"), ("a [year] and a half", "vague"), ("one and a half [years]", "vague"),
    ("1 [year] and 6 months", "vague"), ("a quarter of an [hour]", "vague"), ("a few [days]", "vague"), ("half a [month]", "vague"),
    ("on the [day]", ""),
]  # fmt: skip


@pytest.mark.parametrize(("said", "wanted"), LENGTHS)
def test_a_length_of_time_is_read_from_the_words_around_its_unit(said: str, wanted: str) -> None:
    text = said.replace("[", "").replace("]", "")
    found = told_at(text, (said.index("["), said.index("]") - 1))
    assert (f"{found.many.normalize():f} {found.unit}" if found.kind == "length" else found.kind) == wanted


#: What is said, the line that it comes to, and what is left over.
SAID: list[tuple[str, str, list[str]]] = [
    # The year has no number of its own.
    ("Every Sunday [delete|@expire of=class from=class.start per=#year] those over a [year|#]", "delete class where start < now - years(1)", []),
    ("[delete|@expire of=class n=#half per=#year] them after [half|#] a [year|#]", "delete class where created_at < now - months(6)", []),
    ("[delete|@expire of=class from=class.day per=#fortnight] them a [fortnight|#] later", "delete class where day < today - weeks(2)", []),
    ("[deleted|@expire of=class from=class.day n=#36 per=#hours] [36|#] [hours|#] later", "delete class where day < today - days(2)", []),
    # Its number is next to its unit, and not the first of all.
    ("each [night|#] at [2|#] [drop|@expire of=class from=class.day n=#2 n=#six per=#night per=#months] those of [six|#] [months|#]", "delete class where day < today - months(6)", []),
    ("[dropped|@expire of=class from=class.day n=#4] after [4|#] weeks", "delete class where day < today - weeks(4)", []),
    ("they [go after a year|@expire of=class]", "delete class where created_at < now - years(1)", []),
    # The number is of one unit of several, and an address has none.
    ("[mail|@notify of=class to=class.email from=class.start n=#2 per=#hours] them 5 [hours|#], or [2|#] [hours|#] before", "remind email 2 hours before start", []),
    ("[mail|@notify of=class n=#u9@a.example n=#5 from=class.start per=#hours] [u9@a.example|#] [5|#] [hours|#] before", 'remind "u9@a.example" 5 hours before start', []),
    ("[mail|@notify of=class n=#u9@a.example n=#5 from=class.start per=#hours] [u9@a.example|#] [5|#] (five) [hours|#] in front", 'remind "u9@a.example" 5 hours before start', []),
    ("[remind|@notify of=class to=class.email from=class.start n=#1] them [1|#] hor before", "", ["remind"]),
    # Times at which it is done are no age.
    ("[evry|@every of=class set=class.state:full from=class.start per=#20 minutes] [20 minutes|#] those that are over are full", "every 20 minutes {", []),
    ("[drop|@expire of=class from=class.start] those that are over, like in the old days", "delete class where start < now", []),
    ("[Drop|@expire of=class from=class.start per=#day] those that are over once a [day|#]", "delete class where start < now", []),
    ("every [15|#] [minutes|#] [drop|@expire of=class from=class.start n=#15 per=#minutes] those that are over", "every 15 minutes {", []),
    ("every [Sunday|#] evening [drop|@expire of=class from=class.start per=#Sunday per=#year] those over a [year|#]", 'every sunday at "18:00" {', []),
    ("every [afternoon|#] [drop|@expire of=class from=class.start per=#afternoon] those that are over", 'every day at "15:00" {', []),
    # How old is said, and not understood: all that is past would go.
    ("[delete|@expire of=class from=class.start per=#year] [last year|#]'s [year|#]", "", ["delete"]),
    ("[delete|@expire of=class from=class.start] last year's classes", "", ["delete"]),
    ("[delete|@expire of=class from=class.start] classes older than a year", "", ["delete"]),
    ("[delete|@expire of=class from=class.start per=#weeks] those some [weeks|#] old", "", ["delete"]),
    ("[delete|@expire of=class from=class.start per=#year] them a [year|#] and a half later", "", ["delete"]),
    ("[delete|@expire of=class from=class.start n=#1 n=#6 per=#year per=#months] after [1|#] [year|#] plus [6|#] [months|#]", "", ["delete"]),
    ("[delete|@expire of=class from=class.start n=#9] them, [9|#]", "", ["delete"]),
    # What another wish of the sentence says is no age of this one, nor is a bound of a field.
    ("Past ones are [deleted|@expire of=class from=class.start] and [told|@notify of=class to=class.email from=class.day n=#two per=#days] it [two|#] [days|#] before", "delete class where start < now", []),
    # Kept rows are not deleted.
    ("[archive|@expire of=class from=class.day n=#60 per=#days] those of [60|#] [days|#]", "", ["archive"]),
    # The same of changes.
    ("[Every|@every of=class set=class.state:full from=class.day per=#night per=#week] [night|#] those a [week|#] past their day are full", 'update class set state = "full" where day < today - weeks(1) and state != "full"', []),
    ("[Every|@every of=class set=class.state:full per=#night] [night|#] those older than a year are full", "", ["Every"]),
    ("[Every|@every of=class set=class.state:full from=class.day per=#night per=#weeks] [night|#] those [weeks|#] old are full", "", ["Every"]),
    # And of mails.
    ("[remind|@notify of=class to=class.email from=class.day per=#week] them a [week|#] before", "remind email 1 week before day", []),
    ("[remind|@notify of=class to=class.email from=class.day per=#day] them the [day|#] before", "remind email 1 day before day", []),
    ("[remind|@notify of=class to=class.email from=class.day per=#day] them on the [day|#]", "remind email 0 days before day", []),
    ("[remind|@notify of=class to=class.email from=class.day n=#half per=#year] them [half|#] a [year|#] before", "remind email 180 days before day", []),
    ("[remind|@notify of=class to=class.email from=class.day over=class.day per=#week] them a [week|#] after the day", "remind email 1 week after day", []),
    ("[remind|@notify of=class to=class.email from=class.day over=class.day per=#week] them a [week|#] before the day", "remind email 1 week before day", []),
    ("[remind|@notify of=class to=class.email from=class.day per=#weeks] them [weeks|#] before", "", ["remind"]),
    ("[remind|@notify of=class to=class.email from=class.day] them some weeks before", "", ["remind"]),
    # And of the latest moment of a step.
    ("they can be [joined|@action of=class set=class.state:full from=class.start per=#hour] up to an [hour|#] before the start", "when now < start - hours(1)", []),
    ("they can be [joined|@action of=class set=class.state:full from=class.start per=#hours] until some [hours|#] before the start", "", ["joined"]),
]  # fmt: skip


@pytest.mark.parametrize(("said", "line", "over"), SAID)
def test_rows_are_as_old_as_the_text_says_or_left_alone(said: str, line: str, over: list[str]) -> None:
    found, left = built(CLASSES + said + ".")
    assert left == over
    assert (line in found) if line else not any(one.startswith(("every ", "delete ", "remind ", "action ")) for one in found)


#: What is said, words that the model took for values, and the line that it comes to.
HEARD: list[tuple[str, list[str], str]] = [
    ("[delete|@expire of=class from=class.start] those older than a year", ["year"], "delete class where start < now - years(1)"),
    ("[delete|@expire of=class from=class.start] those older than 90 days", ["90"], "delete class where start < now - days(90)"),
    ("[delete|@expire of=class from=class.start] those older than 90 days", [], ""),
    ("[delete|@expire of=class from=class.start] those of 90 days, or of a year", ["90", "year"], ""),
    ("[delete|@expire of=class from=class.start] past ones. They last two hours", ["hours"], "delete class where start < now"),
    ("[delete|@expire of=class from=class.start] those some years old", ["years"], ""),
    ("[Every|@every of=class set=class.state:full per=#night] [night|#] those older than a year are full", ["year"], 'update class set state = "full" where created_at < now - years(1) and state != "full"'),
    # A schedule of the same sentence has the age that the deletion lacks.
    ("[Every|@every of=class per=#night n=#30 per=#days] [night|#] [delete|@expire of=class from=class.day] those of [30|#] [days|#]", [], "delete class where day < today - days(30)"),
    ("[remind|@notify of=class to=class.email from=class.day] them a week before", ["week"], "remind email 1 week before day"),
    ("[mail|@notify of=class to=class.email] them within a week", ["week"], "notify email on created"),
]  # fmt: skip


def heard(said: str, words: list[str]) -> Draft:
    """The draft of a marked text in which some words are heard as values besides."""
    draft = gold_draft(record_of(CLASSES + said + "."))
    start = draft.text.index("full. ")
    places = [draft.text.index(word, start) for word in words]
    draft.heard = [(at, at + len(word)) for at, word in zip(places, words, strict=True)]
    return draft


@pytest.mark.parametrize(("said", "words", "line"), HEARD)
def test_an_age_that_is_heard_and_bound_to_nothing_is_that_of_the_wish(said: str, words: list[str], line: str) -> None:
    draft = heard(said, words)
    with_ages(draft)
    blueprint, left = compile_draft(draft)
    assert blueprint is not None
    lines = [one.strip() for one in format_blueprint(blueprint).splitlines()]
    assert (line in lines) if line else not any(one.startswith(("delete ", "update ")) for one in lines)


def test_the_words_of_such_an_age_need_no_explanation() -> None:
    draft = heard(*HEARD[0][:2])
    with_ages(draft)
    stands = standing(draft, *compile_draft(draft))
    assert unexplained(stands, draft.text, taken(stands), len(draft.text)) == []


@pytest.mark.workerd
def test_a_service_that_deletes_what_is_a_year_old_is_proven(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    said = "[Delete|@expire of=class from=class.day per=#year] [classes|class] older than a [year|#]. "
    said += "[Every|@every of=class set=class.state:full from=class.day per=#evening per=#week] [evening|#] those a [week|#] past their day are full."
    blueprint, left = compile_draft(gold_draft(record_of(CLASSES + said)))
    assert blueprint is not None
    assert left == []
    report = proof(format_blueprint(blueprint), tmp_path, toolchain, host)
    assert report.proven, report.summary()
    assert report.skipped == (), report.summary()
