"""Names from a user's own words: ``"author's names"`` → ``author_name``.

This is normalisation only: which words name something is the model's decision.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import Any

#: Words and figures; a short sign keeps its figure (``co2``, ``pm10``).
_WORD = re.compile(r"(?<![A-Za-z\d])[A-Za-z]{1,3}\d+(?![A-Za-z\d])|[A-Za-z]+|\d+")
#: The first of two that are told apart by letters: "score a and score b".
_LETTERED = re.compile(r"[A-Za-z]{3,}\s+[aA]$")
#: Letters that are no other letter with a mark.
LETTERS = {"ß": "ss", "æ": "ae", "Æ": "Ae", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "Oe", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "þ": "th", "Þ": "Th"}
#: Words that carry a change of state where no word of the text names the field: "goes from draft to sent".
CARRIERS = frozenset([
    "go", "goes", "going", "move", "moves", "moving", "start", "starts", "started", "starting", "begin", "begins", "beginning", "become",
    "becomes", "can", "may", "will", "must", "be", "is", "are", "was", "been", "being", "pass", "passes", "run", "runs", "turn", "turns",
    "change", "changes", "follow", "follows", "advance", "advances", "progress", "progresses", "flow", "flows", "come", "comes", "end",
    "ends", "get", "gets", "stay", "stays", "remain", "remains", "either", "first", "then", "next", "through", "from", "to", "into", "as", "with",
    "in", "at", "or", "and", "step", "steps", "it", "they",
])  # fmt: skip
#: Words in front of the bounds of a figure that no word of the text names: "rate films from 1 to 5", "out of 10".
SCALES = frozenset(["from", "between", "out", "on", "to", "at", "with", "up"])
#: Words that are no part of a name.
FILLERS = frozenset(["a", "an", "the", "of", "its", "their", "his", "her", "our", "your", "my", "each", "every", "any", "some", "s"])

#: What is told by what it is of: the date of arrival is the arrival date.
HEADS = frozenset(["date", "day", "time", "hour", "month", "year", "place", "name", "type", "kind"])
#: Of what it is a number or a part: the day of the week.
CYCLES = frozenset(["day", "week", "month", "year"])
_OF = re.compile(r"\s+of\s+", re.IGNORECASE)

# inflect takes these endings and words for plurals ("bus" -> "bu"), or for the plural of a man.
_NOT_PLURAL = re.compile(
    r".*(?:us|ss|is)|(?:gas|bias|atlas|canvas|chaos|lens|news|series|species|sms|gps|cms|dns|pos|media"
    r"|data|premises|works|goods|means|kudos|christmas|https?|aws|ios|os|rss|css|tls|apis|physics"
    r"|mathematics|economics|politics|athletics|statistics|analytics|electronics|ethics|logistics"
    r"|gymnastics|genetics|robotics|acoustics|graphics|diagnostics|ceramics|basics"
    r"|alias|pancreas|whereas|overseas|asbestos|cosmos|thermos|rhinoceros|clothes|molasses|tweezers"
    r"|outskirts|always|perhaps|upstairs|downstairs|nowadays|whereabouts|sideways"
    r"|specimen|regimen|abdomen|acumen|omen|stamen|lumen|staff|luggage|police)"
)
_IRREGULAR = {
    "buses": "bus", "gases": "gas", "apis": "api", "lenses": "lens", "leaves": "leave", "menus": "menu",
    "gurus": "guru", "emus": "emu", "taxis": "taxi", "skis": "ski", "kiwis": "kiwi", "bikinis": "bikini",
    "alibis": "alibi", "safaris": "safari", "wikis": "wiki", "photos": "photo", "diagnoses": "diagnosis",
    "ins": "in", "ups": "up", "outs": "out", "offs": "off", "ons": "on", "downs": "down", "pupae": "pupa",
    "analyses": "analysis", "theses": "thesis", "crises": "crisis",
    **{f"{one}s": one for one in (
        "mini", "maxi", "midi", "sensei", "yogi", "rabbi", "poi", "chili", "koi", "corgi", "yeti", "okapi", "sari", "semi", "uni", "martini", "tsunami", "zucchini", "salami",
        "samurai", "bonsai", "ad", "dj", "mc", "vm", "pc", "cd", "tv", "cv", "rv", "lp", "ep", "pr", "id",
    )},
}  # fmt: skip

# What people type for short, or mostly wrongly so that no other word is meant, and the word that a reader of the API expects.
ABBREVIATIONS = {
    "qty": "quantity",
    "desc": "description",
    "descr": "description",
    "dob": "birth_date",
    "birthdate": "birth_date",
    "addr": "address",
    "tel": "phone",
    "num": "number",
    "nr": "number",
    "amt": "amount",
    "pic": "picture",
    "img": "image",
    "cat": "category",
    "dept": "department",
    "mail": "email",
    "lat": "latitude",
    "lon": "longitude",
    "lng": "longitude",
    "temp": "temperature",
    "pwd": "password",
    "msg": "message",
    "org": "organisation",
    "appt": "appointment",
    "appts": "appointments",
    "bldg": "building",
    "cust": "customer",
    "fname": "first_name",
    "hrs": "hours",
    "lname": "last_name",
    "loc": "location",
    "lvl": "level",
    "mins": "minutes",
    "ppl": "people",
    "prio": "priority",
    "prob": "problem",
    "secs": "seconds",
    "yr": "year",
    "yrs": "years",
    "payed": "paid",
    "dat": "date",
    "nite": "night",
    "wen": "when",
    "adr": "address",
    "aply": "apply",
    "canceld": "cancelled",
    "cancled": "cancelled",
    "dun": "done",
    "frm": "from",
    "ned": "end",
    "til": "until",
}


@cache
def _inflector() -> Any:
    import inflect

    return inflect.engine()


def load() -> None:
    """Loads the rules of plurals, so that the first name takes no longer than the next."""
    _inflector()


@cache
def singular(word: str) -> str:
    """The singular of one lower-case English word; a singular comes back unchanged."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4 or _NOT_PLURAL.fullmatch(word):
        return word
    found = _inflector().singular_noun(word)
    return str(found) if found else word


def words(surface: str) -> list[str]:
    """The lower-case words of a phrase, camel case taken apart, articles and ``'s`` dropped."""
    return [*_words(surface)]


# The same few phrases are asked for by each who names something.
@lru_cache(maxsize=2**15)
def _words(surface: str) -> tuple[str, ...]:
    text = re.sub(r"(?<=[a-z]{2})(?=[A-Z])", " ", _plain(surface))  # not pH and kWh
    text = re.sub(r"[’']s\b|s[’'](?=\s)", lambda m: "s" if m[0][0] == "s" else "", text)
    text = re.sub(r"\be-(?=mail)", "e", text, flags=re.IGNORECASE)
    found = [w.lower() for w in _WORD.findall(text)]
    kept = [w for w in found if w not in FILLERS]
    return tuple(kept or found)


def _plain(text: str) -> str:
    """The text without the marks of its letters: ``café`` → ``cafe``."""
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text.translate({ord(letter): plain for letter, plain in LETTERS.items()}))
    return "".join(c for c in apart if unicodedata.category(c)[0] != "M")


def entity_name(surface: str) -> str:
    """The name of an entity from one of its mentions: snake_case, last word singular."""
    parts = [ABBREVIATIONS.get(w, w) if len(w) > 3 else w for w in words(surface)]
    return "_".join([*parts[:-1], singular(parts[-1])]) if parts else ""


def field_name(surface: str) -> str:
    """The name of a field from the words that mention it: snake_case."""
    full = [ABBREVIATIONS.get(w, w) for w in _turned(surface)]
    # "ranger_email email": its type may stand beside the name.
    parts = [w for w, before in zip(full, ["", *full], strict=False) if w != before]
    if len(parts) == 2 and parts[1] in ("no", "nr"):
        parts[1] = "number"
    name = "_".join(parts)
    return {"date_birth": "birth_date", "how_many": "quantity", "out_order": "out_of_order"}.get(name, name)


def _turned(surface: str) -> list[str]:
    """The words of a phrase, ``date of arrival`` as ``arrival date`` and ``day of the week`` as ``day of week``; ``score a`` keeps its letter."""
    if _LETTERED.search(surface) and (found := words(surface)) != ["a"]:
        return [*found, "a"]
    head, *of = (words(part) for part in _OF.split(surface))
    if len(of) != 1 or not head or not of[0] or head[-1] not in HEADS:
        return words(surface)
    if len(of[0]) == 1 and of[0][0] in CYCLES:
        return [*head, "of", *of[0]]
    return [*head[:-1], *of[0], head[-1]]


def moment_name(name: str, *, day: bool) -> str:
    """``taken`` → ``taken_at`` (a moment) or ``taken_on`` (a day), where a verb stands for a date or time; names
    that already tell are unchanged."""
    if name.rpartition("_")[2] in ("at", "on", "date", "day", "time", "moment"):
        return name
    return f"{name}_{'on' if day else 'at'}"


def state_name(name: str) -> str:
    """``goes`` → ``status``: what a field of states is called whose words only carry the change; other names are unchanged."""
    return "status" if CARRIERS.issuperset(name.split("_")) else name


def figure_name(name: str) -> str:
    """``from`` → ``score``: what a number is called of which a text only says the bounds; other names are unchanged."""
    return "score" if SCALES.issuperset(name.split("_")) else name


def plural(name: str) -> str:
    """The plural of a name in snake_case."""
    front, _, last = name.rpartition("_")
    found = str(_inflector().plural_noun(last) or f"{last}s")
    return f"{front}_{found}" if front else found
