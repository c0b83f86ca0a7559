"""Services in which others may delete than may write: their files ask for that rule. All others have the files as they are."""

from __future__ import annotations

from importlib.resources import files

from clodo.blueprint.plan import Plan
from clodo.emit.brick import Brick

Edit = tuple[str, str]

_ASKING = ('import { writableRow } from "./rows";', 'import { deletableRow } from "./deleters";')
_ASKED = ("await writableRow(c, entity, id)", "await deletableRow(c, entity, id)")
#: File → what stands in it otherwise.
_EDITS: dict[str, tuple[Edit, ...]] = {
    "src/lib/entity.ts": (
        (
            "  readonly create?: Rule;\n",
            "  readonly create?: Rule;\n  /** Who may delete rows, where it is not whoever may write them. */\n  readonly delete?: Rule;\n",
        ),
        (
            "isOwners(entity.read) || isOwners(entity.write);",
            "isOwners(entity.read) || isOwners(entity.write) || (entity.delete !== undefined && isOwners(entity.delete));",
        ),
    ),
    "src/lib/deletion.ts": (_ASKING, _ASKED),
    "src/lib/soft-delete.ts": (_ASKING, _ASKED),
    "src/lib/restore.ts": (
        ('import { type Rows, among, prepare, spread } from "./deletion";', 'import { deleters } from "./deleters";\nimport { type Rows, among, prepare, spread } from "./deletion";'),
        ("admit(c, entity.write)", "admit(c, deleters(entity))"),
        ("ownAlone(entity.write, caller)", "ownAlone(deleters(entity), caller)"),
    ),
}


def has_deleters(plan: Plan) -> bool:
    """Whether an entity says who may delete its rows."""
    return any(e.delete is not None for e in plan.blueprint.entities)


def edited(plan: Plan, brick: Brick) -> dict[str, str]:
    """The files of a brick that stand otherwise in the service of this plan: path → text."""
    if not has_deleters(plan):
        return {}
    return {path: _edited(text, _EDITS[path]) for path, text in brick.sources().items() if path in _EDITS}


def _edited(text: str, edits: tuple[Edit, ...]) -> str:
    for old, new in edits:
        if old not in text:
            raise ValueError(f"The text {old!r} is not there to be edited.")
        text = text.replace(old, new)
    return text


def deleters_source() -> str:
    """``src/lib/deleters.ts``."""
    return files("clodo.bricks.resources").joinpath("ts", "private", "deleters.ts").read_text("utf-8")
