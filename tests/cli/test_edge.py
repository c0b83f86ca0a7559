"""``clodo edge``: streams, JSON, exit statuses, and folders left as they were."""

from __future__ import annotations

import json
import signal
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from click.testing import CliRunner, Result

from clodo.app import edge as app
from clodo.app.edge import Source
from clodo.cli import edge, main
from clodo.edge.llama import bundle
from clodo.edge.platform.benchmark import Figures
from clodo.edge.platform.server import Memory
from clodo.edge.platform.serving import served_bundle
from clodo.toolchain import Toolchain
from tests.edge.llama.tiny import tiny_gguf
from tests.edge.platform.fake import fake_bundle
from tests.processes import clodo_process, free_port


def clodo(*args: str) -> Result:
    return CliRunner().invoke(main, ["edge", *args], terminal_width=100)


def document(result: Result) -> dict[str, Any]:
    """The one JSON document on stdout."""
    [line] = result.stdout.splitlines()
    value = json.loads(line)
    assert isinstance(value, dict)
    return value


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every model is the fake one, and its scripts are not checked (``tests/edge/platform`` does)."""
    monkeypatch.setattr(app, "check_scripts", lambda *_: {"front": 5000, "layers-0": 300})
    monkeypatch.setattr(edge, "source_of", lambda *_: Source("llama", Path("fake.gguf")))
    monkeypatch.setattr(edge, "bundle_of", lambda *_, **__: fake_bundle())


@pytest.fixture
def built(fake: None, tmp_path: Path) -> Path:
    place = tmp_path / "fake-model"
    assert clodo("build", "any", "-o", str(place)).exit_code == 0
    return place


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (["build", "nothing-such", "-o", "x"], 2, "There is no model 'nothing-such'"),
        (["build", "clodo-1"], 2, "Missing option"),
        (["build", "clodo-1", "-o", "x", "--budget-mb", "500"], 2, "not in the range"),
        (["deploy", ".", "--dry-run"], 1, "holds no model's Workers"),
        (["dev", "."], 1, "holds no model's Workers"),
        (["bench", "nothing-such"], 2, "There is no model"),
        (["score", "nowhere.log"], 2, "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    args: list[str], status: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = clodo(*args)
    assert (result.exit_code, result.stdout) == (status, "") and words in result.stderr and "Traceback" not in result.stderr
    assert document(clodo(*args, "--json"))["error"]["message"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("args", "status", "message", "hint"),
    [
        (["dev", "a-file"], 1, "'a-file' is a file and no folder of a model's Workers.", "made by `clodo edge build`"),
        (["deploy", "a-file", "--dry-run"], 1, "'a-file' is a file and no folder of a model's Workers.", "made by `clodo edge build`"),
        (["bench", "a-file"], 1, "'a-file' is no GGUF file.", "Choose another file"),
        (["dev", "nowhere"], 1, "There is no folder 'nowhere'.", "made by `clodo edge build`"),
        (["bench", "nowhere"], 2, "There is no model 'nowhere', and no file or folder of that name.", "made by `clodo edge build`"),
        (["build", "nowhere", "-o", "x"], 2, "There is no model 'nowhere', and no file or folder of that name.", "or a GGUF file"),
    ],
)
def test_what_is_no_built_folder_is_said_to_be_what_it_is(
    args: list[str], status: int, message: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-file").write_text("{}")
    result = clodo(*args, "--json")
    error = document(result)["error"]
    assert (result.exit_code, error["message"]) == (status, message) and hint in error["hint"]


@pytest.mark.usefixtures("fake")
def test_a_build_tells_what_it_made(tmp_path: Path) -> None:
    answer = document(clodo("build", "any", "-o", str(tmp_path / "Ask Me"), "--json", "--keep-warm"))
    assert (answer["name"], answer["kind"], answer["model"]) == ("ask-me", "llama", "fake 1")
    assert [w["name"] for w in answer["workers"]] == ["front", "layers-0"] and answer["workers"][0]["weights_bytes"] == 614_400
    assert (tmp_path / "Ask Me" / "front" / "src" / "kept-warm.ts").is_file()
    again = clodo("build", "any", "-o", str(tmp_path / "Ask Me"))
    assert again.exit_code == 1 and "left as it is" in again.stderr
    spoken = clodo("build", "any", "-o", str(tmp_path / "Ask Me"), "--force")
    assert spoken.exit_code == 0 and "in 2 Workers" in spoken.stdout and "clodo edge dev" in spoken.stdout


def test_a_build_tells_what_the_model_cannot_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "check_scripts", lambda *_: {"front": 5000})
    model = tiny_gguf(tmp_path / "tiny.gguf", layers=1, more={"tokenizer.chat_template": "{{ messages }}"})
    answer = document(clodo("build", str(model), "-o", str(tmp_path / "m"), "--ctx", "64", "--json"))
    assert answer["routes"] == ["/v1/completions", "/v1/models"] and "chat template" in answer["notes"][0]
    assert f"note: {answer['notes'][0]}" in clodo("build", str(model), "-o", str(tmp_path / "m"), "--ctx", "64", "--force").stdout


@pytest.mark.parametrize(("more", "kernels"), [((), "encoder.wasm"), (("--base-simd",), "encoder-base.wasm")])
def test_kernels_are_for_the_runtime_that_is_meant(more: tuple[str, ...], kernels: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "check_scripts", lambda *_: {"front": 5000})
    assert clodo("build", "clodo-1", "-o", str(tmp_path / "m"), *more).exit_code == 0
    shipped = files("clodo.edge").joinpath("wasm", kernels).read_bytes()
    assert (tmp_path / "m" / "front" / "src" / "encoder.wasm").read_bytes() == shipped


@pytest.mark.workerd
def test_a_dry_run_gives_sizes_and_writes_no_secret(built: Path) -> None:
    answer = document(clodo("deploy", str(built), "--dry-run", "--json"))
    assert [w["name"] for w in answer["workers"]] == ["layers-0", "front"], "what others call goes first"
    assert all(100 < w["gzip_bytes"] < 3_000_000 and w["url"] is None for w in answer["workers"])
    assert answer["dry_run"] is True and "secret put API_KEY -c front/wrangler.jsonc" in answer["next"]
    key = (built / "front" / ".dev.vars").read_text().strip().split("API_KEY=")[1]
    assert key not in json.dumps(answer)


@pytest.mark.workerd
def test_dev_says_ready_when_it_answers_reloads_and_ends_cleanly(built: Path) -> None:
    port = free_port()
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with clodo_process("edge", "dev", str(built), "--port", str(port), **pipes) as process:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        assert line == f"ready http://127.0.0.1:{port}"
        key = (built / "front" / ".dev.vars").read_text().strip().split("API_KEY=")[1]
        answer = httpx.post(f"http://127.0.0.1:{port}/v1/echo", json={"text": "hi"}, headers={"x-api-key": key}, trust_env=False)
        assert answer.json()["order"] == 1, "the other Worker runs too"
        assert httpx.post(f"http://127.0.0.1:{port}/v1/echo", json={"text": "hi"}, trust_env=False).status_code == 401
        source = built / "front" / "src" / "index.ts"
        text = source.read_text()
        source.write_text(text + 'import "./nowhere";\n')
        assert process.stderr is not None
        assert "Could not resolve" in next(said for said in process.stderr if "Not reloaded" in said)
        assert httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).status_code == 200, "what ran runs on"
        source.write_text(text.replace('provider: "edge"', 'provider: "mended"'))
        assert process.stdout.readline().strip() == line
        answer = httpx.post(f"http://127.0.0.1:{port}/v1/echo", json={"text": "hi"}, headers={"x-api-key": key}, trust_env=False)
        assert answer.json()["provider"] == "mended"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
    assert process.returncode == 0 and "stopped" in stderr and "Traceback" not in stderr


FIGURES = Figures(
    "fake 1", "llama", {"front": 5000}, (Memory("front", 9.04, 31.01),), 250.04,
    prefill_tok_s=200.0, decode_tok_s=81.0, native_prefill_tok_s=250.0, native_decode_tok_s=90.0,
)  # fmt: skip


def test_a_benchmark_gives_its_figures_in_one_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "bench_model", lambda *_, **__: FIGURES)
    answer = document(clodo("bench", "--json"))
    assert answer["isolates"] == [{"name": "front", "peak_mb": 40.0, "wasm_mb": 31.0, "heap_mb": 9.0, "gzip_bytes": 5000}]
    assert (answer["decode_ratio"], answer["prefill_tok_s"], answer["decode_tok_s"]) == (0.9, 200.0, 81.0)
    assert (answer["blueprint_p50_ms"], answer["cold_start_ms"], answer["kind"]) == (None, 250.0, "llama")
    table = clodo("bench").stdout
    assert "peak 40.0 MB" in table and "81.0 tok/s" in table and "0.90 of it" in table and "blueprint" not in table


def test_a_log_is_scored(tmp_path: Path) -> None:
    log = tmp_path / "log"
    # Every weekday at nine, some requests, for six weeks.
    times = [1_767_571_200 + (day * 24 + 9) * 3600 + i * 60 for day in range(42) if day % 7 < 5 for i in range(3)]
    log.write_text("".join(f"{t} POST /v1/blueprint\n" for t in times))
    ways = document(clodo("score", str(log), "--json"))["ways"]
    assert ways["never"]["hit_rate"] == 0 and ways["always"]["hit_rate"] == 1
    assert ways["fitted"]["hit_rate"] > 0.5 and ways["fitted"]["wakes"] < ways["always"]["wakes"] / 10
    assert "fitted" in clodo("score", str(log)).stdout


#: What a decoder of a test's own writes, whatever it is asked.
NOTES = "service note_service\n\nentity note {\n  title: text required\n  stars: integer min 1 max 5\n}\n"


@pytest.mark.workerd
def test_a_decoder_in_a_worker_makes_a_service_or_nothing(tmp_path: Path, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way: the description goes to a Worker in workerd, and what it writes is built and proven here. What it does not write to the
    end, does not write at all, or writes for somebody else makes no folder."""
    monkeypatch.chdir(tmp_path)

    def generate(url: str, place: str) -> Result:
        return CliRunner().invoke(main, ["generate", "Notes have a title and one to five stars.", "--model", f"edge:{url}", "-o", place, "--yes", "--json"])

    writes, babbles = (tiny_gguf(tmp_path / f"{name}.gguf", context=8192, answer=answer) for name, answer in (("writes", NOTES), ("babbles", None)))
    with served_bundle(bundle(writes, 48, 8192, layer_workers=1), toolchain) as running:
        monkeypatch.setenv("CLODO_EDGE_KEY", running.key)
        made = generate(running.url, "notes")
        assert made.exit_code == 0, made.output
        answer = document(made)
        assert answer["blueprint"] == NOTES and answer["model"] == "tiny" and answer["provider"] == "edge Worker on this machine"
        assert [f.read_text("utf-8") for f in (tmp_path / "notes").glob("*.clodo")] == [NOTES]
        monkeypatch.setenv("CLODO_EDGE_KEY", "wrong")
        stranger = generate(running.url, "stranger")
    gone = generate(running.url, "gone")
    with served_bundle(bundle(babbles, 48, 8192, layer_workers=1), toolchain) as running:
        monkeypatch.setenv("CLODO_EDGE_KEY", running.key)
        endless = generate(running.url, "endless")
        told = httpx.get(f"{running.url}/metrics").text
    assert 'edge_tokens_total{kind="completion"}' in told, "it was asked, and wrote"
    assert [document(r)["error"]["code"] for r in (stranger, gone, endless)] == ["unauthorized", "unavailable", "invalid-answer"]
    assert all(r.exit_code not in (0, None) and r.exception is not None for r in (stranger, gone, endless))
    assert not any((tmp_path / place).exists() for place in ("stranger", "gone", "endless"))
