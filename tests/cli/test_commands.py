"""The command line as scripts see it: streams, JSON, exit statuses, and folders left as they were."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from click.testing import CliRunner, Result

from clodo.app.services import Built
from clodo.blueprint import parse
from clodo.cli import main
from clodo.proof.host import Host
from clodo.proof.report import Evidence, Report
from clodo.runtime.store import catalogue, place_of
from clodo.toolchain import Toolchain
from clodo.understand.port import Span, Understanding
from tests.processes import clodo_process, free_port

ROOT = Path(__file__).parents[2]
BOOKSHOP = ROOT / "examples" / "bookshop.clodo"
BOOKS = (
    "Books have a title, an ISBN that must be unique, and a price. Customers leave reviews of a book: a score "
    "from 1 to 5 plus some text. No login needed."
)


def clodo(*args: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, list(args), input=stdin)


def document(result: Result) -> dict[str, Any]:
    """The one JSON document on stdout."""
    lines = result.stdout.splitlines()
    assert len(lines) == 1, result.stdout
    value = json.loads(lines[0])
    assert isinstance(value, dict)
    return value


def entries(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def test_help_is_quick_and_names_every_command() -> None:
    result = clodo("--help")
    assert result.exit_code == 0
    for name in ("generate", "blueprint", "build", "verify", "dev", "edge", "eval", "train", "doctor"):
        assert f"\n  {name} " in result.stdout
    loaded = "import sys, clodo.cli; sys.exit(any(m in sys.modules for m in ('numpy', 'onnxruntime', 'httpx2', 'inflect', 'torch')))"
    assert subprocess.run([sys.executable, "-c", loaded]).returncode == 0, "--help loads what it does not need"


@pytest.mark.parametrize("command", ["generate", "blueprint", "build", "verify", "dev", "edge build", "edge dev", "edge deploy", "edge bench", "edge score", "eval", "train", "doctor"])
def test_the_docs_show_the_help_as_it_is(command: str) -> None:
    shown = (ROOT / "docs" / "cli.md").read_text("utf-8")
    result = CliRunner().invoke(main, [*command.split(), "--help"], prog_name="clodo", terminal_width=80)
    assert f"```text\n{result.output.rstrip()}\n```" in shown, "docs/cli.md is old: run `make docs`"


def test_blueprint_prints_only_the_blueprint() -> None:
    result = clodo("blueprint", BOOKS)
    assert result.exit_code == 0, result.stderr
    assert {e.name for e in parse(result.stdout).entities} == {"book", "review"}


def test_what_was_not_understood_is_told_where_nobody_sees_the_description(monkeypatch: pytest.MonkeyPatch) -> None:
    blueprint = parse("service s\nentity book {\n  title: text\n}\n")
    heard = Understanding(blueprint, 0.5, "m", "p", spans=(Span(0, 5, "entity"), Span(24, 26, "unexplained")))
    monkeypatch.setattr("clodo.cli.generate.understand", lambda *_: heard)
    result = clodo("blueprint", "Books have a title, and 42 of something.")
    assert result.exit_code == 0 and "42" not in result.stdout
    assert result.stderr == "not understood: 42\n"


def test_the_json_of_a_blueprint_has_what_the_contract_says() -> None:
    answer = document(clodo("blueprint", "--json", BOOKS))
    assert {"blueprint", "model", "provider", "confidence", "questions", "timings_ms"} <= set(answer)
    assert set(answer["timings_ms"]) == {"prefill", "decode", "model", "build", "verify", "total"}
    assert answer["model"].startswith("clodo-1 ") and answer["timings_ms"]["total"] > 0
    parse(answer["blueprint"])


def test_descriptions_come_from_files_and_stdin_too(tmp_path: Path) -> None:
    (tmp_path / "brief.txt").write_text(BOOKS, "utf-8")
    from_file = clodo("blueprint", "--file", str(tmp_path / "brief.txt")).stdout
    assert from_file == clodo("blueprint", "--file", "-", stdin=BOOKS).stdout == clodo("blueprint", BOOKS).stdout


def test_the_name_of_a_file_is_not_taken_for_a_description(tmp_path: Path) -> None:
    (tmp_path / "brief.txt").write_text(BOOKS, "utf-8")
    result = clodo("blueprint", str(tmp_path / "brief.txt"))
    assert result.exit_code == 2 and "is a file" in result.stderr and "--file" in result.stderr
    # What is too long to be a name is a description.
    assert clodo("blueprint", "x" * 5000).exit_code == clodo("blueprint", "x").exit_code


@pytest.mark.parametrize("args", [["build", "FILE", "-o", "x"], ["blueprint", "-f", "FILE"]])
def test_a_file_that_is_not_in_utf_8_is_told_as_that(args: list[str], tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes("service büro".encode("latin-1"))
    result = clodo(*(str(tmp_path / "latin") if a == "FILE" else a for a in args), "--json")
    error = document(result)["error"]
    assert result.exit_code == 2 and error["message"].endswith("latin' is not in UTF-8.") and error["hint"].startswith("Save it as UTF-8")


@pytest.mark.parametrize("command", ["generate", "blueprint"])
def test_an_unclear_description_is_asked_about_and_nothing_is_written(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = clodo(command, "--json", "hello there")
    assert result.exit_code == 3
    answer = document(result)
    assert answer["error"]["code"] == "unclear" and answer["questions"] and answer["blueprint"] is None
    assert answer["timings_ms"]["total"] >= answer["timings_ms"]["model"] > 0
    spoken = clodo(command, "hello there")
    assert spoken.exit_code == 3 and spoken.stdout == "" and "?" in spoken.stderr
    assert entries(tmp_path) == []


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["generate"], "Give a description"),
        (["generate", "   "], "is empty"),
        (["generate", "x" * 20_001], "20001 characters"),
        (["generate", "-f", "/nowhere"], "cannot be read"),
        (["generate", BOOKS, "--lang", "python"], "cannot be made yet"),
        (["generate", BOOKS, "--model", "nothing-such"], "No model is called 'nothing-such'"),
        (["generate", BOOKS, "--nonsense"], "No such option"),
        (["nonsense"], "No such command"),
        (["build", "/nowhere.clodo", "-o", "x"], "cannot be read"),
        (["dev", "--port", "99999"], "not in the range"),
    ],
)
def test_a_wrong_call_is_one_sentence_and_status_2(args: list[str], words: str) -> None:
    result = clodo(*args)
    assert result.exit_code == 2
    assert words in result.stderr and result.stdout == ""
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["build", str(BOOKSHOP)], "Missing option"),
        (["build", "--nonsense"], "No such option"),
        (["nonsense"], "No such command"),
        (["--nonsense"], "No such option"),
        (["generate", BOOKS, "--lang", "cobol"], "'cobol' is not one of"),
    ],
)
def test_a_wrong_call_is_a_json_document_too(args: list[str], words: str) -> None:
    result = clodo(*args, "--json")
    error = document(result)["error"]
    assert result.exit_code == 2 and words in error["message"] and error["code"] == "usage" and "--help" in error["hint"]


def failing_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("clodo.cli.services.put_service", fail)


#: A place that a shell would take apart, or the program for an option.
ODD = ["odd näme (1)/sub", "it's $HOME", "-x", "plain-name"]


def proposed(lines: list[str]) -> list[list[str]]:
    """The commands that an answer proposes, as a shell takes them apart."""
    return [shlex.split(line.split("next: ")[-1].strip()) for line in lines]


@pytest.mark.parametrize("name", ODD)
def test_the_next_command_can_be_pasted(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "odd näme (1)").mkdir()
    result = clodo("build", str(BOOKSHOP), f"--output={name}")
    [[*words, place]] = proposed(result.stdout.splitlines()[-1:])
    assert words == ["clodo", "verify"] and not place.startswith("-")
    assert (tmp_path / place).resolve() == (tmp_path / name).resolve() and (tmp_path / place).is_dir()

    report = Report("s", (), 0, 0, {})
    monkeypatch.setattr("clodo.cli.generate.put_service", lambda *_, **__: Built(tmp_path / name, 1, report, {}))
    result = clodo("generate", BOOKS, f"--output=long-{'x' * 90}-{name}", "--yes")
    dev, run = proposed(result.stdout.splitlines()[-2:])
    assert dev[:2] == ["clodo", "dev"] and len(dev) == 3
    assert run == ["cd", dev[2], "&&", "npm", "install", "&&", "npm", "run", "dev"]
    assert dev[2] == f"long-{'x' * 90}-{name}"


def test_stopped_is_a_json_document_too(monkeypatch: pytest.MonkeyPatch) -> None:
    failing_with(monkeypatch, KeyboardInterrupt())
    result = clodo("build", str(BOOKSHOP), "-o", "x", "--json")
    assert result.exit_code == 130 and document(result)["error"]["code"] == "interrupted"


@pytest.mark.parametrize("json_asked", [False, True])
def test_stopped_before_the_command_begins_is_the_same(json_asked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("importlib.import_module", stop)
    result = clodo("build", *["--json"] * json_asked)
    assert result.exit_code == 130 and "Stopped" in result.stderr and "Aborted" not in result.stderr
    assert not json_asked or document(result)["error"]["retryable"]


def test_what_nobody_foresaw_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    failing_with(monkeypatch, RecursionError("too deep"))
    monkeypatch.delenv("CLODO_DEBUG", raising=False)
    result = clodo("build", str(BOOKSHOP), "-o", "x", "--json")
    assert result.exit_code == 1 and document(result)["error"]["code"] == "internal"
    assert "too deep" in result.stderr and "report" in result.stderr and "Traceback" not in result.stderr
    monkeypatch.setenv("CLODO_DEBUG", "1")
    assert "Traceback" in clodo("build", str(BOOKSHOP), "-o", "x").stderr


def test_an_error_after_the_answer_is_no_second_document(capsys: pytest.CaptureFixture[str]) -> None:
    from clodo.cli.context import Talk
    from clodo.errors import ModelError

    talk = Talk(as_json=True)
    talk.answer({"model": "m"})
    with pytest.raises(SystemExit):
        talk.fail(ModelError("It is not better."))
    assert capsys.readouterr().out == '{"model": "m"}\n'


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["generate", BOOKS, "--model", "file:/nowhere.gguf"], "no model file"),
        (["generate", BOOKS, "--model", "http://127.0.0.1:9/v1#x"], "cannot be reached"),
        (["verify", "/nowhere"], "holds no service"),
        (["dev", "/nowhere"], "holds no service"),
    ],
)
def test_a_failed_job_is_status_1(args: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = clodo(*args)
    assert result.exit_code == 1, result.stderr
    assert words in result.stderr and "Traceback" not in result.stderr
    assert document(clodo(*args, "--json"))["error"]["message"]
    assert entries(tmp_path) == []


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "mine.txt").write_text("mine")
    for args in (["generate", BOOKS], ["build", str(BOOKSHOP)]):
        result = clodo(*args, "-o", str(tmp_path / "s"))
        assert result.exit_code == 1 and "not empty" in result.stderr and "-o" in result.stderr
        assert clodo(*args, "-o", str(tmp_path / "s"), "--force").exit_code == 1
    assert entries(tmp_path) == ["s", "s/mine.txt"]


def test_build_needs_no_model_and_says_what_is_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLODO_MODEL", "nothing-such")
    result = clodo("build", str(BOOKSHOP), "-o", str(tmp_path / "s"))
    assert result.exit_code == 0 and "clodo verify" in result.stdout
    assert (tmp_path / "s" / "blueprint.clodo").read_text() == BOOKSHOP.read_text()
    assert "API_KEY" not in (tmp_path / "s" / "wrangler.jsonc").read_text()
    again = clodo("build", str(BOOKSHOP), "-o", str(tmp_path / "s"), "--force")
    assert again.exit_code == 0


def test_secrets_are_fresh_for_each_service_and_outside_of_git(tmp_path: Path) -> None:
    blog = str(ROOT / "examples" / "blog.clodo")
    for name in ("a", "b"):
        assert clodo("build", blog, "-o", str(tmp_path / name)).exit_code == 0
    texts = [(tmp_path / n / ".dev.vars").read_text() for n in ("a", "b")]
    assert texts[0] != texts[1] and "JWT_SECRET=" in texts[0]
    assert ".dev.vars" in (tmp_path / "a" / ".gitignore").read_text().split()
    assert (tmp_path / "a" / ".dev.vars").stat().st_mode & 0o077 == 0


def test_a_wrong_blueprint_is_told_with_line_and_mend(tmp_path: Path) -> None:
    (tmp_path / "x.clodo").write_text("service x\nentity a {\n  b: string\n}\n")
    result = clodo("build", str(tmp_path / "x.clodo"), "-o", str(tmp_path / "s"))
    assert result.exit_code == 1 and "line 3, column 6" in result.stderr and "Write text" in result.stderr
    assert not (tmp_path / "s").exists()


def test_a_blueprint_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "x.clodo").write_text("service x\nentity a {\n  b: text\n}\n", "utf-8-sig")
    assert clodo("build", str(tmp_path / "x.clodo"), "-o", str(tmp_path / "s")).exit_code == 0
    (tmp_path / "brief.txt").write_text(BOOKS, "utf-8-sig")
    assert clodo("blueprint", "--file", str(tmp_path / "brief.txt")).stdout == clodo("blueprint", BOOKS).stdout


def test_a_warning_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "x.clodo").write_text("service x\n\nentity a {\n  table: text\n}\n")
    result = clodo("build", str(tmp_path / "x.clodo"), "-o", str(tmp_path / "s"))
    assert result.exit_code == 0 and "warning: line 4, column 3" in result.stderr


def test_a_failed_proof_keeps_the_blueprint_and_the_failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = Evidence("resources.unique", "book.isbn: unique", "failed", "it took both")
    monkeypatch.setattr("clodo.app.services.ensure", lambda _: None)
    monkeypatch.setattr("clodo.app.services.verify", lambda *_: Report("shop", (fault,)))
    result = clodo("generate", BOOKS, "-o", str(tmp_path / "s"), "--yes", "--json")
    answer = document(result)
    assert result.exit_code == 1 and answer["error"]["code"] == "unproven"
    assert answer["error"]["failures"][0]["detail"] == "it took both"
    assert "it took both" in result.stderr
    parse(answer["blueprint"])


@pytest.mark.workerd
def test_generate_ends_with_a_proven_service(tmp_path: Path, toolchain: Toolchain) -> None:
    result = clodo("generate", BOOKS, "-o", str(tmp_path / "Größe 1"), "--yes", "--json")
    assert result.exit_code == 0, result.stderr
    answer = document(result)
    assert answer["proof"]["proven"] and answer["proof"]["checks"] > 30
    assert answer["timings_ms"]["verify"] > 0
    assert (tmp_path / "Größe 1" / "blueprint.clodo").read_text("utf-8") == answer["blueprint"]
    assert entries(tmp_path)[0] == "Größe 1" and len(list(tmp_path.iterdir())) == 1
    spoken = clodo("verify", str(tmp_path / "Größe 1"))
    assert spoken.exit_code == 0 and "✓ proven" in spoken.stdout


@pytest.mark.workerd
def test_a_broken_service_is_not_proven_and_status_1(tmp_path: Path, toolchain: Toolchain) -> None:
    assert clodo("build", str(BOOKSHOP), "-o", str(tmp_path / "s")).exit_code == 0
    source = tmp_path / "s" / "src" / "entities" / "review.ts"
    source.write_text(source.read_text().replace("max: 5", "max: 50"))
    result = clodo("verify", str(tmp_path / "s"))
    assert result.exit_code == 1 and "resources.range" in result.stdout


@pytest.mark.workerd
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_stopped_half_way_nothing_is_left(stop: signal.Signals, tmp_path: Path, toolchain: Toolchain) -> None:
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with clodo_process("generate", BOOKS, "-o", str(tmp_path / "s"), "--yes", **pipes) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "Proving" in line:
                break
        process.send_signal(stop)
        rest = process.stderr.read()
        assert process.wait(30) == 130
    assert "Traceback" not in rest and "Nothing was left" in rest
    assert entries(tmp_path) == []


@pytest.mark.workerd
def test_dev_answers_when_it_says_ready_and_reloads(tmp_path: Path, toolchain: Toolchain) -> None:
    folder = tmp_path / "s"
    assert clodo("build", str(BOOKSHOP), "-o", str(folder)).exit_code == 0
    port = free_port()
    with clodo_process("dev", str(folder), "--port", str(port), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        ready, url = process.stdout.readline().split()
        assert (ready, url) == ("ready", f"http://127.0.0.1:{port}")
        with httpx.Client(base_url=url, trust_env=False) as client:
            assert client.get("/health").json() == {"status": "ok"}
            body = {"title": "Kept", "isbn": "978-1-000000"}
            assert client.post("/api/books", json=body).status_code == 201
            source = folder / "src" / "entities" / "book.ts"
            source.write_text(source.read_text().replace("max: 200", "max: 3").replace("maxLength: 200", "maxLength: 3"))
            assert process.stdout.readline().split()[0] == "ready"
            assert client.post("/api/books", json={**body, "isbn": "978-2-000000"}).status_code == 422
            assert [b["title"] for b in client.get("/api/books").json()["items"]] == ["Kept"]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    time.sleep(0.1)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False)


@pytest.mark.workerd
def test_a_taken_port_is_told(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    import socket

    assert clodo("build", str(BOOKSHOP), "-o", str(tmp_path / "s")).exit_code == 0
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = clodo("dev", str(tmp_path / "s"), "--port", str(port))
    assert result.exit_code == 1 and f"Port {port}" in result.stderr and "--port" in result.stderr
    assert "source" not in result.stderr


def test_doctor_tells_what_is_missing_and_the_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLODO_CACHE", str(tmp_path))
    answer = document(clodo("doctor", "--json"))
    missing = {f["name"]: f for f in answer["findings"] if not f["ok"]}
    assert set(missing) == {"workers toolchain"}
    assert missing["workers toolchain"]["remedy"] == "clodo doctor --install"
    assert clodo("doctor").exit_code == 1


def test_doctor_tells_a_damaged_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLODO_CACHE", str(tmp_path / "a cache"))
    path = place_of(catalogue()["smollm2"])
    path.parent.mkdir(parents=True)
    path.write_bytes(b"GGUF, and cut off")
    [told] = [f for f in document(clodo("doctor", "--json"))["findings"] if f["name"] == "model smollm2"]
    assert not told["ok"] and "damaged" in told["detail"] and shlex.split(told["remedy"]) == ["rm", str(path)]
