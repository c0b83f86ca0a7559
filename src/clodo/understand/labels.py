"""The decisions that the encoder model takes, as fixed label sets.

Training and serving share them; a model file carries their fingerprint, so that a model made for
other labels is refused. Three kinds of decision: a tag for each word (where the mentions are), a set
of labels for each mention, and a set of labels for each ordered pair of mentions.
"""

from __future__ import annotations

import hashlib

from clodo.understand.cue_labels import CUES as CUES
from clodo.understand.cue_labels import SLOTS as SLOTS

#: Kinds of mention: ``unsupported`` is a wish that the blueprint cannot say, ``cue`` the word that carries one that it can.
KINDS = ("entity", "field", "value", "role", "name", "unsupported", "cue")

#: Word tags: outside, then begin and inside of each kind.
TAGS = ("O", *(f"{p}-{k}" for k in KINDS for p in ("B", "I")))

#: The type of a field; ``ref`` is a named reference.
TYPES = (
    "text", "long", "int", "dec", "money", "bool", "date", "dt", "time", "email", "url", "uuid", "json", "list", "enum", "ref",
    "file", "image",
)  # fmt: skip

#: What a mention is one of: a field's type, or what a cue stands for.
CLASSES = (*TYPES, *CUES)

#: Yes/no decisions about a field. ``elliptic``: the last word of the next field's name is left out
#: ("first and last name"); ``moment``: one participle stands for a date or time ("when taken").
FIELD_FLAGS = ("required", "optional", "unique", "search", "read_only", "write_only", "elliptic", "moment")

#: Yes/no decisions about an entity.
ENTITY_FLAGS = (
    "own",
    "own-write",
    "softdelete",
    "timestamps",
    "read-public",
    "read-key",
    "read-login",
    "write-public",
    "write-key",
    "write-login",
)

#: Roles of a value towards its field.
VALUE_ROLES = ("enum", "enumdef", "def", "min", "max", "xmin", "xmax", "minlen", "maxlen", "len")

#: Kinds of relation between two entities; ``alias``: the first is another word for the second.
RELATIONS = ("belongs", "many", "alias")

#: Yes/no decisions about a reference.
REFERENCE_FLAGS = ("required", "optional", "cascade", "restrict", "setnull", "one")

#: Labels of a pair of mentions, in the order of the model's last axis.
PAIRS = (
    "owner",  # field -> entity
    "target",  # named reference -> entity
    *RELATIONS,  # entity -> entity
    *(f"ref-{f}" for f in REFERENCE_FLAGS),  # entity -> entity, and field -> entity for named ones
    *(f"value-{r}" for r in VALUE_ROLES),  # value -> field
    "role-read",  # role -> entity
    "role-write",
    "together",  # field or entity <-> field or entity: unique together
    "next",  # value -> value: the state that may follow
    *(f"cue-{s}" for s in SLOTS),  # cue -> what fills the slot
)

#: Decisions about the whole text.
ACCESS = ("unstated", "none", "key", "key-write", "login", "login-write")
VERDICTS = ("clear", "vague", "not-a-service", "contradictory")
#: How sure it must be that a text is clear; else there are questions. Of validation texts that need them 95 % get questions by it, of the others 1 % (1.14).
LEAST_CLEAR = 0.98
SERVICE_TYPES = (
    "unstated",
    "data-service",
    "auth-service",
    "content-service",
    "api-gateway",
    "static-site",
    "generic",
)

#: Signed distances between mentions, in words, fall into buckets: as many as are not above them.
DISTANCES = (-128, -64, -32, -16, -8, -4, -2, -1, 0, 1, 2, 4, 8, 16, 32, 64, 128)


def fingerprint() -> str:
    """A short hash of every label set."""
    parts = (TAGS, CLASSES, FIELD_FLAGS, ENTITY_FLAGS, PAIRS, ACCESS, VERDICTS, SERVICE_TYPES, DISTANCES)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
