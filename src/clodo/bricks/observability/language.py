"""``request log`` and ``metrics``."""

from __future__ import annotations

from dataclasses import dataclass

from clodo.blueprint.constructs import Construct


@dataclass(frozen=True, slots=True)
class RequestLog:
    """Each request is one line of the log."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """Requests are counted for Prometheus."""


CONSTRUCTS = (
    Construct(
        name="request_log",
        place="service",
        value=RequestLog,
        grammar='request_log: "request" "log" _NL',
        build=lambda tree: RequestLog(),
        lines=lambda part: ["request log"],
        once=True,
        storeless=True,
    ),
    Construct(
        name="metrics",
        place="service",
        value=Metrics,
        grammar='metrics: "metrics" _NL',
        build=lambda tree: Metrics(),
        lines=lambda part: ["metrics"],
        once=True,
        keyed=lambda blueprint, value: True,
        claims=lambda plan, owner, value: ["/metrics"],
    ),
)
