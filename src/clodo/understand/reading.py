"""A text as the model reads it: words, the pieces of words, sentences."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clodo.understand.labels import DISTANCES

#: The most word pieces that the model reads at once (the positions of its base, less [CLS], [SEP]).
MAX_PIECES = 510

# A line break carries meaning (lists), but the tokenizer drops it; a pilcrow is a piece of its own.
_LINE_BREAK = "¶"
_AROUND = "\n\r\t "
# An arrow that touches a word would be a letter of it for the tokenizer: "draft→sent".
_ARROW = re.compile("(?<=[A-Za-z0-9])[→⇒➔➜⟶►▸]|[→⇒➔➜⟶►▸](?=[A-Za-z0-9])")


@dataclass(frozen=True)
class Reading:
    """``pieces``: ids with [CLS] and [SEP]; ``first`` and ``last``: for each word the index of its
    first and last piece; ``words``: character spans; ``sentences``: for each word the number of its
    sentence or line; ``end``: the characters that were read (less than the text's where it is long).
    """

    text: str
    pieces: list[int]
    first: list[int]
    last: list[int]
    words: list[tuple[int, int]]
    sentences: list[int]
    end: int

    def surface(self, first: int, last: int) -> str:
        """The characters from word ``first`` to word ``last``, both included."""
        return self.text[self.words[first][0] : self.words[last][1]]

    def before(self, word: int) -> str:
        """The word in front of a word, over signs; empty for the first."""
        found = (self.surface(i, i) for i in range(word - 1, -1, -1))
        return next((said for said in found if re.search("[A-Za-z0-9]", said)), "")

    def behind(self, word: int) -> str:
        """The word right behind a word; empty for the last."""
        return self.surface(word + 1, word + 1) if word + 1 < len(self.words) else ""

    def word_span(self, start: int, end: int) -> tuple[int, int] | None:
        """The words that a span of characters touches, or ``None``."""
        inside = [i for i, (a, b) in enumerate(self.words) if a < end and b > start]
        return (inside[0], inside[-1]) if inside else None


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer (``tokenizers``) of a model folder, without the truncation and padding that its
    file may ask for."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def known_words(tokenizer: Any) -> frozenset[str]:
    """The whole words that the tokenizer knows: the frequent words of the language."""
    return frozenset(w for w in tokenizer.get_vocab() if w.isalpha() and w.isascii())


def read(text: str, tokenizer: Any) -> Reading:
    """Reads a text with a ``tokenizers.Tokenizer`` of the BERT kind."""
    # Line breaks around a text, as files end with, say nothing; what stands in it keeps its place.
    said = text.rstrip(_AROUND)
    said = " " * (len(said) - len(said.lstrip(_AROUND))) + said.lstrip(_AROUND)
    shown = _ARROW.sub(">", re.sub(r"[\n\r]", _LINE_BREAK, said))
    encoding = tokenizer.encode(shown, add_special_tokens=False)
    pieces: list[int] = []
    first: list[int] = []
    last: list[int] = []
    words: list[tuple[int, int]] = []
    sentences: list[int] = []
    sentence, previous, boundary = 0, None, False
    for index, (piece, word, (a, b)) in enumerate(
        zip(encoding.ids, encoding.word_ids, encoding.offsets, strict=True)
    ):
        if index >= MAX_PIECES:
            break
        pieces.append(piece)
        if word == previous and words:
            last[-1], words[-1] = index, (words[-1][0], b)
            continue
        previous = word
        if boundary and shown[a] not in ".!?)":
            sentence, boundary = sentence + 1, False
        boundary = boundary or shown[a] in (_LINE_BREAK, "!", "?", ";") or _full_stop(shown, a)
        first.append(index)
        last.append(index)
        words.append((a, b))
        sentences.append(sentence)
    ids = [tokenizer.token_to_id("[CLS]"), *pieces, tokenizer.token_to_id("[SEP]")]
    end = words[-1][1] if words else 0
    if len(encoding.ids) <= MAX_PIECES:
        end = len(text)
    return Reading(text, ids, [i + 1 for i in first], [i + 1 for i in last], words, sentences, end)


def _full_stop(text: str, at: int) -> bool:
    return text[at] == "." and (at + 1 >= len(text) or text[at + 1].isspace() or text[at + 1] == "¶")


def pair_features(
    reading: Reading, spans: list[tuple[int, int]], entity: list[bool]
) -> np.ndarray:
    """What the model is told about each ordered pair of mentions, ``int64 [n, n, 3]``: the bucket of
    their distance in words, of their distance in sentences, and of the entity mentions between."""
    n = len(spans)
    out = np.zeros((n, n, 3), dtype=np.int64)
    if n == 0:
        return out
    first = np.array([a for a, _ in spans])
    out[..., 0] = np.searchsorted(DISTANCES, first[None] - first[:, None], side="right")
    sentence = np.array(reading.sentences)[first]
    out[..., 1] = np.clip(sentence[None] - sentence[:, None], -3, 3) + 3
    at = np.arange(n)
    low, high = np.minimum(at[:, None], at[None]), np.maximum(at[:, None], at[None])
    marked = np.cumsum([0, *entity])
    between = marked[high] - marked[np.minimum(low + 1, high)]
    out[..., 2] = np.minimum(between, 4) + np.where(at[None] < at[:, None], 5, 0)
    return out
