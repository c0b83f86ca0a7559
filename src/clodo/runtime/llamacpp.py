"""llama.cpp in this process (``xllamacpp``): a GGUF file as a text model."""

from __future__ import annotations

import math
import time
from pathlib import Path
from threading import Event
from typing import Any

from clodo.errors import ModelError
from clodo.lm import Completion, Constraint, Message, Profile
from clodo.runtime.loops import goes_round
from clodo.runtime.stoppable import stoppable

_CONTEXT = 4096


def serving(path: Path, context: int, threads: int) -> Any:
    """A GGUF file in a server of llama.cpp in this process, seen at work.

    A server that is freed before its loop runs waits for that loop for ever, and keeps the interpreter's lock meanwhile: no
    signal and no other thread gets through. So it is given out only after it has answered something that went through the loop.

    Raises:
        ModelError: ``xllamacpp`` is not installed, or cannot load the file.
    """
    try:
        import xllamacpp
    except ImportError:
        raise ModelError("llama.cpp is not installed.", hint="Install it with `pip install 'clodo[llama]'`.") from None
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = context
    params.n_parallel = 1
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.verbosity = 0
    params.endpoint_metrics = True

    def load() -> Any:
        server = xllamacpp.Server(params)
        server.handle_metrics()
        return server

    try:
        return stoppable(load)
    except RuntimeError as error:
        raise ModelError(f"llama.cpp cannot load {path.name!r}: {error}.") from None


class LlamaCppModel:
    """A GGUF file, loaded once."""

    def __init__(self, path: Path, name: str) -> None:
        """Loads the file.

        Raises:
            ModelError: ``xllamacpp`` is not installed, or the file is no model that it can load.
        """
        with path.open("rb") as file:
            magic = file.read(4)
        if magic != b"GGUF":
            raise ModelError(f"{path.name!r} is no GGUF file.", hint="Choose another file.")
        self._profile = Profile(name, "llama.cpp, on this machine", _CONTEXT, "grammar")
        self._server = serving(path, _CONTEXT, threads=2)

    @property
    def profile(self) -> Profile:
        """What it is and can do."""
        return self._profile

    @property
    def address(self) -> str:
        """Where llama.cpp's own server answers meanwhile, on loopback."""
        return str(self._server.listening_address)

    def complete(
        self, messages: tuple[Message, ...], constraint: Constraint | None, max_tokens: int
    ) -> Completion:
        """Answers a conversation; see the port. A grammar that does not compile is an error, and an answer that goes round in circles
        is stopped, unfinished."""
        body: dict[str, Any] = {
            "messages": [{"role": m.role, "content": m.text} for m in messages],
            "max_tokens": max_tokens,
            "temperature": 0.0,
            "logprobs": True,
            "cache_prompt": True,
        }
        if constraint is not None:
            body["grammar"] = constraint.gbnf
        started = time.perf_counter()
        chunks = self._ask(body)
        elapsed = (time.perf_counter() - started) * 1000
        text, logs, reason = "", [], None
        timings: dict[str, Any] = {}
        for chunk in chunks:
            if "error" in chunk or "choices" not in chunk:
                raise _refusal(chunk.get("error", chunk))
            timings = chunk.get("timings") or timings
            text += _said(chunk)
            for choice in chunk["choices"]:
                logs += [t["logprob"] for t in (choice.get("logprobs") or {}).get("content") or []]
                reason = choice.get("finish_reason") or reason
        return Completion(
            text,
            reason != "length" and not goes_round(text),
            math.exp(sum(logs) / len(logs)) if logs else None,
            float(timings.get("prompt_ms") or 0.0),
            float(timings.get("predicted_ms") or elapsed),
            int(next((c["usage"].get("total_tokens") for c in reversed(chunks) if c.get("usage")), None) or 0),
        )

    def _ask(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """The answer in pieces, as it is streamed: between two pieces the engine can be asked to stop."""
        stopped = Event()
        chunks: list[dict[str, Any]] = []
        ask = self._server.handle_chat_completions
        said = ""

        def take(chunk: dict[str, Any]) -> bool:
            nonlocal said
            chunks.append(chunk)
            said += _said(chunk)
            return stopped.is_set() or goes_round(said)

        try:
            stoppable(lambda: ask({**body, "stream": True, "stream_options": {"include_usage": True}}, take), stopped.set)
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"llama.cpp refused the request: {str(error)[:200]}.", code="refused") from None
        return chunks

    def close(self) -> None:
        """Frees the model."""
        self._server = None


def _said(chunk: dict[str, Any]) -> str:
    return "".join(str(choice["delta"].get("content") or "") for choice in chunk.get("choices", ()))


def _refusal(error: Any) -> ModelError:
    told = error if isinstance(error, dict) else {}
    code = "too-long" if told.get("type") == "exceed_context_size_error" else "refused"
    return ModelError(f"llama.cpp refused the request: {str(told.get('message', error))[:200]}.", code=code)
