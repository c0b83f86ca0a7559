"""Tiny decoders with random weights as GGUF files: every kind of weight and feature, in a few hundred kilobytes."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np
import numpy.typing as npt

from clodo.edge.llama.tokens import _LETTERS

Floats = npt.NDArray[np.float32]

CHATML = "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
WORDS = ("the", " the", " a", " in", " on", "ing", " sea", " sky", " blue", " red", " one", " two", "ed", "er", " of", " and", " to", "es", " is", "ly")

_TYPE_NUMBERS = {"F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 8}


def quantise(numbers: Floats, kind: str) -> bytes:
    """Numbers ``[rows, columns]`` as GGUF stores them."""
    if kind == "F32":
        return numbers.astype(np.float32).tobytes()
    if kind == "F16":
        return numbers.astype(np.float16).tobytes()
    blocks = numbers.reshape(-1, 32)
    if kind == "Q8_0":
        d = (np.abs(blocks).max(1) / 127).astype(np.float16)
        q = np.rint(blocks / np.maximum(d.astype(np.float32), 1e-9)[:, None]).clip(-127, 127).astype(np.int8)
        return np.concatenate([d[:, None].view(np.uint8), q.view(np.uint8)], 1).tobytes()
    if kind == "Q4_0":
        # As llama.cpp does: the number that is farthest from 0 becomes -8, so scales have signs.
        d = (blocks[np.arange(len(blocks)), np.abs(blocks).argmax(1)] / -8).astype(np.float16)
        q = np.rint(blocks / np.where(d == 0, 1, d).astype(np.float32)[:, None] + 8).clip(0, 15).astype(np.uint8)
        return np.concatenate([d[:, None].view(np.uint8), q[:, :16] | (q[:, 16:] << 4)], 1).tobytes()
    low = blocks.min(1)
    d, m = ((blocks.max(1) - low) / 15).astype(np.float16), low.astype(np.float16)
    q = np.rint((blocks - m.astype(np.float32)[:, None]) / np.maximum(d.astype(np.float32), 1e-9)[:, None]).clip(0, 15).astype(np.uint8)
    return np.concatenate([d[:, None].view(np.uint8), m[:, None].view(np.uint8), q[:, :16] | (q[:, 16:] << 4)], 1).tobytes()


def write_gguf(path: Path, metadata: Mapping[str, Any], tensors: Mapping[str, tuple[Floats, str]]) -> Path:
    """A GGUF file of version 3."""
    head = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata)))
    for key, value in metadata.items():
        head += _text(key) + _value(value)
    body = bytearray()
    for name, (numbers, kind) in tensors.items():
        shape = numbers.shape[::-1]
        head += _text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, _TYPE_NUMBERS[kind], len(body))
        data = quantise(numbers.reshape(-1, numbers.shape[-1]), kind)
        body += data + bytes(-len(data) % 32)
    head += bytes(-len(head) % 32)
    path.write_bytes(head + body)
    return path


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _value(value: Any) -> bytes:
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    if isinstance(value[0], str):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(_text(v) for v in value)
    return struct.pack("<IIQ", 9, 5, len(value)) + struct.pack(f"<{len(value)}i", *value)


def vocabulary() -> dict[str, Any]:
    """All bytes, some words with the merges that make them, and control tokens: 291 tokens or so."""
    letters = {b: letter for letter, b in _LETTERS.items()}
    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *(letters[b] for b in range(256))]
    merges = []
    for word in WORDS:
        spelled = [letters[b] for b in word.encode()]
        for i in range(1, len(spelled)):
            merge = f"{''.join(spelled[:i])} {spelled[i]}"
            if merge not in merges:
                merges.append(merge)
                tokens.append("".join(spelled[: i + 1]))
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3, 3, 3, *[1] * (len(tokens) - 3)],
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": CHATML,
    }


def many_words(count: int) -> dict[str, Any]:
    """The vocabulary with words of up to four letters until there are ``count`` tokens, as many as whole models have."""
    made = vocabulary()
    tokens, merges = made["tokenizer.ggml.tokens"], made["tokenizer.ggml.merges"]
    known, words = set(tokens), list(ascii_lowercase)
    for start in words:
        if len(start) == 4 or len(tokens) >= count:
            break
        for letter in ascii_lowercase:
            words.append(start + letter)
            if start + letter not in known and len(tokens) < count:
                known.add(start + letter)
                tokens.append(start + letter)
                merges.append(f"{start} {letter}")
    return {**made, "tokenizer.ggml.token_type": [3, 3, 3, *[1] * (len(tokens) - 3)]}


def tiny_gguf(
    path: Path,
    *,
    architecture: str = "llama",
    kinds: Sequence[str] = ("Q4_1", "Q8_0", "Q4_0", "F16"),
    layers: int = 4,
    heads: int = 4,
    kv_heads: int = 2,
    tied: bool = True,
    wordy: bool = False,
    words: Mapping[str, Any] | None = None,
    more: Mapping[str, Any] | None = None,
    width: int = 64,
    context: int = 512,
    answer: str | None = None,
    seed: int = 7,
) -> Path:
    """A model of ``layers`` layers, 64 wide unless said otherwise; layer i's matrices are of kind ``kinds[i % len(kinds)]``. ``wordy``: with
    a head of its own that says nothing but the words of the vocabulary, never a byte that is no letter. ``answer``: one token more, with
    which it answers every chat."""
    hidden, size = 96, 16
    random = np.random.default_rng(seed)
    text = dict(words or vocabulary())
    if answer is not None:
        letters = {b: letter for letter, b in _LETTERS.items()}
        text["tokenizer.ggml.tokens"] = [*text["tokenizer.ggml.tokens"], "".join(letters[b] for b in answer.encode())]
        text["tokenizer.ggml.token_type"] = [*text["tokenizer.ggml.token_type"], 1]
    count = len(text["tokenizer.ggml.tokens"])

    def matrix(rows: int, columns: int) -> Floats:
        return (random.standard_normal((rows, columns)) * 1.6 / np.sqrt(columns)).astype(np.float32)

    def gain(columns: int) -> Floats:
        return (1 + 0.1 * random.standard_normal(columns)).astype(np.float32)

    tensors: dict[str, tuple[Floats, str]] = {"token_embd.weight": (matrix(count, width) * 1.5, "Q8_0")}
    for i in range(layers):
        kind, at = kinds[i % len(kinds)], f"blk.{i}."
        tensors |= {at + "attn_norm.weight": (gain(width), "F32"), at + "ffn_norm.weight": (gain(width), "F32")}
        shapes = {"attn_q": (heads * size, width), "attn_k": (kv_heads * size, width), "attn_v": (kv_heads * size, width), "attn_output": (width, heads * size), "ffn_gate": (hidden, width), "ffn_up": (hidden, width), "ffn_down": (width, hidden)}  # fmt: skip
        # Layers of zeros change nothing: what follows depends on the last token alone.
        tensors |= {f"{at}{name}.weight": (matrix(*shape) * (answer is None), kind) for name, shape in shapes.items()}
        if architecture == "qwen2":
            tensors |= {f"{at}{name}.bias": (0.3 * gain(shapes[name][0]), "F32") for name in ("attn_q", "attn_k", "attn_v")}
        if architecture == "qwen3":
            tensors |= {f"{at}{name}_norm.weight": (gain(size), "F32") for name in ("attn_q", "attn_k")}
    tensors["output_norm.weight"] = (gain(width), "F32")
    if answer is not None:
        embedding, head = tensors["token_embd.weight"][0], np.zeros((count, width), np.float32)
        head[count - 1], head[2] = embedding[3 + ord("\n")], embedding[count - 1]
        tensors |= {"output_norm.weight": (np.ones(width, np.float32), "F32"), "output.weight": (head, "Q8_0")}
    elif not tied or wordy:
        head = matrix(count, width) * 1.5
        if wordy:
            head[: 3 + 256] = 0
        tensors["output.weight"] = (head, "Q8_0" if wordy else "Q4_1")
    metadata = {
        "general.architecture": architecture,
        "general.name": "tiny",
        f"{architecture}.block_count": layers,
        f"{architecture}.context_length": context,
        f"{architecture}.embedding_length": width,
        f"{architecture}.feed_forward_length": hidden,
        f"{architecture}.attention.head_count": heads,
        f"{architecture}.attention.head_count_kv": kv_heads,
        f"{architecture}.attention.key_length": size,
        f"{architecture}.attention.value_length": size,
        f"{architecture}.attention.layer_norm_rms_epsilon": 1e-5,
        f"{architecture}.rope.freq_base": 10000.0,
        f"{architecture}.rope.dimension_count": size,
        f"{architecture}.vocab_size": count,
        **text,
        **(more or {}),
    }
    return write_gguf(path, metadata, tensors)
