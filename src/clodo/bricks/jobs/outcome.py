"""What becomes of an action that is done later, for checks."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

from clodo.blueprint.values import Entity
from clodo.bricks.actions.values import JOBS
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Headers, Row, Session, expect

PATH = f"/api/{JOBS}"
#: So long a check waits for the end of a job.
_SECONDS = 25.0


async def ended(s: Session, id: str, headers: Headers, times: int = 1) -> Row:
    """A job, once it is not queued any more; ``times`` as long is waited for it.

    Raises:
        Fault: it always is.
    """
    end = asyncio.get_running_loop().time() + _SECONDS * times
    while True:
        job = dict(
            expect(
                await s.client.send("GET", f"{PATH}/{id}", headers=headers),
                200,
                "a job, to whoever asked for it",
            ).body
        )
        if job["status"] != "queued":
            return job
        if asyncio.get_running_loop().time() > end:
            raise Fault(f"the job never ends: {job}")
        await asyncio.sleep(0.02)


async def outcome(s: Session, e: Entity, id: str, answer: Answer, headers: Headers) -> Answer:
    """The answer that the call of an action on a row would have had if it were done at once. An action that is refused when it is asked for
    is answered so already."""
    if answer.status == 200:
        raise Fault("expected 202, got 200", answer)
    if answer.status != 202:
        return answer
    job = await ended(s, answer.body["id"], headers)
    if job["status"] == "done":
        row = await s.get(e, id)
        return replace(answer, status=200, body=row.body, text=row.text)
    body: dict[str, Any] = {"status": job["error_status"], "detail": job["error"]}
    return replace(answer, status=job["error_status"], body=body, text=json.dumps(body))
