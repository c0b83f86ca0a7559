"""Events of others: checked, stored once, handled by own code."""

from __future__ import annotations

from clodo.blueprint.plan import Plan, camel
from clodo.bricks.incoming.document import amended
from clodo.bricks.incoming.language import HEADER, Incoming
from clodo.emit.brick import Brick, Import, Parts
from clodo.emit.tree import OWN
from clodo.emit.typescript import literal, rule

_SQL = """CREATE TABLE "incoming__event" (
  "id" TEXT PRIMARY KEY NOT NULL,
  "hook" TEXT NOT NULL,
  "event_id" TEXT NOT NULL,
  "type" TEXT,
  "payload" TEXT NOT NULL,
  "received_at" TEXT NOT NULL,
  "handled_at" TEXT,
  "claimed_until" TEXT NOT NULL,
  UNIQUE ("hook", "event_id")
);
CREATE INDEX "incoming__event__hook" ON "incoming__event" ("hook", "id");
CREATE INDEX "incoming__event__handled_at" ON "incoming__event" ("handled_at");"""


def _route(hook: Incoming) -> str:
    known = {"field": hook.field} if hook.field else {"header": hook.id_header} if hook.id_header else None
    sender = f"hmacSender({literal(hook.header or HEADER)}{f', {literal(known)}' if known else ''})" if hook.sender == "hmac" else f"{hook.sender}Sender"
    parts = f"sender: {sender}, read: {rule(hook.access)}, secret: {literal(hook.secret)}, handle: incomingHandlers.{camel(hook.name)}"
    return f"incoming(app, {literal(hook.name_in_path)}, {{ {parts} }});"


def _own_code(hooks: tuple[Incoming, ...]) -> str:
    names = " | ".join(literal(camel(hook.name)) for hook in hooks)
    cases = "\n".join(
        f"  /** An event of {hook.label}, sent to {hook.path}. */\n  {camel(hook.name)}: async (_event, _env) => {{}}," for hook in hooks
    )
    return f"""import type {{ Handle }} from "../lib/incoming";

/**
 * What this service does with the events that come in: write it here, the file is yours. Each event is signed, stored, and
 * handled once; if its handler throws, the sender is asked to send it again.
 */
export const incomingHandlers: Record<{names}, Handle> = {{
{cases}
}};
"""


def _parts(plan: Plan) -> Parts:
    hooks = plan.blueprint.parts_of(Incoming)
    return Parts(
        imports=(
            Import("incomingHandlers", "./custom/incoming"),
            Import("incoming", "./lib/incoming"),
            *(Import(f"{sender}Sender", "./lib/incoming-senders") for sender in dict.fromkeys(hook.sender for hook in hooks)),
        ),
        routes=tuple(_route(hook) for hook in hooks),
        secrets=tuple(hook.secret for hook in hooks),
        sql=(_SQL,),
        files={f"{OWN}incoming.ts": _own_code(hooks)},
        readme=_readme(hooks),
        amend=amended(plan, hooks),
    )


def _readme(hooks: tuple[Incoming, ...]) -> str:
    rows = "\n".join(f"| `{hook.path}` | {hook.label} | `{hook.secret}` |" for hook in hooks)
    return f"""## Incoming events

| sent to | signed by | secret |
|---|---|---|
{rows}

Put the secret that the sender shows you into `.dev.vars`, and set it with `npx wrangler secret put NAME` for production. `GET` at the
same path lists what came, `GET …/{{id}}` shows one with its payload. What is done with an event stands in `src/custom/incoming.ts`,
which is yours: generating the service anew leaves it as it is.
"""


BRICK = Brick("incoming", "clodo.bricks.incoming", lambda plan: bool(plan.blueprint.parts_of(Incoming)), _parts, order=61)
