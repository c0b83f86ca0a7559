"""The tables of members and invitations, and what the database itself enforces of tenants."""

from __future__ import annotations

from collections.abc import Iterator

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity
from clodo.bricks.tenants.language import belongs, tenant_entity, tenants_of

# No entity can have such a name: it has two underscores in a row.
_MEMBER = """CREATE TABLE "tenants__member" (
  "tenant_id" TEXT NOT NULL REFERENCES "{tenant}"("id") ON DELETE CASCADE,
  "user_id" TEXT NOT NULL REFERENCES "user"("id") ON DELETE CASCADE,
  "role" TEXT NOT NULL CHECK ("role" IN ('owner', 'member')),
  "created_at" TEXT NOT NULL,
  PRIMARY KEY ("tenant_id", "user_id")
) WITHOUT ROWID;
CREATE INDEX "tenants__member__user_id" ON "tenants__member" ("user_id");"""

_INVITATION = """CREATE TABLE "tenants__invitation" (
  "id" TEXT PRIMARY KEY NOT NULL,
  "tenant_id" TEXT NOT NULL REFERENCES "{tenant}"("id") ON DELETE CASCADE,
  "email" TEXT NOT NULL,
  "role" TEXT NOT NULL CHECK ("role" IN ('owner', 'member')),
  "token_hash" TEXT NOT NULL UNIQUE,
  "invited_by" TEXT NOT NULL REFERENCES "user"("id") ON DELETE CASCADE,
  "created_at" TEXT NOT NULL,
  "expires_at" TEXT NOT NULL
);
CREATE UNIQUE INDEX "tenants__invitation__email__unique" ON "tenants__invitation" ("tenant_id", "email");
CREATE INDEX "tenants__invitation__invited_by" ON "tenants__invitation" ("invited_by");"""

#: The words that the service knows a broken reference by.
_BROKEN = "SELECT RAISE(ABORT, 'FOREIGN KEY constraint failed')"


def statements(plan: Plan) -> Iterator[str]:
    """The statements behind the tables of the blueprint."""
    b = plan.blueprint
    tenants, tenant = tenants_of(b), tenant_entity(b)
    assert tenants is not None and tenant is not None
    yield _MEMBER.format(tenant=tenant.name)
    yield _INVITATION.format(tenant=tenant.name)
    rows = [e for e in b.entities if belongs(b, e)]
    for e in rows:
        yield from _guards(e, tenant, tenants.key)
    hidden = [e for e in _children_first(rows) if e.soft_delete]
    if hidden:
        deletes = " ".join(f'DELETE FROM "{e.name}" WHERE "{tenants.key}" = OLD."id";' for e in hidden)
        yield f'CREATE TRIGGER "{tenant.name}__tenant_gone" AFTER DELETE ON "{tenant.name}" BEGIN {deletes} END;'


def _guards(e: Entity, tenant: Entity, key: str) -> Iterator[str]:
    """A row belongs to a tenant that is there, for good; a tenant with rows stays. Hidden rows do not hold it."""
    shown = ' AND "deleted_at" IS NULL' if e.soft_delete else ""
    there = ' AND "deleted_at" IS NULL' if tenant.soft_delete else ""
    yield (
        f'CREATE TRIGGER "{e.name}__tenant" BEFORE INSERT ON "{e.name}" WHEN NOT EXISTS '
        f'(SELECT 1 FROM "{tenant.name}" WHERE "id" = NEW."{key}"{there}) BEGIN {_BROKEN}; END;'
    )
    yield (
        f'CREATE TRIGGER "{e.name}__tenant_kept" BEFORE UPDATE OF "{key}" ON "{e.name}" '
        f'WHEN NEW."{key}" IS NOT OLD."{key}" BEGIN {_BROKEN}; END;'
    )
    yield (
        f'CREATE TRIGGER "{e.name}__tenant_used" BEFORE DELETE ON "{tenant.name}" WHEN EXISTS '
        f'(SELECT 1 FROM "{e.name}" WHERE "{key}" = OLD."id"{shown}) BEGIN {_BROKEN}; END;'
    )
    if tenant.soft_delete:
        yield (
            f'CREATE TRIGGER "{e.name}__tenant_hidden" BEFORE UPDATE OF "deleted_at" ON "{tenant.name}" '
            f'WHEN NEW."deleted_at" IS NOT NULL AND OLD."deleted_at" IS NULL AND EXISTS '
            f'(SELECT 1 FROM "{e.name}" WHERE "{key}" = OLD."id"{shown}) BEGIN {_BROKEN}; END;'
        )


def _children_first(rows: list[Entity]) -> list[Entity]:
    done: list[Entity] = []
    while len(done) < len(rows):
        left = [e for e in rows if e not in done]
        held = {r.target for e in left for r in e.references if r.target != e.name}
        done += [e for e in left if e.name not in held] or left
    return done
