"""The files around the Workers of a model: wrangler's configuration, packages, TypeScript's settings."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from clodo.edge.bundle import Bundle, WorkerFiles
from clodo.emit.project import strict_tsconfig
from clodo.toolchain.pins import node_range, pins

#: Compatibility flags of every Worker: code is told when the caller that it works for goes away.
FLAGS = ("enable_request_signal",)

#: How often the front asks itself whether to stay warm.
KEEP_WARM_CRON = "*/5 * * * *"

#: Where weights lie: beside the script as static assets, or in a bucket of R2.
Weights = Literal["assets", "r2"]


@dataclass(frozen=True)
class Options:
    """How a bundle is deployed. ``name`` is the name of the front and the prefix of the others; ``keep_warm`` adds a
    cron trigger and a D1 database of arrivals to the front. ``context`` is what a language model was built for, in tokens."""

    name: str
    weights: Weights = "assets"
    keep_warm: bool = False
    context: int = 1024


def deployed_name(bundle: Bundle, worker: str, name: str) -> str:
    """What a Worker is called on Cloudflare: the front by the name alone, others with it before theirs."""
    return name if worker == bundle.workers[0].name else f"{name}-{worker}"


def wrangler_jsonc(bundle: Bundle, worker: WorkerFiles, options: Options) -> str:
    """``wrangler.jsonc`` of one Worker."""
    front = worker is bundle.workers[0]
    config: dict[str, Any] = {
        "$schema": "../node_modules/wrangler/config-schema.json",
        "name": deployed_name(bundle, worker.name, options.name),
        "main": "src/kept-warm.ts" if front and options.keep_warm else "src/index.ts",
        "compatibility_date": pins()["compatibility_date"],
        "compatibility_flags": list(FLAGS),
        # What is no front is reached over service bindings alone.
        "workers_dev": front,
        "preview_urls": False,
        "observability": {"enabled": True},
    }
    if worker.assets and options.weights == "assets":
        # The script comes first, so that nobody fetches weights past the API key.
        config["assets"] = {"directory": "assets", "binding": "ASSETS", "run_worker_first": True}
    variables = dict(worker.variables)
    if worker.assets and options.weights == "r2":
        config["r2_buckets"] = [{"binding": "WEIGHTS", "bucket_name": bucket_name(options.name)}]
        variables["WEIGHTS_PREFIX"] = weights_prefix(worker)
    if worker.services:
        config["services"] = [
            {"binding": binding, "service": deployed_name(bundle, target, options.name)}
            for binding, target in worker.services.items()
        ]
    if variables:
        config["vars"] = variables
    if front and options.keep_warm:
        config["triggers"] = {"crons": [KEEP_WARM_CRON]}
        config["d1_databases"] = [{"binding": "ARRIVALS", "database_name": f"{options.name}-arrivals"}]
    return _json(config)


def bucket_name(name: str) -> str:
    """The bucket of a model's weights."""
    return f"{name}-weights"


def weights_prefix(worker: WorkerFiles) -> str:
    """What the keys of a Worker's weights begin with in the bucket. Other weights have other keys: while they go up, the Worker
    that runs still finds its own."""
    digest = sha256()
    for path, weights in sorted(worker.assets.items()):
        digest.update(sha256(path.encode()).digest() + sha256(weights).digest())
    return f"{worker.name}/{digest.hexdigest()[:12]}/"


def package_json(bundle: Bundle, options: Options) -> str:
    """``package.json`` of the whole folder, every version exact. Workers that others call are deployed before these."""
    order = deploy_order(bundle)
    configs = [f"{w.name}/wrangler.jsonc" for w in bundle.workers]
    scripts = {
        "dev": "wrangler dev " + " ".join(f"-c {c}" for c in configs),
        "typecheck": "tsc --noEmit",
        "deploy": " && ".join(f"wrangler deploy -c {name}/wrangler.jsonc" for name in order),
    }
    p = pins()
    return _json(
        {
            "name": options.name,
            "version": "1.0.0",
            "private": True,
            "type": "module",
            "engines": {"node": node_range()},
            "scripts": scripts,
            "devDependencies": {name: p[name] for name in ("@cloudflare/workers-types", "miniflare", "typescript", "wrangler")},
            "overrides": {"wrangler": "$wrangler", "miniflare": "$miniflare"},
        }
    )


def deploy_order(bundle: Bundle) -> list[str]:
    """The names of the Workers, each after those that it calls: a binding to what is not there is refused."""
    services = {w.name: tuple(w.services.values()) for w in bundle.workers}
    order: list[str] = []

    def visit(names: Iterable[str], above: tuple[str, ...]) -> None:
        for name in names:
            if name not in order and name not in above:
                visit(services[name], (*above, name))
                order.append(name)

    visit(reversed(services), ())
    return order


def tsconfig() -> str:
    """``tsconfig.json``, over all Workers."""
    return strict_tsconfig(["@cloudflare/workers-types"], ["*/src", "wasm.d.ts"])


WASM_TYPES = """declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
"""

GITIGNORE = "node_modules/\n.wrangler/\n.dev.vars\n.dev.vars.*\n"


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
