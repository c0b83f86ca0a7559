"""Schedules: their words, what is wrong with them, planted faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.blueprint.cron import times
from clodo.blueprint.plan import Plan, make_plan
from clodo.bricks.registry import service_checks, service_tree
from clodo.bricks.schedules.brick import chosen
from clodo.bricks.schedules.language import RunAction, Schedule, cron
from clodo.bricks.schedules.ringing import meant
from clodo.proof.check import Check
from clodo.proof.files import without_comments
from clodo.proof.host import Host
from clodo.proof.session import Session
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught, proof

HEAD = 'service x\n\nentity hold {\n  name: text\n  until: datetime required\n  action end(why: text) {\n    set name = why\n  }\n  action move(to: datetime required) {\n    set until = to\n  }\n}\n'


def with_schedule(when: str, *lines: str) -> str:
    return f"{HEAD}\nevery {when} {{\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


@pytest.mark.parametrize(
    ("when", "line"),
    [
        ("minute", "* * * * *"),
        ("15 minutes", "*/15 * * * *"),
        ("hour", "0 * * * *"),
        ('day at "03:20"', "20 3 * * *"),
        ('sunday at "00:00"', "0 0 * * SUN"),
        ('friday at "18:05"', "5 18 * * FRI"),
        ('month at "06:00"', "0 6 1 * *"),
    ],
)
def test_times_have_one_form_and_a_line_of_cron(when: str, line: str) -> None:
    source = with_schedule(when, "delete hold where until < now", "run end on hold where until < now - days(1)")
    blueprint = parse(source)
    assert format_blueprint(blueprint) == source
    assert [cron(s) for s in blueprint.parts_of(Schedule)] == [line]


@pytest.mark.parametrize(
    ("when", "lines", "words"),
    [
        ("7 minutes", ["delete hold where until < now"], "not evenly apart"),
        ("day", ["delete hold where until < now"], "wants a time of day"),
        ('day at "25:00"', ["delete hold where until < now"], "wants a time of day"),
        ('hour at "03:00"', ["delete hold where until < now"], "takes no time of day"),
        ("hour", [], "does nothing"),
        ("hour", ["delete holds where until < now"], "There is no entity 'holds'"),
        ("hour", ["delete hold where until"], "A condition is yes or no"),
        ("hour", ["update hold set name = 3 where until < now"], "'name' is a text"),
        ("hour", ["run stop on hold where until < now"], "There is no action 'stop'"),
        ("hour", ["run move on hold where until < now"], "required parameters"),
        ("hour", ["run end on hold where untill < now"], "Did you mean until?"),
        ("3 hour", ["delete hold where until < now"], "is no time of a schedule"),
    ],
)
def test_what_makes_no_sense_is_told(when: str, lines: list[str], words: str) -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse(with_schedule(when, *lines))
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("unit", "number"), [("sunday", 1), ("monday", 2), ("tuesday", 3), ("wednesday", 4), ("thursday", 5), ("friday", 6), ("saturday", 7)]
)
def test_days_of_the_week_are_those_that_cloudflare_means(unit: str, number: int) -> None:
    source = with_schedule(f'{unit} at "07:30"', "delete hold where until < now")
    [schedule] = parse(source).parts_of(Schedule)
    config = json.loads(without_comments(service_tree(parse(source), source)["wrangler.jsonc"]))
    [line] = config["triggers"]["crons"]
    everyday = (range(1, 32), range(1, 13))
    assert times(line) == (frozenset({30}), frozenset({7}), *map(frozenset, everyday), frozenset({number})) == meant(schedule)
    assert f'cron: "{line}"' in service_tree(parse(source), source)["src/index.ts"]


INDEX, LIB, CONFIG = "src/index.ts", "src/lib/schedules.ts", "wrangler.jsonc"
WEEKLY = HEAD + '\nevery monday at "07:30" {\n  delete hold where until < now\n}\n\nevery sunday at "07:30" {\n  run end on hold where name = "a" and until > now\n}\n'
WRONG_DAYS = [
    Fault("days counted from Monday", CONFIG, "30 7 * * MON", "30 7 * * 1", "schedules.does"),
    Fault("Sunday is 0", CONFIG, "30 7 * * SUN", "30 7 * * 0", "schedules.does"),
    Fault("the code waits for another line", INDEX, "30 7 * * MON", "30 7 * * mon", "schedules.does"),
    Fault("no line at all", CONFIG, "30 7 * * MON", "30 7 * * TUE", "schedules.does"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", WRONG_DAYS, ids=lambda f: f.name.replace(" ", "-"))
def test_wrong_days_are_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(WEEKLY, tmp_path / "s", toolchain, host, fault)


FAULTS = [
    Fault("never done", LIB, "schedule.cron !== controller.cron", "schedule.cron === controller.cron", "schedules.does"),
    Fault("everything deleted", INDEX, 'WHERE (\\"session\\".\\"expires_at\\" <', 'WHERE (\\"session\\".\\"expires_at\\" IS NOT', "schedules.does"),
    Fault("actions not run", LIB, "await run.carryOut(c, row);", "void run;", "schedules.does"),
    Fault("run on the others", LIB, "WHERE (${where.sql}) AND", "WHERE NOT (${where.sql}) AND", "schedules.does"),
    Fault("statements not done", LIB, "if (schedule.statements.length > 0)", "if (schedule.statements.length > 99)", "schedules.does"),
    Fault("the time of another day", LIB, "new Date(controller.scheduledTime)", "new Date(controller.scheduledTime - 400 * 86_400_000)", "schedules.does"),
    Fault("no rows at once", LIB, "const ROWS_AT_ONCE = 500;", "const ROWS_AT_ONCE = 0;", "schedules.does"),
    Fault("another state", "src/actions.ts", "SET \\\"status\\\" = 'expired'", "SET \\\"status\\\" = 'ready'", "schedules.does|actions.does"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_planted_fault_is_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(example_of("schedules"), tmp_path / "s", toolchain, host, fault)


BREAKING = """service depot

entity crate {
  label: text required unique
  stock: integer required min 0
  until: date
}

entity tank {
  label: text required
  level: integer required min 0 default 0
  action drain {
    set level = level - 1
  }
}

every day at "03:00" {
  update crate set stock = stock - 1 where until < today
  run drain on tank where label = "x"
}

every day at "03:00" {
  delete crate where label = "old"
}
"""
BREAKING_FAULTS = [
    Fault("one refusal ends all of that time", LIB, "failures.push(error);\n      }\n    };", "throw error;\n      }\n    };", "schedules.apart"),
    Fault("nobody hears of what failed", LIB, "if (failures.length > 0) throw failures[0];\n  };", "};", "schedules.apart"),
    Fault("refused rows count", LIB, "tried += 1;", "tried += 1;\n      done += 1;", "schedules.turn"),
    Fault("the same rows are tried each time", LIB, "const begun = await placeOf(c.env, run);\n  let [after, last, done, tried] = [begun, END, 0, 0];", 'const begun = "";\n  let [after, last, done, tried] = [begun, END, 0, 300];', "schedules.turn"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", BREAKING_FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_what_fails_must_fail_alone(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(BREAKING, tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
def test_rows_that_break_a_rule_are_no_fault_of_the_service(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(BREAKING, tmp_path / "s", toolchain, host)
    assert report.proven, report.summary()
    found = {e.id: e.outcome for e in report.evidence if e.id.startswith("schedules.")}
    assert found == {"schedules.does": "passed", "schedules.apart": "passed", "schedules.turn": "passed"}


@pytest.mark.parametrize(("lines", "words"), [("create own (n = 1)", "have an owner"), ("set holder = caller", "asks who calls")])
def test_actions_that_need_a_caller_are_not_for_schedules(lines: str, words: str) -> None:
    source = (
        f"service x\n\nusers {{\n}}\n\nentity own {{\n  n: integer\n  write owner\n}}\n\nentity hold {{\n  n: integer\n  holder: -> user\n  action take {{\n    by user\n    {lines}\n  }}\n}}\n\n"
        "every hour {\n  run take on hold where n = 1\n}\n"
    )
    with pytest.raises(InvalidBlueprint) as caught:
        parse(source)
    assert words in caught.value.message


def test_rows_that_a_guard_refuses_keep_none_from_their_turn() -> None:
    source = (
        "service x\n\nentity hold {\n  until: datetime required\n  left: integer\n  action end(least: integer) {\n    when left > 2\n    when left > least\n    set left = 0\n  }\n}\n\n"
        "every hour {\n  run end on hold where until < now\n}\n"
    )
    plan = make_plan(parse(source))
    run = plan.blueprint.parts_of(Schedule)[0].work[0]
    assert isinstance(run, RunAction)
    where = chosen(plan, run)
    assert where.sql == '("hold"."until" < ?1) AND ("hold"."left" > 2)' and where.uses == 1


@pytest.mark.workerd
def test_rows_are_brought_before_the_clock_however_many_were_made(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    """Samples are a day apart: the more rows other checks made, the nearer to this day they come, and at last beyond it."""

    def late(plan: Plan) -> Iterator[Check]:
        async def made(s: Session) -> None:
            for _ in range((datetime.now(UTC) - datetime(2026, 1, 1, tzinfo=UTC)).days + 100):
                s.number()

        yield Check("many", "many rows are made", made)
        yield from (c for c in service_checks(plan) if c.id == "schedules.does")

    report = proof(example_of("schedules"), tmp_path / "s", toolchain, host, checks=late)
    assert report.proven, report.summary()
    assert {e.outcome for e in report.evidence} == {"passed"}, report.summary()
