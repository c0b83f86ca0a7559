"""The evidence of a proof."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Outcome = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True)
class Evidence:
    """One check and how it went.

    ``detail`` tells what was seen where it failed, or why nothing could be seen where it was skipped.
    ``request`` and ``answer`` are the exchange that decided (the faulty one, or the last of a check
    that passed), shortened, secrets blacked out.
    ``requests`` counts the exchanges, ``ms`` is the duration in milliseconds.
    """

    id: str
    rule: str
    outcome: Outcome
    detail: str = ""
    ms: float = 0.0
    requests: int = 0
    request: str = ""
    answer: str = ""

    def to_json(self) -> dict[str, Any]:
        """The evidence as JSON; what is empty is left out."""
        values = {k: v for k, v in asdict(self).items() if v != ""}
        return {**values, "ms": round(self.ms, 1)}


@dataclass(frozen=True)
class Report:
    """All evidence on one service. ``requests`` counts the answers that were held against the
    service's own document; ``gzip`` is the bundle in bytes; ``timings_ms`` are by stage."""

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
    def skipped(self) -> tuple[Evidence, ...]:
        """The checks that could not be carried out; they prove nothing and count for nothing."""
        return tuple(e for e in self.evidence if e.outcome == "skipped")

    @property
    def proven(self) -> bool:
        """Whether there were checks and none of them failed."""
        return len(self.evidence) > len(self.skipped) and not self.failures

    def to_json(self) -> dict[str, Any]:
        """The report as JSON."""
        return {
            "service": self.service,
            "proven": self.proven,
            "checks": len(self.evidence),
            "failed": len(self.failures),
            "skipped": len(self.skipped),
            "requests": self.requests,
            "bundle_gzip_bytes": self.gzip,
            "timings_ms": {k: round(v, 1) for k, v in self.timings_ms.items()},
            "evidence": [e.to_json() for e in self.evidence],
        }

    def summary(self, failures_shown: int = 10) -> str:
        """The report for people, in a few lines: each failure with the exchange that shows it, or what could not be carried out and why."""
        seconds = self.timings_ms.get("total", 0) / 1000
        count = len(self.evidence)
        facts = f"{self.requests} requests, {self.gzip / 1024:.0f} KiB gzipped, {seconds:.1f} s"
        if self.proven:
            apart = f", {len(self.skipped)} could not be carried out" if self.skipped else ""
            proven = f"proven: {self.service} passed {count - len(self.skipped)} of {count} checks{apart} ({facts})"
            return "\n".join([proven, *(f"  – {e.rule}  [{e.id}]: {e.detail}" for e in self.skipped)])
        lines = [f"not proven: {self.service} failed {len(self.failures)} of {count} checks ({facts})"]
        for e in self.failures[:failures_shown]:
            lines.append(f"  ✗ {e.rule}  [{e.id}]")
            lines += [f"      {line}" for line in e.detail.splitlines()[:4]]
            if e.request:
                lines += [f"      sent {e.request}", f"      got  {e.answer}"]
        if len(self.failures) > failures_shown:
            lines.append(f"  … and {len(self.failures) - failures_shown} more")
        return "\n".join(lines)
