"""Deploying, with a wrangler that only writes down what it is asked (``tests/cli`` has a dry run of the real one)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clodo.edge.platform.configuration import Options
from clodo.edge.platform.deploying import deploy
from clodo.edge.platform.folder import folder_tree, write_tree
from clodo.errors import DeploymentError, ModelError
from clodo.toolchain import Toolchain
from clodo.toolchain.store import node_path
from tests.edge.platform.fake import fake_bundle

WRANGLER = """
const fs = require("node:fs");
const args = process.argv.slice(2);
fs.appendFileSync(process.env.ASKED, JSON.stringify(args) + "\\n");
if (process.env.WRANGLER_HIDE_BANNER !== "true") { console.error("It asks npm for a newer version."); process.exit(1); }
const said = args.join(" ");
const red = (text) => "\\u001b[31m" + text + "\\u001b[0m";
const answers = JSON.parse(process.env.ANSWERS);
const [, answer] = Object.entries(answers).find(([words]) => said.includes(words)) ?? [];
if (answer !== undefined) { console.error(red("\\u2718 ") + "\\u001b[41;97m[ERROR]\\u001b[0m " + red(answer)); process.exit(1); }
console.log("Total Upload: 20.18 KiB / gzip: " + (process.env.SIZE ?? "6.70 KiB"));
if (!said.includes("--dry-run") && said.includes("front/")) console.log("  https://m.example.workers.dev");
"""


class Stub:
    """A built folder and a toolchain whose wrangler is the script above."""

    def __init__(self, place: Path, monkeypatch: pytest.MonkeyPatch, options: Options) -> None:
        self.folder, self._asked = place / "m", place / "asked"
        self.folder.mkdir()
        write_tree(folder_tree(fake_bundle(), options), self.folder)
        script = place / "modules" / "wrangler" / "bin" / "wrangler.js"
        script.parent.mkdir(parents=True)
        script.write_text(WRANGLER)
        self.toolchain = Toolchain(node_path(), place / "modules")
        monkeypatch.setenv("ASKED", str(self._asked))
        monkeypatch.setenv("ANSWERS", "{}")

    def asked(self) -> list[str]:
        return [" ".join(json.loads(line)) for line in self._asked.read_text().splitlines()]


def config(folder: Path, worker: str) -> dict[str, Any]:
    return dict(json.loads((folder / worker / "wrangler.jsonc").read_text()))


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stub:
    return Stub(tmp_path, monkeypatch, Options("m"))


def test_all_is_tried_dry_before_the_first_is_deployed_and_the_front_goes_last(stub: Stub) -> None:
    found = deploy(stub.folder, stub.toolchain, dry_run=False, progress=lambda _: None)
    layers, front = "deploy -c layers-0/wrangler.jsonc", "deploy -c front/wrangler.jsonc"
    assert stub.asked() == [f"{layers} --dry-run", f"{front} --dry-run", layers, front]
    assert [(d.name, d.gzip, d.url) for d in found] == [
        ("layers-0", 6861, None),
        ("front", 6861, "https://m.example.workers.dev"),
    ]


def test_a_fault_of_one_leaves_nothing_deployed(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSWERS", '{"front/wrangler.jsonc --dry-run": "Could not resolve ./nowhere"}')
    with pytest.raises(DeploymentError, match=r"could not deploy 'front': .*Could not resolve ./nowhere") as caught:
        deploy(stub.folder, stub.toolchain, dry_run=False, progress=lambda _: None)
    # Its error comes in colours, which neither a log nor JSON can show.
    assert caught.value.message == "Wrangler could not deploy 'front': Could not resolve ./nowhere"
    assert "Mend" in caught.value.hint and all("--dry-run" in line for line in stub.asked())


def test_a_script_that_is_too_large_is_not_deployed(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIZE", "2.99 MiB")
    with pytest.raises(ModelError, match="'layers-0' has 3.1 MB gzip"):
        deploy(stub.folder, stub.toolchain, dry_run=False, progress=lambda _: None)
    assert len(stub.asked()) == 1


def test_weights_in_a_bucket_go_up_before_the_scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = Stub(tmp_path, monkeypatch, Options("m", weights="r2"))
    monkeypatch.setenv("ANSWERS", '{"bucket create": "The bucket already exists"}')
    deploy(stub.folder, stub.toolchain, dry_run=False, progress=lambda _: None)
    create, *uploads = [line for line in stub.asked() if line.startswith("r2")]
    assert create == "r2 bucket create m-weights"
    prefixes = [config(stub.folder, name)["vars"]["WEIGHTS_PREFIX"] for name in ("front", "layers-0")]
    assert [u.split()[3] for u in uploads] == [f"m-weights/{prefixes[0]}table.bin", f"m-weights/{prefixes[1]}layer.bin"]
    assert all(Path(u.split()[5]).is_file() and u.endswith("--remote") for u in uploads)
    assert stub.asked()[-1] == "deploy -c front/wrangler.jsonc"
    monkeypatch.setenv("ANSWERS", '{"bucket create": "You are not logged in"}')
    with pytest.raises(DeploymentError, match="not logged in") as caught:
        deploy(stub.folder, stub.toolchain, dry_run=False, progress=lambda _: None)
    assert "wrangler login" in caught.value.hint
