"""The stock model (SmolLM2-135M, Q4_1) in Workers: scores, tokens and answers beside float32 and native llama.cpp."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clodo.edge.bundle import Bundle
from clodo.edge.llama import bundle
from clodo.edge.llama.gguf import read_gguf
from clodo.edge.llama.tokens import SPLITTERS
from clodo.edge.platform.serving import served_bundle
from clodo.runtime.store import catalogue, fetch
from clodo.toolchain import Toolchain
from tests.edge.llama.native import Native
from tests.edge.llama.reference import Reference, divergence
from tests.edge.llama.serving import Caller, with_probe
from tests.edge.llama.tiny import tiny_gguf

pytestmark = [pytest.mark.workerd, pytest.mark.llama]

TEXTS = (
    "", " ", "  ", "a", "Hello, world!", "The quick brown fox's 3 cubs didn't jump over 1234567 lazy dogs.", "WE'RE sure I'LL see you'd, they've",
    "def add(a, b):\n    return a + b  # sum\n\n\n", "tabs\t\tand \t mixed   spaces  \n \n  end ", "línea única — Straße, naïve café", "日本語のテキスト、漢字とかな。",
    "🙂👍🏽 family 👨‍👩‍👧 flags 🇩🇪", "price: $1,299.99 (−20%)!!! @home #tag a_b-c", "\r\n windows \r\n lines", "no\u00a0break\u2003em\u3000wide\u0085next\ufeffbom",
    "x" * 300, "aaaa bbbb " * 40, "ﬁ ligature, combining e\u0301, ½ ² ⅷ ٣", "<|im_start|>user\nhi<|im_end|>", "'s 't 'RE 'll'd", "Привет, как дела? 123", "\x00\x01\x7f", "...\n\n...", "1 22 333 4444 55555",
)  # fmt: skip
TEXT = "The quick brown fox jumps over the lazy dog. In 1969, people first walked on the Moon, and the world watched. To bake bread you need flour, water"
PROMPTS = ("What is the capital of France?", "Write a short poem about the sea.")


@pytest.fixture(scope="module")
def stock() -> Path:
    return fetch(catalogue()["smollm2"])


@pytest.fixture(scope="module")
def native(stock: Path) -> Native:
    return Native(stock)


@pytest.fixture(scope="module")
def reference(stock: Path) -> Reference:
    return Reference(stock)


@pytest.fixture(scope="module")
def made(stock: Path) -> Bundle:
    return bundle(stock, 48, 1024)


@pytest.fixture(scope="module")
def served(made: Bundle, toolchain: Toolchain) -> Iterator[Caller]:
    with served_bundle(with_probe(made), toolchain) as running:
        yield Caller.of(running)


def test_scores_are_close_to_float32(served: Caller, reference: Reference) -> None:
    (tokens,) = served.encode([TEXT])
    assert divergence(reference.logits(tokens), served.scores(tokens)).mean() <= 0.02


def test_texts_become_the_tokens_of_llama_cpp(served: Caller, native: Native) -> None:
    for text, tokens in zip(TEXTS, served.encode(TEXTS), strict=True):
        assert tokens == native.encode(text), repr(text)


def test_conversations_become_the_tokens_of_llama_cpp(served: Caller, native: Native) -> None:
    talks = [
        [{"role": "user", "content": "Hello $& there"}],
        [{"role": "system", "content": "Be short."}, {"role": "user", "content": " Hi \n"}, {"role": "assistant", "content": "Yes?"}, {"role": "user", "content": "Why"}],
    ]  # fmt: skip
    for talk in talks:
        assert served.http.post("/chat", json=talk).json() == native.chat_tokens(talk)


def test_where_greedy_answers_part_from_llama_cpp_the_choice_was_even(served: Caller, native: Native, reference: Reference) -> None:
    """Both round activations to 8 bits, and a difference in the last bit of a float is enough to swap two tokens that are
    nearly even: at most 0.51 apart in logits over 50 prompts. `benchmarks/edge_greedy.py` tells it for 50 prompts."""
    for prompt in PROMPTS:
        begun = served.http.post("/chat", json=[{"role": "user", "content": prompt}]).json()
        ours = [t["id"] for t in served.chat(prompt, max_tokens=30, logprobs=True)["choices"][0]["logprobs"]["content"]]
        theirs = native.greedy(prompt, 30)
        parted = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)
        if parted is not None:
            scores = reference.logits([*begun, *ours[:parted]])[-1]
            assert abs(scores[ours[parted]] - scores[theirs[parted]]) < 0.8, prompt


@pytest.mark.parametrize("pre", ["gpt-2", "qwen2", "llama-bpe"])
def test_other_splitters_are_those_of_llama_cpp(pre: str, served: Caller, stock: Path, tmp_path: Path) -> None:
    """The stock model's words, split as other models do: in llama.cpp by a tiny model with these words."""
    words = {k: v for k, v in read_gguf(stock).metadata.items() if k.startswith("tokenizer.")}
    known = Native(tiny_gguf(tmp_path / f"{pre}.gguf", layers=1, words={**words, "tokenizer.ggml.pre": pre}), 64)
    for text, tokens in zip(TEXTS, served.encode(TEXTS, splitter=SPLITTERS[pre], wholeWords=pre == "llama-bpe"), strict=True):
        assert tokens == known.encode(text), repr(text)


def test_the_stock_model_stays_below_fifty_mb(made: Bundle, toolchain: Toolchain) -> None:
    # By itself: what a probe makes for tests is not to be counted.
    with served_bundle(made, toolchain) as running:
        running.watch()
        for prompt in ("Tell me about Rome.", "One, two, three, " * 30):
            Caller.of(running).chat(prompt, max_tokens=30)
        for memory in running.watched():
            assert memory.peak_mb < 50, memory
        assert all(size < 3_000_000 for size in running.gzip.values())
