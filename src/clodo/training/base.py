"""The pretrained encoder that a model starts from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from clodo.errors import ModelError
from clodo.understand.reading import load_tokenizer

_FILES = ("config.json", "tokenizer.json", "model.safetensors")
_HINT = "Use a folder with config.json, tokenizer.json and model.safetensors of a BERT-like encoder."


def load_base(folder: Path) -> tuple[Any, Any]:
    """The encoder (``transformers``) and its tokenizer (``tokenizers``) from a model folder.

    Raises:
        ModelError: the folder holds no encoder of the BERT kind.
    """
    from transformers import AutoModel
    from transformers.utils import logging

    check_base(folder)
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    # Masks of dropout inside the encoder cost a tenth of the time and gave nothing here.
    encoder = AutoModel.from_pretrained(
        folder, add_pooling_layer=False, attention_probs_dropout_prob=0.0, hidden_dropout_prob=0.0
    )
    encoder.embeddings.word_embeddings.weight.requires_grad_(False)
    return encoder, load_tokenizer(folder)


def check_base(folder: Path) -> None:
    """Raises ``ModelError`` where a folder holds no base that fits."""
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"The base {str(folder)!r} has no {', '.join(missing)}.", hint=_HINT)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    if config.get("model_type") != "bert":
        raise ModelError(f"The base is of the kind {config.get('model_type')!r}, not a BERT.", hint=_HINT)
    tokens = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    if not {"[CLS]", "[SEP]", "¶"} <= set(tokens):
        raise ModelError("The base's tokenizer lacks [CLS], [SEP] or ¶.", hint=_HINT)
    if config.get("max_position_embeddings", 0) < 512:
        raise ModelError("The base reads fewer than 512 pieces.", hint=_HINT)
