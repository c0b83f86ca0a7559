"""Bundles for tests: served in workerd, with a probe in place of the front where a test looks inside."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import numpy.typing as npt

from clodo.edge.bundle import Bundle
from clodo.edge.platform.serving import Running

PROBE = Path(__file__).with_name("probe.ts")


def with_probe(made: Bundle) -> Bundle:
    """The same bundle with ``probe.ts`` as its front: the service itself, and ``/scores``, ``/encode`` and ``/chat``."""
    front, *others = made.workers
    sources = {**front.sources, "src/index.ts": PROBE.read_text("utf-8")}
    return replace(made, workers=(replace(front, sources=sources), *others))


@dataclass(frozen=True)
class Caller:
    """A client of Workers that run."""

    running: Running
    http: httpx.Client

    @staticmethod
    def of(running: Running) -> Caller:
        """With the key of these Workers."""
        return Caller(running, httpx.Client(base_url=running.url, headers=running.headers, timeout=60))

    def complete(self, prompt: str | Sequence[int], **more: Any) -> dict[str, Any]:
        """A whole answer of ``/v1/completions``; greedy unless said otherwise."""
        return self._ask("/v1/completions", {"prompt": prompt, "temperature": 0, "max_tokens": 16, **more})

    def chat(self, text: str, **more: Any) -> dict[str, Any]:
        """A whole answer of ``/v1/chat/completions``; greedy unless said otherwise."""
        return self._ask("/v1/chat/completions", {"messages": [{"role": "user", "content": text}], "temperature": 0, "max_tokens": 16, **more})

    def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.http.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def events(self, path: str, body: dict[str, Any]) -> list[Any]:
        """The events of a stream; the last is ``[DONE]``."""
        with self.http.stream("POST", path, json={"temperature": 0, "max_tokens": 16, **body, "stream": True}) as answer:
            assert answer.status_code == 200
            lines = [line.removeprefix("data: ") for line in answer.iter_lines() if line.startswith("data: ")]
        return [line if line == "[DONE]" else json.loads(line) for line in lines]

    def scores(self, tokens: Sequence[int], start: int = 0) -> npt.NDArray[np.float32]:
        """The scores after each token from ``start`` on; a probe must be there."""
        answer = self.http.post("/scores", json={"all": list(tokens), "from": start})
        assert answer.status_code == 200, answer.text
        return np.frombuffer(answer.content, np.float32).reshape(len(tokens) - start, -1)

    def follow(self, answers: Sequence[bytes | Sequence[int]], **form: Any) -> list[dict[str, Any]]:
        """How far a form (``grammar`` or ``response_format``) takes each answer: ``taken`` tokens, whether it may end there
        (``ends``) and whether it must (``over``). Bytes are given as their own tokens. A probe must be there."""
        tokens = [[3 + byte for byte in a] if isinstance(a, bytes) else list(a) for a in answers]
        answer = self.http.post("/follow", json={**form, "answers": tokens})
        assert answer.status_code == 200, answer.text
        return [dict(a) for a in answer.json()]

    def encode(self, texts: Sequence[str], **plan: Any) -> list[list[int]]:
        """The tokens of texts; a probe must be there. ``plan`` changes how they are split: ``splitter``, ``wholeWords``."""
        return [list(t) for t in self.http.post("/encode", json={"texts": list(texts), "plan": plan}).json()]
