"""From a file to a bundle: the layout by memory, what the Workers get, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clodo.edge.llama import bundle
from clodo.edge.llama.build import PART_BYTES, _put
from clodo.edge.llama.chat import read_template
from clodo.edge.llama.plan import Sizes, plan_layout
from clodo.edge.llama.shape import Rope, Shape
from clodo.edge.llama.tokens import read_vocabulary
from clodo.edge.platform.configuration import Options
from clodo.edge.platform.readme import readme
from clodo.errors import ClodoError, ModelError
from tests.edge.llama.tiny import CHATML, tiny_gguf, vocabulary

#: The shape of a model of 135 M parameters.
SHAPE = Shape(30, 576, 1536, 9, 3, 64, 49152, 1e-5, 8192, Rope(64, False, (1.0,) * 32))
SIZES = Sizes(30_083_360, (2_216_560,) * 30, 1_900_000, 4896)


def test_the_layout_is_the_smallest_that_the_budget_allows() -> None:
    layout = plan_layout(SHAPE, SIZES, 48, 1024)
    assert [(s.first, s.last, s.front) for s in layout.shares] == [(0, 0, True), (0, 10, False), (10, 20, False), (20, 30, False)]
    assert all(s.planned_mb <= 48 for s in layout.shares)
    assert layout.slots == 1
    alone = plan_layout(SHAPE, SIZES, 200, 1024)
    assert [(s.first, s.last, s.front) for s in alone.shares] == [(0, 30, True)]
    assert alone.slots == 3
    # Shorter conversations leave room for more of them at once.
    assert plan_layout(SHAPE, SIZES, 48, 256).slots > 1


def test_what_does_not_fit_is_told_with_figures() -> None:
    with pytest.raises(ModelError) as error:
        plan_layout(SHAPE, SIZES, 40, 1024, tables=0)
    assert error.value.code == "model-too-large"
    assert "49152 tokens (30.1 MB of weights)" in error.value.message
    assert "the budget is 40 MB" in error.value.message
    with pytest.raises(ModelError, match="a Worker with 3072 of 49152 tokens, in a vocabulary of 1800.0 MB that 16 Workers share"):
        plan_layout(SHAPE, Sizes(1_800_000_000, (1_000_000,) * 30, 0, 292_968), 48, 1024)
    with pytest.raises(ModelError, match="the tokenizer of 49152 tokens"):
        plan_layout(SHAPE, Sizes(30_083_360, (1_000_000,) * 30, 40_000_000, 4896), 48, 1024)
    with pytest.raises(ModelError, match="1 layer .* of keys and values"):
        plan_layout(SHAPE, Sizes(1_000_000, (90_000_000,) * 30, 0, 160), 48, 1024)
    with pytest.raises(ModelError, match="the one Worker"):
        plan_layout(SHAPE, SIZES, 48, 1024, layer_workers=0)


def test_a_vocabulary_that_does_not_fit_the_front_is_shared_by_rows() -> None:
    layout = plan_layout(SHAPE, SIZES, 40, 1024)
    front, *others = layout.shares
    assert front.front and front.rows == (0, 0) and all(s.planned_mb <= 40 for s in layout.shares)
    tables = [s.rows for s in others if s.rows[1]]
    assert tables == [(0, 24576), (24576, 49152)], "the fewest, and alike"
    assert sum(s.last - s.first for s in others) == SHAPE.layers
    # Where it fits, nothing is shared; three times the words take more Workers, and no row is left out or held twice.
    assert all(not s.rows[1] for s in plan_layout(SHAPE, SIZES, 48, 1024).shares[1:])
    large = plan_layout(replace(SHAPE, vocabulary=151_935), Sizes(30_083_360 + 4896 * (18_992 - 6144), SIZES.layers, 4_000_000, 4896), 48, 1024)
    rows = [s.rows for s in large.shares if s.rows[1]]
    assert [a for a, _ in rows] == [0, *(b for _, b in rows[:-1])] and rows[-1][1] == 151_935 and all(a % 8 == 0 for a, _ in rows)
    assert all(s.planned_mb <= 48 for s in large.shares)


def test_workers_with_rows_hold_their_part_of_the_table_once(tmp_path: Path) -> None:
    whole, shared = (bundle(tiny_gguf(tmp_path / "tiny.gguf"), 48, 256, layer_workers=1, tables=tables) for tables in (0, 2))
    front, _, *rows = shared.workers
    assert front.services == {"LAYERS_0": "layers-0", "VOCABULARY_0": "vocabulary-0", "VOCABULARY_1": "vocabulary-1"}
    assert set(front.assets) == {"tokens.bin"} and [set(w.assets) for w in rows] == [{"vocabulary.bin"}] * 2
    # Each has the last norm and a directory besides.
    beside = 32 + 4 * 64
    parts = [w.assets["vocabulary.bin"][beside:] for w in rows]
    assert b"".join(parts) == whole.workers[0].assets["vocabulary.bin"][beside:]
    with pytest.raises(ClodoError, match="0 to 16 Workers"):
        bundle(tmp_path / "tiny.gguf", 48, 256, layer_workers=1, tables=17)
    with pytest.raises(ClodoError, match="beside those with layers"):
        bundle(tmp_path / "tiny.gguf", 48, 256, layer_workers=0, tables=1)


def test_a_bundle_has_a_front_and_its_layers(tmp_path: Path) -> None:
    made = bundle(tiny_gguf(tmp_path / "tiny.gguf"), 48, 256, layer_workers=2)
    front, first, second = made.workers
    assert made.kind == "llama"
    assert made.model == "tiny"
    assert made.routes == ("/v1/chat/completions", "/v1/completions", "/v1/models")
    assert front.services == {"LAYERS_0": "layers-0", "LAYERS_1": "layers-1"}
    assert set(front.assets) == {"vocabulary.bin", "tokens.bin"}
    assert set(first.assets) == {"layer-00.bin", "layer-01.bin"}
    assert set(second.assets) == {"layer-02.bin", "layer-03.bin"}
    for worker in made.workers:
        assert {"src/index.ts", "src/plan.ts", "src/llama.wasm"} <= set(worker.sources)
    assert "tokenizer" not in str(first.sources.keys())
    # The same file makes the same bundle.
    assert bundle(tmp_path / "tiny.gguf", 48, 256, layer_workers=2) == made


def test_weights_are_cut_into_files_that_cloudflare_takes() -> None:
    assets: dict[str, bytes] = {}
    parts = _put(assets, "vocabulary", bytes(PART_BYTES + 5))
    assert parts == [{"path": "vocabulary-0.bin", "bytes": PART_BYTES}, {"path": "vocabulary-1.bin", "bytes": 5}]
    assert {path: len(data) for path, data in assets.items()} == {"vocabulary-0.bin": PART_BYTES, "vocabulary-1.bin": 5}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"architecture": "gemma"}, "architecture is 'gemma'"),
        ({"more": {"tokenizer.ggml.model": "llama"}}, "tokenizer is of the kind 'llama'"),
        ({"more": {"tokenizer.ggml.pre": "tekken"}}, "splits texts by 'tekken'"),
        ({"more": {"llama.rope.scaling.type": "yarn"}}, "scaled by 'yarn'"),
        ({"more": {"llama.expert_count": 8}}, "mixture of experts"),
        ({"more": {"llama.feed_forward_length": 100}}, "hidden width of 100 is no multiple of 32"),
        ({"more": {"llama.feed_forward_length": 128}}, "'blk.0.ffn_gate.weight' is 96 × 64 and should be 128 × 64"),
        ({"more": {"llama.attention.head_count_kv": [2, 2, 1, 2]}}, "head_count_kv is not the same in all layers"),
        ({"more": {"llama.attention.head_count": 0}}, "a number below 1"),
        ({"more": {"general.alignment": 0}}, "damaged or cut off"),
        ({"more": {"llama.block_count": 5}}, "lacks the tensor 'blk.4.attn_norm.weight'"),
        ({"more": {"llama.block_count": 3}}, "'blk.3.attn_k.weight' that this runtime does not know"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused_with_the_reason(options: dict[str, Any], reason: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=reason):
        bundle(tiny_gguf(tmp_path / "tiny.gguf", **options), 48, 256)


@pytest.mark.parametrize("options", [{"context": 4}, {"context": 1000}, {"context": 64, "layer_workers": 9}, {"context": 64, "slots": 0}])
def test_what_makes_no_sense_is_refused(options: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ClodoError):
        bundle(tiny_gguf(tmp_path / "tiny.gguf"), 48, **options)


def test_a_model_without_a_template_answers_no_chats(tmp_path: Path) -> None:
    words = {k: v for k, v in vocabulary().items() if k != "tokenizer.chat_template"}
    made = bundle(tiny_gguf(tmp_path / "tiny.gguf", words=words), 48, 256)
    assert made.routes == ("/v1/completions", "/v1/models")
    assert made.notes == ("This model has no chat template. It is built for /v1/completions alone.",)


def test_a_model_with_a_template_of_another_family_is_built_and_says_so(tmp_path: Path) -> None:
    made = bundle(tiny_gguf(tmp_path / "tiny.gguf", more={"tokenizer.chat_template": "{{ messages }}"}), 48, 256)
    assert made.routes == ("/v1/completions", "/v1/models")
    [note] = made.notes
    assert "of a family that is not known here; known are ChatML, Llama 3 and Zephyr." in note and "/v1/completions alone" in note
    assert note in readme(made, Options("m"))
    assert bundle(tiny_gguf(tmp_path / "chats.gguf"), 48, 256).notes == ()


def test_families_of_templates_are_recognised() -> None:
    words = vocabulary()
    known = read_vocabulary(words)
    chatml = read_template("{{ '<|im_start|>system\\nBe kind.<|im_end|>\\n' }}" + CHATML, known)
    assert chatml is not None
    assert chatml.default_system == "Be kind."
    assert chatml.turns["user"] == (1, "user\n{content}", 2, "\n")
    assert chatml.reply == (1, "assistant\n")


@pytest.mark.parametrize(
    ("turn", "said"),
    [
        (r"{{ '<|im_start|>system\nYou\'re kind.<|im_end|>\n' }}", "You're kind."),
        (r"""{{ "<|im_start|>system\nYou're kind.\nBe \"brief\".<|im_end|>\n" }}""", "You're kind.\nBe \"brief\"."),
        ("<|im_start|>system\nBe kind.<|im_end|>\n", "Be kind."),
        (r"{{ '<|im_start|>system\n' + system + '<|im_end|>\n' }}", None),
    ],
)
def test_what_is_said_by_default_stands_in_the_template(turn: str, said: str | None) -> None:
    made = read_template(turn + CHATML, read_vocabulary(vocabulary()))
    assert made is not None and made.default_system == said


def _with_control(words: dict[str, Any], *names: str) -> dict[str, Any]:
    tokens, types = words["tokenizer.ggml.tokens"], words["tokenizer.ggml.token_type"]
    return {**words, "tokenizer.ggml.tokens": [*tokens, *names], "tokenizer.ggml.token_type": [*types, *[3] * len(names)]}
