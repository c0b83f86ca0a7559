"""Deploying through wrangler: the Workers that others call first, the front last."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clodo.edge.platform.configuration import bucket_name
from clodo.edge.platform.folder import read_manifest
from clodo.edge.platform.scripts import MOST_GZIP_BYTES
from clodo.edge.platform.workers import worker_folders
from clodo.errors import DeploymentError, ModelError
from clodo.escapes import without_escapes
from clodo.toolchain import Toolchain

_SECONDS = 900
_LOG_IN = "`npx wrangler login` in the folder logs in; CLOUDFLARE_API_TOKEN does too."
#: For what fails before anything is sent.
_MEND = "Mend the folder, or build it anew with `clodo edge build`."
_UNITS = {"B": 1, "KiB": 1024, "MiB": 1024**2}


@dataclass(frozen=True)
class Deployed:
    """One Worker as wrangler deployed it, or would: its script in bytes, gzipped, and its address where it has one."""

    name: str
    gzip: int
    url: str | None


def deploy(directory: Path, toolchain: Toolchain, *, dry_run: bool, progress: Callable[[str], None]) -> list[Deployed]:
    """Deploys the Workers of a built folder in an order in which each finds those that it calls. With ``dry_run`` all is
    bundled and checked, and nothing leaves the machine. All are tried that way first, so that a fault of one leaves
    nothing half-deployed.

    Raises:
        WorkspaceError: the folder holds no model's Workers.
        ModelError: a script is too large.
        DeploymentError: wrangler fails; its own words are in the message.
    """
    manifest = read_manifest(directory)
    order = list(manifest["deploy_order"])
    found = []
    for name in order:
        progress(f"Checking {name} …")
        found.append(_deploy_one(directory, name, toolchain, dry_run=True))
        if found[-1].gzip > MOST_GZIP_BYTES:
            raise ModelError(f"The script of the Worker {name!r} has {found[-1].gzip / 1e6:.1f} MB gzip; 3 MB are the most.")
    if dry_run:
        return found
    deployed = []
    if manifest["weights"] == "r2":
        _upload_weights(directory, manifest, toolchain, progress)
    for name in order:
        progress(f"Deploying {name} …")
        deployed.append(_deploy_one(directory, name, toolchain, dry_run=False))
    return deployed


def _deploy_one(directory: Path, name: str, toolchain: Toolchain, *, dry_run: bool) -> Deployed:
    arguments = ["deploy", "-c", f"{name}/wrangler.jsonc", *(["--dry-run"] if dry_run else [])]
    output = _wrangler(directory, arguments, toolchain, f"deploy {name!r}")
    size = re.search(r"gzip: ([\d.]+) (B|KiB|MiB)", output)
    if size is None:
        raise DeploymentError(f"Wrangler does not tell the size of {name!r}: {_tail(output)}", hint="Run it by hand: `npm run deploy`.")
    url = re.search(r"https://\S+\.workers\.dev", output)
    return Deployed(name, round(float(size[1]) * _UNITS[size[2]]), url[0] if url else None)


def _upload_weights(directory: Path, manifest: dict[str, Any], toolchain: Toolchain, progress: Callable[[str], None]) -> None:
    bucket = bucket_name(str(manifest["name"]))
    try:
        _wrangler(directory, ["r2", "bucket", "create", bucket], toolchain, f"make the bucket {bucket!r}")
    except DeploymentError as error:
        if "already exists" not in error.message:
            raise
    for worker in worker_folders(directory, [str(w["name"]) for w in manifest["workers"]]):
        assets, prefix = worker.directory / "assets", worker.configuration.get("vars", {}).get("WEIGHTS_PREFIX", "")
        for path in sorted(p for p in assets.rglob("*") if p.is_file()):
            key = f"{prefix}{path.relative_to(assets).as_posix()}"
            progress(f"Uploading {key} …")
            arguments = ["r2", "object", "put", f"{bucket}/{key}", "--file", str(path.resolve()), "--remote"]
            _wrangler(directory, arguments, toolchain, f"upload {key!r}")


def _wrangler(directory: Path, arguments: list[str], toolchain: Toolchain, deed: str) -> str:
    script = toolchain.modules / "wrangler" / "bin" / "wrangler.js"
    with tempfile.TemporaryDirectory(prefix="clodo-wrangler-") as logs:
        # With its banner it asks npm's registry for a newer version of itself, on a dry run too.
        quiet = {"WRANGLER_HIDE_BANNER": "true", "WRANGLER_SEND_METRICS": "false", "WRANGLER_LOG_PATH": logs}
        environment = {"CI": "1", "NO_COLOR": "1", **quiet}
        try:
            done = subprocess.run(
                [str(toolchain.node), str(script), *arguments],
                cwd=directory,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DeploymentError(f"Wrangler did not {deed} within {_SECONDS} s.", hint="Try again.") from None
    # It colours the boxes of its errors even where NO_COLOR is set.
    told, complained = without_escapes(done.stdout), without_escapes(done.stderr)
    if done.returncode != 0:
        raise DeploymentError(
            f"Wrangler could not {deed}: {_tail(complained or told)}",
            hint=_MEND if "--dry-run" in arguments else _LOG_IN,
        )
    return told + complained


def _tail(output: str) -> str:
    lines = [line.strip(" ✘") for line in output.splitlines() if line.strip(" ─✘🪵")]
    told = [line.partition("[ERROR]")[2].strip() for line in lines if "[ERROR]" in line] or lines[-3:]
    return " ".join(told)[:400]
