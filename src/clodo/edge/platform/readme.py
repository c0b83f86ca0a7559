"""``README.md`` of a built folder: how to run, ask and deploy it, and what it needs."""

from __future__ import annotations

from clodo.edge.bundle import Bundle
from clodo.edge.platform.configuration import (
    Options,
    bucket_name,
    deploy_order,
    deployed_name,
    weights_prefix,
)
from clodo.toolchain.pins import needed_node

_CHAT = """curl -s http://127.0.0.1:8787/v1/chat/completions -H "Authorization: Bearer $API_KEY" -H "content-type: application/json" \\
  -d '{"messages": [{"role": "user", "content": "What is a Worker?"}], "max_tokens": 50}'"""

_STREAMED = _CHAT.replace("curl -s", "curl -sN").replace("50}", '50, "stream": true}')

_EXAMPLES = {
    "/v1/blueprint": """curl -s http://127.0.0.1:8787/v1/blueprint -H "Authorization: Bearer $API_KEY" -H "content-type: application/json" \\
  -d '{"description": "Books have a title and a price. Customers leave reviews of a book: a score from 1 to 5 plus some text."}'""",
    "/v1/chat/completions": f"{_CHAT}\n\n# token by token, as server-sent events\n{_STREAMED}",
    "/v1/completions": """curl -s http://127.0.0.1:8787/v1/completions -H "Authorization: Bearer $API_KEY" -H "content-type: application/json" \\
  -d '{"prompt": "The capital of France is", "max_tokens": 10, "temperature": 0}'""",
}

#: CPU time of a typical answer, warm, on the machine that `docs/edge.md` tells of.
_CPU = {
    "encoder": "An answer to a description of a few sentences takes some 50 to 100 ms of CPU time",
    "llama": "An answer of 50 tokens to a prompt of 60 takes about a second of CPU time",
}


def readme(bundle: Bundle, options: Options) -> str:
    """The text of the file."""
    front = bundle.workers[0].name
    examples = "\n\n".join(_EXAMPLES[r] for r in bundle.routes if r in _EXAMPLES)
    parts = [
        f"# {options.name}",
        f"{bundle.model} in Cloudflare Workers: the model runs in WebAssembly inside {_count(bundle)}, with no GPU and no other service. "
        f"It is written by `clodo edge build`; nothing in this folder needs Clodo.",
        "## Run it here",
        f"```sh\nnpm install\nnpm run dev          # wrangler, on http://127.0.0.1:8787\nexport API_KEY=$(sed -n 's/^API_KEY=//p' {front}/.dev.vars)\n```",
        f"wrangler needs {needed_node()} (`node --version` tells yours); npm installs it on an older one, too, where it does not start.",
        "```sh\ncurl -s http://127.0.0.1:8787/health      # {\"status\":\"ok\",\"ready\":true} once the weights are loaded\n\n" + examples + "\n```",
        "`GET /docs` shows what the front answers, from `GET /openapi.json`. `GET /metrics` gives counts of the isolate that answers, for Prometheus. All of `/v1/` wants the key, as "
        "`Authorization: Bearer` or `X-API-Key`; errors are `application/problem+json`, and OpenAI's error object where a route is OpenAI's.",
        *bundle.notes,
        "## Deploy it",
        _deployment(bundle, options),
        "## What it needs",
        _needs(bundle),
        "## What is here",
        _table(bundle, options),
    ]
    if options.keep_warm:
        parts += ["## Keeping it warm", _keep_warm()]
    return "\n\n".join(parts) + "\n"


def _count(bundle: Bundle) -> str:
    n = len(bundle.workers)
    return "one Worker" if n == 1 else f"{n} Workers that call each other over service bindings"


def _deployment(bundle: Bundle, options: Options) -> str:
    front = bundle.workers[0].name
    local = ""
    steps = ["npx wrangler login", "npm run deploy", f"npx wrangler secret put API_KEY -c {front}/wrangler.jsonc"]
    if options.weights == "r2":
        bucket = bucket_name(options.name)
        loads = [
            # With the front's configuration, for its folder is where `npm run dev` keeps its buckets.
            f"npx wrangler r2 object put {bucket}/{weights_prefix(w)}{path} -c {front}/wrangler.jsonc --file {w.name}/assets/{path} --remote"
            for w in bundle.workers
            for path in w.assets
        ]
        steps[1:1] = [f"npx wrangler r2 bucket create {bucket}", *loads]
        local = " Other weights have other keys, so that what runs finds its own until it is replaced; old ones stay until you delete them. The same `r2 object put` with `--local` in the place of `--remote` fills the bucket that `npm run dev` has; `clodo edge dev` and `clodo edge deploy` fill theirs by themselves."
    order = deploy_order(bundle)
    why = f" They go up in the order {', '.join(order)}, since a binding needs what it points to." if len(order) > 1 else ""
    return (
        "```sh\n" + "\n".join(steps) + "\n```\n\n"
        f"`npm run deploy` uploads the script and its weights.{why} The key is a secret of the front alone: wrangler asks for it and "
        f"Cloudflare keeps it; it stands in no file that is deployed. Until it is set, `/v1/` answers 503.{local}"
    )


def _needs(bundle: Bundle) -> str:
    return (
        f"**The Workers Paid plan.** {_CPU[bundle.kind]}, and the free plan ends a request after 10 ms. The paid plan gives 30 s by "
        "default (`limits.cpu_ms` in `wrangler.jsonc` up to 5 min), and CPU time beyond what the plan includes is billed by the millisecond. "
        "A Worker's clock stands still while it computes, so measure from outside.\n\n"
        "The planned memory of each Worker is below; Cloudflare gives an isolate 128 MB. Every script is under 3 MB gzip, "
        "weights apart. An isolate that was idle is ended when Cloudflare likes, and the next request loads the weights again."
    )


def _table(bundle: Bundle, options: Options) -> str:
    where = "static assets" if options.weights == "assets" else "R2, uploaded from `assets/`"
    rows = [f"| Worker | deployed as | weights ({where}) | planned memory |", "|---|---|---|---|"]
    for w in bundle.workers:
        size = sum(map(len, w.assets.values())) / 1e6
        rows.append(f"| `{w.name}/` | `{deployed_name(bundle, w.name, options.name)}` | {size:.1f} MB | {w.planned_mb:.0f} MB |")
    return "\n".join(rows)


def _keep_warm() -> str:
    return (
        "Every five minutes a cron trigger asks whether a request is likely in the next minutes, going by how many came at this hour of "
        "the week before, and if so makes sure that the weights are loaded. Counts are kept in the D1 database `ARRIVALS`, which wrangler "
        "creates at the first deployment; without that binding nothing is counted and nobody is woken. `KEEP_WARM_THRESHOLD` (a variable, 0.05 "
        "where it is not set) is the least chance of a request in the next five minutes for which it wakes: lower it to be warm more "
        "often. Whether the isolate that is woken is the one that answers your callers is up to Cloudflare."
    )
