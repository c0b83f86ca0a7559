"""Preflights are answered at the edge, and every answer tells which pages may read it."""

from __future__ import annotations

from clodo.blueprint.plan import Plan
from clodo.bricks.cors.language import Cors, cookie_origins
from clodo.emit.brick import Brick, Import, Parts, Stage
from clodo.emit.typescript import literal


def _parts(plan: Plan) -> Parts:
    [cors] = plan.blueprint.parts_of(Cors)
    origins = literal(list(cors.origins)) if cors.origins else '"any"'
    trusted = list(cookie_origins(plan.blueprint))
    credentials = f", {literal(trusted)}" if trusted else ""
    listed = "\n".join(f"- `{origin}`" for origin in cors.origins)
    pages = f"Pages of these origins may call the service:\n\n{listed}" if listed else "Pages of any origin may call the service."
    return Parts(
        imports=(Import("cors", "./lib/cors"),),
        middleware=((Stage.EDGE, f"app.use(cors({origins}{credentials}));"),),
        readme=f"## Other origins\n\n{pages}\n",
    )


BRICK = Brick("cors", "clodo.bricks.cors", lambda plan: bool(plan.blueprint.parts_of(Cors)), _parts)
