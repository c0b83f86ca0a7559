"""Subscriptions, an outbox, and what sends it."""

from __future__ import annotations

from clodo.blueprint.plan import Plan
from clodo.bricks.webhooks.document import amended
from clodo.bricks.webhooks.language import Webhook
from clodo.emit.brick import Brick, EntityParts, Import, Parts
from clodo.emit.project import kebab_name
from clodo.emit.settings import settings_files
from clodo.emit.typescript import literal, rule

_CRON = "* * * * *"
_VARIABLES = {"WEBHOOK_ALLOW_LOCAL": "", "WEBHOOK_BACKOFF_SECONDS": "30", "WEBHOOK_MAX_ATTEMPTS": "12"}
_SQL = """CREATE TABLE "webhook__subscription" (
  "id" TEXT PRIMARY KEY NOT NULL,
  "url" TEXT NOT NULL,
  "events" TEXT NOT NULL,
  "created_at" TEXT NOT NULL,
  "updated_at" TEXT NOT NULL
);
CREATE TABLE "webhook__event" (
  "id" TEXT PRIMARY KEY NOT NULL,
  "type" TEXT NOT NULL,
  "row" TEXT NOT NULL,
  "created_at" TEXT NOT NULL
);
CREATE INDEX "webhook__event__created_at" ON "webhook__event" ("created_at");
CREATE TABLE "webhook__delivery" (
  "id" TEXT PRIMARY KEY NOT NULL,
  "webhook_id" TEXT NOT NULL REFERENCES "webhook__subscription"("id") ON DELETE CASCADE,
  "event_id" TEXT NOT NULL REFERENCES "webhook__event"("id") ON DELETE CASCADE,
  "event" TEXT NOT NULL,
  "status" TEXT NOT NULL CHECK ("status" IN ('pending', 'delivered', 'dead')),
  "attempts" INTEGER NOT NULL,
  "response_status" INTEGER,
  "error" TEXT,
  "next_attempt_at" TEXT,
  "created_at" TEXT NOT NULL,
  "updated_at" TEXT NOT NULL,
  UNIQUE ("event_id", "webhook_id")
);
CREATE INDEX "webhook__delivery__webhook_id" ON "webhook__delivery" ("webhook_id", "id");
CREATE INDEX "webhook__delivery__status" ON "webhook__delivery" ("status", "id");
CREATE INDEX "webhook__delivery__created_at" ON "webhook__delivery" ("created_at", "id");
CREATE INDEX "webhook__delivery__due" ON "webhook__delivery" ("next_attempt_at") WHERE "status" = 'pending';"""


def topics(plan: Plan) -> list[str]:
    """What can be subscribed to: the names of sets of events, and each event."""
    found = plan.blueprint.parts_of(Webhook)
    return list(dict.fromkeys([*(w.name for w in found), *(t for w in found for t in w.types)]))


def _hooks(plan: Plan) -> dict[str, EntityParts]:
    known: dict[str, dict[str, list[str]]] = {}
    for webhook in plan.blueprint.parts_of(Webhook):
        for watched in webhook.watched:
            for event, type_ in zip(watched.events, watched.types, strict=True):
                known.setdefault(watched.entity, {}).setdefault(event, [type_]).append(webhook.name)
    return {
        entity: EntityParts(
            imports=(Import("webhookHook", "../lib/webhook-hook"),), hooks=(f"webhookHook({literal(events)})",)
        )
        for entity, events in known.items()
    }


def _parts(plan: Plan) -> Parts:
    b = plan.blueprint
    # The name of a queue has at most 63 characters.
    queue = f"{kebab_name(b)[:54].rstrip('-')}-webhooks"
    access = b.parts_of(Webhook)[0].access
    consumer = {"queue": queue, "max_batch_size": 10, "max_batch_timeout": 1, "max_retries": 3}
    return Parts(
        imports=(
            Import("webhooks", "./lib/webhooks"),
            Import("deliverWebhooks", "./lib/webhook-delivery"),
            Import("sweepWebhooks", "./lib/webhook-delivery"),
        ),
        routes=(f"webhooks(app, {rule(access)}, {literal(topics(plan))});",),
        files=settings_files(),
        handlers={"queue": "deliverWebhooks", "scheduled": "sweepWebhooks"},
        env={"WEBHOOK_QUEUE": "Queue", **dict.fromkeys(_VARIABLES, "string")},
        wrangler={
            "queues": {"producers": [{"binding": "WEBHOOK_QUEUE", "queue": queue}], "consumers": [consumer]},
            "triggers": {"crons": [_CRON]},
            "vars": dict(_VARIABLES),
        },
        secrets=("WEBHOOK_KEY",),
        sql=(_SQL,),
        entities=_hooks(plan),
        readme=_readme(queue, topics(plan)),
        amend=amended(plan, access, topics(plan)),
    )


def _readme(queue: str, names: list[str]) -> str:
    return f"""## Webhooks

`POST /api/webhooks` `{{"url": "https://…", "events": ["{names[0]}"]}}` subscribes; the answer holds the secret, once. Events:
{", ".join(f"`{name}`" for name in names)}. They are signed after [Standard Webhooks](https://www.standardwebhooks.com), come at
least once (the header `webhook-id` stays the same), and are tried {_VARIABLES["WEBHOOK_MAX_ATTEMPTS"]} times in some 17 hours.
`GET /api/webhooks/deliveries?status=dead` lists what never arrived, `POST /api/webhooks/deliveries/{{id}}/retry` sends it again.

The secrets follow from `WEBHOOK_KEY`: another key means other secrets. Make the queue before the first deployment:
`npx wrangler queues create {queue}`. For receivers on your own machine put `WEBHOOK_ALLOW_LOCAL=localhost` into `.dev.vars`.
"""


BRICK = Brick("webhooks", "clodo.bricks.webhooks", lambda plan: bool(plan.blueprint.parts_of(Webhook)), _parts, order=60)
