"""Ctrl-C while an engine is at work in its own code: heard at once, whether or not the engine can be stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from clodo.lm import Message
from clodo.runtime.llamacpp import LlamaCppModel
from clodo.runtime.stoppable import stoppable
from tests.edge.llama.tiny import tiny_gguf
from tests.processes import clodo_process

#: An engine that, asked for something, waits inside the C library, where no signal wakes it.
DEAF = """
import ctypes, sys

class _Any:
    def __getattr__(self, name):
        self.__dict__[name] = _Any()
        return self.__dict__[name]

CommonParams = _Any

class Server:
    listening_address = "http://127.0.0.1:9"

    def __init__(self, params):
        pass

    def handle_metrics(self):
        return ""

    def handle_chat_completions(self, body, take=None):
        library = ctypes.CDLL(None)
        lock = ctypes.create_string_buffer(256)
        library.pthread_mutex_init(lock, None)
        library.pthread_mutex_lock(lock)
        print("at work", file=sys.stderr, flush=True)
        library.pthread_mutex_lock(lock)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the deaf engine waits for a lock of POSIX")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["blueprint", "generate"])
def test_a_command_ends_though_its_engine_hears_nothing(command: str, stop: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "engines").mkdir()
    (tmp_path / "engines" / "xllamacpp.py").write_text(DEAF)
    (tmp_path / "x.gguf").write_bytes(b"GGUF and so on")
    paths = os.pathsep.join([str(tmp_path / "engines"), *filter(None, [os.environ.get("PYTHONPATH")])])
    arguments = [command, "Books have a title.", "--model", f"file:{tmp_path / 'x.gguf'}"]
    if command == "generate":
        arguments += ["-o", str(tmp_path / "out" / "s"), "--yes"]
    options: dict[str, Any] = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE, "env": {**os.environ, "PYTHONPATH": paths}}
    with clodo_process(*arguments, **options) as process:
        assert process.stderr is not None and process.stdout is not None
        for line in process.stderr:
            if "at work" in line:
                break
        started = time.monotonic()
        process.send_signal(stop)
        assert process.wait(20) == 130
        assert time.monotonic() - started < 5
        rest = process.stderr.read()
        assert "Traceback" not in rest and "Nothing was left" in rest and not process.stdout.read()
    assert not (tmp_path / "out").exists()


def test_the_engine_is_asked_to_stop_and_is_waited_for_a_moment() -> None:
    asked, ended = threading.Event(), threading.Event()

    def work() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        asked.wait(20)
        time.sleep(0.1)
        ended.set()

    with pytest.raises(KeyboardInterrupt):
        stoppable(work, asked.set)
    assert asked.is_set() and ended.is_set()


def test_what_the_work_returns_and_raises_is_the_callers() -> None:
    assert stoppable(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        stoppable(lambda: 1 // 0)


def test_llama_cpp_stops_between_two_tokens_and_answers_again(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    model = LlamaCppModel(tiny_gguf(tmp_path / "tiny.gguf"), "tiny")
    engine = model._server
    pieces = 0

    class Slow:
        def handle_chat_completions(self, body: dict[str, Any], take: Any) -> Any:
            def slowly(chunk: dict[str, Any]) -> bool:
                nonlocal pieces
                pieces += 1
                if pieces == 3:
                    os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.05)
                return bool(take(chunk))

            return engine.handle_chat_completions(body, slowly)

    model._server = Slow()
    with pytest.raises(KeyboardInterrupt):
        model.complete((Message("user", "the sea"),), None, 200)
    assert 3 <= pieces < 100
    seen = pieces
    time.sleep(0.3)
    assert pieces == seen, "it is at work no more"
    assert model.complete((Message("user", "the sea"),), None, 4).text
