"""A draft: what a text says, decision by decision, before it is a blueprint.

Both the corpus (what a text means) and the model (what it understood) are turned into drafts, and
``clodo.understand.compiler`` turns a draft into a blueprint, so the two cannot drift apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from dataclasses import field as field_

Span = tuple[int, int]


@dataclass
class Evidence:
    """How sure a decision is, and the characters of the text that it rests on."""

    confidence: float = 1.0
    spans: list[Span] = field(default_factory=list)

    def add(self, confidence: float, *spans: Span) -> None:
        """Joins another decision: the weaker confidence, all the words."""
        self.confidence = min(self.confidence, confidence)
        self.spans += [s for s in spans if s not in self.spans]


@dataclass
class DraftValue:
    """A value and its role towards a field (``labels.VALUE_ROLES``), in the text's words."""

    role: str
    words: str
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True)
class Filler:
    """What fills a slot of a cue: ``entity``, ``entity.field``, a value of a field (``words``), a value that stands alone
    (``words`` and no entity), or a ``role``. ``at``: the characters of the words or the role, where they are known; two that
    fill a slot with the same are the same."""

    entity: str = ""
    field: str = ""
    words: str = ""
    role: str = ""
    at: Span | None = field_(default=None, compare=False)


@dataclass
class DraftCue:
    """A wish for more than stored rows: ``kind`` is one of ``cue_labels.CUES``, ``words`` the text's own, ``slots`` what
    fills each slot; ``further`` are cues that say more of the same step: who may take it, and when."""

    kind: str
    words: str
    slots: dict[str, list[Filler]] = field(default_factory=dict)
    evidence: Evidence = field(default_factory=Evidence)
    further: tuple[DraftCue, ...] = ()


@dataclass
class DraftField:
    """A field: its type is one of ``labels.TYPES``, ``flags`` are of ``labels.FIELD_FLAGS``;
    ``steps`` are pairs of values, of which the second may follow the first."""

    name: str
    type: str = "text"
    flags: set[str] = field(default_factory=set)
    values: list[DraftValue] = field(default_factory=list)
    target: str = ""
    reference_flags: set[str] = field(default_factory=set)
    steps: list[tuple[str, str]] = field(default_factory=list)
    evidence: Evidence = field(default_factory=Evidence)


@dataclass
class DraftEntity:
    """An entity: ``flags`` are of ``labels.ENTITY_FLAGS``; roles that may read or write it."""

    name: str
    fields: dict[str, DraftField] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    read_roles: list[str] = field(default_factory=list)
    write_roles: list[str] = field(default_factory=list)
    together: list[tuple[str, ...]] = field(default_factory=list)
    evidence: Evidence = field(default_factory=Evidence)


@dataclass
class DraftRelation:
    """``source`` refers to ``target`` (``belongs``) or both are linked (``many``)."""

    source: str
    target: str
    kind: str
    flags: set[str] = field(default_factory=set)
    evidence: Evidence = field(default_factory=Evidence)


@dataclass
class Draft:
    """A whole text, ``text``. ``unsupported`` are wishes that a blueprint cannot say, ``roles`` the words for kinds
    of user; ``mended`` are words of names whose spelling was mended. ``heard`` are values, whether or not anything is made of them;
    ``loose`` are fields where there is no entity that they could be of; ``clash`` is the sentence by which a contradictory text
    contradicts itself; ``chatter`` tells of words how sure it is that they say nothing (0 to 1)."""

    entities: dict[str, DraftEntity] = field(default_factory=dict)
    relations: list[DraftRelation] = field(default_factory=list)
    cues: list[DraftCue] = field(default_factory=list)
    access: str = "unstated"
    access_evidence: Evidence = field(default_factory=Evidence)
    service_type: str = "unstated"
    name: str = ""
    verdict: str = "clear"
    verdict_confidence: float = 1.0
    unsupported: list[Span] = field(default_factory=list)
    roles: list[Span] = field(default_factory=list)
    mended: dict[str, str] = field(default_factory=dict)
    heard: list[Span] = field(default_factory=list)
    loose: list[Span] = field(default_factory=list)
    clash: Span | None = None
    chatter: list[tuple[Span, float]] = field(default_factory=list)
    text: str = ""
