"""Hashed fields: a hook of the entities that have them. Users hash those of their profile as they register."""

from __future__ import annotations

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity, Field
from clodo.bricks.users.brick import BRICK as USERS
from clodo.emit.brick import Brick, EntityParts, Import, Parts
from clodo.emit.typescript import literal

#: The hashes are those of users' passwords, also where a service has no users.
_PASSWORD = "src/lib/password.ts"


def hashed_fields(e: Entity) -> list[Field]:
    """The fields of an entity of which only hashes are stored."""
    return [f for f in e.fields if f.hashed]


def _applies(plan: Plan) -> bool:
    users = plan.blueprint.users
    return any(map(hashed_fields, plan.blueprint.entities)) or (users is not None and any(f.hashed for f in users.fields))


def _entity_parts(e: Entity) -> EntityParts:
    names = [f.name for f in hashed_fields(e)]
    return EntityParts(imports=(Import("hashed", "../lib/hashed"),), hooks=(f"hashed({literal(names)})",))


def _parts(plan: Plan) -> Parts:
    return Parts(
        entities={e.name: _entity_parts(e) for e in plan.blueprint.entities if hashed_fields(e)},
        files={_PASSWORD: USERS.sources()[_PASSWORD]},
    )


BRICK = Brick("hashed", "clodo.bricks.hashed", _applies, _parts, order=100)
