"""``edge``: models in Cloudflare Workers, built, served, deployed and measured."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from clodo.app.edge import bench_model, build_model, bundle_of, name_of, serve_model, source_of
from clodo.app.models import DEFAULT_MODEL
from clodo.cli.context import Talk, command
from clodo.cli.output import pasted
from clodo.edge.platform.benchmark import Figures
from clodo.edge.platform.configuration import Options
from clodo.edge.platform.deploying import deploy
from clodo.edge.platform.folder import free_folder, read_manifest
from clodo.edge.platform.keep_warm import Terms, read_log, score
from clodo.toolchain import ensure

_BUDGET = click.option(
    "--budget-mb", type=click.FloatRange(8, 120), default=48, show_default=True, help="The most memory of one Worker, in MB."
)
_CONTEXT = click.option(
    "--ctx", "context", type=click.IntRange(64, 32768), default=1024, show_default=True, help="Tokens that a text model can see."
)


class _InOrder(click.Group):
    """Lists its commands in the order in which they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group("edge", cls=_InOrder)
def edge_command() -> None:
    """Run a model inside Cloudflare Workers, in WebAssembly."""


@edge_command.command("build")
@click.argument("model")
@click.option("--output", "-o", "directory", required=True, type=click.Path(path_type=Path), help="The folder of the Workers.")
@_BUDGET
@_CONTEXT
@click.option("--name", help="The front's name on Cloudflare, and the prefix of the others.  [default: the folder's]")
@click.option("--weights", type=click.Choice(["assets", "r2"]), default="assets", show_default=True, help="Where weights lie.")
@click.option("--keep-warm", is_flag=True, help="Stay loaded at the hours of the week when requests are likely.")
@click.option("--base-simd", is_flag=True, help="Kernels without relaxed SIMD, for runtimes that refuse it; slower.")
@click.option("--force", is_flag=True, help="Replace the Workers in the folder; other files stay.")
@command
def build_command(
    talk: Talk,
    model: str,
    directory: Path,
    budget_mb: float,
    context: int,
    name: str | None,
    weights: Any,
    keep_warm: bool,
    base_simd: bool,
    force: bool,
) -> None:
    """Turn MODEL (clodo-1, a model's folder, a GGUF file, or a name of the catalogue) into Workers."""
    free_folder(directory, force=force)
    bundle = bundle_of(source_of(model, talk.say), budget_mb, context, relaxed=not base_simd)
    options = Options(name or name_of(directory), weights, keep_warm, context)
    built = build_model(bundle, directory, options, force=force, progress=talk.say)
    workers: list[dict[str, Any]] = [
        {
            "name": w.name,
            "planned_mb": round(w.planned_mb, 1),
            "gzip_bytes": built.gzip[w.name],
            "weights_bytes": sum(map(len, w.assets.values())),
        }
        for w in bundle.workers
    ]
    if talk.as_json:
        talk.answer(
            {
                "directory": str(directory),
                "name": options.name,
                "model": bundle.model,
                "kind": bundle.kind,
                "routes": list(bundle.routes),
                "workers": workers,
                "notes": list(bundle.notes),
            }
        )
        return
    talk.out.print(f"built {directory}/: {bundle.model} in {_workers(len(workers))}", soft_wrap=True, markup=False)
    for w in workers:
        line = f"  {w['name']}: {w['planned_mb']:.0f} MB planned, {w['gzip_bytes'] / 1024:.0f} KB gzip, {w['weights_bytes'] / 1e6:.1f} MB of weights"
        talk.out.print(line, soft_wrap=True, markup=False)
    for note in bundle.notes:
        talk.out.print(f"note: {note}", soft_wrap=True, markup=False)
    talk.out.print(f"next: clodo edge dev {pasted(directory)}", soft_wrap=True, markup=False)


def _workers(count: int) -> str:
    return "1 Worker" if count == 1 else f"{count} Workers"


@edge_command.command("dev")
@click.argument("directory", type=click.Path(path_type=Path), default=Path())
@click.option("--port", type=click.IntRange(1, 65535), default=8787, show_default=True, help="The port on 127.0.0.1.")
@command
def dev_command(talk: Talk, directory: Path, port: int) -> None:
    """Serve the Workers of a built folder in workerd, reloaded on every change."""
    talk.serve(lambda ready: serve_model(directory, port, ready, talk.say))


@edge_command.command("deploy")
@click.argument("directory", type=click.Path(path_type=Path), default=Path())
@click.option("--dry-run", is_flag=True, help="Bundle and check everything; nothing leaves the machine.")
@command
def deploy_command(talk: Talk, directory: Path, dry_run: bool) -> None:
    """Deploy the Workers of a built folder through wrangler, the front last."""
    found = deploy(directory, ensure(talk.say), dry_run=dry_run, progress=talk.say)
    front = read_manifest(directory)["workers"][0]["name"]
    secret = f"npx wrangler secret put API_KEY -c {front}/wrangler.jsonc"
    if talk.as_json:
        workers = [{"name": d.name, "gzip_bytes": d.gzip, "url": d.url} for d in found]
        talk.answer({"directory": str(directory), "dry_run": dry_run, "workers": workers, "next": secret})
        return
    for d in found:
        line = f"  {d.name}: {d.gzip / 1024:.1f} KB gzip" + (f", {d.url}" if d.url else "")
        talk.out.print(line, soft_wrap=True, markup=False)
    talk.out.print("nothing was deployed" if dry_run else "deployed", markup=False)
    later = "after deploying" if dry_run else "next"
    talk.out.print(f"{later}, in {pasted(directory)}: {secret}   (asks for the key; Cloudflare keeps it)", soft_wrap=True, markup=False)


@edge_command.command("bench")
@click.argument("model", default=DEFAULT_MODEL)
@_BUDGET
@_CONTEXT
@click.option("--rounds", type=click.IntRange(1, 100), default=5, show_default=True, help="How often each speed is measured.")
@click.option("--gguf", type=click.Path(path_type=Path), help="For a built folder: the file it was made of, to compare with.")
@command
def bench_command(talk: Talk, model: str, budget_mb: float, context: int, rounds: int, gguf: Path | None) -> None:
    """Measure MODEL (or a built folder) in workerd: memory, speed beside native llama.cpp, cold start."""
    figures = bench_model(model, budget_mb=budget_mb, context=context, rounds=rounds, gguf=gguf, progress=talk.say)
    if talk.as_json:
        talk.answer(figures.to_json())
        return
    for line in figures_table(figures):
        talk.out.print(line, soft_wrap=True, markup=False)


def figures_table(figures: Figures) -> list[str]:
    """The figures for people; what there is none of is left out."""
    f = figures
    lines = [f"{f.model}, {f.kind}, in {_workers(len(f.isolates))}"]
    for m in f.isolates:
        lines.append(f"  {m.name}: peak {m.peak_mb:.1f} MB ({m.wasm_mb:.1f} WebAssembly + {m.heap_mb:.1f} heap)")
    lines += [
        f"  {name:21}{edge:7.1f} tok/s" + (f"   native llama.cpp, 1 thread: {native:.1f} ({edge / native:.2f} of it)" if native else "")
        for name, edge, native in (
            ("prefill", f.prefill_tok_s, f.native_prefill_tok_s),
            ("decode", f.decode_tok_s, f.native_decode_tok_s),
        )
        if edge is not None
    ]
    times = (
        ("blueprint, p50", f.blueprint_p50_ms),
        ("first answer, cold", f.cold_start_ms),
        ("CPU time per answer", f.cpu_ms_per_answer),
    )
    lines += [f"  {name:21}{ms:7.1f} ms" for name, ms in times if ms is not None]
    return [*lines, *(f"  note: {note}" for note in f.notes)]


@edge_command.command("score")
@click.argument("log", type=click.Path(path_type=Path))
@click.option(
    "--threshold", type=click.FloatRange(0, 1), default=Terms().threshold, show_default=True,
    help="The least chance of a request in five minutes for which to wake.",
)
@click.option(
    "--lifetime", type=click.FloatRange(min=5), default=Terms().lifetime_minutes, show_default=True,
    help="Minutes that an idle isolate is taken to stay.",
)
@command
def score_command(talk: Talk, log: Path, threshold: float, lifetime: float) -> None:
    """Score keeping warm by prediction, against always and never, on the request times in LOG."""
    found = score(read_log(log), Terms(threshold, lifetime))
    if talk.as_json:
        ways = {way: {"hit_rate": round(s.hit_rate, 4), **asdict(s)} for way, s in found.items()}
        talk.answer({"threshold": threshold, "lifetime_minutes": lifetime, "ways": ways})
        return
    talk.out.print(f"{'':8}{'first requests':>15}{'found warm':>12}{'wakes':>8}{'wasted':>8}", markup=False)
    for way, s in found.items():
        talk.out.print(f"{way:8}{s.firsts:15}{s.hit_rate:12.0%}{s.wakes:8}{s.wasted:8}", markup=False)
