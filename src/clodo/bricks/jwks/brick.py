"""The routes of tokens for other services, and of the keys to check them with."""

from __future__ import annotations

from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Access, ServiceType, Who
from clodo.bricks.jwks.language import Jwks
from clodo.bricks.sessions.brick import closed
from clodo.emit.brick import Brick, Import, Parts
from clodo.emit.openapi import json_answer, operation
from clodo.emit.typescript import literal

_AUDIENCE = {"type": "string", "minLength": 1, "maxLength": 200}
_TOKEN = {
    "access_token": {"type": "string", "description": "A JWT, signed with EdDSA."},
    "token_type": {"type": "string", "enum": ["Bearer"]},
    "expires_in": {"type": "integer", "description": "Seconds."},
}
_KEY = {name: {"type": "string"} for name in ("kty", "crv", "x", "kid", "use", "alg")}
_README = """## Tokens for other services

`POST /api/auth/token` with an `audience`, by a user who is logged in, answers a token of ten minutes for the service of that name or address: a JWT with `sub`, `email`,
`email_verified` (whether that address was confirmed: without `confirm email` it never is, so know people by `sub`), `role`, `aud`, `iss` (this service's origin), signed with EdDSA (Ed25519). That service checks it with the keys at `/.well-known/jwks.json` (Hono: `jwk({ jwks_uri, alg: ["EdDSA"] })`;
elsewhere any JOSE library), and must look at `aud` and `iss`. The key pair follows from the secret `JWT_SECRET`: another secret means another key.
"""


def _amend(document: dict[str, Any]) -> None:
    user = (Access(Who.USER),)
    keys = closed({"keys": {"type": "array", "items": closed(_KEY)}})
    document["paths"] |= {
        "/.well-known/jwks.json": {"get": operation("jwks", "The public keys of tokens for other services", "auth", {200: json_answer(keys, "The keys")})},
        "/api/auth/token": {
            "post": operation("service_token", "A token for another service", "auth", {200: json_answer(closed(_TOKEN), "The token")}, rules=user, body=closed({"audience": _AUDIENCE})),
        },
    }  # fmt: skip


def _parts(plan: Plan) -> Parts:
    users = plan.blueprint.users
    routes = (f"serviceTokens(app, {literal(users is not None and users.confirms)});",)
    return Parts(imports=(Import("serviceTokens", "./lib/jwks"),), routes=routes, readme=_README, amend=_amend)


def has_jwks(plan: Plan) -> bool:
    """Whether there are tokens for other services."""
    users = plan.blueprint.users
    return users is not None and (plan.blueprint.type is ServiceType.AUTH or bool(users.parts_of(Jwks)))


BRICK = Brick("jwks", "clodo.bricks.jwks", has_jwks, _parts, order=54)
