"""What a cue may stand for: the words that ask for more than stored rows, by kind, and the slots of each kind.

A cue is the word or two that carries such a wish (``overlap``, ``at most``, ``cancel``, ``total``); its slots are other marked
words of the text. The kinds name what the bricks can build.
"""

from __future__ import annotations

#: Slots, as the pair labels ``cue-…``: ``of`` an entity; ``per`` what is grouped or counted by; ``from`` and ``to`` fields;
#: ``n`` a number or text; ``when`` and ``unless`` values that a state must or must not have; ``set`` the state or field that
#: is the outcome; ``by`` who; ``plus`` and ``minus`` fields that are counted up and down; ``below`` and ``over`` fields that
#: are compared with the number ``n``; ``unset`` a yes/no field that becomes no; ``makes`` an entity of which a row is made. The kernel of Workers takes
#: pair labels by fours, so their number is kept a multiple of four.
SLOTS = ("of", "per", "from", "to", "n", "when", "unless", "set", "by", "plus", "minus", "below", "over", "unset", "makes")

#: Kind of cue → the slots that it may have. Where ``of`` may be several entities, none stands for all.
CUES: dict[str, tuple[str, ...]] = {
    # Rules that rows keep.
    "overlap": ("of", "per", "from", "to", "when", "unless"),
    "at-most": ("of", "per", "n", "when", "unless"),
    "above": ("from", "to"),
    "at-least": ("from", "to"),
    # Steps and times.
    "action": ("of", "when", "unless", "below", "over", "set", "unset", "makes", "by", "to", "plus", "minus", "from", "n", "per"),
    "every": ("of", "when", "unless", "set", "unset", "from", "n", "per"),
    "expire": ("of", "when", "unless", "from", "n", "per"),
    # Figures.
    "count": ("of", "per", "when", "unless", "below", "over", "n"),
    "sum": ("of", "from", "per", "when", "unless", "below", "over", "n"),
    "average": ("of", "from", "per", "when", "unless", "below", "over", "n"),
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
    "cache": ("of", "n", "per", "from"),
    "webhook": ("of",),
    "webhook-created": ("of",),
    "webhook-updated": ("of",),
    "webhook-deleted": ("of",),
    # The service as a whole.
    "limit-user": ("n", "per", "of", "from"),
    "limit-address": ("n", "per", "of", "from"),
    "limit-key": ("n", "per", "of", "from"),
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
    # Mails that changes lead to.
    "notify": ("of", "when", "unless", "below", "over", "n", "to", "by", "from", "per"),
    # What a model in the service does.
    "ask": ("of",),
    "summary": ("of", "from"),
    "classify": ("of", "from", "set"),
    # Gateways: paths that lead to other services, and what becomes of requests on their way.
    "route": ("from", "to", "n", "by"),
    "retry": ("n",),
    "timeout": ("n", "per"),
    "header-set": ("from", "to"),
    "header-remove": ("n",),
    # Sites.
    "spa": (),
    "redirect": ("from", "to"),
    # What accounts and files can do besides, work that is done later, and figures by mail.
    "jwks": (),
    "change-password": (),
    "manage-roles": (),
    "custom-code": (),
    "private": ("set",),
    "file-types": ("set", "n"),
    "job": ("of", "when", "unless", "below", "over", "set", "unset", "makes", "by", "to", "plus", "minus", "from", "n", "per"),
    "mail-report": ("of", "n", "per", "from"),
}

#: Kinds of cue that speak of one entity, never of several.
OF_ONE = frozenset(
    ["overlap", "at-most", "action", "every", "expire", "count", "sum", "average", "highest", "lowest", "total-of", "number-of", "notify", "job", "mail-report"]
)
#: Slots that often hold several things. The others seldom do, so there only the surest counts, and what is beyond doubt.
OFTEN_SEVERAL = frozenset(["when", "by", "n"])
BEYOND_DOUBT = 0.95
