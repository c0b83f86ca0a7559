"""``src/index.ts`` and ``src/env.ts``: the bricks of a service put together."""

from __future__ import annotations

from clodo.blueprint.plan import Plan
from clodo.emit.typescript import entity_const, entity_module, field_source, literal


def env_source(plan: Plan, secrets: tuple[str, ...]) -> str:
    """``src/env.ts``: the bindings of the Worker and what its requests carry."""
    lines = [
        'import type { Authenticator } from "./lib/access";',
        "",
        "/** The bindings of this Worker; see wrangler.jsonc and .dev.vars. */",
        "export interface Env {",
        "  readonly DB: D1Database;",
    ]
    for name in secrets:
        lines.append(f"  readonly {name}{'?' if name == 'ADMIN_EMAIL' else ''}: string;")
    lines += [
        "}",
        "",
        "export interface AppEnv {",
        "  Bindings: Env;",
        "  Variables: { authenticators: readonly Authenticator[] };",
        "}",
        "",
    ]
    return "\n".join(lines)


def index_source(plan: Plan) -> str:
    """``src/index.ts``."""
    b = plan.blueprint
    authenticators = (["apiKey"] if plan.uses_key else []) + (["bearerUser"] if b.users else [])
    imports = [
        'import { Hono } from "hono";',
        'import openapi from "../openapi.json";',
        'import type { AppEnv } from "./env";',
        'import { authentication } from "./lib/access";',
        'import { docs } from "./lib/docs";',
        'import { route, securityHeaders } from "./lib/http";',
        'import { notFound, onError } from "./lib/problem";',
    ]
    imports += [f'import {{ {entity_const(e)} }} from "./entities/{entity_module(e)}";' for e in b.entities]
    if b.entities:
        imports.append('import { resource } from "./lib/resource";')
    if plan.children:
        imports.append('import { children } from "./lib/children";')
    if plan.links:
        imports.append('import { links } from "./lib/links";')
    if plan.uses_soft_delete:
        imports.append('import { archiveRow } from "./lib/soft-delete";')
    if plan.uses_key:
        imports.append('import { apiKey } from "./lib/api-key";')
    if b.users is not None:
        imports.append('import { bearerUser } from "./lib/token";')
        imports.append('import { users } from "./lib/users";')
        used = sorted({field_source(f).split("(")[0] for f in b.users.fields})
        if used:
            imports.append(f'import {{ {", ".join(used)} }} from "./lib/fields";')
    body = [
        "const app = new Hono<AppEnv>();",
        "",
        "app.onError(onError);",
        "app.notFound(() => notFound().toResponse());",
        "app.use(securityHeaders);",
        f"app.use(authentication([{', '.join(authenticators)}]));",
        "",
        'route(app, "/health", { GET: (c) => c.json({ status: "ok" }) });',
        'route(app, "/openapi.json", { GET: (c) => c.json(openapi) });',
        'route(app, "/docs", { GET: docs });',
        "",
        *_users(plan),
        *_resources(plan),
        "",
        "export default app;",
        "",
    ]
    return "\n".join([*sorted(imports, key=_import_order), "", *body])


def _import_order(line: str) -> tuple[int, str]:
    source = line.rsplit(" from ", 1)[1]
    return (0 if not source.startswith('".') else 1, source)


def _users(plan: Plan) -> list[str]:
    users = plan.blueprint.users
    if users is None:
        return []
    if not users.fields:
        return ["users(app, {});", ""]
    lines = [f"  {f.name}: {field_source(f)}," for f in users.fields]
    return ["users(app, {", *lines, "});", ""]


def _resources(plan: Plan) -> list[str]:
    remove = ", archiveRow" if plan.uses_soft_delete else ""
    lines = [f"resource(app, {entity_const(e)}{remove});" for e in plan.blueprint.entities]
    for c in plan.children:
        parts = [entity_const(c.parent), entity_const(c.child), literal(f"{c.reference.name}_id")]
        lines.append(f"children(app, {', '.join([*parts, literal(c.path)])});")
    for link in plan.links:
        sides = [(link.source, link.target, link.source_column, link.target_column, link.source_path)]
        if not link.is_self:
            sides.append(
                (link.target, link.source, link.target_column, link.source_column, link.target_path)
            )
        for here, there, own, other, path in sides:
            side = f"{{ table: {literal(link.table)}, here: {literal(own)}, there: {literal(other)}, path: {literal(path)} }}"
            lines.append(f"links(app, {entity_const(here)}, {entity_const(there)}, {side});")
    return lines
