"""The header ``Idempotency-Key`` on what changes rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Who
from clodo.bricks.idempotency.language import IdempotencyKeys
from clodo.emit.brick import Brick, EntityParts, Import, Parts, Stage
from clodo.emit.openapi import ref
from clodo.emit.typescript import literal

_SQL = """CREATE TABLE "_idempotency" (
  "caller" TEXT NOT NULL,
  "key" TEXT NOT NULL,
  "claim" TEXT NOT NULL,
  "fingerprint" TEXT NOT NULL,
  "at" INTEGER NOT NULL,
  "done" INTEGER NOT NULL,
  "status" INTEGER,
  "headers" TEXT,
  "body" TEXT,
  PRIMARY KEY ("caller", "key")
);
CREATE INDEX "_idempotency__at" ON "_idempotency" ("at");

CREATE VIEW "_overtaken" AS SELECT 1 AS "row";

CREATE TRIGGER "_overtaken__refused" INSTEAD OF INSERT ON "_overtaken"
BEGIN
  SELECT RAISE(ABORT, 'another request has the key');
END;"""

_README = """## Idempotency keys

`POST` and `PATCH` take a header `Idempotency-Key`: a request that is sent again with the same key within 24 hours gets the
first answer again (`Idempotent-Replayed: true`), and nothing happens a second time. An answer with a secret that is told only
once is not kept: the same request again is 409.
"""

_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "With the same key the same request is carried out once, and answered as often as it is sent. "
    "An answer with a secret that is told only once is not kept: the same request again is 409.",
}
_TITLES = {
    "400": "The Idempotency-Key is none",
    "409": "The first request with this Idempotency-Key still runs",
    "413": "The body is larger than 1 MiB",
    "422": "The Idempotency-Key stands for another request",
}


def keyed(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The operations that take a key."""
    for path, item in document["paths"].items():
        if path.startswith("/api/") and not path.startswith("/api/auth/"):
            yield from (item[method] for method in ("post", "patch") if method in item)


def _amend(document: dict[str, Any]) -> None:
    for operation in keyed(document):
        operation.setdefault("parameters", []).append(_PARAMETER)
        for status, title in _TITLES.items():
            content = {"application/problem+json": {"schema": ref("Problem")}}
            operation["responses"].setdefault(status, {"description": title, "content": content})
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                answer.setdefault("headers", {})["Idempotent-Replayed"] = {"schema": {"const": "true"}}


def _parts(plan: Plan) -> Parts:
    b = plan.blueprint
    anyone = any(Who.PUBLIC in (b.write_access(e).who, b.create_access(e).who, b.delete_access(e).who) for e in b.entities)
    hook = EntityParts(imports=(Import("noted", "../lib/idempotency"),), hooks=("noted",))
    return Parts(
        imports=(Import("idempotency", "./lib/idempotency"),),
        # Behind limits, and around all that makes the answer which is kept.
        middleware=((Stage.KNOWN, f"app.use(idempotency({literal(anyone)}));"),),
        sql=(_SQL,),
        entities={e.name: hook for e in b.entities},
        readme=_README,
        amend=_amend,
    )


BRICK = Brick(
    "idempotency",
    "clodo.bricks.idempotency",
    lambda plan: bool(plan.blueprint.parts_of(IdempotencyKeys)),
    _parts,
    order=99,
)
