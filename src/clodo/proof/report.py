"""The evidence of a proof."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Outcome = Literal["passed", "failed"]


@dataclass(frozen=True)
class Evidence:
    """One check and how it went. ``detail`` tells what was seen where it failed."""

    id: str
    rule: str
    outcome: Outcome
    detail: str = ""
    ms: float = 0.0


@dataclass(frozen=True)
class Report:
    """All evidence on one service. ``requests`` counts the answers that were held against the
    service's own document; ``gzip`` is the bundle in bytes."""

    service: str
    evidence: tuple[Evidence, ...]
    requests: int = 0
    gzip: int = 0
    timings_ms: dict[str, float] = field(default_factory=dict)

    @property
    def failures(self) -> tuple[Evidence, ...]:
        """The checks that failed."""
        return tuple(e for e in self.evidence if e.outcome == "failed")

    @property
    def proven(self) -> bool:
        """Whether there were checks and all of them passed."""
        return bool(self.evidence) and not self.failures

    def to_json(self) -> dict[str, Any]:
        """The report as JSON."""
        return {
            "service": self.service,
            "proven": self.proven,
            "checks": len(self.evidence),
            "failed": len(self.failures),
            "requests": self.requests,
            "bundle_gzip_bytes": self.gzip,
            "timings_ms": {k: round(v, 1) for k, v in self.timings_ms.items()},
            "evidence": [asdict(e) for e in self.evidence],
        }
