"""Evidence for a service folder: type check, boot in workerd, migrations, and every check."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from jsonschema import Draft7Validator

from clodo.blueprint import parse
from clodo.blueprint.plan import Plan, make_plan
from clodo.errors import WorkspaceError
from clodo.proof.check import Check
from clodo.proof.client import Client
from clodo.proof.host import Host, HostError
from clodo.proof.report import Evidence, Report
from clodo.proof.session import Fault, Session
from clodo.toolchain import Toolchain

#: Gives the checks of a plan.
Checks = Callable[[Plan], Iterable[Check]]

#: Secrets for the proof alone: no secret of the user's is read or sent anywhere.
_SECRETS = {
    "API_KEY": "proof-key-5f0e8c1d2b7a4936",
    "JWT_SECRET": "proof-secret-91c7e2a45d8f4b06b3",
    "ADMIN_EMAIL": "admin@example.com",
}
_AT_ONCE = 12


def verify(directory: Path, checks: Checks, toolchain: Toolchain, host: Host | None = None) -> Report:
    """The proof of the service in ``directory``. A fault of the service is evidence in the report.

    Raises:
        WorkspaceError: there is no service in the directory.
        InvalidBlueprint: its blueprint cannot be read.
    """
    started = time.perf_counter()
    plan = _plan_of(directory)
    own = host is None
    host = host or Host(toolchain)
    types = _TypeCheck(directory, toolchain)
    try:
        evidence = [_configuration(directory, toolchain)]
        proof = _Proof(plan, checks, host, directory)
        evidence += proof.run()
        evidence.append(types.result())
    finally:
        types.stop()
        host.close() if own else host.reset()
    proof.timings["types"] = evidence[-1].ms
    proof.timings["total"] = (time.perf_counter() - started) * 1000
    return Report(
        plan.blueprint.name, tuple(evidence), proof.requests, proof.gzip, proof.timings
    )


def _plan_of(directory: Path) -> Plan:
    blueprint = directory / "blueprint.clodo"
    if not blueprint.is_file() or not (directory / "src" / "index.ts").is_file():
        raise WorkspaceError(
            f"{str(directory)!r} holds no service.",
            hint="Name a folder made by `clodo generate` or `clodo build`.",
        )
    return make_plan(parse(blueprint.read_text("utf-8")))


class _TypeCheck:
    """``tsc --noEmit`` beside everything else."""

    def __init__(self, directory: Path, toolchain: Toolchain) -> None:
        self._started = self._ended = time.perf_counter()
        self._copy = None if (directory / "node_modules").exists() else _with_packages(directory, toolchain)
        script = toolchain.modules / "typescript" / "bin" / "tsc"
        self._process = subprocess.Popen(
            [str(toolchain.node), str(script), "--noEmit"],
            cwd=self._copy or directory,
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
        self._reader.join(120)
        ms = (self._ended - self._started) * 1000
        ok = self._process.returncode == 0
        detail = "" if ok else self._output.strip()[:600] or "tsc did not end"
        return Evidence("types", "tsc accepts it, strictly", "passed" if ok else "failed", detail, ms)

    def stop(self) -> None:
        """Ends it, whatever it is doing."""
        if self._process.poll() is None:
            self._process.kill()
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


def _configuration(directory: Path, toolchain: Toolchain) -> Evidence:
    rule = "wrangler.jsonc follows wrangler's own schema"
    try:
        config = json.loads(_without_comments((directory / "wrangler.jsonc").read_text("utf-8")))
    except (OSError, ValueError) as error:
        return Evidence("configuration", rule, "failed", f"wrangler.jsonc cannot be read: {error}")
    schema = json.loads((toolchain.modules / "wrangler" / "config-schema.json").read_text("utf-8"))
    error = next(iter(Draft7Validator(schema).iter_errors(config)), None)
    if error is not None:
        return Evidence("configuration", rule, "failed", error.message[:300])
    return Evidence("configuration", rule, "passed")


def _without_comments(text: str) -> str:
    """JSONC as JSON: comments and trailing commas away, strings untouched."""
    pattern = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
    plain = pattern.sub(lambda m: m[1] or "", text)
    return re.sub(r'("(?:[^"\\]|\\.)*")|,(\s*[}\]])', lambda m: m[1] or m[2], plain)


class _Proof:
    def __init__(self, plan: Plan, checks: Checks, host: Host, directory: Path) -> None:
        self.plan, self.host, self.directory = plan, host, directory
        self.checks = list(checks(plan))
        self.timings: dict[str, float] = {}
        self.requests = self.gzip = 0

    def run(self) -> list[Evidence]:
        started = time.perf_counter()
        try:
            served = self.host.serve(self.directory, bindings=_SECRETS)
        except HostError as error:
            return [Evidence("boot", "it boots in workerd and migrates", "failed", error.message[:600])]
        self.timings["boot"] = (time.perf_counter() - started) * 1000
        self.gzip = served.gzip
        boot = Evidence("boot", "it boots in workerd and migrates", "passed", "", self.timings["boot"])
        started = time.perf_counter()
        evidence = asyncio.run(self._over_http(served.url))
        self.timings["http"] = (time.perf_counter() - started) * 1000
        return [boot, *evidence]

    async def _over_http(self, url: str) -> list[Evidence]:
        client = Client(url, (_SECRETS["API_KEY"], _SECRETS["JWT_SECRET"]))
        try:
            document = await client.send("GET", "/openapi.json")
            if document.status != 200 or not isinstance(document.body, dict):
                return [Evidence("core.document", "/openapi.json answers", "failed", document.excerpt())]
            client.document = document.body
            session = Session(client, self.plan, self._secrets())
            gate = asyncio.Semaphore(_AT_ONCE)
            found = await asyncio.gather(*(_one(c, session, gate) for c in self.checks))
            return [*found, *_agreement(client)]
        finally:
            self.requests = client.answers
            await client.close()

    def _secrets(self) -> dict[str, str]:
        return _SECRETS if self.plan.uses_key else {k: v for k, v in _SECRETS.items() if k != "API_KEY"}


async def _one(check: Check, session: Session, gate: asyncio.Semaphore) -> Evidence:
    async with gate:
        started = time.perf_counter()
        detail = ""
        try:
            await check.run(session)
        except Fault as fault:
            detail = str(fault) + (f" — {fault.answer.excerpt()}" if fault.answer else "")
        except Exception as error:  # a check that stumbles has proven nothing
            detail = f"the check could not be carried out: {type(error).__name__}: {error}"
        ms = (time.perf_counter() - started) * 1000
        return Evidence(check.id, check.rule, "failed" if detail else "passed", detail, ms)


_ALWAYS = {
    "core.openapi": "every answer is as the service's own document says",
    "core.no-server-error": "no request makes the service fail",
    "core.no-leak": "no answer tells SQL, a stack, a file or a secret",
}


def _agreement(client: Client) -> list[Evidence]:
    out = []
    for rule, words in _ALWAYS.items():
        found = [d for d in client.disagreements if d.rule == rule]
        detail = f"{found[0].message} — {found[0].answer.excerpt()}" if found else ""
        out.append(Evidence(rule, f"{words} ({client.answers} answers)", "failed" if found else "passed", detail))
    return out

