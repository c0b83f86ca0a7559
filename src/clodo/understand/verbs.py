"""The base form of a verb: what an action is called after."""

from __future__ import annotations

from clodo.understand.naming import singular, words
from clodo.understand.spelling import usage

#: Past forms that no ending tells.
_PAST = {
    "lent": "lend", "sent": "send", "paid": "pay", "sold": "sell", "bought": "buy", "taken": "take", "took": "take", "given": "give", "gave": "give",
    "begun": "begin", "brought": "bring", "made": "make", "done": "do", "held": "hold", "kept": "keep", "lost": "lose", "found": "find", "left": "leave",
    "withdrawn": "withdraw", "written": "write", "broken": "break", "chosen": "choose", "driven": "drive", "drawn": "draw", "grown": "grow", "thrown": "throw", "used": "use", "using": "use",
}  # fmt: skip


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
