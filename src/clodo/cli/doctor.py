"""``doctor``: what is there, what is missing, and the command that mends it."""

from __future__ import annotations

import shlex
from importlib.util import find_spec

import click

from clodo.app.models import DEFAULT_MODEL, open_understander
from clodo.cache import cache_folder
from clodo.cli.context import Talk, command
from clodo.errors import ModelError
from clodo.runtime.store import kept
from clodo.toolchain import Finding, ensure, status


def findings() -> list[Finding]:
    """Everything that the doctor looks at."""
    out = status()
    try:
        open_understander(DEFAULT_MODEL)
        out.append(Finding("built-in model", True, DEFAULT_MODEL))
    except ModelError as error:
        out.append(Finding("built-in model", False, error.message, "pip install --force-reinstall clodo"))
    out += [
        Finding(f"model {entry.name}", sound, "sound" if sound else "damaged: its sha256 differs", "" if sound else f"rm {shlex.quote(str(path))}")
        for entry, path, sound in kept()
    ]
    llama = find_spec("xllamacpp") is not None
    detail = "installed" if llama else "not installed (optional)"
    out.append(Finding("llama.cpp", True, detail, "" if llama else "pip install 'clodo[llama]'"))
    return out


@click.command("doctor")
@click.option("--install", is_flag=True, help="Install the Workers toolchain where it is missing.")
@command
def doctor_command(talk: Talk, install: bool) -> None:
    """Tell what is installed, and what mends what is not."""
    if install:
        ensure(talk.say)
    found = findings()
    if talk.as_json:
        entries = [{"name": f.name, "ok": f.ok, "detail": f.detail, "remedy": f.remedy} for f in found]
        talk.answer({"ok": all(f.ok for f in found), "cache": str(cache_folder()), "findings": entries})
    else:
        for f in found:
            mark = "✓" if f.ok else "✗"
            remedy = f"   mend: {f.remedy}" if f.remedy else ""
            talk.out.print(f"{mark} {f.name}: {f.detail}{remedy}", soft_wrap=True, markup=False)
    if not all(f.ok for f in found):
        raise SystemExit(1)
