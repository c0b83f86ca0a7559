"""What a cue may stand for: the words that ask for more than stored rows, by kind, and the slots of each kind.

A cue is the word or two that carries such a wish (``overlap``, ``at most``, ``cancel``, ``total``); its slots are other marked
words of the text. The kinds name what the bricks can build.
"""

from __future__ import annotations

#: Slots, as the pair labels ``cue-…``: ``of`` an entity; ``per`` what is grouped or counted by; ``from`` and ``to`` fields;
#: ``n`` a number or text; ``when`` and ``unless`` values that a state must or must not have; ``set`` the state or field that
#: is the outcome; ``by`` who; ``plus`` and ``minus`` fields that are counted up and down.
SLOTS = ("of", "per", "from", "to", "n", "when", "unless", "set", "by", "plus", "minus")

#: Kind of cue → the slots that it may have. Where ``of`` may be several entities, none stands for all.
CUES: dict[str, tuple[str, ...]] = {
    # Rules that rows keep.
    "overlap": ("of", "per", "from", "to", "unless"),
    "at-most": ("of", "per", "n", "when", "unless"),
    "above": ("from", "to"),
    "at-least": ("from", "to"),
    # Steps and times.
    "action": ("of", "when", "unless", "set", "by", "to", "plus", "minus"),
    "every": ("of", "when", "unless", "set", "from", "per"),
    "expire": ("of", "when", "from", "n", "per"),
    # Figures.
    "count": ("of", "per", "when", "unless"),
    "sum": ("of", "from", "per", "when", "unless"),
    "average": ("of", "from", "per", "when", "unless"),
    "highest": ("of", "from", "per", "when", "unless"),
    "lowest": ("of", "from", "per", "when", "unless"),
    # Fields that follow from others.
    "times": ("set", "from"),
    "added": ("set", "from"),
    "less": ("set", "from", "to"),
    "total-of": ("set", "of", "from", "when", "unless"),
    "number-of": ("set", "of", "per", "when", "unless"),
    # What entities can do besides.
    "export": ("of",),
    "import": ("of",),
    "bulk": ("of", "n"),
    "live": ("of",),
    "room": ("of",),
    "audit": ("of", "by"),
    "versions": ("of",),
    "restore": ("of",),
    "publish": ("of", "by"),
    "slug": ("of", "from"),
    "markdown": ("of", "from"),
    "cache": ("of", "n", "per"),
    "webhook": ("of",),
    "webhook-created": ("of",),
    "webhook-updated": ("of",),
    "webhook-deleted": ("of",),
    # The service as a whole.
    "limit-user": ("n", "per", "of"),
    "limit-address": ("n", "per", "of"),
    "limit-key": ("n", "per", "of"),
    "login-limit": ("n", "per"),
    "cors": ("n",),
    "request-log": (),
    "metrics": (),
    "idempotency": (),
    "sessions": ("n", "per"),
    "cookies": (),
    "user-keys": (),
    "confirm-email": (),
    "reset-password": (),
    "tenants": ("of",),
    "incoming-stripe": (),
    "incoming-github": (),
    "incoming-hmac": ("n",),
}
