"""llama.cpp on this machine as the measure for a model in Workers: the same file, one thread."""

from __future__ import annotations

import json
from pathlib import Path

from clodo.errors import ModelError
from clodo.runtime.llamacpp import serving


class NativeModel:
    """A GGUF file in llama.cpp with one thread."""

    def __init__(self, path: Path, context: int) -> None:
        """Loads the file.

        Raises:
            ModelError: ``xllamacpp`` is not installed, or cannot load it.
        """
        self._server = serving(path, context, threads=1)

    def speed(self, prompt: str, tokens: int) -> tuple[float, float]:
        """Tokens per second of reading a prompt that it has not seen, and of writing ``tokens`` after it, greedily."""
        body = {"prompt": prompt, "max_tokens": tokens, "temperature": 0.0, "cache_prompt": False, "ignore_eos": True}
        answer = self._server.handle_completions(body)
        timings = dict(json.loads(answer) if isinstance(answer, str) else answer).get("timings") or {}
        try:
            return float(timings["prompt_per_second"]), float(timings["predicted_per_second"])
        except KeyError:
            raise ModelError("llama.cpp does not tell how long it took.") from None

    def close(self) -> None:
        """Frees the model."""
        self._server = None
