"""A folder for own code, and the places where it is called."""

from __future__ import annotations

from clodo.blueprint.plan import Plan
from clodo.blueprint.samples import sample
from clodo.blueprint.values import Entity, FieldType
from clodo.bricks.custom.language import CustomCode
from clodo.bricks.custom.rows import rows_source
from clodo.emit.brick import Brick, EntityParts, Import, Parts
from clodo.emit.tree import OWN
from clodo.emit.typescript import literal

_README = """## Own code

`src/custom/index.ts` and what you put beside it are yours: made once, and left as they are when the service is generated anew.
Hooks take part in the changes of rows, routes are further paths, and scheduled work runs at the times that the blueprint's
line `custom code` names. The types in `src/lib/custom.ts` say what is possible. `custom-rows.ts` and `problem.ts` beside it are there for your
code too; other files of `src/lib` come and go with the blueprint. `openapi.json` does not know your routes. Where the
line `custom code` goes from the blueprint, remove the folder too.
"""

#: What own code may import, whatever the example imports.
_OFFERED = ("src/lib/custom.ts", "src/lib/custom-rows.ts", "src/lib/problem.ts", "src/entities/index.ts")


def _parts(plan: Plan) -> Parts:
    [code] = plan.blueprint.parts_of(CustomCode)
    imports = [Import("custom", "./custom"), Import("ownRoutes", "./lib/custom")]
    if code.times:
        imports.append(Import("ownWork", "./lib/custom"))
    return Parts(
        imports=tuple(imports),
        ahead=("ownRoutes(app, custom);",),
        handlers={"scheduled": "ownWork(custom)"} if code.times else {},
        wrangler={"triggers": {"crons": list(code.times)}} if code.times else {},
        entities={
            e.name: EntityParts((Import("ownHooks", "../lib/custom-hooks"),), ("ownHooks",)) for e in plan.blueprint.entities
        },
        files={"src/lib/custom-rows.ts": rows_source(plan, code), f"{OWN}index.ts": _example(plan, code)},
        offered=_OFFERED,
        readme=_README,
    )


def _example(plan: Plan, code: CustomCode) -> str:
    """The file that the user begins with: nothing happens in it yet, and it shows what can."""
    entities = plan.blueprint.entities
    hooks = ["  // What takes part in the changes of rows.", "  hooks: {", *_hook_example(entities[0]), "  },"] if entities else []
    time = literal(code.times[0] if code.times else "0 3 * * *")
    return "\n".join(
        [
            'import { define } from "../lib/custom";',
            '// import { Problem } from "../lib/problem";',
            "",
            "/** This folder is yours: generating the service anew leaves it as it is. */",
            "export const custom = define({",
            *hooks,
            '  // Paths of your own; `access` says who may: "public", "key", "user" or { roles: ["admin"] }.',
            "  routes: {",
            '    // "GET /api/hello/:name": {',
            '    //   access: "public",',
            '    //   answer: ({ c }) => c.json({ hello: c.req.param("name") }),',
            "    // },",
            "  },",
            "  // Work at the times that the line `custom code at …` of the blueprint names.",
            "  scheduled: {",
            f"    // {time}: async ({{ DB }}) => {{",
            '    //   await DB.prepare("SELECT 1").run();',
            "    // },",
            "  },",
            "});",
            "",
        ]
    )


def _hook_example(e: Entity) -> list[str]:
    plain = (f for f in e.fields if f.type is FieldType.TEXT and f.required and not (f.computed or f.read_only or f.pattern))
    text = next(plain, None)
    lines = [f"{e.name}: {{"]
    if text is not None:
        name, value = text.name, literal(str(sample(text)))
        lines += [
            "  beforeCreate(draft) {",
            f'    if (draft.{name} === {value}) throw new Problem(409, "It is taken.", [{{ path: "{name}", message: "is taken" }}]);',
            f"    return {{ {name}: draft.{name}.trim() }};",
            "  },",
        ]
    lines += ["  afterDelete(row) {", '    console.log("gone", row.id);', "  },", "},"]
    return [f"    // {line}" for line in lines]


BRICK = Brick("custom", "clodo.bricks.custom", lambda plan: bool(plan.blueprint.parts_of(CustomCode)), _parts)
