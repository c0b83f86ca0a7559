"""Longer texts out of shorter ones: talk that is no data, and two services in one text.

A person's brief is full of sentences that state nothing to store. Sentences of that kind, out of other
records, are put between those of a record; its marks stay as they are.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable

from clodo.understand.naming import singular

_MARKED = re.compile(r"\[[^\[\]|]+\|([^\[\]]+)\]")
_SENTENCE_END = re.compile(r"(?<=[.!?])[ \n]+(?=[A-Z\[])")
_PROSE = ("style=email", "style=chatty", "style=brief", "style=takehome", "style=story", "style=nonnative")
#: Facts that a sentence without a mark may have told; a record with one lends no sentence.
_UNMARKED = re.compile(r"^(access|read|write|own|own-write|softdelete|timestamps|type|verdict)\b", re.M)
_SHARE = 0.35
_JOINED_SHARE = 0.06
_MOST = 5


def parts(block: str) -> tuple[str, str, str]:
    """The header, the marked text and the facts of a record's text."""
    head, _, rest = block.partition("\n")
    body, _, facts = rest.partition("\n---")
    return head, body, facts.strip("\n")


class Background:
    """Sentences that state nothing, and what is made with them."""

    def __init__(self, blocks: Iterable[str]) -> None:
        self.sentences: list[str] = []
        self.joinable: list[str] = []
        for block in blocks:
            head, body, facts = parts(block)
            if not _UNMARKED.search(facts):
                self.joinable.append(block)
                if any(style in head for style in _PROSE):
                    self.sentences += [s for s in _sentences(body) if _is_talk(s)]

    def extend(self, block: str, rng: random.Random) -> str:
        """The record with other talk around its sentences, or with another service after it; most come
        back as they are."""
        head, body, facts = parts(block)
        if "verdict " in facts:
            return block
        if self.joinable and rng.random() < _JOINED_SHARE:
            other = _with(rng.choice(self.joinable), block)
            if other is not None and len(body) + len(other[0]) < 900:
                return f"{head}\n{body}\n\n{other[0]}\n---\n{facts}\n{other[1]}".rstrip("\n")
        if self.sentences and rng.random() < _SHARE and any(style in head for style in _PROSE):
            return f"{head}\n{self._around(body, rng)}\n---\n{facts}".rstrip("\n")
        return block

    def _around(self, body: str, rng: random.Random) -> str:
        own = {singular(w) for w in re.findall(r"[a-z]+", body.lower())}
        cuts = [0, *(m.start() for m in _SENTENCE_END.finditer(body) if not _inside(body, m.start())), len(body)]
        out = body
        for at in sorted(rng.choices(cuts, k=rng.randint(1, _MOST)), reverse=True):
            said = rng.choice(self.sentences)
            nouns = {singular(w) for w in re.findall(r"[a-z]{4,}", said.lower())}
            if len(nouns & own) <= 1:
                before, after = out[:at].rstrip(), out[at:].lstrip(" ")
                out = f"{before}{' ' if before else ''}{said}{'' if after.startswith(chr(10)) or not after else ' '}{after}"
        return out


def _sentences(body: str) -> list[str]:
    return [s.strip() for line in body.split("\n") for s in _SENTENCE_END.split(line)]


def _is_talk(sentence: str) -> bool:
    return "[" not in sentence and "|" not in sentence and 4 <= len(sentence.split()) <= 30 and sentence[-1] in ".!?"


def _inside(body: str, at: int) -> bool:
    return body.rfind("[", 0, at) > body.rfind("]", 0, at)


def _with(other: str, block: str) -> tuple[str, str] | None:
    """The text and facts of another record, where no name of one is a name of the other."""
    _, body, facts = parts(other)
    names = [
        {c.strip().split(".")[0].split(" ")[0] for codes in _MARKED.findall(b) for c in codes.split(",")}
        for b in (block, body)
    ]
    if (names[0] & names[1]) - {"X"} or "NAME" in names[1]:
        return None
    words = [{singular(w) for n in found for w in n.split("_")} for found in names]
    return None if (words[0] & words[1]) - {"X"} else (body, facts)
