"""A tiny encoder with random weights, in the shape that training expects."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path


def write_tiny_base(folder: Path, words: Iterable[str], *, width: int = 32) -> Path:
    """Writes config, tokenizer and random weights of a one-layer BERT that knows some words; needs
    PyTorch and transformers. Returns the folder."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "¶", *".,:;!?()-'\"", *letters]
    vocabulary += [f"##{c}" for c in letters] + sorted({w.lower() for w in words})
    folder.mkdir(parents=True, exist_ok=True)
    ids = {word: i for i, word in enumerate(dict.fromkeys(vocabulary))}
    config = BertConfig(
        vocab_size=len(ids), hidden_size=width, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=2 * width, max_position_embeddings=512,
    )  # fmt: skip
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    tokenizer: dict[str, object] = {
        "version": "1.0",
        "added_tokens": [],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": None,
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": ids},
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    return folder
