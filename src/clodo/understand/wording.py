"""The grammar of the blueprints of one text: their names are made of its words.

A name is some words of the text that stand together, written as names are (``naming``), or as the actions and states that they
say (``verbs``); some have an ending or a front by custom (``borrowed_at``, ``number_of_loans_by_month``). The names that blueprints have
without any word of the text, such as functions and ``status``, are listed here. Which of them a thing has is the model's decision.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from clodo.blueprint.alternatives import alternatives
from clodo.blueprint.formulas import AGGREGATES, DURATIONS, LINKED, PERIODS
from clodo.blueprint.gbnf import gbnf
from clodo.blueprint.keywords import ROW_KEYS
from clodo.understand.choices import choice
from clodo.understand.compiler import HELD, field_called
from clodo.understand.naming import FILLERS, entity_name, field_name, singular
from clodo.understand.nominals import BOTH, VERBS
from clodo.understand.spelling import Speller
from clodo.understand.storeless import CALLED
from clodo.understand.verbs import base_form, is_said, participle, step_name

#: Words of the text that a name is made of at most, articles and the like among them; of a long text fewer, so that its grammar does not
#: outgrow ``_MOST`` characters, which is within what engines take (``edge``).
_WORDS = (6, 4, 2, 1)
_MOST = 60_000
#: Words that an action or a state is said with at most.
_STEP = 4
#: Letters of a name at most.
_LONGEST = 60

#: Names that the language and its services have of themselves.
_LANGUAGE = frozenset([
    *AGGREGATES, LINKED, *PERIODS, *DURATIONS, *ROW_KEYS, "round", "abs", "length", "lower", "now", "today", "this", "caller", "owner",
    "user", "email", "role", "admin", "create", "update", "change", "delete", "changes", "created_events", "updated_events", "deleted_events",
])  # fmt: skip
#: What things are called of which the text does not say the name: fields of states, figures, rows above others, services.
_UNSAID = frozenset([
    "name", "status", "state", "score", "quantity", "parent", "related", "owner_record", "backend", "service", "unclear", *CALLED.values(), *(name for name, _ in HELD.values()),
])  # fmt: skip
#: Endings of names: moments and days, how many there are, and what is told apart from a name that is taken.
_ENDINGS = ("service", "at", "on", "by", "date", "time", "day", "url", "count", "number", "entry", "value", "given", "events", "id")
#: Fronts of the names of reports and of actions.
_FRONTS = ("number_of", "total", "average", "highest", "lowest", "set", "add")

_WORD = re.compile(r"[^\W_]+\+?")
#: What no name goes over: the end of a clause, a line or a bracket.
_APART = re.compile(r"[;:!?()\[\]{}\n]|[.,](?=\s|$)")
#: Two that share the word behind them, as in ``start and end date``.
_SHARED = re.compile(r"([^\W_]+)(?:\s*[,/&]\s*|\s+(?:and|or|to)\s+)(?=[^\W_]+\s+([^\W_]+))")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_VALUE = re.compile(r"[A-Za-z0-9_+./-]+")


def grammar_of(text: str) -> str:
    """The grammar (GBNF) of the blueprints whose names are made of the words of ``text``. Of a text that is mostly in another script than
    Latin the names may be any, for no word of it could stand in one, and of one that is longer than engines take."""
    # What would come out too large is not worked out first: a letter of the text comes to about two for each word of a name.
    sizes = [most for most in _WORDS if 2 * most * len(text) <= _MOST] if _is_latin(text) else []
    grammars = (gbnf(_rules(text, most)) for most in sizes)
    return next((grammar for grammar in grammars if len(grammar) <= _MOST), gbnf())


def names_of(text: str, most: int = _WORDS[0]) -> frozenset[str]:
    """The names that up to ``most`` words of a text make, without fronts and endings; with slips of the pen both as they stand and mended."""
    mended = Speller(frozenset())(text)
    return frozenset(name for version in {text, mended} for words in _runs(version, most) for name in _names(words))


def values_of(text: str, most: int = _WORDS[0]) -> frozenset[str]:
    """The values of enums that words of a text make and that are no names (``XL``, ``7_day``), in small letters and as they are written."""
    made = {form for words in _runs(text, most) for form in (choice(words), choice(words).upper() if words == words.upper() else "")}
    return frozenset(value for value in made if _VALUE.fullmatch(value) and not _NAME.fullmatch(value))


def _rules(text: str, most: int) -> dict[str, str]:
    """The bodies of the rules for names and values."""
    usual = alternatives(_LANGUAGE | _UNSAID)
    own, values = names_of(text, most), values_of(text, most)
    rules = {"n-value": f'"\\"" {alternatives(values)} "\\""'} if values else {"n-value": '"\\"" n-name "\\""'}
    if not own:
        return {**rules, "n-name": usual}
    return {
        **rules,
        "n-name": "n-usual | n-own (n-ending | n-by)? | n-front n-own n-which{0,3} n-by?",
        "n-own": alternatives(own),
        "n-usual": usual,
        "n-ending": alternatives(f"_{ending}" for ending in _ENDINGS),
        "n-front": alternatives(f"{front}_" for front in _FRONTS),
        "n-which": '"_" "not_"? n-own | ("_over" | "_under") ("_" [0-9]{1,9})?',
        "n-by": '"_by_" n-group ("_and_" n-group){0,3}',
        "n-group": "n-own | n-usual",
    }


def _names(words: str) -> Iterator[str]:
    """The names that some words make that stand together."""
    named = field_called(field_name(words))
    *front, last = named.split("_")
    found = [named, field_called(entity_name(words)), "_".join([*front, singular(last)])]
    if words.partition(" ")[0].lower() not in FILLERS:
        found.append(choice(words))  # a state: "on the way"
    if words.count(" ") < _STEP:
        found += _step_names(words)
    yield from (name for name in found if _NAME.fullmatch(name) and len(name) <= _LONGEST)


@cache
def _step_names(words: str) -> tuple[str, ...]:
    """What some words are called that say what is done: the action, what a row is after it, the thing that is made by it."""
    step, base = step_name(words), base_form(words)
    return tuple(filter(None, (step, participle(words) if step and is_said(words) else "", VERBS.get(base, ""), BOTH.get(base, ""))))


def _runs(text: str, most: int) -> Iterator[str]:
    """Words that stand together, one to ``most`` of them, as the text has them, or share the word behind them; each once."""
    seen = {" ".join(m.groups()) for m in _SHARED.finditer(text)}
    yield from seen
    for clause in _APART.split(text):
        places = [m.span() for m in _WORD.finditer(clause)]
        for i, (start, _) in enumerate(places):
            for _, end in places[i : i + most]:
                if (words := clause[start:end]) not in seen:
                    seen.add(words)
                    yield words


def _is_latin(text: str) -> bool:
    """Whether most letters of a text are Latin ones."""
    letters = [c for c in text if c.isalpha()]
    return 2 * sum(c < "ɐ" for c in letters) >= len(letters)
