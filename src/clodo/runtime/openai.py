"""Any endpoint that speaks OpenAI's chat completions: llama.cpp's server, Ollama, vLLM, an edge Worker, Workers AI."""

from __future__ import annotations

import math
import os
import re
from typing import Any
from urllib.parse import urlsplit

from clodo.errors import ModelError
from clodo.lm import Completion, Constraint, Message, Profile, estimated_tokens
from clodo.lm.privacy import Privacy, is_loopback
from clodo.runtime.endpoint import Endpoint, Hands


class OpenAIModel:
    """A model behind an endpoint."""

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        grammar: str | None = None,
        context: int | None = None,
        provider: str = "",
        key: str | None = None,
        privacy: Privacy = Privacy.LOCAL_ONLY,
        hands: Hands | None = None,
    ) -> None:
        """``key`` is ``CLODO_API_KEY`` where none is given; it is never logged. ``grammar`` is the field of a request that
        takes a GBNF grammar.

        Raises:
            ModelError: the policy does not let anything be sent there.
        """
        provider = provider or f"endpoint on {place(base_url)}"
        key = os.environ.get("CLODO_API_KEY", "") if key is None else key
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._endpoint = Endpoint(base_url, provider, privacy, headers, hands)
        self._profile = Profile(model, provider, context, grammar, self._endpoint.local)

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
        answer, ms = self._endpoint.post("chat/completions", body, estimated_tokens(messages) + max_tokens, used_tokens)
        return completion(answer, self._profile.provider, ms)

    def close(self) -> None:
        """Closes the connection."""
        self._endpoint.close()


def place(url: str) -> str:
    """Where an address is, for people: the host, or ``this machine``."""
    try:
        host = urlsplit(url).hostname or url
    except ValueError:
        host = url
    return "this machine" if is_loopback(host) else host


def completion(answer: dict[str, Any], provider: str, ms: float) -> Completion:
    """The completion in an answer of OpenAI's shape that took ``ms``.

    Raises:
        ModelError: there is no text in it.
    """
    try:
        choice = answer["choices"][0]
        text = str(choice["message"]["content"] or "")
        finished = choice.get("finish_reason") != "length"
    except (KeyError, IndexError, TypeError, AttributeError):
        raise ModelError(f"The {provider} gave an answer without text.", code="invalid-answer") from None
    timings = answer.get("timings")
    timings = timings if isinstance(timings, dict) else {}
    prefill = _number(timings.get("prompt_ms"))
    decode = _number(timings.get("predicted_ms")) or ms - prefill
    # Who is asked for "default" may say which model that is.
    name = answer.get("model")
    model = name if isinstance(name, str) and re.fullmatch(r"[\w@/.:+-]{1,100}", name) else ""
    return Completion(text, finished, _confidence(choice), prefill, decode, used_tokens(answer), model)


def used_tokens(answer: dict[str, Any]) -> int:
    """The tokens that an answer says it took, 0 where it does not."""
    usage = answer.get("usage")
    return int(_number(usage.get("total_tokens"))) if isinstance(usage, dict) else 0


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) and value > 0 else 0.0


def _confidence(choice: dict[str, Any]) -> float | None:
    try:
        tokens = (choice.get("logprobs") or {}).get("content") or []
        logs = [float(t["logprob"]) for t in tokens if t.get("logprob") is not None]
        mean = sum(logs) / len(logs) if logs else math.nan
        return None if math.isnan(mean) else math.exp(min(0.0, mean))
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
        return None  # not told in a shape that is known
