"""The queue of a service, the table of its jobs, and the routes that show them."""

from __future__ import annotations

from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import KEY, PUBLIC, USER, Access, Blueprint, Entity, Who
from clodo.bricks.actions.brick import action_const, action_path, actions_of
from clodo.bricks.actions.values import JOBS, Action, who_may
from clodo.bricks.idempotency.language import IdempotencyKeys
from clodo.bricks.jobs.document import amended, queued_answer
from clodo.bricks.tenants.language import HEADER, tenant_entity
from clodo.emit.assembly import import_lines
from clodo.emit.brick import Brick, Import, Parts
from clodo.emit.project import kebab_name
from clodo.emit.settings import settings_files
from clodo.emit.typescript import entity_const, entity_module, literal, rule

_CRON = "* * * * *"
_VARIABLES = {"JOB_BACKOFF_SECONDS": "30", "JOB_MAX_ATTEMPTS": "5"}
#: How often the queue itself brings a message back. It is more than the attempts that a job has, which the table counts: what uses it up
#: could not even be counted.
_RETRIES = 6
_SQL = """CREATE TABLE "_job" (
  "id" TEXT PRIMARY KEY NOT NULL,
  "action" TEXT NOT NULL,
  "row_id" TEXT NOT NULL,
  "given" TEXT NOT NULL,
  "user_id" TEXT,
  "by_key" INTEGER NOT NULL,
  "tenant_id" TEXT,
  "status" TEXT NOT NULL CHECK ("status" IN ('queued', 'done', 'refused', 'failed')),
  "attempts" INTEGER NOT NULL,
  "error_status" INTEGER,
  "error" TEXT,
  "claim" TEXT,
  "next_attempt_at" TEXT,
  "created_at" TEXT NOT NULL,
  "updated_at" TEXT NOT NULL
);
CREATE INDEX "_job__user_id" ON "_job" ("user_id", "id");
CREATE INDEX "_job__status" ON "_job" ("status", "updated_at");
CREATE INDEX "_job__due" ON "_job" ("next_attempt_at") WHERE "status" = 'queued';"""


def later_actions(plan: Plan) -> list[tuple[Entity, Action]]:
    """The actions that are done later, each with its entity."""
    return [(e, a) for e, a in actions_of(plan) if a.later]


def job_name(e: Entity, action: Action) -> str:
    """What jobs call an action."""
    return f"{e.name}.{action.name}"


def keeper(b: Blueprint) -> Access:
    """Who sees all jobs, and tries those again that failed."""
    return KEY if b.users is None else Access(Who.ROLE, ("admin",))


def askers(plan: Plan) -> tuple[Access, ...]:
    """Who may ask for jobs, or sees all of them; the first is who has a list of them."""
    asked = {who_may(plan.blueprint, e, a).who for e, a in later_actions(plan)}
    known = USER if plan.blueprint.users is not None else KEY
    others = [rule for rule in (KEY, PUBLIC) if rule.who in asked and rule is not known]
    return (known, *others)


def _parts(plan: Plan) -> Parts:
    found = later_actions(plan)
    name = kebab_name(plan.blueprint)
    # The name of a queue has at most 63 characters.
    queue = f"{name[:53].rstrip('-')}-jobs"
    dead = f"{queue}-dead"
    consumer = {
        "queue": queue,
        "max_batch_size": 10,
        "max_batch_timeout": 1,
        "max_retries": _RETRIES,
        "retry_delay": 30,
        "dead_letter_queue": dead,
    }
    amend_jobs = amended(
        plan, [job_name(e, a) for e, a in found], keeper(plan.blueprint), askers(plan)
    )

    def amend(document: dict[str, Any]) -> None:
        for e, action in found:
            document["paths"] |= action_path(plan, e, action, {202: queued_answer()})
        amend_jobs(document)

    return Parts(
        imports=(
            Import("jobs", "./lib/jobs"),
            Import("later", "./lib/jobs"),
            *(Import(made, "./lib/job-run") for made in ("runJobs", "sweepJobs")),
            *(Import(made, "./jobs") for made in ("ledger", "work")),
        ),
        routes=("for (const one of work.all) later(app, ledger, one);", "jobs(app, ledger);"),
        handlers={"queue": "runJobs(work)", "scheduled": "sweepJobs(work)"},
        env={"JOB_QUEUE": "Queue", **dict.fromkeys(_VARIABLES, "string")},
        wrangler={
            "queues": {
                "producers": [{"binding": "JOB_QUEUE", "queue": queue}],
                "consumers": [
                    consumer,
                    {
                        "queue": dead,
                        "max_batch_size": 10,
                        "max_batch_timeout": 5,
                        "max_retries": _RETRIES,
                    },
                ],
            },
            "triggers": {"crons": [_CRON]},
            "vars": dict(_VARIABLES),
        },
        sql=(_SQL,),
        files={"src/jobs.ts": _module(plan, found, dead), **settings_files()},
        readme=_readme(plan, found, queue, dead),
        amend=amend,
    )


def _module(plan: Plan, found: list[tuple[Entity, Action]], dead: str) -> str:
    """``src/jobs.ts``: what can be done later, and who sees what becomes of it."""
    b = plan.blueprint
    tenant = tenant_entity(b)
    keyed = bool(b.parts_of(IdempotencyKeys))
    entities = {e.name: e for e, _ in found} | ({tenant.name: tenant} if tenant is not None else {})
    imports = [
        Import("Ledger", "./lib/jobs", is_type=True),
        Import("Work", "./lib/job-run", is_type=True),
        Import("jobEntity", "./lib/jobs"),
        *(Import(action_const(e, a), "./actions") for e, a in found),
        *(Import(entity_const(e), f"./entities/{entity_module(e)}") for e in entities.values()),
        *(
            (Import("chosenTenant", "./lib/tenants"), Import("inTenant", "./lib/tenants"))
            if tenant is not None
            else ()
        ),
        *((Import("noted", "./lib/idempotency"),) if keyed else ()),
    ]
    names = literal([job_name(e, a) for e, a in found])
    limit = 'inTenant("tenant_id")' if tenant is not None else "undefined"
    more = f", {limit}, [noted]" if keyed else f", {limit}" if tenant is not None else ""
    lines = [
        *import_lines(imports),
        "",
        "export const ledger: Ledger = {",
        f"  job: jobEntity({names}{more}),",
        f"  keeper: {rule(keeper(b))},",
        f"  askers: [{', '.join(rule(asker) for asker in askers(plan))}],",
        "};",
        "",
        "export const work: Work = {",
        "  all: [",
        *(
            f"    {{ name: {literal(job_name(e, a))}, entity: {entity_const(e)}, action: {action_const(e, a)} }},"
            for e, a in found
        ),
        "  ],",
        f"  dead: {literal(dead)},",
        *(
            [
                f"  tenancy: {{ header: {literal(HEADER)}, authenticate: chosenTenant({entity_const(tenant)}) }},"
            ]
            if tenant is not None
            else []
        ),
        "};",
        "",
    ]
    return "\n".join(lines)


def _readme(plan: Plan, found: list[tuple[Entity, Action]], queue: str, dead: str) -> str:
    rows = "\n".join(
        f"| `POST /api/{plan.path(e)}/{{id}}/{a.segment}` | {who_may(plan.blueprint, e, a)} |"
        for e, a in found
    )
    kept = "an administrator" if plan.blueprint.users is not None else "whoever has the API key"
    return f"""## Work behind the answer

| call, answered 202 | who |
|---|---|
{rows}

The answer names the job (`url`), and `GET` of it says what becomes of it: `queued`, `done`, `refused` (in the words of what forbade
it) or `failed`, after {_VARIABLES["JOB_MAX_ATTEMPTS"]} attempts (`JOB_MAX_ATTEMPTS`, at most {_RETRIES}; `JOB_BACKOFF_SECONDS` is the first wait between them).
`GET /api/{JOBS}?status=failed` lists what failed, and `POST /api/{JOBS}/{{id}}/retry` tries it again; that is for {kept}.

Make the queues before the first deployment: `npx wrangler queues create {queue}` and `npx wrangler queues create {dead}`.
"""


BRICK = Brick("jobs", "clodo.bricks.jobs", lambda plan: bool(later_actions(plan)), _parts, order=60)
