"""The no-model baseline: what keywords and patterns find in a description.

It exists only to be measured against (``evals/run.py``); the product never imports it.
"""

from __future__ import annotations

import re

from clodo.evaluation.scoring import Meaning, key

_HAS = re.compile(
    r"\b(?:an?|each|every|the|for every|for each)?\s*([A-Za-z][\w-]+(?: [a-z][\w-]+)?)\s*"
    r"(?:have|has|with|:|needs?|consists? of|w/)\s+([^.;\n]+)",
    re.IGNORECASE,
)
_TYPES = (
    (r"price|amount|cost|salary|budget|fee|total|rate", "decimal"),
    (r"date|birth|time|deadline|\bat\b|when", "date or time"),
    (r"number of|count|quantity|qty|year|age|score|rating|capacity|pages|minutes|seconds", "integer"),
    (r"e-?mail", "email"),
    (r"flag|yes/no|whether|done|active|published|enabled|boolean", "boolean"),
)
_STOP = frozenset(["a", "an", "the", "its", "their", "which", "that", "is", "are", "and", "or", "of", "some", "plus"])


def extract(text: str) -> Meaning:
    """What the patterns make of a text."""
    out = Meaning(access=_access(text.lower()))
    for m in _HAS.finditer(text):
        entity = key("_".join(m[1].lower().split()[-1:]))
        if entity in ("it", "we", "they", "that", "who", "user", "everyone"):
            continue
        out.entities.add(entity)
        for part in re.split(r",| and ", m[2]):
            _field(out, entity, part)
    for m in re.finditer(r"(\w+?)s? (?:belongs? to|is assigned to|of) (?:an?|the|one) (\w+)", text.lower()):
        pair = key(m[1]), key(m[2])
        if pair[0] in out.entities and pair[1] in out.entities:
            out.references.add((pair[0], ">", pair[1]))
    out.names = {**{(e, ""): "" for e in out.entities}, **out.fields}
    return out


def _field(out: Meaning, entity: str, part: str) -> None:
    words = [w for w in re.findall(r"[A-Za-z']+", re.sub(r"\(.*|which.*|that.*", "", part)) if w.lower() not in _STOP]
    if not 1 <= len(words) <= 3:
        return
    name = key("_".join(w.lower().replace("'s", "") for w in words))
    found = (t for pattern, t in _TYPES if re.search(pattern, part, re.IGNORECASE))
    out.fields[entity, name] = next(found, "text")
    if re.search(r"unique|no duplicates", part, re.IGNORECASE):
        out.constraints.add((entity, name, "unique"))
    if re.search(r"required|mandatory", part, re.IGNORECASE):
        out.constraints.add((entity, name, "required"))
    bounds = re.search(r"(\d+)\s*(?:to|-|and)\s*(\d+)", part)
    if bounds:
        out.constraints.add((entity, name, "minimum", bounds[1], False))
        out.constraints.add((entity, name, "maximum", bounds[2], False))


def _access(text: str) -> str:
    key_word, login = "api key" in text, re.search(r"log ?in|sign in|account", text)
    open_reading = re.search(r"read(?:ing)? (?:is )?(?:open|public|free)|anyone (?:can|may) read", text)
    if key_word:
        return "key write" if open_reading else "key"
    if login and "no login" not in text:
        return "login write" if open_reading else "login"
    return "none"
