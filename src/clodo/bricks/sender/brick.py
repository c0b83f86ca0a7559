"""Who takes the mails of a service: the webhook of its settings, or the mail binding."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from clodo.blueprint.plan import Plan
from clodo.bricks.sender.language import MailFrom, mails
from clodo.emit.brick import Brick, Parts

_README = """## Sender of mails

Cloudflare's mail binding `MAIL` sends the mails as plain text, from the address in the variable `MAIL_FROM` of `wrangler.jsonc`. Its domain has to be set up for sending in your
Cloudflare account (Email), and where that only lets verified addresses be written to, others are refused. `MAIL_LINK` is where a token leads, as in
`https://club.example/{purpose}?token={token}`; while it is empty, the token itself stands in the mail. `npm run dev` sends nothing: wrangler says which file has the mail.
"""
_WEBHOOK = """## Sender of mails

Mails are handed as JSON to the address in the secret `MAIL_WEBHOOK_URL` (`npx wrangler secret put MAIL_WEBHOOK_URL`), whose service writes and sends them. Without one nothing is sent.
"""


def binding_of(plan: Plan) -> MailFrom | None:
    """The address that the mail binding sends from, where the service has it."""
    return next(iter(plan.blueprint.parts_of(MailFrom)), None)


def _parts(plan: Plan) -> Parts:
    chosen = binding_of(plan)
    queue = {"src/lib/outgoing.ts": _source("outgoing")}
    if chosen is None:
        # No secret of the manifest: without it the service works, and mails nothing.
        return Parts(env={"MAIL_WEBHOOK_URL": "string | undefined"}, files={**queue, "src/lib/sender.ts": _source("webhook")}, readme=_WEBHOOK)
    return Parts(
        env={"MAIL": "SendEmail", "MAIL_FROM": "string", "MAIL_LINK": "string"},
        wrangler={"send_email": [{"name": "MAIL"}], "vars": {"MAIL_FROM": chosen.address, "MAIL_LINK": ""}},
        files={**queue, "src/lib/sender.ts": _source("binding"), "src/lib/mime.ts": _source("mime")},
        readme=_README,
    )


@cache
def _source(name: str) -> str:
    return files("clodo.bricks.sender").joinpath("ts", "private", f"{name}.ts").read_text("utf-8")


BRICK = Brick("sender", "clodo.bricks.sender", lambda plan: mails(plan.blueprint), _parts, order=62)
