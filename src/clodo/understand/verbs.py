"""The base form of a verb: what an action is called after; and what is done to a row by it."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import cache, lru_cache

from clodo.understand.irregular_verbs import BASES, FRONTS, PARTICIPLES
from clodo.understand.naming import singular, words
from clodo.understand.spelling import RARE, name_words, usage

#: Forms that no ending tells.
_PAST = {
    **BASES, "used": "use", "using": "use", "noted": "note", "noting": "note", "does": "do", "has": "have", "taxied": "taxi", "skied": "ski",
    "pasted": "paste", "pasting": "paste", "breathed": "breathe", "breathing": "breathe", "clothed": "clothe", "clothing": "clothe",
    "creat": "create", "delet": "delete", "remov": "remove", "updat": "update",
    **{verb: verb for verb in ("succeed", "proceed", "exceed", "need", "seed", "embed", "shred", *PARTICIPLES)},
}  # fmt: skip
#: Forms of which an ending leaves two letters, and what follows what is kept of them: aged, hoed, dyed; icing, dying, suing, doing.
_TINY = (
    ("([aeiou][^aeiou]|[^aeiou][iouy])ed", "e"), ("([aeiou][^aeiou])ing", "e"), ("([^aeiou])ying", "ie"), ("([^aeiou]u)ing", "e"), ("([bdg][eo])ing", ""),
)  # fmt: skip
#: What the ending of a verb that nobody knows was put to: its last letter was doubled, or an ``e`` was dropped without which no verb ends so.
_SPELT = (
    ("(.*[aeiou].*ic)k", ""), (r"(.*([bdgmnprt]))\2", ""), ("(.*(?:[aeiou][^aeiou]+e|[iu][ae])l)l", ""),
    ("(.*(?:[cuv]|[^s]s|[^z]z|[aeioudlr]g|[bcdfgkptz]l|[^aeiou][aeiou]k|[^aeiou][aiou]d|[aeiou].*[^aeo]at))", "e"),
    ("((?:[^aeiou]|qu)*[aeiou][^aeiouhwxy])", "e"),
)  # fmt: skip
#: Third persons that end like a plural of another kind.
_THIRD = {
    "focuses": "focus", "refocuses": "refocus", "buses": "bus", "biases": "bias", "gases": "gas", "caches": "cache", "aches": "ache", "axes": "axe", "quizzes": "quiz",
    "shoes": "shoe", "hoes": "hoe", "toes": "toe", "tiptoes": "tiptoe", "canoes": "canoe", "ties": "tie", "unties": "untie", "lies": "lie",
}  # fmt: skip
#: Where a verb takes ``es``, one of a syllable that doubles its last letter, and what may double it at all.
_HISSING = re.compile(r".*(?:ss|sh|ch|x|zz|tz|o)es")
_SHORT = re.compile(r"(?:[^aeiou]|(?<=q)u)*[aeiou][^aeiouhwxy]")
_DOUBLING = re.compile(r".*(?:(?:^|[^aeiou]|qu)[aeiou][^aeiou]|l)")


#: Words that belong to a verb: "check in", "sign off".
_PARTICLES = frozenset(["in", "out", "off", "up", "down", "back", "on", "over", "away", "through", "home", "aside"])
#: What may stand between the two: "hand it back".
_OBJECTS = frozenset(["it", "them"])
#: How nouns end that are no verbs where nobody says their past: "cancellation", but "requisition".
_NOUN = re.compile(r".*(?:[ts]ion|ment|ness|ity|al|ance|ence)")


#: What every row has done to it by requests of their own. Said with a condition, it is a lock: "can only be edited while it is a draft".
CHANGES = {
    **dict.fromkeys(["edit", "change", "modify", "update", "alter", "amend", "touch"], "change"),
    **dict.fromkeys(["editable", "changeable", "modifiable", "alterable", "amendable", "updatable", "updateable", "mutable", "correctable"], "change"),
    **dict.fromkeys(["alteration", "amendment", "modification"], "change"),
    **dict.fromkeys(["delete", "remove", "erase", "deletable", "deleteable", "removable", "removeable", "erasable", "deletion", "removal", "erasure"], "delete"),
}  # fmt: skip
#: What is a lock only where its condition leaves nothing else that it can be: "drop a booking" is a step of many services.
MILD = {
    **dict.fromkeys(["correct", "correction", "revise", "revision", "adjust", "tweak", "rewrite", "overwrite"], "change"),
    **dict.fromkeys(["drop", "discard", "destroy", "wipe", "trash"], "delete"),
}
#: Words for rows that are not changed any more: "locked once it is approved".
LOCKED = frozenset(["lock", "freeze", "immutable", "unchangeable", "uneditable", "unalterable", "final", "readonly", "read_only"])
#: What makes a row, where it is said of whoever does it: "reporters open tickets".
ADDING = frozenset([
    "add", "create", "open", "submit", "enter", "file", "raise", "post", "register", "record", "log", "lodge", "place", "insert", "input", "upload", "contribute", "propose",
    "suggest", "make", "hand_in", "send_in", "turn_in", "put_in", "key_in", "type_in", "note_down", "write_down", "set_up",
    "addition", "creation", "submission", "registration", "insertion",
])  # fmt: skip
#: What else is done with a file where it is all that is said of it: "attaches the slip".
ATTACHING = frozenset(["attach", "append", "provide", "replace"])
_FRONTED = re.compile(f"^({'|'.join(FRONTS)})-(?=[a-z])", re.IGNORECASE)
_JOINED = re.compile(r"_(?:or|and|nor)(?=_)")

#: What carries a rule or a wish, and is no step by itself: "we cannot", "forbid".
_RULES = frozenset([
    "forbid", "prevent", "disallow", "prohibit", "allow", "permit", "let", "can", "cannot", "may", "might", "must", "shall", "should", "will", "would", "could",
    "require", "ensure", "enforce", "restrict", "limit", "be", "become", "have", "get", "go", "come", "do", "want", "wish", "need", "like", "know", "say", "think",
    "mean", "feel", "see", "seem", "happen", "stay", "remain", "avoid",
])  # fmt: skip
#: What carries a rule where it has a condition and nobody who does it: "refuse updates once it is paid".
_REFUSALS = frozenset(["refuse", "reject", "deny", "block"])

#: Verbs that misspelt ones are held against.
_MUCH_SAID = (
    "edit", "change", "modify", "update", "alter", "amend", "delete", "remove", "erase", "cancel", "approve", "confirm", "close", "accept", "reject", "decline", "archive",
    "publish", "complete", "finish", "return", "withdraw", "submit", "deliver", "resolve", "release", "redeem", "refund", "reserve", "restore", "collect", "register",
    "receive", "arrive", "settle", "restock", "assign", "launch", "add", "create", "enter", "open", "record", "upload",
)  # fmt: skip
_ALIKE = 0.8


def lock_of(surface: str, *, mild: bool = False) -> tuple[tuple[str, ...], bool]:
    """What words of a lock speak of, ``change`` and ``delete``, and whether they say when it is allowed (and not when it is no longer).
    Empty where they are no such words; ``mild`` ones count where they can be nothing else."""
    parts = _JOINED.sub("", "_".join(words(surface))).split("_")
    if "_".join(parts) in LOCKED or (len(parts) == 1 and _base(mended(parts[0])) in LOCKED):
        return ("change", "delete"), False
    known = CHANGES | MILD if mild else CHANGES
    if all(word.startswith("un") for word in parts):
        parts, allowed = [word.removeprefix("un") for word in parts], False
    else:
        allowed = True
    verbs = [known.get(_base(mended(word))) for word in parts]
    return tuple(sorted({v for v in verbs if v is not None})) if None not in verbs else (), allowed


def makes_rows(surface: str) -> bool:
    """Whether words say that rows are made: ``handed in``, ``add or register``."""
    said = [step_name(part).split("_") for part in _JOINED.split("_".join(words(surface)))]
    return all("_".join(word for word in parts if word not in _OBJECTS) in ADDING for parts in said)


def uploads(surface: str) -> bool:
    """Whether words may say what is done with a file itself: ``changes``, ``uploaded``, ``attach``."""
    return bool(lock_of(surface, mild=True)[0]) or makes_rows(surface) or step_name(surface) in ATTACHING


def mended(word: str) -> str:
    """A lower-case verb that nobody writes so, as the much said one that it is next to: ``chnaged`` → ``changed``."""
    return (_near(word) or word) if _is_slip(word) and not _attested(_base(word)) else word


def _is_slip(word: str) -> bool:
    return len(word) > 3 and usage(word) <= RARE and word not in name_words()


@cache
def _near(word: str) -> str | None:
    forms = [form for form in _forms() if form[0] == word[0] and not word.endswith(form)]
    return next(iter(get_close_matches(word, forms, 1, _ALIKE)), None)


@cache
def _forms() -> tuple[str, ...]:
    """The forms of the verbs that are much said."""
    return tuple(form for verb in _MUCH_SAID for form in (verb, _third(verb), _past(verb), f"{_past(verb).removesuffix('ed') if verb not in PARTICIPLES else verb}ing"))


def _third(verb: str) -> str:
    return f"{verb[:-1]}ies" if re.search(r"[^aeiou]y$", verb) else f"{verb}{'es' if verb.endswith('sh') else 's'}"


def step_name(surface: str) -> str:
    """The name of an action from the words that say it, with the slips of its verb mended. Empty where there are no words."""
    first, *others = _step_words(surface) or [""]
    return "_".join([_base(mended(first)), *others])


def is_rule(surface: str, *, conditional: bool) -> bool:
    """Whether words only carry a rule, so that they are no step; ``conditional`` where it has a condition and nobody who does it."""
    first = step_name(surface).partition("_")[0]
    return first in _RULES or (conditional and first in _REFUSALS)


def participle(surface: str) -> str:
    """What a row is after a step, from the words that say the step: ``close`` → ``closed``, ``check in`` → ``checked_in``.
    Empty where the words are no verb."""
    first, *rest = step_name(surface).split("_")
    others = [word for word in rest if word not in _OBJECTS]
    if not re.fullmatch("[a-z]+", first) or (_NOUN.fullmatch(first) and not usage(_past(first))) or not _PARTICLES.issuperset(others):
        return ""
    return "_".join([_past(first), *others])


def is_said(surface: str) -> bool:
    """Whether people say the participle of a step's verb, so that a field may be called so."""
    return _attested(step_name(surface).partition("_")[0])


def _attested(base: str) -> bool:
    if base in PARTICIPLES or usage(_past(base)) or (base.endswith(("ise", "yse")) and usage(f"{base[:-2]}zed")):
        return True
    # "Rehome", "upvote": what has something in front is said where its verb is.
    return any(base.startswith(front) and len(base) > len(front) + 3 and _attested(base.removeprefix(front)) for front in FRONTS)


def _past(base: str) -> str:
    if base in PARTICIPLES:
        return PARTICIPLES[base]
    if base.endswith("e"):
        return f"{base}d"
    if re.search(r"[^aeiou]y$", base):
        return f"{base[:-1]}ied"
    if re.fullmatch(".*[aeiou].*ic", base):
        return f"{base}ked"
    single, doubled = f"{base}ed", f"{base}{base[-1]}ed"
    if _SHORT.fullmatch(base) or (usage(doubled) > RARE and _base(doubled) == base):
        return doubled
    # "Unban", "resubmit": as the verb behind.
    behind = [] if usage(single) else [base.removeprefix(front) for front in FRONTS if base.startswith(front)]
    return doubled if any(len(verb) > 2 and _past(verb) == f"{verb}{verb[-1]}ed" for verb in behind) else single


def base_form(surface: str) -> str:
    """The name of an action from the words that say it: ``cancelled`` → ``cancel``, ``marked as paid`` →
    ``mark_as_paid``. Empty where there are no words."""
    found = _step_words(surface)
    return "_".join([_base(found[0]), *found[1:]]) if found else ""


def _step_words(surface: str) -> list[str]:
    """The words of a step; what is written in front of its verb is part of it: ``re-opened``."""
    return words(_FRONTED.sub(r"\1", surface.strip()))


@lru_cache(maxsize=2**14)
def _base(word: str) -> str:
    if word in _PAST:
        return _PAST[word]
    for ending in ("ed", "ing"):
        stem = word.removesuffix(ending)
        if stem != word and (len(stem) > 2 or _match(_TINY, word)):
            return _known(word, stem) or _behind(word) or _guessed(word, stem)
    return _first_person(word) if word.endswith("s") and singular(word) != word else word


def _known(word: str, stem: str) -> str:
    """Of what an ending may have been put to, the verb that people use; empty where there is none."""
    if tiny := _match(_TINY, word):
        return tiny
    best = max(_options(word, stem), key=usage)
    if not usage(best):
        return ""
    # "Strucked" is struck, but "founded" is of a verb of its own.
    return best if best in BASES and usage(word) > RARE else _PAST.get(best, best)


def _options(word: str, stem: str) -> list[str]:
    silent = f"{stem}e"
    if word.endswith("ied"):
        return [silent, f"{stem[:-1]}y"]
    if usage(silent) and _cannot_end(word, stem):
        return [silent]
    once = stem[:-1]
    # "Assessed" is not of "asses".
    doubled = stem[-1] == stem[-2] and _DOUBLING.fullmatch(once) and not (stem.endswith("ss") and not _SHORT.fullmatch(once) and usage(stem))
    return [silent, stem, *([once] if doubled or re.fullmatch(".*[aeiou].*ick", stem) else [])]


def _cannot_end(word: str, stem: str) -> bool:
    """Whether what is in front of an ending is no verb as it is: none ends like a plural ("lapsed"), one of a syllable doubles its letter
    ("scraped" is not of "scrap"), and one that has a past of its own has no other ("singed")."""
    if re.fullmatch(".*[^aeious]s", stem):
        return True
    return usage(word) > RARE and (bool(_SHORT.fullmatch(stem)) or (word.endswith("ed") and PARTICIPLES.get(stem, word) != word))


def _behind(word: str, known: Callable[[str, str], str] = _known) -> str:
    """The base of a form that nobody knows, by the verb behind what stands in front of it: ``transcoded``; empty where there is none."""
    for front in FRONTS:
        rest = word.removeprefix(front)
        stem = re.sub("(?:ed|ing)$", "", rest)
        if rest != word and (found := _PAST.get(rest) or (known(rest, stem) if rest != stem and len(stem) > 1 else "")):
            return front + found
    return ""


def _guessed(word: str, stem: str) -> str:
    if word.endswith("ied"):
        return f"{stem[:-1]}y"
    found = _match(_SPELT, stem) or stem
    return _PAST.get(found, found)


def _match(rules: tuple[tuple[str, str], ...], word: str) -> str:
    return next((found[1] + tail for pattern, tail in rules if (found := re.fullmatch(pattern, word))), "")


def _first_person(word: str) -> str:
    """The verb of its third person: verbs end otherwise than plurals do (``outlives``, ``refuses``)."""
    if word in _THIRD:
        return _THIRD[word]
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    return word[:-2] if _HISSING.fullmatch(word) else word[:-1]
