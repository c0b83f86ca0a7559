"""From a model reference to an understander, under the privacy policy."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from urllib.parse import parse_qsl

from clodo.errors import ModelError, UsageError
from clodo.lm import TextModel
from clodo.lm.escalation import THRESHOLD
from clodo.lm.privacy import Privacy, privacy_named
from clodo.lm.redacting import RedactingModel
from clodo.runtime.edge import EdgeReader, edge_model
from clodo.runtime.store import catalogue, fetch
from clodo.toolchain import Progress
from clodo.training.decoder.stages import open_trained
from clodo.understand.encoder import EncoderUnderstander
from clodo.understand.generative import GenerativeUnderstander
from clodo.understand.hybrid import Candidate, HybridUnderstander
from clodo.understand.port import Understander
from clodo.understand.redacting import RedactingUnderstander
from clodo.understand.remote import RemoteUnderstander

#: The model that ships with Clodo.
DEFAULT_MODEL = "clodo-1"

_HINT = "Use one of {}, file:PATH, http://HOST/v1#MODEL, edge:URL, workers-ai:@cf/…, or hybrid:REF,REF."
_ELSEWHERE = re.compile(r"https?://|edge:|workers-ai:")


def open_understander(
    reference: str, progress: Progress = lambda _: None, privacy: Privacy | None = None
) -> Understander:
    """The understander of a model reference: ``clodo-1``, a name of the catalogue, ``file:`` with a GGUF file or a model
    folder, ``http(s)://host/v1#model``, ``edge:`` with the address of an edge Worker, ``workers-ai:@cf/…``, or ``hybrid:`` with
    several of these in the order in which they are asked. ``privacy`` is what ``CLODO_PRIVACY`` says where it is not given.

    Raises:
        UsageError: the reference is none of these.
        ModelError: the model cannot be fetched, loaded or reached, or the policy does not let it be used.
    """
    privacy = privacy_setting() if privacy is None else privacy
    if reference.startswith("hybrid:"):
        order = [_candidate(r, progress, privacy) for r in _order(reference)]
        return HybridUnderstander(order, threshold_setting())
    if reference == DEFAULT_MODEL:
        with as_file(files("clodo.models").joinpath(DEFAULT_MODEL)) as folder:
            return EncoderUnderstander(Path(folder))
    if reference.startswith("file:") and (folder := Path(reference[5:]).expanduser()).is_dir():
        return open_trained(folder)
    if _ELSEWHERE.match(reference):
        return _elsewhere(reference, privacy).open()
    return GenerativeUnderstander(_here(reference, progress))


def open_text_model(
    reference: str, progress: Progress = lambda _: None, privacy: Privacy | None = None
) -> TextModel:
    """The text model of a reference; see ``open_understander``. Where the policy is ``redact``, a model elsewhere is shown
    placeholders for secrets and names."""
    from clodo.runtime.hybrid import HybridModel

    privacy = privacy_setting() if privacy is None else privacy
    if reference.startswith("hybrid:"):
        return HybridModel([open_text_model(r, progress, privacy) for r in _order(reference)], threshold_setting())
    if _ELSEWHERE.match(reference):
        model = _endpoint(reference, privacy)
        return model if model.profile.local or privacy is Privacy.OPEN else RedactingModel(model)
    return _here(reference, progress)


def privacy_setting() -> Privacy:
    """The policy of ``CLODO_PRIVACY``, where it is not set ``local-only``.

    Raises:
        UsageError: it names none.
    """
    return privacy_named(os.environ.get("CLODO_PRIVACY") or Privacy.LOCAL_ONLY)


def threshold_setting() -> float:
    """The confidence below which a hybrid asks its next model: ``CLODO_CONFIDENCE``, else 0.5.

    Raises:
        UsageError: it is no number from 0 to 1.
    """
    text = os.environ.get("CLODO_CONFIDENCE") or str(THRESHOLD)
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise UsageError(f"CLODO_CONFIDENCE is {text!r}, which is no number from 0 to 1.", hint="Set it to 0.5, or unset it.")
    return value


def _order(reference: str) -> list[str]:
    order = [r.strip() for r in reference.removeprefix("hybrid:").split(",")]
    if len(order) < 2 or any(not r or r.startswith("hybrid:") for r in order):
        raise UsageError(
            f"{reference!r} names no order of models.", hint="Write it like hybrid:clodo-1,workers-ai:@cf/meta/llama-3.1-8b-instruct."
        )
    return order


def _candidate(reference: str, progress: Progress, privacy: Privacy) -> Candidate:
    """One model of a hybrid. What is elsewhere is made at once, so that the policy refuses the whole order before anything
    is understood; what is here is loaded when it is asked first."""
    if _ELSEWHERE.match(reference):
        return _elsewhere(reference, privacy)
    if reference != DEFAULT_MODEL and not reference.startswith("file:") and reference not in catalogue():
        raise _unknown(reference)
    return Candidate(reference, "this machine", partial(open_understander, reference, progress, privacy))


def _elsewhere(reference: str, privacy: Privacy) -> Candidate:
    if reference.startswith("edge:"):
        reader = EdgeReader(reference[5:], privacy=privacy)
        asking = RemoteUnderstander(reader.ask, reader.provider, lambda: GenerativeUnderstander(_endpoint(reference, privacy)))
        shown = asking if reader.local or privacy is Privacy.OPEN else RedactingUnderstander(asking)
        return Candidate("edge", reader.provider, lambda: shown)
    model = open_text_model(reference, privacy=privacy)
    return Candidate(model.profile.name, model.profile.provider, lambda: GenerativeUnderstander(model))


def _endpoint(reference: str, privacy: Privacy) -> TextModel:
    from clodo.runtime.openai import OpenAIModel
    from clodo.runtime.workers_ai import WorkersAIModel, over_openai

    place, options = _options(reference)
    context = _context(options)
    if reference.startswith("workers-ai:"):
        make = over_openai if options.get("api") == "openai" else WorkersAIModel
        return make(place.removeprefix("workers-ai:"), context=context, privacy=privacy)
    url, _, name = place.partition("#")
    if reference.startswith("edge:"):
        return edge_model(url.removeprefix("edge:"), name or "edge", context=context, privacy=privacy)
    return OpenAIModel(url, name or "default", grammar=options.get("grammar"), context=context, privacy=privacy)


def _options(reference: str) -> tuple[str, Mapping[str, str]]:
    """A reference without its options, and the options: what stands behind the last ``?``."""
    place, found, text = reference.rpartition("?")
    known = {"grammar", "context", "api"}
    options = dict(parse_qsl(text, keep_blank_values=True)) if found else {}
    return (place, options) if options and options.keys() <= known else (reference, {})


def _context(options: Mapping[str, str]) -> int | None:
    text = options.get("context")
    if text is None:
        return None
    if not re.fullmatch(r"[1-9]\d{1,7}", text):
        raise UsageError(f"{text!r} is no number of tokens.", hint="Write it like ?context=8192.")
    return int(text)


def _here(reference: str, progress: Progress) -> TextModel:
    from clodo.runtime.llamacpp import LlamaCppModel

    if reference.startswith("file:"):
        path = Path(reference[5:]).expanduser()
        if not path.is_file():
            raise ModelError(f"There is no model file {str(path)!r}.", hint="Check the path.")
        return LlamaCppModel(path, path.stem)
    if reference in catalogue():
        return LlamaCppModel(fetch(catalogue()[reference], progress), reference)
    raise _unknown(reference)


def _unknown(reference: str) -> UsageError:
    return UsageError(f"No model is called {reference!r}.", hint=_HINT.format(", ".join([DEFAULT_MODEL, *catalogue()])))
