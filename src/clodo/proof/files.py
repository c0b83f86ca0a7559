"""What the files of a service folder prove by themselves: manifest, configuration, types."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from clodo.escapes import without_escapes
from clodo.proof.report import Evidence
from clodo.toolchain import Toolchain
from clodo.toolchain.pins import pins

_MANIFEST = "clodo-service-manifest.json"
_TSC_SECONDS = 120
_SHOWN_CHARACTERS = 600
#: tsc is a Go program that lives for half a second: collecting its garbage costs more than all the rest,
#: so that waits until it holds a gigabyte.
_TSC_MEMORY = {"GOGC": "off", "GOMEMLIMIT": "1GiB"}


def evidence(id: str, rule: str, fault: str, started: float | None = None) -> Evidence:
    """Evidence without HTTP: passed where ``fault`` is empty. ``started`` is of ``perf_counter``."""
    ms = 0.0 if started is None else (time.perf_counter() - started) * 1000
    return Evidence(id, rule, "failed" if fault else "passed", fault[:_SHOWN_CHARACTERS], ms)


def check_manifest(directory: Path) -> Evidence:
    """The manifest is there and describes a service with files."""
    rule = f"{_MANIFEST} is there and names the generated files"
    try:
        manifest = json.loads((directory / _MANIFEST).read_text("utf-8"))
        fault = "" if manifest["name"] and manifest["files"] else "it names no service or no files"
    except (OSError, ValueError, KeyError, TypeError) as error:
        fault = f"it cannot be read: {type(error).__name__}: {error}"
    return evidence("files.manifest", rule, fault)


def secret_names(directory: Path) -> tuple[str, ...]:
    """The names of the secrets that the manifest says the service needs; none where it cannot be read."""
    try:
        return tuple(map(str, json.loads((directory / _MANIFEST).read_text("utf-8")).get("secrets", ())))
    except (OSError, ValueError, TypeError, AttributeError):
        return ()


def check_configuration(directory: Path, toolchain: Toolchain) -> Evidence:
    """``wrangler.jsonc`` follows wrangler's schema, and what that schema does not say."""
    # A tenth of a second, which the runtime uses to get ready.
    from jsonschema import Draft7Validator

    started = time.perf_counter()
    rule = "wrangler.jsonc follows wrangler's own schema, and its entry and database are right"
    try:
        config = json.loads(without_comments((directory / "wrangler.jsonc").read_text("utf-8")))
    except (OSError, ValueError) as error:
        return evidence("files.configuration", rule, f"it cannot be read: {error}", started)
    text = (toolchain.modules / "wrangler" / "config-schema.json").read_text("utf-8")
    wrong = next(iter(Draft7Validator(json.loads(text)).iter_errors(config)), None)
    fault = wrong.message if wrong is not None else _configuration_fault(directory, config)
    return evidence("files.configuration", rule, fault, started)


def _configuration_fault(directory: Path, config: dict[str, Any]) -> str:
    entry = str(config.get("main", ""))
    if not entry or not (directory / entry).is_file():
        return f"main names {entry!r}, which is not there"
    date = str(config.get("compatibility_date", ""))
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", date) or date > pins()["newest_compatibility_date"]:
        return f"compatibility_date is {date!r}, which this workerd does not know"
    bindings = [d.get("binding") for d in config.get("d1_databases", [])]
    if (directory / "migrations").is_dir() and bindings != ["DB"]:
        return f"the D1 bindings are {bindings}, not ['DB']"
    return ""


def without_comments(text: str) -> str:
    """JSONC as JSON: comments and trailing commas away, strings untouched."""
    string = r'("(?:[^"\\]|\\.)*")'
    comments = re.compile(rf"{string}|//[^\n]*|/\*.*?\*/", re.DOTALL)
    plain = comments.sub(lambda m: m[1] or "", text)
    return re.sub(rf"{string}|,(\s*[}}\]])", lambda m: m[1] or m[2], plain)


class TypeCheck:
    """``tsc --noEmit``, beside everything else. It starts at once."""

    def __init__(self, directory: Path, toolchain: Toolchain) -> None:
        self._started = self._ended = time.perf_counter()
        own_packages = (directory / "node_modules").exists()
        self._copy = None if own_packages else _with_packages(directory, toolchain)
        script = toolchain.modules / "typescript" / "bin" / "tsc"
        self._process = subprocess.Popen(
            [str(toolchain.node), str(script), "--noEmit"],
            cwd=self._copy or directory,
            env={**os.environ, **_TSC_MEMORY},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._output = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        self._output, _ = self._process.communicate()
        self._ended = time.perf_counter()

    def result(self) -> Evidence:
        """The evidence, waited for."""
        self._reader.join(_TSC_SECONDS)
        passed = self._process.returncode == 0
        fault = "" if passed else without_escapes(self._output).strip() or f"tsc did not end in {_TSC_SECONDS} s"
        made = evidence("files.types", "tsc accepts it, strictly", fault, self._started)
        ms = (self._ended - self._started) * 1000
        return Evidence(made.id, made.rule, made.outcome, made.detail, ms)

    def stop(self) -> None:
        """Ends it, whatever it is doing, and removes what it made."""
        if self._process.poll() is None:
            self._process.kill()
        self._reader.join(5)
        if self._copy is not None:
            shutil.rmtree(self._copy, ignore_errors=True)


def _with_packages(directory: Path, toolchain: Toolchain) -> Path:
    """A copy of a folder that has no packages of its own, with the toolchain's: the user's folder
    stays as it is."""
    copy = Path(tempfile.mkdtemp(prefix="clodo-types-"))
    for name in ("src", "test", "openapi.json", "tsconfig.json", "vitest.config.ts"):
        source = directory / name
        if source.is_dir():
            shutil.copytree(source, copy / name)
        elif source.is_file():
            shutil.copy(source, copy / name)
    (copy / "node_modules").symlink_to(toolchain.modules, target_is_directory=True)
    return copy
