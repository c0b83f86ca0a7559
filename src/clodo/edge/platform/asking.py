"""Requests to a model's Workers as a caller sends them, timed from outside: inside, the clock stands still."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx

from clodo.edge.platform.serving import Running
from clodo.errors import ProofError

_SECONDS = 300


@dataclass(frozen=True)
class Written:
    """A streamed completion: tokens of the prompt, pieces of text that came, and when: seconds until the first and from it to
    the last."""

    prompt_tokens: int
    tokens: int
    first: float
    rest: float


class Caller:
    """A caller of Workers that run, with their key."""

    def __init__(self, running: Running) -> None:
        self._client = httpx.Client(base_url=running.url, headers=running.headers, trust_env=False, timeout=_SECONDS)

    def ask(self, path: str, body: dict[str, Any]) -> tuple[dict[str, Any], float]:
        """The JSON answer of a route and the seconds that it took.

        Raises:
            ProofError: it is refused or fails.
        """
        started = time.perf_counter()
        try:
            answer = self._client.post(path, json=body)
        except httpx.HTTPError as error:
            raise ProofError(f"{path} does not answer: {type(error).__name__} {error}.") from None
        seconds = time.perf_counter() - started
        if answer.status_code != 200:
            raise ProofError(f"{path} answers {answer.status_code}: {answer.text[:200]}.")
        return dict(answer.json()), seconds

    def write(self, prompt: str, tokens: int) -> Written:
        """Lets the model write after a prompt, greedily and past its own end, token by token.

        Raises:
            ProofError: it is refused or fails.
        """
        body = {
            "prompt": prompt,
            "max_tokens": tokens,
            "temperature": 0,
            "ignore_eos": True,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        times, usage = [], {"prompt_tokens": 0, "completion_tokens": 0}
        started = time.perf_counter()
        try:
            with self._client.stream("POST", "/v1/completions", json=body) as answer:
                if answer.status_code != 200:
                    raise ProofError(f"/v1/completions answers {answer.status_code}: {answer.read()[:200]!r}.")
                for line in answer.iter_lines():
                    event = json.loads(line[6:]) if line.startswith("data: {") else {}
                    if "error" in event:
                        raise ProofError(f"/v1/completions failed in mid-answer: {event['error'].get('message')}.")
                    if event.get("choices"):
                        times.append(time.perf_counter() - started)
                    usage = event.get("usage") or usage
        except httpx.HTTPError as error:
            raise ProofError(f"/v1/completions does not answer: {type(error).__name__} {error}.") from None
        if len(times) < 2:
            raise ProofError("/v1/completions streams no tokens.")
        return Written(int(usage["prompt_tokens"]), int(usage["completion_tokens"]), times[0], times[-1] - times[0])

    def crowd(self, requests: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Sends routes and bodies all at the same time. Those that are too many may be told so.

        Raises:
            ProofError: one is refused otherwise, or fails.
        """
        with ThreadPoolExecutor(len(requests)) as pool:
            for done in [pool.submit(self._press, path, body) for path, body in requests]:
                done.result()

    def _press(self, path: str, body: dict[str, Any]) -> None:
        try:
            answer = self._client.post(path, json=body)
        except httpx.HTTPError as error:
            raise ProofError(f"{path} does not answer: {type(error).__name__} {error}.") from None
        if answer.status_code not in (200, 422, 429):
            raise ProofError(f"{path} answers {answer.status_code}: {answer.text[:200]}.")

    def close(self) -> None:
        """Closes its connections."""
        self._client.close()
