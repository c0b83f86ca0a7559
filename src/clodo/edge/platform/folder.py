"""The folder that a bundle becomes: everything in it works without Clodo."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from clodo.edge.bundle import Bundle
from clodo.edge.platform.configuration import (
    GITIGNORE,
    WASM_TYPES,
    Options,
    deploy_order,
    package_json,
    tsconfig,
    wrangler_jsonc,
)
from clodo.edge.platform.keep_warm import keep_warm_sources
from clodo.edge.platform.readme import readme
from clodo.errors import ModelError, UsageError, WorkspaceError
from clodo.version import VERSION

MANIFEST = "clodo-edge-manifest.json"
SECRETS_FILE = ".dev.vars"

#: Cloudflare takes static assets of at most 25 MiB each.
MOST_ASSET_BYTES = 25 * 1024 * 1024

_ELSEWHERE = "Choose another folder with -o."
_BUILT = "Name a folder made by `clodo edge build`."

#: Relative POSIX path → content.
Tree = dict[str, bytes]


def check_name(name: str) -> None:
    """Raises ``UsageError`` unless Workers of that name can be deployed."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,40}[a-z0-9]", name):
        raise UsageError(
            f"{name!r} cannot name a Worker.", hint="Use small letters, digits and hyphens, 2 to 42 of them, with a letter first."
        )


def folder_tree(bundle: Bundle, options: Options) -> Tree:
    """The files of a built folder by their path, without its secrets; the same for the same bundle and options.

    Raises:
        ModelError: the bundle does not fit Cloudflare's limits or is not whole.
    """
    check_bundle(bundle)
    tree: Tree = {
        "README.md": readme(bundle, options).encode(),
        "package.json": package_json(bundle, options).encode(),
        "tsconfig.json": tsconfig().encode(),
        "wasm.d.ts": WASM_TYPES.encode(),
        ".gitignore": GITIGNORE.encode(),
    }
    for worker in bundle.workers:
        for path, content in worker.sources.items():
            tree[f"{worker.name}/{path}"] = content.encode() if isinstance(content, str) else content
        if worker is bundle.workers[0] and options.keep_warm:
            tree |= {f"{worker.name}/{path}": text.encode() for path, text in keep_warm_sources().items()}
        for path, weights in worker.assets.items():
            tree[f"{worker.name}/assets/{path}"] = weights
        tree[f"{worker.name}/wrangler.jsonc"] = wrangler_jsonc(bundle, worker, options).encode()
    tree[MANIFEST] = _manifest(bundle, options, tree).encode()
    return tree


def check_bundle(bundle: Bundle) -> None:
    """Raises ``ModelError`` with one sentence for what Cloudflare would not take, or what a bundle lacks."""
    names = {w.name for w in bundle.workers}
    for worker in bundle.workers:
        if "src/index.ts" not in worker.sources:
            raise ModelError(f"The Worker {worker.name!r} has no src/index.ts.")
        for path, weights in worker.assets.items():
            if len(weights) > MOST_ASSET_BYTES:
                raise ModelError(
                    f"The weights file {path!r} has {len(weights) / 2**20:.0f} MiB; Cloudflare takes 25 MiB at most.",
                    hint="Choose a smaller model, or one with smaller layers.",
                )
        for target in worker.services.values():
            if target not in names:
                raise ModelError(f"The Worker {worker.name!r} calls {target!r}, which is not there.")


def _manifest(bundle: Bundle, options: Options, tree: Mapping[str, bytes]) -> str:
    workers = [
        {"name": w.name, "planned_mb": round(w.planned_mb, 1), "weights_bytes": sum(map(len, w.assets.values()))}
        for w in bundle.workers
    ]
    manifest: dict[str, Any] = {
        "clodo": VERSION,
        "kind": bundle.kind,
        "model": bundle.model,
        "name": options.name,
        "routes": list(bundle.routes),
        "weights": options.weights,
        "keep_warm": options.keep_warm,
        "context": options.context,
        "workers": workers,
        "deploy_order": deploy_order(bundle),
        "files": {path: hashlib.sha256(content).hexdigest() for path, content in sorted(tree.items())},
    }
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def read_manifest(directory: Path) -> dict[str, Any]:
    """The manifest of a built folder.

    Raises:
        WorkspaceError: there is none, or it cannot be read.
    """
    if not directory.is_dir():
        shown = repr(str(directory))
        said = f"{shown} is a file and no folder of a model's Workers." if directory.exists() else f"There is no folder {shown}."
        raise WorkspaceError(said, hint=_BUILT)
    try:
        manifest = json.loads((directory / MANIFEST).read_text("utf-8"))
        if not manifest["workers"] or not manifest["files"]:
            raise ValueError("it names no Workers")
        if any(leads_out(str(name)) for name in (*manifest["files"], *(w["name"] for w in manifest["workers"]))):
            raise ValueError("it names files that are none of the folder's")
    except FileNotFoundError:
        raise WorkspaceError(
            f"{str(directory)!r} holds no model's Workers.", hint=_BUILT
        ) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise WorkspaceError(
            f"{str(directory / MANIFEST)!r} cannot be read.", hint="Build the folder anew with `clodo edge build`."
        ) from None
    return dict(manifest)


def leads_out(name: str) -> bool:
    """Whether a path in a manifest is none of the folder's own."""
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts


def free_folder(directory: Path, *, force: bool, names: Iterable[str] = ()) -> None:
    """Makes sure that a model's Workers may be put there. With ``force`` older ones may stand there, if nobody edited them
    and none of a person's own files has one of the ``names`` that are to be written.

    Raises:
        WorkspaceError: something is there that must not be lost.
    """
    shown = repr(str(directory))
    try:
        if not os.path.lexists(directory):
            return
        if not directory.is_dir():
            raise WorkspaceError(f"{shown} is a file.", hint=_ELSEWHERE)
        if not any(directory.iterdir()):
            return
    except OSError as error:
        raise WorkspaceError(f"{shown} cannot be read: {error.strerror}.", hint=_ELSEWHERE) from None
    if not (directory / MANIFEST).is_file():
        raise WorkspaceError(f"{shown} is not empty and holds no model's Workers, and it is left as it is.", hint=_ELSEWHERE)
    if not force:
        raise WorkspaceError(
            f"{shown} is not empty, and it is left as it is.", hint="Choose another folder with -o, or replace it with --force."
        )
    known = read_manifest(directory)["files"]
    own = [n for n in names if n != MANIFEST and n not in known and os.path.lexists(directory / n)]
    if edited := [*edited_files(directory), *own]:
        raise WorkspaceError(
            f"A person has edited files in {shown}, and it is left as it is: {', '.join(sorted(edited)[:10])}.",
            hint="Choose another folder with -o, or remove it yourself.",
        )


def edited_files(directory: Path) -> list[str]:
    """The files of a built folder that have changed since."""
    known = read_manifest(directory)["files"]
    return [n for n, sha in known.items() if (directory / n).is_file() and _sha256(directory / n) != sha]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_tree(tree: Tree, directory: Path) -> None:
    """Writes the files of a tree into a folder that is there."""
    for name, content in tree.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def stage_folder(tree: Tree, front: str, parent: Path) -> Path:
    """Writes a tree and a fresh API key for its front to a temporary folder in ``parent`` and returns it.

    Raises:
        WorkspaceError: it cannot be written; nothing is left behind.
    """
    staging = None
    try:
        parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".clodo-edge-", dir=parent))
        staging.chmod(0o755)
        write_tree(tree, staging)
        descriptor = os.open(staging / front / SECRETS_FILE, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"# The local API key, made for this folder alone. Keep it out of git.\nAPI_KEY={secrets.token_urlsafe(32)}\n")
        return staging
    except BaseException as error:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
        if not isinstance(error, OSError):
            raise
        raise WorkspaceError(f"{str(parent)!r} cannot be written: {error.strerror}.", hint=_ELSEWHERE) from None
