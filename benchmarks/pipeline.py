"""From blueprint to proven service, stage by stage; bundle sizes; a generated list endpoint against a
hand-written one in the same isolate, on the same rows.

``python -m benchmarks.pipeline [--json] [--rounds N]``

Times are the best of the rounds, in ms, on an otherwise idle machine. The load client shares the cores
with workerd, so besides requests per second the CPU time that workerd itself spends per request is
given: that ratio does not depend on the client.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from clodo.blueprint import parse
from clodo.bricks.registry import service_checks, service_secrets, service_tree
from clodo.emit.tree import write_tree
from clodo.proof.host import Host
from clodo.proof.transport import Transport
from clodo.proof.verify import PROOF_SECRETS, verify
from clodo.toolchain import ensure

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.clodo"))
AT_ONCE = 8
ROWS = 500


def write_service(example: Path, folder: Path) -> None:
    """The example's service, written into ``folder``."""
    source = example.read_text("utf-8")
    blueprint = parse(source)
    write_tree(service_tree(blueprint, source), folder, service_secrets(blueprint))


def stages(example: Path, host: Host, rounds: int) -> dict[str, Any]:
    """The best time of each stage from text to proven service, in ms, and the bundle in bytes."""
    toolchain = ensure()
    runs: list[dict[str, float]] = []
    source = example.read_text("utf-8")
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as made:
            started = time.perf_counter()
            blueprint = parse(source)
            parsed = time.perf_counter()
            tree = service_tree(blueprint, source)
            emitted = time.perf_counter()
            write_tree(tree, Path(made) / "s", service_secrets(blueprint))
            written = time.perf_counter()
            report = verify(Path(made) / "s", service_checks, toolchain, host)
        if not report.proven:
            sys.exit(report.summary())
        runs.append(
            {
                "parse": (parsed - started) * 1000,
                "emit": (emitted - parsed) * 1000,
                "write": (written - emitted) * 1000,
                **{k: report.timings_ms[k] for k in ("boot", "http", "types")},
                "verify": report.timings_ms["total"],
            }
        )
    best = {k: round(min(r[k] for r in runs), 1) for k in runs[0]}
    return {
        "example": example.stem,
        "entities": len(parse(source).entities),
        "checks": len(report.evidence),
        "requests": report.requests,
        "gzip_bytes": report.gzip,
        "ms": best,
    }


def list_endpoint(host: Host, rounds: int, requests: int) -> dict[str, Any]:
    """Requests per second and workerd's CPU ms per request, generated and by hand, in turns."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "s"
        write_service(ROOT / "examples" / "bookshop.clodo", folder)
        peer = (ROOT / "benchmarks" / "handwritten" / "list.ts").read_text("utf-8")
        (folder / "src" / "peer.ts").write_text(peer, "utf-8")
        (folder / "src" / "service.ts").write_text((folder / "src" / "index.ts").read_text("utf-8"))
        (folder / "src" / "index.ts").write_text(
            'import service from "./service";\nimport { peer } from "./peer";\n'
            "export default {\n  fetch(request: Request, env: never, context: ExecutionContext) {\n"
            '    const mine = new URL(request.url).pathname.startsWith("/peer/");\n'
            "    return mine ? peer.fetch(request, env, context) : service.fetch(request, env, context);\n"
            "  },\n};\n"
        )
        served = host.serve(folder, bindings=PROOF_SECRETS)
        return asyncio.run(_compare(served.url, rounds, requests))


async def _compare(url: str, rounds: int, requests: int) -> dict[str, Any]:
    parts = urlsplit(url)
    transport = Transport(parts.hostname or "", parts.port or 80)
    headers = {"content-type": "application/json", "x-api-key": PROOF_SECRETS["API_KEY"]}
    for i in range(ROWS):
        book = {"title": f"Book {i}", "author_name": "A. Writer", "isbn": f"978-{i:07d}", "price": 9.99}
        await transport.request("POST", "/api/books", headers, json.dumps(book).encode())
    targets = {"generated": "/api/books?limit=20", "by hand": "/peer/books?limit=20"}
    bodies = {n: json.loads((await transport.request("GET", t, {}, None)).body) for n, t in targets.items()}
    if bodies["generated"]["items"] != bodies["by hand"]["items"]:
        sys.exit("the two endpoints do not answer the same rows")
    rates: dict[str, list[float]] = {name: [] for name in targets}
    costs: dict[str, list[float]] = {name: [] for name in targets}
    for round_ in range(rounds + 1):
        order = list(targets) if round_ % 2 else list(reversed(targets))
        for name in order:
            rate, cost = await _load(transport, targets[name], requests)
            if round_ > 0:  # the first round warms up
                rates[name].append(rate)
                costs[name].append(cost)
    await transport.close()
    rate = {n: statistics.median(v) for n, v in rates.items()}
    cost = {n: statistics.median(v) for n, v in costs.items()}
    return {
        "requests_per_second": {n: round(v) for n, v in rate.items()},
        "workerd_cpu_ms_per_request": {n: round(v, 3) for n, v in cost.items()},
        "throughput_ratio": round(rate["generated"] / rate["by hand"], 3),
        "cpu_ratio": round(cost["by hand"] / cost["generated"], 3) if all(cost.values()) else None,
    }


async def _load(transport: Transport, target: str, requests: int) -> tuple[float, float]:
    async def client() -> None:
        for _ in range(requests // AT_ONCE):
            answer = await transport.request("GET", target, {}, None)
            if answer.status != 200:
                raise RuntimeError(f"{target} answered {answer.status}")

    cpu, started = _workerd_cpu(), time.perf_counter()
    await asyncio.gather(*(client() for _ in range(AT_ONCE)))
    seconds = time.perf_counter() - started
    sent = requests // AT_ONCE * AT_ONCE
    return sent / seconds, (_workerd_cpu() - cpu) * 1000 / sent


def _workerd_cpu() -> float:
    """CPU seconds that all workerd processes have used so far; 0 where there is no ``/proc``."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, rest = stat.read_text().rpartition(") ")
        except OSError:  # it ended meanwhile
            continue
        if head.endswith("(workerd"):
            fields = rest.split()
            total += int(fields[11]) + int(fields[12])  # user and system time
    return total / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Runs everything and prints it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=2000)
    options = parser.parse_args()
    found: dict[str, Any] = {"stages": []}
    with Host(ensure(lambda line: print(line, file=sys.stderr))) as host:
        for example in EXAMPLES:
            found["stages"].append(stages(example, host, options.rounds))
            print(f"  {example.stem} done", file=sys.stderr)
        found["list"] = list_endpoint(host, options.rounds * 2, options.requests)
    if options.json:
        print(json.dumps(found))
        return
    names = ("parse", "emit", "write", "boot", "http", "types", "verify")
    print(f"{'example':15}{'entities':>9}{'checks':>8}{'requests':>10}{'KiB gz':>8}" + "".join(f"{n:>9}" for n in names))
    for s in found["stages"]:
        times = "".join(f"{s['ms'][n]:9.0f}" for n in names)
        print(f"{s['example']:15}{s['entities']:9}{s['checks']:8}{s['requests']:10}{s['gzip_bytes'] / 1024:8.1f}{times}")
    one = found["list"]
    print("\nlist endpoint, 20 of 500 rows, 8 clients:")
    for name, rate in one["requests_per_second"].items():
        print(f"  {name:10}{rate:7} requests/s  {one['workerd_cpu_ms_per_request'][name]:.3f} ms of workerd's CPU each")
    print(f"  generated ÷ by hand: {one['throughput_ratio']} of the throughput, {one['cpu_ratio']} by CPU")


if __name__ == "__main__":
    main()
