"""Work inside an engine's own code, which signals do not reach: done aside, so that Ctrl-C is heard meanwhile."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from typing import TypeVar

Result = TypeVar("Result")

_STEP_SECONDS = 0.1
_GRACE_SECONDS = 1.0

#: The ends of what was given up while an engine was at work.
_given_up: list[Event] = []


def stoppable(work: Callable[[], Result], stop: Callable[[], None] = lambda: None) -> Result:
    """What ``work`` returns or raises. It runs in a thread of its own while the caller waits; where the caller is interrupted,
    ``stop`` is called and the engine is given a second to end. One that does not is given up: it holds up nobody, and the
    process ends without it."""
    done: list[Result] = []
    failed: list[BaseException] = []
    ended = Event()

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:
            failed.append(error)
        finally:
            ended.set()

    try:
        Thread(target=run, daemon=True).start()
        while not ended.wait(_STEP_SECONDS):
            pass
    except BaseException:
        _given_up.append(ended)  # before waiting: a second Ctrl-C may come
        stop()
        ended.wait(_GRACE_SECONDS)
        raise
    if failed:
        raise failed[0]
    return done[0]


def _leave() -> None:
    """Ends the process at once where an engine that was given up is still at work. An orderly end would wait for it, since it
    uses what would be freed. It is given up only where the user stopped it, so that is the status."""
    if not all(ended.is_set() for ended in _given_up):
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # its reader went away, or it is closed
                stream.flush()
        os._exit(130)


# Registered when this is loaded, so that what is registered later, and cleans up, comes first.
atexit.register(_leave)
