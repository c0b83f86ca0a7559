"""The base form of a verb: what an action is called after."""

from __future__ import annotations

import re

from clodo.understand.naming import singular, words
from clodo.understand.spelling import RARE, usage

#: Past forms that no ending tells.
_PAST = {
    "lent": "lend", "sent": "send", "paid": "pay", "sold": "sell", "bought": "buy", "taken": "take", "took": "take", "given": "give", "gave": "give",
    "begun": "begin", "brought": "bring", "made": "make", "done": "do", "held": "hold", "kept": "keep", "lost": "lose", "found": "find", "left": "leave",
    "withdrawn": "withdraw", "written": "write", "broken": "break", "chosen": "choose", "driven": "drive", "drawn": "draw", "grown": "grow", "thrown": "throw", "used": "use", "using": "use",
    "hidden": "hide", "hid": "hide", "cut": "cut", "put": "put", "reset": "reset", "set": "set", "shut": "shut", "split": "split",
}  # fmt: skip


#: Words that belong to a verb: "check in", "sign off".
_PARTICLES = frozenset(["in", "out", "off", "up", "down", "back", "on", "over", "away", "through", "home", "aside"])
#: What may stand between the two: "hand it back".
_OBJECTS = frozenset(["it", "them"])
#: How nouns end that are no verbs: what they are the names of has no past form.
_NOUN = re.compile(r".*(?:[ts]ion|ment|ness|ity|al|ance|ence)")


#: What every row has done to it by requests of their own. Said with a condition, it is a lock: "can only be edited while it is a draft".
CHANGES = {
    **dict.fromkeys(["edit", "change", "modify", "update", "alter", "amend", "touch", "editable", "changeable"], "change"),
    **dict.fromkeys(["delete", "remove", "erase"], "delete"),
}
#: Words for rows that are not changed any more: "locked once it is approved".
LOCKED = frozenset(["lock", "freeze", "frozen", "immutable", "final", "readonly", "read_only"])
_JOINED = re.compile(r"_(?:or|and|nor)(?=_)")


def lock_of(surface: str) -> tuple[tuple[str, ...], bool]:
    """What words of a lock speak of, ``change`` and ``delete``, and whether they say when it is allowed (and not when it is no longer).
    Empty where they are no such words."""
    said = "_".join(words(surface))
    if said in LOCKED or _base(said) in LOCKED:
        return ("change", "delete"), False
    verbs = [CHANGES.get(_base(word)) for word in _JOINED.sub("", said).split("_")]
    return tuple(sorted({v for v in verbs if v is not None})) if None not in verbs else (), True


def participle(surface: str) -> str:
    """What a row is after a step, from the words that say the step: ``close`` → ``closed``, ``check in`` → ``checked_in``.
    Empty where the words are no verb."""
    first, *rest = base_form(surface).split("_")
    others = [word for word in rest if word not in _OBJECTS]
    if not first.isalpha() or _NOUN.fullmatch(first) or not _PARTICLES.issuperset(others):
        return ""
    return "_".join([_past(first), *others])


def _past(base: str) -> str:
    irregular = next((past for past, verb in _PAST.items() if verb == base and past not in ("took", "using", "hid")), None)
    if irregular is not None or base.endswith("e"):
        return irregular or f"{base}d"
    if re.search(r"[^aeiou]y$", base):
        return f"{base[:-1]}ied"
    doubled = f"{base}{base[-1]}ed"
    return doubled if usage(doubled) > RARE and _base(doubled) == base else f"{base}ed"


def base_form(surface: str) -> str:
    """The name of an action from the words that say it: ``cancelled`` → ``cancel``, ``marked as paid`` →
    ``mark_as_paid``. Empty where there are no words."""
    found = words(surface)
    return "_".join([_base(found[0]), *found[1:]]) if found else ""


def _base(word: str) -> str:
    if word in _PAST:
        return _PAST[word]
    if word.endswith("ied") and len(word) > 4:
        return word[:-3] + "y"
    for ending in ("ed", "ing"):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 2:
            # Of what an ending may have been put to, the word that people use.
            options = [stem + "e", stem, *([stem[:-1]] if len(stem) > 2 and stem[-1] == stem[-2] else [])]
            best = max(options, key=usage)
            return best if usage(best) else stem
    return singular(word) if word.endswith("s") and not word.endswith("ss") else word
