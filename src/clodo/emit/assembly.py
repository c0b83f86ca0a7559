"""``src/index.ts`` and ``src/env.ts``: the bricks of a service put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from clodo.emit.brick import Import, Parts, Stage

_OPTIONAL = ("ADMIN_EMAIL",)
_ALWAYS = (
    Import("Hono", "hono"),
    Import("AppEnv", "./env", is_type=True),
    Import("authentication", "./lib/access"),
    Import("docs", "./lib/docs"),
    Import("route", "./lib/http"),
    Import("securityHeaders", "./lib/http"),
    Import("notFound", "./lib/problem"),
    Import("onError", "./lib/problem"),
)
_OPENAPI = 'import openapi from "../openapi.json";'


def env_source(parts: Sequence[Parts], secrets: tuple[str, ...]) -> str:
    """``src/env.ts``: the bindings of the Worker and what its requests carry."""
    bindings = {name: type_ for p in parts for name, type_ in p.env.items()}
    lines = [
        'import type { Authenticator } from "./lib/access";',
        "",
        "/** The bindings of this Worker; see wrangler.jsonc and .dev.vars. */",
        "export interface Env {",
        "  readonly DB: D1Database;",
        *(f"  readonly {name}: {type_};" for name, type_ in bindings.items()),
        *(f"  readonly {name}{'?' if name in _OPTIONAL else ''}: string;" for name in secrets),
    ]
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


def index_source(parts: Sequence[Parts]) -> str:
    """``src/index.ts``."""
    wares = sorted((w for p in parts for w in p.middleware), key=lambda w: w[0])
    authenticators = ", ".join(name for p in parts for name in p.authenticators)
    handlers = {name: code for p in parts for name, code in p.handlers.items()}
    lines = import_lines([*_ALWAYS, *(i for p in parts for i in p.imports)], (_OPENAPI,))
    lines += [
        "",
        "const app = new Hono<AppEnv>();",
        "",
        "app.onError(onError);",
        "app.notFound(() => notFound().toResponse());",
        *(code for stage, code in wares if stage < Stage.EDGE),
        "app.use(securityHeaders);",
        *(code for stage, code in wares if Stage.EDGE <= stage < Stage.KNOWN),
        f"app.use(authentication([{authenticators}]));",
        *(code for stage, code in wares if stage >= Stage.KNOWN),
        "",
        'route(app, "/health", { GET: (c) => c.json({ status: "ok" }) });',
        'route(app, "/openapi.json", { GET: (c) => c.json(openapi) });',
        'route(app, "/docs", { GET: docs });',
        "",
        # Accounts first: theirs are the paths that no entity may take.
        *(code for p in sorted(parts, key=lambda p: not p.authenticators) for code in p.routes),
        "",
        *(line for p in parts for line in p.exports),
    ]
    if not handlers:
        return "\n".join([*lines, "export default app;", ""])
    lines.append("export default Object.assign(app, {")
    lines += [f"  {name}: {code}," if name != code else f"  {name}," for name, code in handlers.items()]
    return "\n".join([*lines, "});", ""])


def import_lines(imports: Iterable[Import], others: Iterable[str] = ()) -> list[str]:
    """Import statements, one for each module, packages first; ``others`` are whole lines among them."""
    names: dict[tuple[str, bool], set[str]] = {}
    for i in imports:
        names.setdefault((i.source, i.is_type), set()).add(i.name)
    lines = [
        f'import {"type " if is_type else ""}{{ {", ".join(sorted(found))} }} from "{source}";'
        for (source, is_type), found in names.items()
    ]
    return sorted([*lines, *others], key=_import_order)


def _import_order(line: str) -> tuple[int, str]:
    source = line.rsplit(" from ", 1)[1]
    return (0 if not source.startswith('".') else 1, source)
