"""The figures of a model in Workers, in real workerd on this machine: memory, speed beside native llama.cpp, cold start.

Not covered: Cloudflare's own machines and network, and limits that workerd does not enforce (128 MB, CPU time).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clodo.edge.platform.asking import Caller, Written
from clodo.edge.platform.cpu import cpu_seconds
from clodo.edge.platform.folder import read_manifest
from clodo.edge.platform.native import NativeModel
from clodo.edge.platform.server import Memory, WorkersServer
from clodo.edge.platform.serving import Running, served_folder
from clodo.toolchain import Toolchain

#: Descriptions of ordinary length, short to long.
DESCRIPTIONS = (
    "Books have a title and a price.",
    "A list of tasks with a title, a due date and whether it is done. Only I can change it, with an API key.",
    "I need a small backend for my bookshop. Books have a title, an author name, an ISBN that must be unique, and a price. "
    "Customers leave reviews of a book: a score from 1 to 5 plus some text. No login needed.",
    "Members of a gym register with their email and log in. A class has a name, a start time and a capacity between 1 and 40. "
    "A booking belongs to a class and to the member who made it; a member sees only their own bookings, and admins see all.",
    "We track expenses. An expense has an amount, a currency that is EUR, USD or GBP, a day, an optional note and a category. "
    "A category has a unique name and a monthly limit. Expenses belong to the user who wrote them and nobody else may read them. "
    "Deleted expenses can be brought back.",
)

#: The most characters of a description that the routes admit.
LONGEST = 20_000
#: More than may be served and wait together: those that are too many are refused, and the others are as many as there can be.
_AT_ONCE = 32
_WRITE_TOKENS = 64
_COLD_STARTS = 3


@dataclass(frozen=True)
class Figures:
    """What was measured; ``None`` where the kind of model has no such thing, or nothing to compare with is there."""

    model: str
    kind: str
    gzip: dict[str, int]
    isolates: tuple[Memory, ...]
    cold_start_ms: float
    prefill_tok_s: float | None = None
    decode_tok_s: float | None = None
    native_prefill_tok_s: float | None = None
    native_decode_tok_s: float | None = None
    blueprint_p50_ms: float | None = None
    cpu_ms_per_answer: float | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def decode_ratio(self) -> float | None:
        """Decoding speed over that of native llama.cpp, one thread, same file and run."""
        if self.decode_tok_s is None or not self.native_decode_tok_s:
            return None
        return self.decode_tok_s / self.native_decode_tok_s

    @property
    def prefill_ratio(self) -> float | None:
        """The same for reading the prompt."""
        if self.prefill_tok_s is None or not self.native_prefill_tok_s:
            return None
        return self.prefill_tok_s / self.native_prefill_tok_s

    def to_json(self) -> dict[str, Any]:
        """The document of ``clodo edge bench --json``."""
        isolates = [
            {"name": m.name, "peak_mb": round(m.peak_mb, 1), "wasm_mb": round(m.wasm_mb, 1), "heap_mb": round(m.heap_mb, 1)}
            | ({"gzip_bytes": self.gzip[m.name]} if m.name in self.gzip else {})
            for m in self.isolates
        ]
        return {
            "model": self.model,
            "kind": self.kind,
            "isolates": isolates,
            "prefill_tok_s": _rounded(self.prefill_tok_s, 1),
            "decode_tok_s": _rounded(self.decode_tok_s, 1),
            "native_prefill_tok_s": _rounded(self.native_prefill_tok_s, 1),
            "native_decode_tok_s": _rounded(self.native_decode_tok_s, 1),
            "prefill_ratio": _rounded(self.prefill_ratio, 3),
            "decode_ratio": _rounded(self.decode_ratio, 3),
            "blueprint_p50_ms": _rounded(self.blueprint_p50_ms, 1),
            "cold_start_ms": _rounded(self.cold_start_ms, 1),
            "cpu_ms_per_answer": _rounded(self.cpu_ms_per_answer, 1),
            "notes": list(self.notes),
        }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def measure(
    directory: Path,
    toolchain: Toolchain,
    *,
    gguf: Path | None = None,
    rounds: int = 5,
    progress: Callable[[str], None] = lambda _: None,
) -> Figures:
    """Measures the Workers of a built folder; ``gguf`` is the file that they were made of, where native llama.cpp is to be
    measured beside them, in turns.

    Raises:
        WorkspaceError: the folder holds no model's Workers.
        ProofError: they do not boot, or an answer fails.
        ModelError: llama.cpp cannot load the file.
    """
    manifest = read_manifest(directory)
    load = _Load(tuple(manifest["routes"]), int(manifest["context"]))
    with WorkersServer(toolchain) as server:
        progress("Measuring memory under load …")
        with served_folder(directory, toolchain, server=server) as running:
            isolates, gzip = _memory(running, load), dict(running.gzip)
        progress("Measuring cold starts …")
        cold = statistics.median(_cold(directory, toolchain, server, load) for _ in range(_COLD_STARTS))
        with served_folder(directory, toolchain, server=server) as running:
            figures = _warm(running, load, gguf, rounds, progress)
    return Figures(manifest["model"], manifest["kind"], gzip, tuple(isolates), cold * 1000, **figures)


def _warm(running: Running, load: _Load, gguf: Path | None, rounds: int, progress: Callable[[str], None]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    caller = Caller(running)
    load.once(caller)
    if load.blueprint:
        progress("Measuring descriptions to blueprints …")
        figures |= _blueprints(running, caller, rounds)
    if load.completions:
        progress("Measuring tokens per second …")
        figures |= _tokens(running, caller, load, gguf, rounds)
    caller.close()
    return figures


def measure_memory(directory: Path, toolchain: Toolchain, server: WorkersServer | None = None) -> list[Memory]:
    """The peak of each isolate of a built folder, over the largest requests that its routes admit, as many at once as they admit.

    Raises:
        WorkspaceError: the folder holds no model's Workers.
        ProofError: they do not boot, or an answer fails.
    """
    manifest = read_manifest(directory)
    with served_folder(directory, toolchain, server=server) as running:
        return _memory(running, _Load(tuple(manifest["routes"]), int(manifest["context"])))


@dataclass(frozen=True)
class _Load:
    """The requests that a model's routes allow."""

    routes: tuple[str, ...]
    context: int

    @property
    def blueprint(self) -> bool:
        return "/v1/blueprint" in self.routes

    @property
    def completions(self) -> bool:
        return "/v1/completions" in self.routes

    def largest(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Routes and bodies of the largest requests that they admit, no two alike."""
        for i in range(_AT_ONCE):
            if self.blueprint:
                yield "/v1/blueprint", {"description": dense(i, LONGEST)}
            elif self.completions:
                yield "/v1/completions", {"prompt": story(50 + i, self.words * 2), "max_tokens": 8, "temperature": 0, "ignore_eos": True}

    @property
    def words(self) -> int:
        """Words of a long prompt: with what is written after it, it fits the context."""
        return min(self.context // 4, 200)

    def once(self, caller: Caller) -> None:
        """The smallest request of all."""
        if self.completions:
            caller.ask("/v1/completions", {"prompt": "One", "max_tokens": 1, "temperature": 0})
        else:
            caller.ask("/v1/blueprint", {"description": DESCRIPTIONS[0]})

    def every(self, caller: Caller) -> Iterator[Callable[[], object]]:
        """Requests of ordinary size, of every kind."""
        if self.blueprint:
            for text in DESCRIPTIONS:
                yield lambda text=text: caller.ask("/v1/blueprint", {"description": text})  # type: ignore[misc]
        if self.completions:
            for i in range(4):
                prompt = story(i, self.words // (4 if i else 1))
                yield lambda prompt=prompt: caller.write(prompt, 24)  # type: ignore[misc]


def story(number: int, words: int) -> str:
    """A prompt of about so many words that begins as no other does, so that no cache of prompts knows it."""
    lines = (f"Day {number * 1000 + i}: the ferry took {i * 7 % 23 + 2} people and a dog across the wide river." for i in range(words))
    text = " ".join(" ".join(lines).split()[:words])
    return f"{text} On the next day"


def dense(number: int, characters: int) -> str:
    """A description of so many characters in which every other word is a thing, a field or a value: nothing leaves more to decide, and to
    hold. What is said of one is not said of another number."""
    lines = (f"A thing{i} has a name{i}, a price{i}, and a status new, old or gone{i}. " for i in range(number, number + characters // 50))
    return "".join(lines)[:characters].strip()


def _memory(running: Running, load: _Load) -> list[Memory]:
    """The peak of each isolate from its first request on: loading, one after another, and the largest, as many as there may be at once."""
    caller = Caller(running)
    running.watch()
    load.once(caller)
    for ask in load.every(caller):
        ask()
    caller.crowd(list(load.largest()))
    caller.close()
    return running.watched()


def _cold(directory: Path, toolchain: Toolchain, server: WorkersServer, load: _Load) -> float:
    """Seconds of the first answer of isolates that have not loaded anything yet."""
    with served_folder(directory, toolchain, server=server) as running:
        caller = Caller(running)
        started = time.perf_counter()
        load.once(caller)
        seconds = time.perf_counter() - started
        caller.close()
        return seconds


def _blueprints(running: Running, caller: Caller, rounds: int) -> dict[str, Any]:
    times = []
    for i in range(rounds + 1):
        if i == 1:  # the first round warms up
            cpu = cpu_seconds(running.process_group)
        for text in DESCRIPTIONS:
            _, seconds = caller.ask("/v1/blueprint", {"description": text})
            if i > 0:
                times.append(seconds * 1000)
    spent = cpu_seconds(running.process_group)
    per_answer = None if cpu is None or spent is None else (spent - cpu) * 1000 / len(times)
    return {"blueprint_p50_ms": statistics.median(times), "cpu_ms_per_answer": per_answer}


def _tokens(running: Running, caller: Caller, load: _Load, gguf: Path | None, rounds: int) -> dict[str, Any]:
    native = NativeModel(gguf, load.context) if gguf is not None else None
    written: list[Written] = []
    natives: list[tuple[float, float]] = []
    cpu_ms = []
    for i in range(rounds + 1):
        prompt = story(i + 100, load.words)
        before = cpu_seconds(running.process_group)
        found = caller.write(prompt, _WRITE_TOKENS)
        after = cpu_seconds(running.process_group)
        beside = native.speed(prompt, _WRITE_TOKENS) if native is not None else None
        if i == 0:  # the first round warms up
            continue
        written.append(found)
        if before is not None and after is not None:
            cpu_ms.append((after - before) * 1000)
        if beside is not None:
            natives.append(beside)
    if native is not None:
        native.close()
    return {
        "prefill_tok_s": statistics.median(w.prompt_tokens / w.first for w in written),
        "decode_tok_s": statistics.median((w.tokens - 1) / w.rest for w in written),
        "native_prefill_tok_s": statistics.median(p for p, _ in natives) if natives else None,
        "native_decode_tok_s": statistics.median(d for _, d in natives) if natives else None,
        "cpu_ms_per_answer": statistics.median(cpu_ms) if cpu_ms else None,
        "notes": (f"an answer here is {written[-1].prompt_tokens} tokens read and {_WRITE_TOKENS} written",),
    }
