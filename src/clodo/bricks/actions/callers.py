"""Who calls an action in its checks: the administrator, or, where a guard looks at fields of the caller, an account that no other
check uses, so that these fields can be changed."""

from __future__ import annotations

from clodo.blueprint.formulas import parts
from clodo.blueprint.values import Entity, Expression, Field, FieldType, Path, Who
from clodo.bricks.actions.values import Action, who_may
from clodo.proof.session import Headers, Session


class Caller:
    """The account that calls one action."""

    def __init__(self, s: Session, e: Entity, action: Action) -> None:
        b = s.blueprint
        targets = [t for r in action.references if (t := b.entity(r.target)) is not None]
        self._rules = (who_may(b, e, action), b.read_access(e), *(b.read_access(t) for t in targets))
        self._s = s
        looked_at = any(is_of_caller(p) for g in action.guards for p in parts(g.condition))
        # What belongs to its owner alone, or to a tenant, the account would not see.
        self.is_apart = looked_at and not s.welcomes and all(rule.roles or rule.who is not Who.OWNER for rule in self._rules)
        self._name = f"caller-{s.number()}" if self.is_apart else "admin"

    async def id(self) -> str | None:
        """Its id; ``None`` where the service has no users."""
        if self._s.blueprint.users is None:
            return None
        fresh = self.is_apart and not self._is_known
        account = await self._s.account(self._name)
        if fresh and len(self._roles) < len(self._all_roles):
            await self._s.query('UPDATE "user" SET "role" = \'admin\' WHERE "id" = ?', account.id)
        self._is_known = True
        return account.id

    _is_known = False

    async def headers(self) -> Headers:
        """Its credentials, and whatever else calls need."""
        if not self.is_apart:
            return await self._s.headers(*self._rules)
        await self.id()
        key = await self._s.headers(*(rule for rule in self._rules if rule.who is Who.KEY))
        return {**key, **(await self._s.account(self._name)).headers}

    @property
    def _all_roles(self) -> tuple[str, ...]:
        users = self._s.blueprint.users
        return ("user", "admin", *(users.roles if users is not None else ()))

    @property
    def _roles(self) -> tuple[str, ...]:
        """The roles with which the account may call, and see what it calls."""
        sets = [{*rule.roles, "admin"} for rule in self._rules if rule.roles]
        return tuple(role for role in self._all_roles if all(role in roles for roles in sets))

    def entity(self) -> Entity:
        """Its row in the shape of an entity: what a check may change in it."""
        users = self._s.blueprint.users
        assert users is not None
        # Without one of these roles, the account could not call.
        role = Field("role", FieldType.ENUM, values=self._roles)
        return Entity("user", (*users.fields, *([role] if len(self._roles) > 1 else [])))


def is_of_caller(e: Expression) -> bool:
    """Whether it is a field of whoever calls."""
    return isinstance(e, Path) and e.names[0] == "caller"
