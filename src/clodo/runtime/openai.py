"""Any endpoint that speaks OpenAI's chat completions: llama.cpp's server, Ollama, vLLM, Workers AI."""

from __future__ import annotations

import math
import os
import time
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx

from clodo.errors import ModelError
from clodo.lm import Completion, Constraint, Message, Profile

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class OpenAIModel:
    """A model behind an endpoint. The key comes from ``CLODO_API_KEY`` and is never logged."""

    def __init__(
        self, base_url: str, model: str, *, grammar: str | None = None, transport: Any = None
    ) -> None:
        host = urlsplit(base_url).hostname or base_url
        local = host in _LOOPBACK
        where = "this machine" if local else host
        self._profile = Profile(model, f"endpoint on {where}", grammar=grammar, local=local)
        key = os.environ.get("CLODO_API_KEY", "")
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(
            base_url=base_url.rstrip("/") + "/", headers=headers, timeout=300, transport=transport
        )

    @property
    def profile(self) -> Profile:
        """What it is and can do."""
        return self._profile

    def complete(
        self, messages: tuple[Message, ...], constraint: Constraint | None, max_tokens: int
    ) -> Completion:
        """Answers a conversation; see the port."""
        body: dict[str, Any] = {
            "model": self._profile.name,
            "messages": [{"role": m.role, "content": m.text} for m in messages],
            "max_tokens": max_tokens,
            "temperature": 0,
            "logprobs": True,
        }
        if constraint is not None and self._profile.grammar is not None:
            body[self._profile.grammar] = constraint.gbnf
        started = time.perf_counter()
        answer = self._post(body)
        elapsed = (time.perf_counter() - started) * 1000
        try:
            choice = answer["choices"][0]
            text = str(choice["message"]["content"] or "")
        except (KeyError, IndexError, TypeError):
            raise ModelError(f"The {self._profile.provider} gave an answer without text.") from None
        timings = answer.get("timings") or {}
        prefill = float(timings.get("prompt_ms") or 0.0)
        return Completion(
            text,
            choice.get("finish_reason") != "length",
            _confidence(choice),
            prefill,
            float(timings.get("predicted_ms") or elapsed - prefill),
        )

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        try:
            response = self._http.post("chat/completions", json=body)
        except httpx.HTTPError as error:
            raise ModelError(
                f"The {self._profile.provider} cannot be reached ({type(error).__name__}).",
                hint="Start the server, or choose another model with --model.",
            ) from None
        if response.status_code != 200:
            raise ModelError(
                f"The {self._profile.provider} answered {response.status_code}: {_reason(response)}.",
                hint="Check the model's name, the key in CLODO_API_KEY and the server's log.",
            )
        try:
            return dict(response.json())
        except ValueError:
            return {}

    def close(self) -> None:
        """Closes the connection."""
        self._http.close()


def _reason(response: Any) -> str:
    try:
        error = response.json()["error"]
        return str(error.get("message", error) if isinstance(error, dict) else error)[:200]
    except (ValueError, KeyError, TypeError):
        return "no reason given"


def _confidence(choice: dict[str, Any]) -> float | None:
    tokens = (choice.get("logprobs") or {}).get("content") or []
    logs = [float(t["logprob"]) for t in tokens if t.get("logprob") is not None]
    return math.exp(sum(logs) / len(logs)) if logs else None
