"""llama.cpp in this process, as what the Workers are held against."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import httpx2 as httpx

from clodo.runtime.llamacpp import serving


class Native:
    """A GGUF file in llama.cpp, on one thread."""

    def __init__(self, path: Path, context: int = 512) -> None:
        self._server = serving(path, context, threads=1)

    def encode(self, text: str) -> list[int]:
        """The tokens of a text; control tokens in it are not read as such."""
        body = {"content": text, "add_special": False, "parse_special": False}
        answer = httpx.post(f"{self._server.listening_address}/tokenize", json=body, timeout=30)
        return [int(t) for t in answer.json()["tokens"]]

    def chat_tokens(self, messages: Sequence[dict[str, str]]) -> list[int]:
        """The tokens of a conversation up to where the answer begins."""
        shown = httpx.post(f"{self._server.listening_address}/apply-template", json={"messages": list(messages)}, timeout=30).json()
        body = {"content": shown["prompt"], "add_special": True, "parse_special": True}
        return [int(t) for t in httpx.post(f"{self._server.listening_address}/tokenize", json=body, timeout=30).json()["tokens"]]

    def greedy(self, prompt: str, length: int) -> list[int]:
        """The tokens of a greedy answer to a chat of one message."""
        body = {"messages": [{"role": "user", "content": prompt}], "temperature": 0, "max_tokens": length, "logprobs": True, "cache_prompt": False}  # fmt: skip
        answer = self._server.handle_chat_completions(body)
        answer = json.loads(answer) if isinstance(answer, str) else answer
        return [int(t["id"]) for t in answer["choices"][0]["logprobs"]["content"]]

    def constrained(self, tokens: Sequence[int], length: int, grammar: str) -> list[int]:
        """The tokens with which it goes on greedily under a grammar."""
        body = {"prompt": list(tokens), "temperature": 0, "n_predict": length, "grammar": grammar, "return_tokens": True, "cache_prompt": False}
        answer = httpx.post(f"{self._server.listening_address}/completion", json=body, timeout=60)
        return [int(t) for t in answer.json()["tokens"]]

    def log_probabilities(self, tokens: Sequence[int], count: int) -> dict[int, float]:
        """Of all ``count`` tokens of its vocabulary what it gives each to come next, with no grammar. None where
        what comes next is no whole character, of which it tells nothing."""
        body = {"prompt": list(tokens), "temperature": 0, "n_predict": 1, "n_probs": count, "cache_prompt": False}
        answer = httpx.post(f"{self._server.listening_address}/completion", json=body, timeout=60)
        return {int(t["id"]): float(t["logprob"]) for one in answer.json().get("completion_probabilities", ()) for t in one["top_logprobs"]}
