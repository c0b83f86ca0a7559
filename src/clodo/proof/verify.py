"""Evidence for a service folder: its files, a boot in workerd, migrations, and every check."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from clodo.blueprint import parse
from clodo.blueprint.plan import Plan, make_plan
from clodo.errors import WorkspaceError
from clodo.proof.check import Check
from clodo.proof.client import ALWAYS, TRACE, Answer, Client, Trace
from clodo.proof.files import TypeCheck, check_configuration, check_manifest, evidence, secret_names
from clodo.proof.host import Host, HostError, Served
from clodo.proof.report import Evidence, Outcome, Report
from clodo.proof.scarcity import scarce_entities
from clodo.proof.session import MAILABLE, Fault, Session, TooFewValues
from clodo.proof.transport import TransportError
from clodo.toolchain import Toolchain

#: Gives the checks of a plan.
Checks = Callable[[Plan], Iterable[Check]]

#: Secrets for the proof alone: no secret of the user's is read or sent anywhere.
PROOF_SECRETS = {
    "API_KEY": "proof-key-5f0e8c1d2b7a4936",
    "JWT_SECRET": "proof-secret-91c7e2a45d8f4b06b3",
    "ADMIN_EMAIL": "admin@example.com",
}
_OTHER_SECRET = "proof-{}-8c2f64d0b7e91a35"
_AT_ONCE = 12
_CHECK_SECONDS = 60


def verify(
    directory: Path,
    checks: Checks,
    toolchain: Toolchain,
    host: Host | None = None,
    *,
    types: bool = True,
) -> Report:
    """The proof of the service in ``directory``. A fault of the service is evidence in the report.

    ``host`` is used and reset where it is given, else one is started for this proof. ``types``
    says whether ``tsc`` runs too.

    Raises:
        WorkspaceError: there is no service in the directory.
        InvalidBlueprint: its blueprint cannot be read.
    """
    started = time.perf_counter()
    plan = _plan_of(directory)
    type_check = TypeCheck(directory, toolchain) if types else None
    used: Host | None = None
    try:
        used = host or Host(toolchain)
        found = [check_manifest(directory), check_configuration(directory, toolchain)]
        proof = _Proof(plan, tuple(checks(plan)), used, directory)
        found += proof.run()
        if type_check is not None:
            found.append(type_check.result())
            proof.timings["types"] = found[-1].ms
    finally:
        if type_check is not None:
            type_check.stop()
        if used is not None:
            used.reset() if host is not None else used.close()
    proof.timings["total"] = (time.perf_counter() - started) * 1000
    return Report(plan.blueprint.name, tuple(found), proof.requests, proof.gzip, proof.timings)


def proof_secrets(directory: Path) -> dict[str, str]:
    """The proof's own values for every secret that the manifest of a service names."""
    names = secret_names(directory)
    return PROOF_SECRETS | {n: _OTHER_SECRET.format(n.lower()) for n in names if n not in PROOF_SECRETS}


def _plan_of(directory: Path) -> Plan:
    blueprint = directory / "blueprint.clodo"
    if not blueprint.is_file() or not (directory / "src" / "index.ts").is_file():
        raise WorkspaceError(
            f"{str(directory)!r} holds no service.",
            hint="Name a folder made by `clodo generate` or `clodo build`.",
        )
    try:
        text = blueprint.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise WorkspaceError(f"{str(blueprint)!r} cannot be read: {error}.", hint="Save it as UTF-8.") from None
    return make_plan(parse(text))


class _Proof:
    def __init__(self, plan: Plan, checks: Sequence[Check], host: Host, directory: Path) -> None:
        self.plan, self.checks, self.host, self.directory = plan, checks, host, directory
        self.all_secrets = proof_secrets(directory)
        self.timings: dict[str, float] = {}
        self.requests = self.gzip = 0

    def run(self) -> list[Evidence]:
        variables = {k: v for check in self.checks for k, v in check.variables.items()}
        with ExitStack() as stack:
            for beside in (check.beside for check in self.checks):
                variables |= stack.enter_context(beside()) if beside is not None else {}
            return self._run(variables)

    def _run(self, variables: dict[str, str]) -> list[Evidence]:
        started = time.perf_counter()
        rule = "it bundles, boots in workerd and migrates"
        try:
            bound = {k: v for check in self.checks for k, v in check.bound.items()}
            served = self.host.serve(self.directory, bindings={**self.all_secrets, **variables}, bound=bound, mailable=[MAILABLE])
        except HostError as error:
            return [evidence("boot", rule, error.message, started)]
        boot = evidence("boot", rule, "", started)
        self.timings["boot"], self.gzip = boot.ms, served.gzip
        started = time.perf_counter()
        found = asyncio.run(self._over_http(served))
        self.timings["http"] = (time.perf_counter() - started) * 1000
        return [boot, *found]

    async def _over_http(self, served: Served) -> list[Evidence]:
        secrets = tuple(v for k, v in self.all_secrets.items() if k != "ADMIN_EMAIL")
        client = Client(served.url, secrets, _hidden_keys(self.plan))
        try:
            fault = await _load_document(client)
            if fault:
                return [evidence("core.document", "/openapi.json answers a document", fault)]
            scarce = scarce_entities(self.plan)
            session = Session(client, self.plan, self._secrets(), self.host.query, scarce, self.host.scheduled, self.host.delivered, served.crons)
            gate = asyncio.Semaphore(1 if scarce else _AT_ONCE)
            for prepare in (c.prepare for c in self.checks):
                if prepare is not None:
                    prepare(session)
            found = await asyncio.gather(*(_one(c, session, gate) for c in self.checks if not c.alone))
            session.alone = True
            found += [await _one(c, session, gate) for c in self.checks if c.alone]
            return [*found, *_of_every_answer(client)]
        finally:
            self.requests = client.answers
            await client.close()

    def _secrets(self) -> dict[str, str]:
        unused = set() if self.plan.uses_key else {"API_KEY"}
        return {k: v for k, v in self.all_secrets.items() if k not in unused}


def _hidden_keys(plan: Plan) -> frozenset[str]:
    """Keys that no answer may have, unless the blueprint itself has a field of that name."""
    b = plan.blueprint
    fields = [f for e in b.entities for f in e.fields] + list(b.users.fields if b.users else ())
    shown = {f.name for f in fields if not f.write_only}
    written = {f.name for f in fields if f.write_only}
    return frozenset({"password", "password_hash", "deleted_at"} | written) - shown


async def _load_document(client: Client) -> str:
    try:
        answer = await client.send("GET", "/openapi.json")
    except TransportError as error:
        return str(error)
    if answer.status != 200 or not isinstance(answer.body, dict) or "paths" not in answer.body:
        return f"expected 200 and a document, got {client.shown(answer.answer)}"
    client.hold_against(answer.body)
    return ""


async def _one(check: Check, session: Session, gate: asyncio.Semaphore) -> Evidence:
    async with gate:
        if session.scarce:
            await session.emptied()
        started = time.perf_counter()
        trace = Trace()
        TRACE.set(trace)
        detail, exchange = "", None
        outcome: Outcome = "failed"
        try:
            await asyncio.wait_for(check.run(session), _CHECK_SECONDS)
            exchange, outcome = trace.last, "passed"
        except TooFewValues as few:
            detail, outcome = str(few), "skipped"
        except Fault as fault:
            detail, exchange = str(fault), fault.answer or trace.last
        except TimeoutError:
            detail = f"the check did not end in {_CHECK_SECONDS} s"
        except Exception as error:  # a check that stumbles has proven nothing
            detail = f"the check could not be carried out: {type(error).__name__}: {error}"
            exchange = trace.last
        ms = (time.perf_counter() - started) * 1000
        return _shown(session.client, check.id, check.rule, detail, exchange, ms, trace.count, outcome)


def _shown(
    client: Client, id: str, rule: str, detail: str, a: Answer | None, ms: float, count: int, outcome: Outcome
) -> Evidence:
    request, answer = (client.shown(a.request), client.shown(a.answer)) if a else ("", "")
    return Evidence(id, rule, outcome, client.shown(detail), ms, count, request, answer)


def _of_every_answer(client: Client) -> list[Evidence]:
    out = []
    for id, words in ALWAYS.items():
        found = [d for d in client.disagreements if d.rule == id]
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        detail = f"{found[0].message}{more}" if found else ""
        answer = found[0].answer if found else None
        how: Outcome = "failed" if detail else "passed"
        out.append(_shown(client, id, words, detail, answer, 0.0, client.answers, how))
    return out
