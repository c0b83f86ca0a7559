"""Greedy answers of a model in Workers beside those of native llama.cpp: ``python -m benchmarks.edge_greedy [--control] [--gate]``

50 prompts, 50 tokens each. Both sides round activations to 8 bits in every layer, and that makes a difference in the last bit
of a float grow to about 0.1 in the scores: tokens that are nearly even may swap. Where answers part, the float32 reference
says how even the two tokens were (``gap``, in logits) and whom it follows. ``--control`` holds our own kernels with relaxed
SIMD against those with base SIMD, which differ in nothing but fused multiplication and addition: they part about as often. ``--gate`` exits
with 1 and a sentence where answers differ by more than near-ties (``clodo.edge.platform.gate``).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.edge.llama.native import Native
from tests.edge.llama.reference import Reference
from tests.edge.llama.serving import Caller, with_probe

from benchmarks.edge import held
from clodo.edge.llama import bundle
from clodo.edge.platform.gate import greedy_shortfalls
from clodo.edge.platform.serving import served_bundle
from clodo.runtime.store import catalogue, fetch
from clodo.toolchain import ensure

PROMPTS = (
    "What is the capital of France?", "Write a short poem about the sea.", "Explain photosynthesis to a child.", "List three fruits.",
    "How do I boil an egg?", "What is 12 times 7?", "Translate 'good morning' into Spanish.", "Name the planets of the solar system.",
    "Why is the sky blue?", "Write a haiku about autumn.", "What does HTTP stand for?", "Give me a recipe for pancakes.",
    "Who wrote Romeo and Juliet?", "Summarise the water cycle.", "What is a prime number?", "Write a function in Python that adds two numbers.",
    "How many days are in a leap year?", "Describe a cat.", "What is the boiling point of water?", "Give me a title for a book about bees.",
    "Explain what an API is.", "What are the colours of the rainbow?", "Write an email that declines an invitation.", "What is gravity?",
    "Name two rivers in Africa.", "How does a bicycle work?", "What is the opposite of hot?", "Tell me a joke.", "What is machine learning?",
    "Write a slogan for a bakery.", "How do plants drink water?", "What is the largest ocean?", "Explain the word 'irony'.", "Count from one to ten.",
    "What is a database?", "Give three tips for sleeping well.", "Who painted the Mona Lisa?", "What is the square root of 81?",
    "Describe the taste of lemon.", "What is JSON?", "Write the first line of a mystery novel.", "How far away is the Moon?",
    "What do bees make?", "Suggest a name for a dog.", "What is an algorithm?", "How do I learn to swim?", "What causes tides?",
    "Write a thank-you note to a teacher.", "What is the chemical symbol of gold?", "Why do leaves fall?",
)  # fmt: skip


def edge_answers(path: Path, prompts: Sequence[str], length: int, *, relaxed: bool = True) -> tuple[list[list[int]], list[list[int]]]:
    """The tokens of each prompt in its chat template, and of its answer by Workers."""
    with served_bundle(with_probe(bundle(path, 48, 512, relaxed=relaxed)), ensure()) as running:
        caller = Caller.of(running)
        begun = [caller.http.post("/chat", json=[{"role": "user", "content": p}]).json() for p in prompts]
        answers = [caller.chat(p, max_tokens=length, logprobs=True)["choices"][0]["logprobs"]["content"] for p in prompts]
        return begun, [[int(t["id"]) for t in answer] for answer in answers]


def parting(ours: Sequence[int], theirs: Sequence[int]) -> int | None:
    """Where two answers part; None where they are the same. The token that ends an answer may or may not be told."""
    return next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)


def main() -> None:
    """The comparison, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--length", type=int, default=50, help="tokens of an answer")
    parser.add_argument("--count", type=int, default=len(PROMPTS), help="how many prompts")
    parser.add_argument("--control", action="store_true", help="beside our own kernels in base SIMD, not llama.cpp")
    parser.add_argument("--gate", action="store_true", help="exit with 1 where answers differ by more than near-ties")
    options = parser.parse_args()
    path, prompts = fetch(catalogue()["smollm2"]), PROMPTS[: options.count]
    begun, ours = edge_answers(path, prompts, options.length)
    if options.control:
        other, (_, theirs) = "base SIMD", edge_answers(path, prompts, options.length, relaxed=False)
    else:
        native = Native(path)
        other, theirs = "llama.cpp", [native.greedy(p, options.length) for p in prompts]
    reference, found = Reference(path), []
    for prompt, start, a, b in zip(prompts, begun, ours, theirs, strict=True):
        if (at := parting(a, b)) is not None:
            scores = reference.logits([*start, *a[:at]])[-1]
            gap = float(scores[a[at]] - scores[b[at]])
            found.append({"prompt": prompt, "token": at, "gap": round(abs(gap), 3), "float32_follows": "edge" if gap > 0 else other})
    gaps = [p["gap"] for p in found]
    report = {
        "beside": other, "prompts": len(prompts), "same": len(prompts) - len(found), "largest_gap": max(gaps, default=0.0),
        "float32_follows_edge": sum(p["float32_follows"] == "edge" for p in found), "parted": found,
    }  # fmt: skip
    json.dump(report, sys.stdout, indent=2)
    print()
    if options.gate:
        held(list(greedy_shortfalls(report)))


if __name__ == "__main__":
    main()
