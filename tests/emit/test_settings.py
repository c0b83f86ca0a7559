"""What bricks share that read numbers of a Worker's variables: how long the next attempt is waited for."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from clodo.emit.settings import settings_files
from clodo.toolchain.store import node_path

HOUR = 60 * 60


@pytest.fixture
def asked(tmp_path: Path) -> Any:
    """Calls ``backoffSeconds``, with chance as it is given."""
    for name, text in settings_files().items():
        (tmp_path / Path(name).name).write_text(text.replace('"./settings"', '"./settings.ts"'), "utf-8")
    module = (tmp_path / "backoff.ts").as_uri()

    def run(first: str | None, attempts: int, chance: float) -> object:
        call = f"backoffSeconds({json.dumps(first) if first is not None else 'undefined'}, {attempts})"
        program = f'import {{ backoffSeconds }} from "{module}"; Math.random = () => {chance}; console.log(JSON.stringify({call}));'
        # Its types are taken out by Node itself.
        command: list[str] = [str(node_path()), "--disable-warning=ExperimentalWarning", "--experimental-strip-types", "--input-type=module", "-e", program]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    return run


@pytest.mark.parametrize(
    ("first", "attempts", "chance", "seconds"),
    [
        ("30", 1, 0.5, 30), ("30", 3, 0.5, 120), ("30", 1, 0, 15), ("0", 4, 0.9, 0), (None, 2, 0.5, 60), ("none", 1, 0.5, 30),
        # The longest delay is spread too, and no queue takes one above 12 hours.
        ("30", 30, 0, 4 * HOUR), ("30", 30, 0.5, 8 * HOUR), ("30", 30, 0.9999999, 12 * HOUR),
    ],
)  # fmt: skip
def test_each_attempt_waits_twice_as_long_as_the_one_before(asked: Any, first: str | None, attempts: int, chance: float, seconds: int) -> None:
    assert asked(first, attempts, chance) == seconds
