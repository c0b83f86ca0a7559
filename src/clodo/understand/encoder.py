"""The understander that parses: an encoder model (ONNX) marks and links the words of a text.

A model is a folder with ``model.json`` (manifest), ``reader.onnx``, ``links.onnx`` and
``tokenizer.json``; ``clodo.training.export`` makes them.
"""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clodo.errors import ModelError
from clodo.understand import labels, naming, spelling
from clodo.understand.compiler import compile_draft
from clodo.understand.confidence import Curve, company, curves, wishes
from clodo.understand.contradiction import clashing
from clodo.understand.coverage import unexplained
from clodo.understand.decoding import LinkScores, TextScores, decode
from clodo.understand.draft import Draft, Evidence
from clodo.understand.port import Part, Span, Understanding
from clodo.understand.questions import notes_on, questions_for
from clodo.understand.reading import Reading, known_words, load_tokenizer, read
from clodo.understand.spelling import Speller
from clodo.understand.standing import standing, taken

#: Where the verdict stands among what the reader answers.
_VERDICT = 3

_HINT = "Install Clodo again, or train a model with `clodo train`."


class EncoderUnderstander:
    """Understands with an encoder model in a folder."""

    def __init__(self, folder: Path) -> None:
        """Reads and checks the model.

        Raises:
            ModelError: a file is missing or altered, or the model was made for other labels.
        """
        self._folder = folder
        self._manifest = _manifest(folder)
        for name, wanted in self._manifest["files"].items():
            path = folder / name
            if not path.is_file():
                raise ModelError(f"The model file {name!r} is missing.", hint=_HINT)
            if sha256(path.read_bytes()).hexdigest() != wanted:
                raise ModelError(f"The model file {name!r} is not the one it should be.", hint=_HINT)
        if self._manifest["labels"] != labels.fingerprint():
            raise ModelError("The model was made for another version of Clodo.", hint=_HINT)
        self._curves: dict[str, Curve] = curves(self._manifest.get("calibration", {}))

    @property
    def name(self) -> str:
        """The name and version of the model."""
        return f"{self._manifest['name']} {self._manifest['version']}"

    @cached_property
    def _tokenizer(self) -> Any:
        return load_tokenizer(self._folder)

    @cached_property
    def _words(self) -> frozenset[str]:
        return known_words(self._tokenizer)

    def _session(self, name: str) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        # A thread that spins for its next piece of work keeps a core from others: from the other session's thread, from Python, from whatever else runs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(
            str(self._folder / name), options, providers=["CPUExecutionProvider"]
        )

    @cached_property
    def _reader(self) -> Any:
        return self._session("reader.onnx")

    @cached_property
    def _links(self) -> Any:
        return self._session("links.onnx")

    def warm_up(self) -> None:
        """Loads everything, so that the first description is as quick as the next."""
        self.draft("A book has a title.")

    def draft(self, description: str) -> tuple[Draft, Reading, dict[str, float]]:
        """The model's decisions on a text, its reading, and the time they took in ms."""
        tokenizer, reader, links = self._tokenizer, self._reader, self._links
        words = self._words
        naming.load()
        spelling.load()
        started = time.perf_counter()
        reading = read(description, tokenizer)
        if not reading.words:
            return Draft(verdict="vague"), reading, {"prefill": 0.0, "decode": 0.0, "model": 0.0}

        def run(pieces: list[int]) -> list[Any]:
            return list(reader.run(None, {"ids": np.array([pieces], dtype=np.int64)}))

        states, tags, access, verdict, service, access_words = run(reading.pieces)
        read_at = time.perf_counter()

        def link(
            spans: list[tuple[int, int]], kinds: list[int], features: NDArray[np.int64]
        ) -> LinkScores:
            inputs = {
                "states": states[0],
                "first": np.array([reading.first[a] for a, _ in spans], dtype=np.int64),
                "last": np.array([reading.last[b] for _, b in spans], dtype=np.int64),
                "kinds": np.array(kinds, dtype=np.int64),
                "features": features,
            }
            return LinkScores(*links.run(None, inputs))

        scores = TextScores(
            tags[0][reading.first], access[0], verdict[0], service[0], access_words[0][reading.first]
        )
        spell = Speller(words)
        draft = decode(reading, scores, link, spell)
        draft.mended = spell.mended
        if draft.verdict == "contradictory":
            # The whole has been read already.
            draft.clash = clashing(reading, lambda pieces: verdict[0] if pieces is reading.pieces else run(pieces)[_VERDICT][0])
        ended = time.perf_counter()
        prefill, rest = (read_at - started) * 1000, (ended - read_at) * 1000
        return draft, reading, {"prefill": prefill, "decode": rest, "model": prefill + rest}

    def understand(self, description: str) -> Understanding:
        """What the description means; see ``clodo.understand.port``."""
        draft, reading, timings = self.draft(description)
        blueprint, left = compile_draft(draft)
        questions = questions_for(draft, blueprint)
        stands = standing(draft, blueprint, left)
        spans = taken(stands)
        spans += [Span(a, b, "unexplained") for a, b in left]
        spans += [Span(a, b, "unexplained") for a, b in unexplained(stands, description, spans, reading.end)]
        parts, lost, confidence = self._confident(draft, standing(draft, None, ()) if questions else stands)
        return Understanding(
            blueprint=None if questions else blueprint,
            confidence=confidence,
            model=self.name,
            provider="built-in encoder, on this machine",
            parts=parts,
            not_understood=lost,
            questions=questions,
            notes=notes_on(draft, blueprint, stands),
            spans=tuple(sorted(set(spans), key=lambda s: (s.start, s.end, s.role))),
            timings_ms=timings,
        )

    def calibrate(self, fitted: Mapping[str, Sequence[float]]) -> None:
        """Uses other curves of confidence than those of the manifest."""
        self._curves = curves(fitted)

    def _confident(self, draft: Draft, stands: Draft) -> tuple[tuple[Part, ...], tuple[Part, ...], float]:
        """The parts that stand in the blueprint and those that do not, calibrated, and the chance that all that was heard is right."""
        raw = _parts(draft)
        among = company([p.confidence for p in raw])

        def calibrated(parts: Iterable[Part]) -> tuple[Part, ...]:
            return tuple(replace(p, confidence=round(self._curves[p.kind](p.confidence, among), 4)) for p in parts)

        standing_parts = _parts(stands)
        chances = [p.confidence for p in calibrated(raw)] + [draft.verdict_confidence]
        together = math.exp(sum(math.log(max(c, 1e-6)) for c in chances))
        confidence = round(self._curves["whole"](together, among, wishes(p.kind for p in raw)), 4)
        return calibrated(standing_parts), calibrated(_lost(raw, standing_parts)), confidence


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / "model.json"
    if not path.is_file():
        raise ModelError(f"There is no model in {str(folder)!r}.", hint=_HINT)
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except ValueError:
        raise ModelError("The model's manifest cannot be read.", hint=_HINT) from None


def _parts(draft: Draft) -> list[Part]:
    """Every part with the model's raw confidence."""
    out = []
    for e in draft.entities.values():
        out.append(_part(e.name, e.evidence, "entity"))
        for f in e.fields.values():
            out.append(_part(f"{e.name}.{f.name}", f.evidence, "field"))
            out += [_part(f"{e.name}.{f.name}.{v.role}", v.evidence, "value") for v in f.values]
    out += [_part(f"{r.source}.{r.target}.{r.kind}", r.evidence, "relation") for r in draft.relations]
    out += [_part(f"({cue.kind})", cue.evidence, "cue") for cue in draft.cues]
    if draft.access != "unstated":
        out.append(_part("access", draft.access_evidence, "access"))
    return out


def _lost(raw: Iterable[Part], stands: Iterable[Part]) -> Iterator[Part]:
    """The parts that do not stand. What stands may rest on fewer words than were heard, and is the same part all the same."""
    left = Counter((p.path, p.kind, p.confidence) for p in stands)
    for part in raw:
        key = part.path, part.kind, part.confidence
        if left[key]:
            left[key] -= 1
        else:
            yield part


def _part(path: str, evidence: Evidence, kind: str) -> Part:
    return Part(path, evidence.confidence, tuple(evidence.spans), kind)
