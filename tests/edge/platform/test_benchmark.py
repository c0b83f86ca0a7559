"""What the benchmark measures, on Workers whose speed is known, and the memory of the default model."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.edge import BEGIN, END, put_into, tables

from clodo.app.edge import bundle_of, source_of
from clodo.app.models import DEFAULT_MODEL
from clodo.edge.platform import benchmark
from clodo.edge.platform.benchmark import LONGEST, Figures, dense, measure, measure_memory, story
from clodo.edge.platform.configuration import Options
from clodo.edge.platform.folder import folder_tree, write_tree
from clodo.edge.platform.gate import MOST_ISOLATE_MB
from clodo.edge.platform.native import NativeModel
from clodo.edge.platform.server import Memory, WorkersServer
from clodo.runtime.store import catalogue, fetch
from clodo.toolchain import Toolchain
from tests.edge.platform.fake import fake_bundle


@pytest.mark.workerd
def test_the_default_model_stays_under_fifty_megabytes(toolchain: Toolchain, server: WorkersServer, tmp_path: Path) -> None:
    bundle = bundle_of(source_of(DEFAULT_MODEL), 48, 1024)
    assert len(bundle.workers) == 1, "the default model is one Worker"
    write_tree(folder_tree(bundle, Options("m")), tmp_path)
    [isolate] = measure_memory(tmp_path, toolchain, server)
    assert isolate.wasm_mb > 10, "it was loaded"
    assert isolate.peak_mb < MOST_ISOLATE_MB


@pytest.mark.workerd
def test_speeds_are_those_that_the_caller_sees(toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "_COLD_STARTS", 1)
    write_tree(folder_tree(fake_bundle(pause_ms=300), Options("m")), tmp_path)
    found = measure(tmp_path, toolchain, rounds=1)
    # The fake reads a word in a millisecond and writes a token in five.
    assert found.prefill_tok_s is not None and 200 < found.prefill_tok_s <= 1000
    assert found.decode_tok_s is not None and 40 < found.decode_tok_s <= 200
    assert found.cold_start_ms >= 300 and found.blueprint_p50_ms is None and found.decode_ratio is None
    assert [m.name for m in found.isolates] == ["front", "layers-0"]
    assert {"isolates", "prefill_tok_s", "decode_tok_s", "decode_ratio", "blueprint_p50_ms", "cold_start_ms", "kind"} <= found.to_json().keys()


@pytest.mark.llama
def test_native_speeds_are_told_by_llama_cpp() -> None:
    model = NativeModel(fetch(catalogue()["smollm2"]), 256)
    prefill, decode = model.speed(story(1, 20), 4)
    model.close()
    assert prefill > 1 and decode > 1


def test_no_two_prompts_begin_alike() -> None:
    prompts = [story(i, 100) for i in (0, 1, 100, 101)]
    assert len({p[:12] for p in prompts}) == 4 and all(100 <= len(p.split()) <= 110 for p in prompts)


def test_the_largest_descriptions_are_as_long_as_the_routes_admit() -> None:
    texts = {dense(i, LONGEST) for i in range(4)}
    assert len(texts) == 4 and all(LONGEST - 2 <= len(text) <= LONGEST for text in texts)


def test_tables_go_between_their_marks() -> None:
    encoder = Figures("clodo-1 9", "encoder", {"front": 30_000}, (Memory("front", 9.0, 30.0),), 300.0, blueprint_p50_ms=70.0)
    llama = Figures("lm", "llama", {"front": 20_000}, (Memory("front", 9.0, 30.0),), 400.0, prefill_tok_s=200.0, decode_tok_s=90.0, native_decode_tok_s=100.0)
    made = put_into(f"a\n{BEGIN}\nold\n{END}\nb\n", tables([encoder, llama]))
    assert made.startswith("a\n") and made.endswith(f"{END}\nb\n") and "old" not in made
    assert "**39.0 MB**" in made and "| 70 ms | – |" in made and "90 tok/s (native llama.cpp: 100; **0.90** of it)" in made
    assert made == put_into(made, tables([encoder, llama])), "and again"
