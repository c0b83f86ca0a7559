"""From a model reference to an understander."""

from __future__ import annotations

import re
from importlib.resources import as_file, files
from pathlib import Path

from clodo.errors import ModelError, UsageError
from clodo.lm import TextModel
from clodo.runtime.store import catalogue, fetch
from clodo.toolchain import Progress
from clodo.training.decoder.stages import open_trained
from clodo.understand.encoder import EncoderUnderstander
from clodo.understand.generative import GenerativeUnderstander
from clodo.understand.port import Understander

#: The model that ships with Clodo.
DEFAULT_MODEL = "clodo-1"


def open_understander(reference: str, progress: Progress = lambda _: None) -> Understander:
    """The understander of a model reference: ``clodo-1``, a name of the catalogue, ``file:`` with a
    GGUF file or a model folder, or ``http(s)://host/v1#model``.

    Raises:
        UsageError: the reference is none of these.
        ModelError: the model cannot be fetched, loaded or reached.
    """
    if reference == DEFAULT_MODEL:
        with as_file(files("clodo.models").joinpath(DEFAULT_MODEL)) as folder:
            return EncoderUnderstander(Path(folder))
    if reference.startswith("file:") and (folder := Path(reference[5:]).expanduser()).is_dir():
        return open_trained(folder)
    return GenerativeUnderstander(open_text_model(reference, progress))


def open_text_model(reference: str, progress: Progress = lambda _: None) -> TextModel:
    """The text model of a reference; see ``open_understander``."""
    from clodo.runtime.llamacpp import LlamaCppModel
    from clodo.runtime.openai import OpenAIModel

    if re.match(r"https?://", reference):
        url, _, model = reference.partition("#")
        name, _, dialect = model.partition("?grammar=")
        return OpenAIModel(url, name or "default", grammar=dialect or None)
    if reference.startswith("file:"):
        path = Path(reference[5:]).expanduser()
        if not path.is_file():
            raise ModelError(f"There is no model file {str(path)!r}.", hint="Check the path.")
        return LlamaCppModel(path, path.stem)
    if reference in catalogue():
        return LlamaCppModel(fetch(catalogue()[reference], progress), reference)
    known = ", ".join([DEFAULT_MODEL, *catalogue()])
    raise UsageError(
        f"No model is called {reference!r}.",
        hint=f"Use one of {known}, file:PATH, or http://HOST/v1#MODEL.",
    )
