"""A service of a test's own: real requests against workerd, beside the proof."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from clodo.blueprint import parse
from clodo.blueprint.plan import make_plan
from clodo.proof.client import Client
from clodo.proof.host import Host
from clodo.proof.session import Session
from clodo.proof.verify import PROOF_SECRETS
from tests.bricks.proving import made


def users(*lines: str) -> str:
    """A service whose users have these lines."""
    return "service s\ntype auth-service\n\nusers {\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


def live(
    source: str,
    folder: Path,
    host: Host,
    run: Callable[[Session], Awaitable[None]],
    bindings: Mapping[str, str] | None = None,
) -> None:
    """Runs something against a service; no answer may break what holds for every answer."""
    secrets = {**PROOF_SECRETS, **(bindings or {})}

    async def whole(url: str) -> None:
        client = Client(url)
        client.hold_against((await client.send("GET", "/openapi.json")).body)
        try:
            await run(Session(client, make_plan(parse(source)), secrets, host.query))
            assert not client.disagreements, client.disagreements
        finally:
            await client.close()

    try:
        asyncio.run(whole(host.serve(made(source, folder), bindings=secrets).url))
    finally:
        host.reset()
