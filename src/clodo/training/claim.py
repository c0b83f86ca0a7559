"""Whose a folder is: what makes one training another is kept in its ``plan.json``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from clodo.corpus.splits import written_blocks
from clodo.errors import UsageError
from clodo.training.files import PARTIAL, digest, read_json, write_json
from clodo.training.job import Job
from clodo.training.sources import shares_of, weights_in
from clodo.training.split import Split
from clodo.understand import labels

#: What another training may have otherwise, in the words of the message.
_WORDS = {
    "plan": "another plan", "kind": "another kind of model", "base": "another base", "start": "other weights to start from",
    "mean": "other weights to average", "name": "another name", "labels": "other labels", "gate": "another gate", "data": "other data",
}  # fmt: skip
_BASE_FILES = ("config.json", "tokenizer.json", "model.safetensors")


def corpus_digest() -> str:
    """A short hash of the corpus."""
    return sha256("".join(b for b, _ in written_blocks()).encode()).hexdigest()[:12]


def base_digest(base: Path) -> str:
    """A short hash of a base."""
    return digest(*(base / name for name in _BASE_FILES)) if base.is_dir() else digest(base)


def made_of(job: Job, gate: Sequence[Path]) -> dict[str, str]:
    """What makes a job another than others: hashes of everything that goes into it."""
    averaged = [f"{digest(weights_in(p))}:{s:.6f}" for p, s in zip(job.mean, shares_of(job.mean, job.shares) if job.mean else (), strict=True)]
    return {
        "plan": sha256(repr(asdict(job.plan)).encode()).hexdigest()[:16],
        "kind": job.kind,
        "base": base_digest(job.base),
        "start": digest(job.start) if job.start else "",
        "mean": " ".join(averaged),
        "name": job.name,
        "labels": labels.fingerprint(),
        "gate": digest(*gate),
        "data": f"own pairs {digest(job.pairs)}" if job.pairs else f"corpus {corpus_digest()}",
    }


def split_in(folder: Path) -> Split | None:
    """How the training in a folder has divided the user's texts, if one has."""
    path = folder / "plan.json"
    found = read_json(path).get("split") if path.is_file() else None
    return Split.of_json(found) if found else None


def claim(job: Job, gate: Sequence[Path], split: Split | None) -> None:
    """Makes the folder this job's, or makes sure that it is.

    Raises:
        UsageError: it is another's, or holds other files; or records are to join a training that is over.
    """
    path, wanted = job.out / "plan.json", made_of(job, gate)
    mine: dict[str, Any] = {"made_of": wanted, **asdict(job.plan)} | ({"split": split.to_json()} if split else {})
    if not path.is_file():
        if job.out.is_dir() and any(not p.name.endswith(PARTIAL) for p in job.out.iterdir()):
            raise UsageError(f"{str(job.out)!r} is not empty.", hint="Choose another folder with -o.")
        job.out.mkdir(parents=True, exist_ok=True)
        write_json(path, mine)
        return
    theirs = read_json(path).get("made_of", {})
    other = [name for name in _WORDS if theirs.get(name) != wanted[name]]
    if not other:
        return
    if other != ["data"] or not job.joining:
        told = "another plan or other data" if not theirs else ", ".join(_WORDS[name] for name in other)
        hint = "New records join a training that runs with --with-new-records. Otherwise choose" if other == ["data"] else "Choose"
        raise UsageError(f"{str(job.out)!r} holds a training with {told}.", hint=f"{hint} another folder with -o, or remove this one.")
    if any((job.out / name).is_file() for name in ("weights.pt", "adapter.pt")):
        raise UsageError(f"The training in {str(job.out)!r} is over: no records can join it.", hint="Begin another one --from its weights.pt.")
    write_json(path, mine)
