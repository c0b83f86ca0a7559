"""Jobs: their word, what they add to a service, the faults that their checks find, and services of other kinds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.blueprint.plan import Plan, make_plan
from clodo.blueprint.values import KEY, PUBLIC, USER
from clodo.bricks.actions.values import Action
from clodo.bricks.jobs.brick import askers
from clodo.bricks.registry import service_checks, service_secrets, service_tree
from clodo.proof.check import Check
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught, proof

OPEN = """service clips

entity clip {
  title: text required
  ready: boolean required default false
  action transcode later {
    when ready = false "It is ready."
    set ready = true
  }
}
"""
KEYED = """service clips
read key
write key

entity clip {
  title: text required
  plays: integer required default 0 min 0
  no timestamps
  action play(times: integer default 1 min 1 max 9, note: text) later {
    set plays = plays + times
    create play (clip = this, note = note)
  }
}

entity play {
  note: text
  clip: -> clip required
}

webhook told on clip updated and play created

idempotency keys
"""
TENANTS = """service labs
read user
write user

users {
}

entity lab {
  name: text required
  action open later {
    by user
    create sample (code = name)
  }
}

entity sample {
  code: text required
  state: enum(new, tested) required default new
  assignee: -> user
  transitions state: new -> tested
  action test later {
    by user
    when state = "new" "It is tested."
    set state = "tested", assignee = caller
  }
  audit read user
  versions
}

entity substance {
  name: text required
  checked: boolean default false
  action mark_checked later {
    by user
    set checked = true
  }
  shared
}

tenants lab

idempotency keys
"""
MIXED = """service mixed
read user
write user

users {
  roles clerk
}

entity paper {
  title: text required
  scans: integer required default 0 min 0
  read owner
  write owner
  action scan later {
    set scans = scans + 1
  }
}

entity box {
  name: text required
  opened: integer required default 0 min 0
  read public
  action open later {
    by public
    set opened = opened + 1
  }
  action seal later {
    by key
    when opened < 5 "It was opened too often."
    set opened = 0
  }
}
"""


def test_its_word_stands_behind_the_name_and_the_parameters() -> None:
    blueprint = parse(example_of("jobs"))
    develop, printed, lose = blueprint.entities[0].parts_of(Action)
    assert (develop.later, printed.later, lose.later) == (True, True, False)
    assert (
        "  action print(copies: integer required min 1 max 20) later {"
        in format_blueprint(blueprint).splitlines()
    )
    with pytest.raises(InvalidBlueprint):
        parse(OPEN.replace("transcode later {", "later transcode {"))


def test_a_name_may_be_its_word() -> None:
    [action] = parse(OPEN.replace("transcode later {", "later {")).entities[0].parts_of(Action)
    assert (action.name, action.later) == ("later", False)


def test_its_path_is_taken() -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse(f"{OPEN}\nentity background_job {{\n  name: text\n}}\n")
    assert (
        "The entity 'background_job' would answer at /api/background-jobs, and so would the action 'transcode'. Rename the entity."
        in caught.value.message
    )
    parse(f"{OPEN}\nentity job {{\n  name: text\n}}\n")
    parse(f"{OPEN.replace(' later {', ' {')}\nentity background_job {{\n  name: text\n}}\n")


def test_somebody_can_look_after_jobs() -> None:
    assert "API_KEY" in service_secrets(parse(OPEN)) and "API_KEY" not in service_secrets(
        parse(OPEN.replace(" later {", " {"))
    )
    assert "API_KEY" not in service_secrets(parse(example_of("jobs")))
    assert "API_KEY" in service_secrets(parse(MIXED)), "an action asks for it"


@pytest.mark.parametrize(
    ("source", "rules"),
    [(OPEN, (KEY, PUBLIC)), (KEYED, (KEY,)), (MIXED, (USER, KEY, PUBLIC)), (TENANTS, (USER,))],
    ids=["open", "keyed", "mixed", "tenants"],
)
def test_who_asks_sees_what_becomes_of_it(source: str, rules: tuple[object, ...]) -> None:
    assert askers(make_plan(parse(source))) == rules


def test_the_queue_has_a_dead_letter_queue_with_a_consumer_of_its_own() -> None:
    source = example_of("jobs").replace("service film_lab", f"service f{'i' * 60}lm")
    tree = service_tree(parse(source), source)
    config = json.loads(tree["wrangler.jsonc"].split("\n", 1)[1])
    [producer], [own, dead] = config["queues"]["producers"], config["queues"]["consumers"]
    assert (
        producer == {"binding": "JOB_QUEUE", "queue": own["queue"]}
        and own["dead_letter_queue"] == dead["queue"]
    )
    assert (
        own["max_retries"] > int(config["vars"]["JOB_MAX_ATTEMPTS"])
        and "dead_letter_queue" not in dead
    )
    assert all(len(queue["queue"]) <= 63 for queue in (own, dead))


def test_an_action_at_once_brings_no_queue() -> None:
    source = OPEN.replace(" later {", " {")
    tree = service_tree(parse(source), source)
    assert (
        "src/lib/jobs.ts" not in tree
        and "queues" not in tree["wrangler.jsonc"]
        and "_job" not in tree["migrations/0001_init.sql"]
    )


def test_a_message_for_webhooks_is_left_alone() -> None:
    index = service_tree(parse(KEYED), KEYED)["src/index.ts"]
    assert (
        "(runJobs(work), deliverWebhooks)," in index
        and "(sweepJobs(work), sweepWebhooks)," in index
    )


# -- planted faults ---------------------------------------------------------------------------

RUN, ROUTES = "src/lib/job-run.ts", "src/lib/jobs.ts"
FAULTS = [
    Fault("done at once, and once more", ROUTES, "asserted(c, a, values),", "asserted(c, a, values), ...a.effects.map(({ sql, uses }) => c.env.DB.prepare(sql).bind(...values.slice(0, uses))),", "jobs.|actions."),
    Fault("guards are not looked at first", ROUTES, "asserted(c, a, values),", "", "jobs.guard"),
    Fault("the answer does not say where", ROUTES, "`/api/${job.path}/${asked.id}` }", "`/api/${job.path}` }", "jobs.queued"),
    Fault("nothing goes to the queue", ROUTES, "await env.JOB_QUEUE.send(message)", "await Promise.resolve(message)", "jobs."),
    Fault("what is done is not noted with it", RUN, "valuesOf(change, given), done(env, job));", "valuesOf(change, given));\n  await env.DB.batch(done(env, job));", "jobs.failed|jobs.taken"),
    Fault("an attempt does not ask whether the job is its own", RUN, "THEN 1 ELSE json('taken') END", "THEN 1 ELSE 0 END", "jobs.taken"),
    Fault("a job that is done can be begun again", RUN, """WHERE "id" = ? AND "status" = 'queued' AND "next_attempt_at" <= ? RETURNING""", """WHERE "id" = ? AND coalesce("next_attempt_at", '') <= ? RETURNING""", "jobs.once"),
    Fault("refused by a guard, it is tried again", RUN, "error instanceof Problem && error.status < 500", "error instanceof Problem && error.status < 400", "jobs.guard"),
    Fault("a refusal has no words", RUN, '"refused", error.status, error.detail', '"refused", error.status, "no"', "jobs.guard"),
    Fault("the rule is not asked again", RUN, "if (!allows(action.by, caller)) throw", "if (false) throw", "jobs.asker"),
    Fault("done in nobody's name", RUN, "if (job.user_id === null) return key;", "return key;", "jobs.|actions."),
    Fault("jobs are there for all", ROUTES, """if (caller.user !== undefined) return [condition('"user_id" = ?', caller.user.id)];""", "if (caller.user !== undefined) return [];", "jobs.strangers"),
    Fault("one job is there for all", ROUTES, "limits: [...(job.limits ?? []), seen]", "limits: [...(job.limits ?? [])]", "jobs.strangers"),
    Fault("anybody tries again", ROUTES, "await one(c, await admit(c, keeper))", 'await one(c, await admit(c, "user"))', "jobs.strangers"),
    Fault("what is done can be tried again", ROUTES, """condition(`"status" = 'failed'`)""", """condition(`"status" <> 'queued'`)""", "jobs.failed"),
    Fault("it never gives up", RUN, "job.attempts < most ?", "true ?", "jobs.failed"),
    Fault("it gives up at once", RUN, "job.attempts < most ?", "false ?", "jobs.failed"),
    Fault("a fault is told in full", RUN, '"Something went wrong on our side.", again', "String(error), again", "jobs.failed"),
    Fault("what the queue gives up is forgotten", RUN, "await giveUp(env, id)", "void giveUp", "jobs.given-up"),
    Fault("cron does nothing", RUN, ".bind(iso(now - LATE_MS), SWEPT_AT_ONCE)", ".bind(iso(now - LATE_MS), 0 * SWEPT_AT_ONCE)", "jobs.swept"),
    Fault("cron takes what is under way", RUN, 'AND "next_attempt_at" <= ?', "AND ? <> ''", "jobs.swept"),
    Fault("old jobs are kept", RUN, "const KEPT_MS = 7 * DAY_MS;", "const KEPT_MS = 70_000 * DAY_MS;", "jobs.forgotten"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_planted_fault_is_caught(
    fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host
) -> None:
    expect_caught(example_of("jobs"), tmp_path / "s", toolchain, host, fault)


# -- other services ---------------------------------------------------------------------------


def of_this_brick(plan: Plan) -> list[Check]:
    return [c for c in service_checks(plan) if c.id.startswith(("jobs.", "actions.", "tenants.routes")) or c.prepare is not None]


@pytest.mark.workerd
@pytest.mark.parametrize(
    "source", [OPEN, KEYED, TENANTS, MIXED], ids=["open", "keyed", "tenants", "mixed"]
)
def test_services_of_other_kinds_are_proven(
    source: str, tmp_path: Path, toolchain: Toolchain, host: Host
) -> None:
    report = proof(source, tmp_path / "s", toolchain, host, types=True, checks=of_this_brick)
    assert report.proven, report.summary()
    assert any(e.id == "jobs.queued" and e.outcome == "passed" for e in report.evidence)
