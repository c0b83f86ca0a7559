"""Logins that checks of accounts work with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from clodo.proof.client import Answer
from clodo.proof.session import PASSWORD, Fault, Headers, Session, expect

GUESSES = ("", "x", "0" * 43, "../../etc/passwd", "' OR 1=1 --")


@dataclass(frozen=True)
class Login:
    """An account that has just come in, with the answer that let it in."""

    id: str
    email: str
    answer: Answer

    @property
    def body(self) -> dict[str, Any]:
        """What the service answered."""
        return dict(self.answer.body)

    @property
    def headers(self) -> Headers:
        """The access token."""
        return {"authorization": f"Bearer {self.body['token']}"}

    @property
    def refresh_token(self) -> str:
        """The token that gives new ones."""
        return str(self.body.get("refresh_token"))


async def register(s: Session, name: str, headers: Headers | None = None) -> Login:
    """A new account."""
    email = f"{name}-{s.number()}@example.com"
    answer = await s.client.send("POST", "/api/auth/register", s.registration(email), headers=headers)
    return Login(str(expect(answer, 201, "registration").body["user"]["id"]), email, answer)


async def log_in(s: Session, account: Login, password: str = PASSWORD, headers: Headers | None = None) -> Login:
    """The same account, logged in once more."""
    answer = await attempt(s, account.email, password, headers)
    return Login(account.id, account.email, expect(answer, 200, "the right password"))


async def attempt(s: Session, email: str, password: str, headers: Headers | None = None) -> Answer:
    """An attempt to log in."""
    return await s.client.send("POST", "/api/auth/login", {"email": email, "password": password}, headers=headers)


async def refresh(s: Session, token: object) -> Answer:
    """A request for new tokens."""
    return await s.client.send("POST", "/api/auth/refresh", {"refresh_token": token})


async def me(s: Session, headers: Headers, status: int, why: str) -> Answer:
    """Whether a credential is good."""
    return expect(await s.client.send("GET", "/api/auth/me", headers=headers), status, why)


def hashed(secret: str) -> str:
    """A secret as it is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def stored_as_hash(s: Session, table: str, secret: str) -> None:
    """Fails where a table holds a secret itself, or not its hash."""
    rows = await s.query(f'SELECT * FROM "{table}"')
    values = {str(value) for row in rows for value in row.values()}
    if any(secret in value for value in values):
        raise Fault(f"a secret can be read in the table {table}")
    if hashed(secret) not in values:
        raise Fault(f"the table {table} does not hold the SHA-256 of a secret")
