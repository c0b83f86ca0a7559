"""What a report tells people."""

from __future__ import annotations

from clodo.proof.report import Evidence, Report


def test_what_could_not_be_carried_out_is_named_with_its_reason() -> None:
    report = Report("shop", (Evidence("a.b", "a rule", "passed"), Evidence("schedules.does", "every night", "skipped", "no row was found that this is about")))
    assert report.proven
    assert "1 could not be carried out" in report.summary()
    assert "every night  [schedules.does]: no row was found that this is about" in report.summary()
