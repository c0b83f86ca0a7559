"""Which of a user's own texts are held out of the training: some for the gate, some to validate and calibrate with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

#: One text in so many is for the gate, and one for validation.
_ONE_IN = 10
#: Fewer texts than these tell nothing about a model; they are held out where there are four times as many.
FEWEST_IN_GATE = 5


def mark_of(text: str) -> str:
    """A short hash of a description; case and spaces do not count."""
    return sha256(" ".join(text.lower().split()).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Split:
    """Marks of texts: all that are known, those of the gate, those of validation."""

    known: frozenset[str] = frozenset()
    gate: frozenset[str] = frozenset()
    valid: frozenset[str] = frozenset()

    @staticmethod
    def of_json(found: dict[str, list[str]]) -> Split:
        """The split that ``to_json`` told."""
        return Split(*(frozenset(found[name]) for name in ("known", "gate", "valid")))

    def to_json(self) -> dict[str, list[str]]:
        """The split as JSON."""
        return {name: sorted(marks) for name, marks in vars(self).items()}


def divide(texts: Iterable[str], earlier: Split | None, *, gated: bool) -> Split:
    """Holds out a tenth of some texts for validation and, where the gate is made of them (``gated``), another. A text that a
    training has had (``earlier``) stays where it was."""
    before = earlier or Split()
    marks = dict.fromkeys(mark_of(t) for t in texts)
    new = sorted(m for m in marks if m not in before.known)
    in_gate = max(FEWEST_IN_GATE, len(marks) // _ONE_IN) if gated and len(marks) >= 4 * FEWEST_IN_GATE else 0
    gate, rest = _filled(before.gate, new, in_gate)
    if len(gate) < FEWEST_IN_GATE:
        gate, rest = before.gate, new
    valid, _ = _filled(before.valid, rest, max(1, len(marks) // _ONE_IN))
    return Split(before.known | frozenset(marks), gate, valid)


def common(splits: Sequence[Split]) -> Split:
    """What all of some trainings have held out."""
    known = frozenset[str]().union(*(s.known for s in splits))
    gate, valid = (frozenset.intersection(*(getattr(s, part) for s in splits)) for part in ("gate", "valid"))
    return Split(known, gate, valid)


def _filled(held: frozenset[str], new: list[str], size: int) -> tuple[frozenset[str], list[str]]:
    more = max(0, size - len(held))
    return held | frozenset(new[:more]), new[more:]
