"""Processes that something else has started."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from clodo.errors import UsageError
from tests.training.tiny import rows, tiny_base, write_rows

pytest.importorskip("torch", reason="training needs `pip install 'clodo[train]'`")

PAGE = Path(__file__).parents[2] / "docs" / "training.md"


def test_a_crew_of_the_environment_starts_no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    from clodo.training.crew import Crew

    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(UsageError, match="RANK"):
        Crew.of_environment()
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    crew = Crew.of_environment()
    assert (crew.rank, crew.size, crew.started) == (1, 2, True)
    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)  # as Ray has done before it calls
    crew.gather(Path("nowhere"), lambda crew: None, ())
    assert not crew.hands and not crew.met
    crew.part()  # leaves alone what it has not begun


#: Programs that start two processes of a program, and tell them of each other.
LAUNCHERS = {
    "torchrun": ["torch.distributed.run", "--standalone", "--nproc-per-node", "2"],
    "accelerate": [
        "accelerate.commands.launch", "--multi_gpu", "--num_machines", "1", "--num_processes", "2", "--main_process_port", "0",
        "--mixed_precision", "no", "--dynamo_backend", "no",
    ],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_the_example_of_the_page_trains_under_a_launcher(launcher: str, tmp_path: Path) -> None:
    """The program of docs/training.md, with a tiny base and a minute that is over soon, as two processes."""
    program = re.search(r"```python\n(.+?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert program is not None and len(program[1].splitlines()) <= 16
    base, pairs = tiny_base(tmp_path / "base"), write_rows(tmp_path / "own.jsonl", rows(12))
    text = program[1]
    for old, new in (("/shared/base", str(base)), ("/shared/pairs.jsonl", str(pairs)), ("/shared/run", str(tmp_path / "run")), ("Plan(60", "Plan(0.02, batch=2")):
        assert old in text, old
        text = text.replace(old, new)
    (tmp_path / "many.py").write_text(text, "utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", *LAUNCHERS[launcher], str(tmp_path / "many.py")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=560)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "run" / "weights.pt").is_file()
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text("utf-8").splitlines()]
    assert log[-1]["seen"] > 0 and log[-1]["seen"] % 4 == 0, "both processes' examples are counted"
    assert done.stdout.count("validation") == len(log), "one process speaks for all"
