"""``README.md``: how to run the service and call it, in commands that work as they are printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from clodo.blueprint.constructs import introductions
from clodo.blueprint.plan import Plan
from clodo.blueprint.samples import entity_body, sample_body
from clodo.blueprint.values import Access, Blueprint, Entity, Who
from clodo.toolchain.pins import needed_node

_URL = "http://127.0.0.1:8787"
_JSON_HEADER = "-H 'Content-Type: application/json'"
# Signs that no example holds, around the name of a variable of the shell.
_OPEN, _CLOSE = "\ue000", "\ue001"


def readme(plan: Plan, secrets: tuple[str, ...], sections: Sequence[str] = ()) -> str:
    """The whole page."""
    b = plan.blueprint
    title = (b.title or b.name.replace("_", " ").capitalize()).replace("\n", " ")
    parts = [
        f"# {title}\n",
        f"A Cloudflare Worker{' with a D1 database' if plan.stores else ''}, made from `blueprint.clodo`.\n",
        "## Run it\n\n```sh\nnpm install\nnpm run dev      # http://127.0.0.1:8787, see /docs\nnpm test\n```\n",
        f"wrangler needs {needed_node()} (`node --version` tells yours); npm installs it on an older one, too, where it does not start.\n",
    ]
    if secrets:
        names = ", ".join(f"`{s}`" for s in secrets)
        parts.append(
            f"Local secrets ({names}) stand in `.dev.vars`, which git ignores. For production set each with "
            "`npx wrangler secret put NAME`.\n"
        )
    if b.entities:
        rows = [f"| `/api/{plan.path(e)}` | {b.read_access(e)} | {_writers(b, e)} |" for e in b.entities]
        parts.append("## Routes\n\n| path | who reads | who writes |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    parts.append("## Examples\n\nWith the service running, in a second shell:\n\n" + _sh(_preparation(plan, secrets)))
    if b.users is not None:
        parts.append(_accounts(b))
    if b.entities:
        parts.append(_sh([line for e in _parents_first(b) for line in _calls(plan, e)]))
        parts.append("Lists take `limit`, `cursor`, `sort`, `<field>=`, `<field>_min=` and `<field>_max=`.")
    parts.append("Errors are `application/problem+json`. The whole interface is described in `openapi.json`.\n")
    parts += sections
    database = "Create the database, put its id into `wrangler.jsonc`, then `npm run deploy`." if plan.stores else "Run `npm run deploy`."
    parts.append(f"## Deploy\n\n{database}\n")
    return "\n".join(parts)


def _writers(b: Blueprint, e: Entity) -> str:
    apart = [f"; {verb}: {rule}" for verb, rule in (("creates", e.create), ("deletes", e.delete)) if rule is not None]
    return "".join([str(b.write_access(e)), *apart])


def _sh(lines: list[str]) -> str:
    return "```sh\n" + "\n".join(lines) + "\n```\n"


def _preparation(plan: Plan, secrets: tuple[str, ...]) -> list[str]:
    b = plan.blueprint
    lines = [f"curl {_URL}/health"]
    if secrets:
        lines.append("set -a; . ./.dev.vars; set +a      # the local secrets as variables")
    if b.users is not None or _needed_ids(b):
        lines.append("pick() { node -p \"JSON.parse(require('fs').readFileSync(0))$1\"; }")
    return lines


def _accounts(b: Blueprint) -> str:
    assert b.users is not None
    roles = dict.fromkeys(role for a in b.accesses for role in a.roles)
    # An administrator may do what any role may, so that every call below is allowed.
    email = f"{_OPEN}ADMIN_EMAIL{_CLOSE}" if roles else "ann@example.com"
    account = {"email": email, "password": "a long password"}
    lines = [
        f"TOKEN=$(curl -s {_URL}/api/auth/register {_JSON_HEADER} -d {_data({**account, **sample_body(b.users.fields)})} | pick .token)",
        f"# later: TOKEN=$(curl -s {_URL}/api/auth/login {_JSON_HEADER} -d {_data(account)} | pick .token)",
    ]
    if roles and b.users.confirms:
        confirmed = f"UPDATE \\\"user\\\" SET role = 'admin', {b.users.CONFIRMED} = 1 WHERE email = '$ADMIN_EMAIL'"
        lines.insert(1, f'npx wrangler d1 execute DB --local --command "{confirmed}"      # as the mailed token would')
    if "user" in _needed_ids(b) and b.entity("user") is None:
        lines.append(f'{_id("user")}=$(curl -s {_URL}/api/auth/me {_TOKEN_HEADER} | pick .id)')
    admin = "is, once it is confirmed, `admin`" if b.users.confirms else "registers as `admin`"
    said = f"Whoever registers has the role `user`; the address in `ADMIN_EMAIL` {admin}, who may do what any role may.\n"
    given = [r for r in (*roles, *b.users.roles) if r not in ("user", "admin")]
    if given:
        update = f"UPDATE \\\"user\\\" SET role = '{given[0]}' WHERE email = 'ann@example.com'"
        said += "Other roles are given in the database (`--remote` where it is deployed):\n\n" + _sh(
            [f'npx wrangler d1 execute DB --local --command "{update}"']
        )
    return _sh(lines) + "\n" + said


_TOKEN_HEADER = '-H "Authorization: Bearer $TOKEN"'


def _calls(plan: Plan, e: Entity) -> Iterator[str]:
    b = plan.blueprint
    path = f"{_URL}/api/{plan.path(e)}"
    body: dict[str, Any] = entity_body(e)
    rules = [b.create_access(e)]
    for r in e.references:
        if r.required:
            body[f"{r.name}_id"] = f"{_OPEN}{_id(r.target)}{_CLOSE}"
            parent = b.entity(r.target)
            rules += [b.read_access(parent)] if parent is not None else []
    named = "".join(f' -H "{header}: ${_id(name)}"' for name, header in introductions(b).items() if name != e.name)
    post = f"curl -s {path}{_headers(rules)}{named} {_JSON_HEADER} -d {_data(body)}"
    yield f"{_id(e.name)}=$({post} | pick .id)" if e.name in _needed_ids(b) else post
    yield f"curl -s {path}{_headers([b.read_access(e)])}{named}"


def _needed_ids(b: Blueprint) -> set[str]:
    """The names of what others have to refer to."""
    return {r.target for e in b.entities for r in e.references if r.required} | set(introductions(b))


def _id(name: str) -> str:
    return f"{name.upper()}_ID"


def _data(body: dict[str, Any]) -> str:
    """A body between single quotes, its variables outside of them."""
    text = json.dumps(body, ensure_ascii=False).replace("'", "'\\''")
    return "'" + re.sub(f"{_OPEN}(\\w+){_CLOSE}", "'\"$\\1\"'", text) + "'"


def _headers(rules: list[Access]) -> str:
    kinds = dict.fromkeys("key" if a.who is Who.KEY else "token" for a in rules if a.who is not Who.PUBLIC)
    shown = {"key": '-H "X-API-Key: $API_KEY"', "token": _TOKEN_HEADER}
    return "".join(f" {shown[kind]}" for kind in kinds)


def _parents_first(b: Blueprint) -> list[Entity]:
    """The entities, each behind those that its rows have to refer to."""
    done: dict[str, Entity] = {}

    def place(e: Entity) -> None:
        if e.name in done:
            return
        for r in e.references:
            parent = b.entity(r.target)
            if r.required and parent is not None:
                place(parent)
        done[e.name] = e

    for e in sorted(b.entities, key=lambda e: e.name not in introductions(b)):
        place(e)
    return list(done.values())
