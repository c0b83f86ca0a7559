"""A GGUF file as the Workers that run it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from clodo.edge.bundle import Bundle, WorkerFiles
from clodo.edge.llama.blobs import (
    check_tensors,
    layer_blob,
    layer_bytes,
    vocabulary_blob,
    vocabulary_bytes,
)
from clodo.edge.llama.chat import ChatTemplate, no_chat, read_template
from clodo.edge.llama.gguf import Gguf, read_gguf
from clodo.edge.llama.memory import tokenizer_bytes
from clodo.edge.llama.openapi import openapi
from clodo.edge.llama.plan import MOST_TABLES, Layout, Share, Sizes, plan_layout
from clodo.edge.llama.shape import Shape, read_shape
from clodo.edge.llama.tokens import Vocabulary, read_vocabulary
from clodo.edge.shared_ts import shared_sources
from clodo.errors import UsageError

#: The most bytes of one file of weights; Cloudflare takes 25 MiB.
PART_BYTES = 24 * 1024 * 1024

_LAYERS_SOURCES = ("cache", "engine", "plan_types", "stage")
_ROWS_SOURCES = _LAYERS_SOURCES
_FRONT_SOURCES = (
    *_LAYERS_SOURCES, "answers", "automaton", "candidates", "chat", "constraint", "decoder", "formats", "gbnf", "generate", "json_schema", "lists", "parameters", "remote", "requests",
    "sampling", "service", "splitters", "text_stream", "tokenizer", "vocabulary",
)  # fmt: skip

#: A file of weights as the plan of a Worker names it.
_Parts = list[dict[str, str | int]]


def bundle(gguf: Path, budget_mb: float, context: int, *, layer_workers: int | None = None, tables: int | None = None, slots: int | None = None, relaxed: bool = True) -> Bundle:
    """The Workers of a decoder of the llama family, each with a planned peak below ``budget_mb`` (MB of 10⁶ bytes), for
    conversations of up to ``context`` tokens. ``layer_workers``, ``tables`` (Workers with rows of the vocabulary) and ``slots`` fix what is
    planned otherwise; without ``relaxed`` the kernels keep to base SIMD, for runtimes that refuse relaxed SIMD when a script is uploaded.

    Raises:
        ModelError: the file is no model that can run here, or it does not fit; the figures are told.
        UsageError: the context or the number of Workers makes no sense.
    """
    file = read_gguf(gguf)
    shape = read_shape(file)
    _check_request(shape, context, layer_workers, tables, slots)
    check_tensors(file, shape)
    vocabulary = read_vocabulary(file.metadata)
    told = file.metadata.get("tokenizer.chat_template")
    template = read_template(told, vocabulary)
    refusal = no_chat(told) if template is None else None
    merges = len(file.metadata["tokenizer.ggml.merges"])
    sizes = Sizes(
        vocabulary_bytes(file),
        tuple(layer_bytes(file, i) for i in range(shape.layers)),
        tokenizer_bytes(len(vocabulary.table), merges, shape.vocabulary),
        vocabulary_bytes(file, (0, 16)) - vocabulary_bytes(file, (0, 8)),
    )
    layout = plan_layout(shape, sizes, budget_mb, context, layer_workers=layer_workers, tables=tables, slots=slots)
    build = _Build(file, shape, vocabulary, template, refusal, layout, context, _model_name(file.metadata, gguf), relaxed)
    chat = ("/v1/chat/completions",) if template is not None else ()
    notes = (f"{refusal} It is built for /v1/completions alone.",) if refusal is not None else ()
    return Bundle("llama", build.model, tuple(build.workers()), (*chat, "/v1/completions", "/v1/models"), notes)


def _check_request(shape: Shape, context: int, layer_workers: int | None, tables: int | None, slots: int | None) -> None:
    if not 8 <= context <= shape.trained:
        raise UsageError(f"The context must be 8 to {shape.trained} tokens for this model, and {context} is not.", hint="Choose another --ctx.")
    if layer_workers is not None and not 0 <= layer_workers <= shape.layers:
        raise UsageError(f"A model of {shape.layers} layers can have 0 to {shape.layers} layer Workers.")
    if tables is not None and not (0 <= tables <= min(MOST_TABLES, shape.vocabulary // 8) and (tables == 0 or layer_workers != 0)):
        raise UsageError(f"A vocabulary can lie in 0 to {min(MOST_TABLES, shape.vocabulary // 8)} Workers beside those with layers.")
    if slots is not None and slots < 1:
        raise UsageError("There must be one slot at least.")


def _model_name(metadata: Mapping[str, Any], path: Path) -> str:
    told = [str(metadata[key]) for key in ("general.basename", "general.size_label", "general.finetune") if metadata.get(key)]
    name = "-".join(told[:2]) if metadata.get("general.basename") else str(metadata.get("general.name") or path.stem)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-").lower() or "model"


class _Build:
    def __init__(self, file: Gguf, shape: Shape, vocabulary: Vocabulary, template: ChatTemplate | None, refusal: str | None, layout: Layout, context: int, model: str, relaxed: bool) -> None:
        self.file, self.shape, self.vocabulary, self.template, self.refusal = file, shape, vocabulary, template, refusal
        self.layout, self.context, self.model, self.relaxed = layout, context, model, relaxed

    def workers(self) -> Iterator[WorkerFiles]:
        front, *others = self.layout.shares
        layers = [share for share in others if not share.rows[1]]
        tables = [share for share in others if share.rows[1]]
        named = {f"layers-{i}": share for i, share in enumerate(layers)} | {f"vocabulary-{i}": share for i, share in enumerate(tables)}
        bindings = {name.upper().replace("-", "_"): name for name in named}
        stages = [binding for binding, name in bindings.items() if not named[name].rows[1]]
        rows: list[dict[str, str | int]] = [{"binding": binding, "first": named[name].rows[0], "last": named[name].rows[1]} for binding, name in bindings.items() if named[name].rows[1]]
        yield self._worker("front", front, bindings, stages, rows)
        for name, share in named.items():
            yield self._worker(name, share, {}, [], [])

    def _worker(self, name: str, share: Share, services: dict[str, str], stages: list[str], tables: list[dict[str, str | int]]) -> WorkerFiles:
        assets: dict[str, bytes] = {}
        plan = {
            "model": self.model,
            "shape": self._shape(),
            "context": self.context,
            "slots": self.layout.slots,
            "layers": [_put(assets, f"layer-{i:02d}", layer_blob(self.file, i)) for i in range(share.first, share.last)],
            "vocabulary": _put(assets, "vocabulary", vocabulary_blob(self.file, share.rows)) if share.rows[1] else None,
            "scored": self.shape.vocabulary if share.front else share.rows[1] - share.rows[0],
            "text": self._text(_put(assets, "tokens", self.vocabulary.table)) if share.front else None,
            "stages": stages,
            "tables": tables,
        }
        return WorkerFiles(name, self._sources(share, plan), share.planned_mb, assets, services)

    def _sources(self, share: Share, plan: dict[str, Any]) -> dict[str, str | bytes]:
        here = files("clodo.edge.llama").joinpath("ts")
        entry, names = ("front", _FRONT_SOURCES) if share.front else ("rows", _ROWS_SOURCES) if share.rows[1] else ("layers", _LAYERS_SOURCES)
        wasm = "llama.wasm" if self.relaxed else "llama-base.wasm"
        text = json.dumps(plan, indent=2, ensure_ascii=False)
        return {
            "src/index.ts": here.joinpath(f"{entry}.ts").read_text("utf-8"),
            **{f"src/{n}.ts": here.joinpath(f"{n}.ts").read_text("utf-8") for n in names},
            **(self._front_files() if share.front else {}),
            "src/plan.ts": f'import type {{ Plan }} from "./plan_types";\n\nexport const plan: Plan = {text};\n',
            "src/llama.wasm": files("clodo.edge").joinpath("wasm", wasm).read_bytes(),
            **shared_sources(),
        }

    def _front_files(self) -> dict[str, str | bytes]:
        document = json.dumps(openapi(self.model, self.context, self.refusal), indent=1, ensure_ascii=False) + "\n"
        return {"src/openapi.json": document, "src/parameters.json": files("clodo.edge.llama").joinpath("ts", "parameters.json").read_text("utf-8")}

    def _shape(self) -> dict[str, Any]:
        s = self.shape
        return {
            "width": s.width, "hidden": s.hidden, "heads": s.heads, "kvHeads": s.kv_heads, "headSize": s.head_size, "vocabulary": s.vocabulary,
            "epsilon": s.epsilon, "ropeSize": s.rope.size, "split": s.rope.split, "frequencies": list(s.rope.frequencies),
        }  # fmt: skip

    def _text(self, tokens: _Parts) -> dict[str, Any]:
        v, t = self.vocabulary, self.template
        chat = None if t is None else {"begin": t.begin, "turns": t.turns, "reply": t.reply, "defaultSystem": t.default_system, "trim": t.trim}
        return {
            "tokens": tokens, "splitter": v.splitter, "wholeWords": v.whole_words, "begin": v.begin, "ends": v.ends,
            "control": v.control, "userDefined": v.user_defined, "chat": chat, "noChat": self.refusal,
        }  # fmt: skip


def _put(assets: dict[str, bytes], name: str, blob: bytes) -> _Parts:
    """Puts a blob among the assets, in as many files as it takes, and says which."""
    parts: _Parts = []
    for i in range(0, len(blob), PART_BYTES):
        path = f"{name}.bin" if len(blob) <= PART_BYTES else f"{name}-{i // PART_BYTES}.bin"
        assets[path] = blob[i : i + PART_BYTES]
        parts.append({"path": path, "bytes": len(assets[path])})
    return parts
