"""A byte-level BPE vocabulary from GGUF's metadata as the tables of ``ts/tokenizer.ts``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from clodo.errors import ModelError

#: ``tokenizer.ggml.pre`` → the splitter's name in ``ts/splitters.ts``.
SPLITTERS = {
    "gpt-2": "words", "gpt2": "words",
    "smollm": "digits, words", "starcoder": "digits, words",
    "llama-bpe": "later, digits by three", "llama3": "later, digits by three", "llama-v3": "later, digits by three",
    "qwen2": "later, digits by one", "deepseek-r1-qwen": "later, digits by one",
}  # fmt: skip

_NORMAL, _CONTROL, _USER_DEFINED = 1, 3, 4
#: Tokens that end an answer by their name, where they are control tokens.
_ENDS = frozenset({"<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|endoftext|>", "<|end_of_text|>", "</s>", "<end_of_turn>"})


@dataclass(frozen=True)
class Vocabulary:
    """Tokens by number, and their roles. ``table`` is the file of ``ts/tokenizer.ts``; ``begin`` is the token before every text,
    ``bos`` and ``eos`` are those that templates may name."""

    names: tuple[str, ...]
    table: bytes
    splitter: str
    whole_words: bool
    begin: int | None
    bos: int | None
    eos: int | None
    ends: tuple[int, ...]
    control: tuple[int, ...]
    user_defined: tuple[int, ...]


def read_vocabulary(metadata: Mapping[str, Any]) -> Vocabulary:
    """The vocabulary of a model.

    Raises:
        ModelError: it is none of bytes, or its texts are split in a way that is not known here.
    """
    model, pre = metadata.get("tokenizer.ggml.model"), metadata.get("tokenizer.ggml.pre")
    if model != "gpt2":
        raise ModelError(f"The model cannot run in a Worker: its tokenizer is of the kind {model!r}.", hint="Choose one with a byte-level BPE tokenizer.")
    if pre not in SPLITTERS:
        raise ModelError(f"The model cannot run in a Worker: its tokenizer splits texts by {pre!r}.", hint=f"Known are {', '.join(SPLITTERS)}.")
    names = [str(t) for t in metadata["tokenizer.ggml.tokens"]]
    types = list(metadata.get("tokenizer.ggml.token_type") or [_NORMAL] * len(names))
    merges = [str(m) for m in metadata.get("tokenizer.ggml.merges", ())]
    if len(types) != len(names) or not merges:
        raise ModelError("The model's tokenizer is not whole: it lacks types or merges.", hint="Choose another file.")
    splitter = SPLITTERS[pre]
    by_three = splitter == SPLITTERS["llama-bpe"]
    bos, eos = (_number(metadata, f"tokenizer.ggml.{key}_token_id", len(names)) for key in ("bos", "eos"))
    return Vocabulary(
        names=tuple(names),
        table=_table(names, types, merges),
        splitter=splitter,
        whole_words=by_three,
        begin=bos if metadata.get("tokenizer.ggml.add_bos_token", by_three) else None,
        bos=bos,
        eos=eos,
        ends=_ends(metadata, names, types),
        control=tuple(i for i, t in enumerate(types) if t == _CONTROL),
        user_defined=tuple(i for i, t in enumerate(types) if t == _USER_DEFINED),
    )


def _number(metadata: Mapping[str, Any], key: str, count: int) -> int | None:
    value = metadata.get(key)
    return int(value) if value is not None and 0 <= int(value) < count else None


def _ends(metadata: Mapping[str, Any], names: list[str], types: list[int]) -> tuple[int, ...]:
    told = {_number(metadata, f"tokenizer.ggml.{key}_token_id", len(names)) for key in ("eos", "eot", "eom")}
    named = {i for i, name in enumerate(names) if types[i] == _CONTROL and name in _ENDS}
    return tuple(sorted(named | {i for i in told if i is not None}))


def _byte_letters() -> dict[str, int]:
    """Byte-level BPE writes each byte as a letter: those that can be seen as themselves, the others from U+0100 on."""
    seen = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = {chr(b): b for b in seen}
    letters |= {chr(0x100 + i): b for i, b in enumerate(b for b in range(256) if b not in set(seen))}
    return letters


_LETTERS = _byte_letters()


def _bytes_of(name: str, kind: int) -> bytes:
    if kind == _NORMAL and all(letter in _LETTERS for letter in name):
        return bytes(_LETTERS[letter] for letter in name)
    return name.encode("utf-8")


def _table(names: list[str], types: list[int], merges: list[str]) -> bytes:
    spelled = [_bytes_of(name, kind) for name, kind in zip(names, types, strict=True)]
    numbers = {name: i for i, name in enumerate(names) if types[i] == _NORMAL}
    count = len(names)
    rows = []
    for merge in merges:
        # A letter of a merge is never a space: that is written otherwise.
        parts = re.split(" ", merge)
        if len(parts) != 2:
            raise ModelError(f"The model's tokenizer has a merge that cannot be read: {merge!r}.", hint="Choose another file.")
        found = []
        for name in (*parts, parts[0] + parts[1]):
            if name not in numbers:
                # What merges make on the way need not be a token itself.
                numbers[name] = len(spelled)
                spelled.append(_bytes_of(name, _NORMAL))
            found.append(numbers[name])
        rows.append(found)
    offsets = np.cumsum([0, *map(len, spelled)], dtype=np.uint32)
    text = b"".join(spelled)
    head = np.array([count, len(spelled) - count, len(rows), len(text)], np.uint32)
    columns = np.array(rows, np.uint32).T.reshape(-1)
    return b"".join((head.tobytes(), offsets.tobytes(), columns.tobytes(), text))
