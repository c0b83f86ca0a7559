"""Guards that hold in one way or another (``amount <= 1000 or caller.role = "director"``): each way by itself is enough."""

from __future__ import annotations

from collections.abc import Iterator

from clodo.blueprint.values import Entity, Expression, IsIn, Operand, Operation
from clodo.bricks.actions.callers import is_of_caller
from clodo.bricks.actions.scenes import Scene
from clodo.bricks.actions.values import Action, Guard, refusal
from clodo.bricks.rules.samples import conjuncts
from clodo.proof.session import Fault, Session, TooFewValues


def sides(part: Expression) -> Iterator[Expression]:
    """What ``or`` joins; of a field of the caller each value by itself."""
    if isinstance(part, Operation) and part.operator == "or":
        yield from sides(part.left)
        yield from sides(part.right)
    elif isinstance(part, IsIn) and is_of_caller(part.inner):
        yield from (Operation("=", part.inner, Operand(value)) for value in part.values)
    else:
        yield part


async def each_side(s: Session, e: Entity, action: Action, guard: Guard) -> None:
    """An action is not refused where a guard holds in one of its ways alone, barely.

    Raises:
        Fault: it is.
    """
    for part in conjuncts(guard.condition):
        found = list(sides(part))
        for side in found if len(found) > 1 else ():
            scene = Scene(s, e, action)
            try:
                row = await scene.ready()
            except TooFewValues:
                return
            if await scene.alone(row, side, [other for other in found if other != side]):
                answer = await scene.call(row["id"], scene.readied)
                if answer.status == 409 and answer.body.get("detail") in map(refusal, action.guards):
                    raise Fault("every guard holds, if in one way only, and the action is refused", answer)
