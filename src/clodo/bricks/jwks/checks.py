"""Checks of tokens for other services: what they say, who signed them, and what they are not good for."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Users
from clodo.bricks.jwks.ed25519 import verify
from clodo.bricks.sessions.probes import Login, me, register
from clodo.bricks.user_keys.brick import has_keys
from clodo.bricks.user_keys.checks import make_key
from clodo.proof.check import Check
from clodo.proof.session import Fault, Session, expect, expect_path

_PATH, _KEYS = "/api/auth/token", "/.well-known/jwks.json"
_AUDIENCE = "https://orders.example.com"


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    yield Check("jwks.keys", "the public keys are shown, and nothing private", _keys)
    yield Check("jwks.token", "a token says who, for whom and until when, signed with a key that is shown", _token)
    yield Check("jwks.asked", "a token is for one who is logged in, and names its audience", _asked)
    yield Check("jwks.apart", "a token for another service opens nothing here", _apart)


async def _shown(s: Session) -> dict[str, Any]:
    keys = expect(await s.client.send("GET", _KEYS), 200, "the keys").body["keys"]
    if len(keys) != 1:
        raise Fault(f"{len(keys)} keys are shown")
    return dict(keys[0])


async def _keys(s: Session) -> None:
    key = await _shown(s)
    if "d" in key or set(key) != {"kty", "crv", "x", "kid", "use", "alg"}:
        raise Fault(f"the key shows {sorted(key)}")
    told = json.dumps({"crv": key["crv"], "kty": key["kty"], "x": key["x"]}, separators=(",", ":"))
    if key["kid"] != _text(hashlib.sha256(told.encode()).digest()):
        raise Fault(f"the key's name {key['kid']!r} is not its thumbprint")
    if (await _shown(s)) != key:
        raise Fault("the key changes from one request to the next")


async def _issue(s: Session, login: Login) -> str:
    answer = await s.client.send("POST", _PATH, {"audience": _AUDIENCE}, headers=login.headers)
    return str(expect(answer, 200, "a token").body["access_token"])


async def _token(s: Session) -> None:
    login, key = await register(s, "others"), await _shown(s)
    token = await _issue(s, login)
    head, claims, mark = token.split(".")
    if not verify(_bytes(key["x"]), f"{head}.{claims}".encode(), _bytes(mark)):
        raise Fault("the signature is not that of the key")
    header, said = json.loads(_bytes(head)), json.loads(_bytes(claims))
    if header != {"alg": "EdDSA", "typ": "JWT", "kid": key["kid"]}:
        raise Fault(f"the token's header is {header}")
    wanted = {"sub": login.id, "aud": _AUDIENCE, "email": login.email, "email_verified": False, "role": "user"}
    if {name: said.get(name) for name in wanted} != wanted or not str(said.get("iss", "")).startswith("http"):
        raise Fault(f"the token says {said}")
    if abs(said["iat"] - time.time()) > 60 or not 60 <= said["exp"] - said["iat"] <= 3600:
        raise Fault(f"the token is good from {said['iat']} to {said['exp']}")
    users = s.blueprint.users
    if users is not None and users.confirms:
        await s.query(f'UPDATE "user" SET "{Users.CONFIRMED}" = 1 WHERE "id" = ?', login.id)
        said = json.loads(_bytes((await _issue(s, login)).split(".")[1]))
        if said.get("email_verified") is not True:
            raise Fault(f"the token does not tell that its address was confirmed: {said}")


async def _asked(s: Session) -> None:
    login = await register(s, "asked")
    expect(await s.client.send("POST", _PATH, {"audience": _AUDIENCE}), 401, "nobody")
    for body, path in (({}, "audience"), ({"audience": ""}, "audience"), ({"audience": 5}, "audience"), ({"audience": "x" * 201}, "audience"), ({"audience": "x", "role": "admin"}, "role")):
        expect_path(expect(await s.client.send("POST", _PATH, body, headers=login.headers), 422), path)
    if has_keys(s.plan):
        key = await make_key(s, login.headers)
        answer = await s.client.send("POST", _PATH, {"audience": _AUDIENCE}, headers={"x-api-key": key["key"]})
        expect(answer, 403, "a key of the user's")


async def _apart(s: Session) -> None:
    token = await _issue(s, await register(s, "apart"))
    await me(s, {"authorization": f"Bearer {token}"}, 401, "a token for another service")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
