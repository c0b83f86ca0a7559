"""What verbs that services speak of are called after, in any form; and what a row is then."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.understand.verbs import base_form, participle

#: Verbs, the participle that is written for them, and other forms of them.
FORMS = [line.split() for line in (Path(__file__).parent / "verb_forms.txt").read_text("utf-8").splitlines()]
#: Verbs with other words, in what is written for them.
WRITTEN = [
    ("re-opened", "reopen"), ("Re-added", "readd"), ("un-archived", "unarchive"), ("pre-approved", "preapprove"), ("over-booked by", "overbook_by"), ("trans-coded", "transcode"),
    ("checked in", "check_in"), ("signed off", "sign_off"), ("timed out", "time_out"), ("backed up", "back_up"), ("written off", "write_off"), ("e-mailed", "email"),
]  # fmt: skip


@pytest.mark.parametrize("forms", FORMS, ids=lambda forms: forms[0])
def test_every_form_of_a_verb_has_its_base(forms: list[str]) -> None:
    assert {form: base_form(form) for form in forms} == dict.fromkeys(forms, forms[0])


@pytest.mark.parametrize("forms", FORMS, ids=lambda forms: forms[0])
def test_verbs_have_their_participle(forms: list[str]) -> None:
    assert participle(forms[0]) == forms[1]


@pytest.mark.parametrize(("said", "name"), WRITTEN)
def test_what_is_written_in_front_of_a_verb_is_part_of_it(said: str, name: str) -> None:
    assert base_form(said) == name


@pytest.mark.parametrize("noun", ["payment", "cancellation", "approval", "demotion", "reaction", "refusal", "readiness", "attendance", "conference"])
def test_nouns_have_no_participle(noun: str) -> None:
    assert participle(noun) == ""
