"""The files around the source: configuration and the service's own tests."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from clodo.blueprint.constructs import construct_of, introductions
from clodo.blueprint.plan import Plan
from clodo.blueprint.samples import entity_body, sample_body
from clodo.blueprint.values import Blueprint, Entity
from clodo.emit.brick import Parts
from clodo.toolchain.pins import node_range, pins


def package_json(b: Blueprint, *, stores: bool = True) -> str:
    """``package.json``, every version exact."""
    p = pins()
    development = (
        "@cloudflare/vitest-plugin", "@cloudflare/workers-types", "miniflare", "typescript", "vitest", "wrangler",
    )  # fmt: skip
    scripts = {
        "dev": "npm run migrate && wrangler dev",
        "migrate": "wrangler d1 migrations apply DB --local",
        "test": "vitest run",
        "typecheck": "tsc --noEmit",
        "deploy": "wrangler d1 migrations apply DB --remote && wrangler deploy",
    }
    if not stores:
        scripts = {"dev": "wrangler dev", "test": "vitest run", "typecheck": "tsc --noEmit", "deploy": "wrangler deploy"}
    return _json(
        {
            "name": kebab_name(b),
            "version": "1.0.0",
            "private": True,
            "type": "module",
            "engines": {"node": node_range()},
            "scripts": scripts,
            "dependencies": {name: p[name] for name in ("hono", "zod")},
            "devDependencies": {name: p[name] for name in development},
            "overrides": {"wrangler": "$wrangler", "miniflare": p["miniflare"]},
        }
    )


def kebab_name(b: Blueprint) -> str:
    """The name of the service as packages and Workers are named."""
    return b.name.replace("_", "-").strip("-")


def tsconfig() -> str:
    """``tsconfig.json`` of a service."""
    return strict_tsconfig(["@cloudflare/workers-types", "@cloudflare/vitest-plugin/types"], ["src", "test", "vitest.config.ts"])


def strict_tsconfig(types: Sequence[str], include: Sequence[str]) -> str:
    """``tsconfig.json`` for scripts of Workers: strict, and then some."""
    return _json(
        {
            "compilerOptions": {
                "target": "ES2024",
                "lib": ["ES2024"],
                "module": "ESNext",
                "moduleResolution": "Bundler",
                "types": list(types),
                "resolveJsonModule": True,
                "isolatedModules": True,
                "verbatimModuleSyntax": True,
                "strict": True,
                "noUncheckedIndexedAccess": True,
                "exactOptionalPropertyTypes": True,
                "noImplicitOverride": True,
                "noImplicitReturns": True,
                "noFallthroughCasesInSwitch": True,
                "noPropertyAccessFromIndexSignature": True,
                "noUnusedLocals": True,
                "noUnusedParameters": True,
                "skipLibCheck": True,
                "noEmit": True,
            },
            "include": list(include),
        }
    )


def wrangler_jsonc(b: Blueprint, parts: Sequence[Parts], *, stores: bool = True) -> str:
    """``wrangler.jsonc``. The database id is filled in once, before the first deployment."""
    # A Worker's name has at most 63 characters.
    name = kebab_name(b)[: 63 - len("-worker")].rstrip("-")
    config: dict[str, Any] = {
        "$schema": "node_modules/wrangler/config-schema.json",
        "name": f"{name}-worker",
        "main": "src/index.ts",
        "compatibility_date": pins()["compatibility_date"],
        "observability": {"enabled": True},
        "d1_databases": [
            {
                "binding": "DB",
                "database_name": f"{name}-db",
                "database_id": "00000000-0000-0000-0000-000000000000",
                "migrations_dir": "migrations",
            }
        ],
    }
    if not stores:
        del config["d1_databases"]
    for p in parts:
        _merge(config, p.wrangler)
    if not stores:
        return _json(config)
    note = "// Before the first deployment: `npx wrangler d1 create " + f"{name}-db`, then put the id it prints below.\n"
    return note + _json(config)


def _merge(config: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Adds to a configuration: objects are merged, lists joined, what both have once."""
    for key, value in more.items():
        known = config.get(key)
        if isinstance(known, dict) and isinstance(value, Mapping):
            _merge(known, value)
        elif isinstance(known, list):
            config[key] = [*known, *(item for item in value if item not in known)]
        else:
            config[key] = copy.deepcopy(value)


def vitest_config(secrets: tuple[str, ...], *, stores: bool = True) -> str:
    """``vitest.config.ts``: the tests run inside workerd, on an empty database."""
    bindings = {name: "admin@example.com" if name == "ADMIN_EMAIL" else f"test-{name.lower()}-0123456789" for name in secrets}
    shown = ", ".join(f"{k}: {json.dumps(v)}" for k, v in bindings.items())
    if not stores:
        return _WITHOUT_DATABASE.replace("BINDINGS", f"{{ {shown} }}" if shown else "{}")
    return f"""import {{ cloudflareTest, readD1Migrations }} from "@cloudflare/vitest-plugin";
import {{ defineConfig }} from "vitest/config";

export default defineConfig({{
  plugins: [
    cloudflareTest(async () => ({{
      wrangler: {{ configPath: "./wrangler.jsonc" }},
      miniflare: {{
        bindings: {{ MIGRATIONS: await readD1Migrations("migrations"){", " + shown if shown else ""} }},
      }},
    }})),
  ],
}});
"""


_WITHOUT_DATABASE = """import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [cloudflareTest({ wrangler: { configPath: "./wrangler.jsonc" }, miniflare: { bindings: BINDINGS } })],
});
"""


_TEST_WITHOUT_DATABASE = """import { env } from "cloudflare:test";
import { expect, it } from "vitest";
import app from "../src/index";

const bindings = env as unknown as Parameters<typeof app.request>[2];

it("is healthy", async () => {
  const response = await app.request("/health", {}, bindings);
  expect([response.status, await response.json()]).toEqual([200, { status: "ok" }]);
});

it("refuses a method that a path does not answer", async () => {
  expect((await app.request("/health", { method: "DELETE" }, bindings)).status).toBe(405);
});
"""


def service_test(plan: Plan) -> str:
    """``test/service.test.ts``: each entity created, read, listed, refused and deleted."""
    left: Counter[str] = Counter()
    cases = "\n".join(_entity_case(plan, e, left) for e in plan.blueprint.entities)
    if not plan.stores:
        return _TEST_WITHOUT_DATABASE
    return f"""import {{ applyD1Migrations, createExecutionContext, env }} from "cloudflare:test";
import {{ beforeAll, expect, it }} from "vitest";
import app from "../src/index";

type Json = Record<string, unknown>;

const bindings = env as unknown as Parameters<typeof app.request>[2] & {{ DB: D1Database; MIGRATIONS: never }};
let headers: Record<string, string> = {_headers(plan)};

const send = async (method: string, path: string, body?: unknown): Promise<[number, Json]> => {{
  const init = {{ method, headers, ...(body === undefined ? {{}} : {{ body: JSON.stringify(body) }}) }};
  const response = await app.request(path, init, bindings, createExecutionContext());
  const text = await response.text();
  return [response.status, text === "" ? {{}} : (JSON.parse(text) as Json)];
}};

beforeAll(async () => {{
  await applyD1Migrations(bindings.DB, bindings.MIGRATIONS);
{_credentials(plan)}}});

it("is healthy", async () => {{
  expect(await send("GET", "/health")).toEqual([200, {{ status: "ok" }}]);
}});

it("answers unknown paths with a problem", async () => {{
  expect((await send("GET", "/nowhere"))[0]).toBe(404);
}});
{cases}"""


def _headers(plan: Plan) -> str:
    parts = (part for e in plan.blueprint.entities for part in e.parts)
    headers = {"content-type": "application/json"} | {k: v for part in parts for k, v in construct_of(part).headers(part).items()}
    return f"{{ {json.dumps(headers)[1:-1]} }}"


def _credentials(plan: Plan) -> str:
    out = ""
    if plan.uses_key:
        out += '  headers["x-api-key"] = (bindings as unknown as { API_KEY: string }).API_KEY;\n'
    users = plan.blueprint.users
    if users is not None:
        account = {"email": "admin@example.com", "password": "a long password"}
        account |= sample_body(users.fields)
        out += f'  const [, session] = await send("POST", "/api/auth/register", {json.dumps(account)});\n'
        out += '  headers["authorization"] = `Bearer ${String(session["token"])}`;\n'
        if users.confirms:
            # The administrator has read the mail.
            out += f"""  await bindings.DB.prepare(`UPDATE "user" SET "role" = 'admin', "{users.CONFIRMED}" = 1`).run();\n"""
    for name, header in introductions(plan.blueprint).items():
        entity = plan.blueprint.entity(name)
        assert entity is not None
        lines: list[str] = []
        body = _body_with_parents(plan, entity, lines, Counter())
        lines.append(f'const [, own] = await send("POST", "/api/{plan.path(entity)}", {body});')
        lines.append(f'headers["{header}"] = String(own["id"]);')
        out += "".join(f"  {line}\n" for line in lines)
    return out


def _entity_case(plan: Plan, e: Entity, left: Counter[str]) -> str:
    path = f"/api/{plan.path(e)}"
    lines: list[str] = []
    body = _body_with_parents(plan, e, lines, left)
    made = "\n".join(f"  {line}" for line in lines)
    return f"""
it("keeps {e.name.replace("_", " ")} rows", async () => {{
{made}
  const [status, row] = await send("POST", "{path}", {body});
  expect(status).toBe(201);
  expect(await send("GET", `{path}/${{String(row["id"])}}`)).toEqual([200, row]);
  expect((await send("GET", "{path}?id=" + String(row["id"])))[1]["items"]).toEqual([row]);
  expect((await send("POST", "{path}", {{ no_such_field: 1 }}))[0]).toBe(422);
  expect((await send("GET", "{path}?no_such_field=1"))[0]).toBe(400);
  expect((await send("DELETE", `{path}/${{String(row["id"])}}`))[0]).toBe(204);
  expect((await send("GET", `{path}/${{String(row["id"])}}`))[0]).toBe(404);
}});
""".replace("{\n\n", "{\n")


def _body_with_parents(plan: Plan, e: Entity, lines: list[str], left: Counter[str]) -> str:
    """The source of a body; the rows that it needs are created by ``lines`` before. ``left`` counts those that earlier cases
    left behind, whose unique values are taken."""
    taken = left[e.name] * 10 if e.unique or any(f.unique for f in e.fields) else 0
    parts = [json.dumps(entity_body(e, len(lines) + taken))[1:-1]]
    for r in e.references:
        parent = plan.blueprint.entity(r.target)
        if not r.required:
            continue
        if parent is None:
            parts.append(f'"{r.name}_id": (await send("GET", "/api/auth/me"))[1]["id"]')
            continue
        body = _body_with_parents(plan, parent, lines, left)
        left[parent.name] += 1
        name = f"parent{len(lines)}"
        lines.append(f'const [, {name}] = await send("POST", "/api/{plan.path(parent)}", {body});')
        parts.append(f'"{r.name}_id": {name}["id"]')
    return "{ " + ", ".join(p for p in parts if p) + " }"


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
