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
#: Where several bricks answer one kind of event, each sees every event and leaves alone what is not its own.
_EACH = (
    "/** Gives an event to several handlers; each gets it, whatever becomes of the others. */",
    "const each =",
    "  <Event extends readonly unknown[]>(...handlers: readonly ((...event: Event) => unknown)[]) =>",
    "  async (...event: Event): Promise<void> => {",
    "    const done = await Promise.allSettled(handlers.map(async (handle) => handle(...event)));",
    '    for (const one of done) if (one.status === "rejected") throw one.reason;',
    "  };",
    "",
)
_OPENAPI = 'import openapi from "../openapi.json";'


def env_source(parts: Sequence[Parts], secrets: tuple[str, ...], *, stores: bool = True) -> str:
    """``src/env.ts``: the bindings of the Worker and what its requests carry."""
    bindings = {name: type_ for p in parts for name, type_ in p.env.items()}
    lines = [
        'import type { Authenticator } from "./lib/access";',
        "",
        "/** The bindings of this Worker; see wrangler.jsonc and .dev.vars. */",
        "export interface Env {",
        *(["  readonly DB: D1Database;"] if stores else []),
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
    handlers = _handlers(parts)
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
        *(code for p in parts for code in p.ahead),
        # Accounts first: theirs are the paths that no entity may take.
        *(code for p in sorted(parts, key=lambda p: not p.authenticators) for code in p.routes),
        "",
        *(line for p in parts for line in p.exports),
    ]
    if not handlers:
        return "\n".join([*lines, "export default app;", ""])
    if any(len(codes) > 1 for codes in handlers.values()):
        lines += _EACH
    lines.append("export default Object.assign(app, {")
    lines += [_handler(name, codes) for name, codes in handlers.items()]
    return "\n".join([*lines, "});", ""])


def _handlers(parts: Sequence[Parts]) -> dict[str, list[str]]:
    """The code of the Worker's further handlers, by name, in the order of the bricks."""
    found: dict[str, list[str]] = {}
    for p in parts:
        for name, code in p.handlers.items():
            codes = found.setdefault(name, [])
            if code not in codes:
                codes.append(code)
    return found


def _handler(name: str, codes: list[str]) -> str:
    if len(codes) > 1:
        event = f'Parameters<NonNullable<ExportedHandler<AppEnv["Bindings"]>["{name}"]>>'
        return f"  {name}: each<{event}>({', '.join(codes)}),"
    [code] = codes
    return f"  {name}: {code}," if name != code else f"  {name},"


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
