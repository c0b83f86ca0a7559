"""Whether the time of a login tells which accounts there are.

Work for a password takes many milliseconds, and whatever else a machine does can only add to that. So the shortest of a few
logins are compared, and more are tried before a service is blamed: by chance alone an unknown account is never much faster.
"""

from __future__ import annotations

import time

from clodo.proof.session import PASSWORD, Fault, Session, expect

#: So many known accounts log in before an unknown one is said to be faster.
_MOST = 10
#: How many times as fast it must be.
_RATIO = 3


async def login_times(s: Session) -> None:
    """Known accounts log in with the right password, so that no limit of failures is reached; each unknown one is tried once, and
    there are two of them at least, since one may be slow by chance."""
    account = await s.account("ann")
    known, unknown = float("inf"), await _seconds(s, _nobody(s), 401)
    for _ in range(_MOST):
        known = min(known, await _seconds(s, account.email, 200))
        unknown = min(unknown, await _seconds(s, _nobody(s), 401))
        if unknown * _RATIO > known:
            return
    raise Fault(
        f"a login for an unknown account takes {unknown * 1000:.1f} ms at least, for a known one {known * 1000:.1f} ms: the time tells which there are"
    )


def _nobody(s: Session) -> str:
    return f"nobody-{s.number()}@example.com"


async def _seconds(s: Session, email: str, status: int) -> float:
    started = time.perf_counter()
    answer = await s.client.send("POST", "/api/auth/login", {"email": email, "password": PASSWORD})
    passed = time.perf_counter() - started
    expect(answer, status)
    return passed
