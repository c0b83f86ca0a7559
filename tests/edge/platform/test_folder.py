"""The folder that a bundle becomes: what is in it, and that it is put in place whole or not at all."""

from __future__ import annotations

import hashlib
import json
import re
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from clodo.app import edge
from clodo.app.edge import build_model, name_of, source_of
from clodo.edge.bundle import Bundle, WorkerFiles
from clodo.edge.platform import scripts
from clodo.edge.platform.configuration import Options, deploy_order, weights_prefix
from clodo.edge.platform.folder import MANIFEST, edited_files, folder_tree
from clodo.errors import ClodoError, InternalError, ModelError, UsageError, WorkspaceError
from clodo.proof.files import without_comments
from clodo.toolchain import Toolchain
from clodo.toolchain.pins import node_range, pins
from tests.edge.platform.fake import WEIGHTS, fake_bundle

OPTIONS = Options("fake-model")


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts are not checked: it takes longest, and has tests of its own."""
    monkeypatch.setattr(edge, "check_scripts", lambda *_: {"front": 1, "layers-0": 1})


def config(tree: dict[str, bytes], worker: str) -> dict[str, Any]:
    return dict(json.loads(without_comments(tree[f"{worker}/wrangler.jsonc"].decode())))


def snapshot(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def changed(bundle: Bundle, **sources: str | bytes) -> Bundle:
    """The bundle with other sources of the front; the names are those of files in ``src/``."""
    front = bundle.workers[0]
    more = {f"src/{name.replace('_', '.')}": text for name, text in sources.items()}
    return replace(bundle, workers=(replace(front, sources={**front.sources, **more}), *bundle.workers[1:]))


def test_a_bundle_is_the_same_folder_every_time_and_holds_no_secret() -> None:
    tree = folder_tree(fake_bundle(), OPTIONS)
    assert tree == folder_tree(fake_bundle(), OPTIONS)
    assert not [name for name in tree if ".dev.vars" in name] and b".dev.vars" in tree[".gitignore"]
    manifest = json.loads(tree[MANIFEST])
    assert manifest["files"] == {n: hashlib.sha256(c).hexdigest() for n, c in sorted(tree.items()) if n != MANIFEST}
    assert manifest["model"] == "fake 1" and manifest["deploy_order"] == ["layers-0", "front"]
    assert tree["front/assets/table.bin"] == WEIGHTS and tree["layers-0/assets/layer.bin"] == WEIGHTS


@pytest.mark.parametrize("options", [OPTIONS, Options("m", keep_warm=True), Options("m", weights="r2")])
def test_configurations_follow_wrangler_s_own_schema(options: Options, toolchain: Toolchain) -> None:
    schema = json.loads((toolchain.modules / "wrangler" / "config-schema.json").read_text("utf-8"))
    tree = folder_tree(fake_bundle(), options)
    for worker in ("front", "layers-0"):
        found = config(tree, worker)
        assert list(Draft7Validator(schema).iter_errors(found)) == []
        assert found["compatibility_date"] <= pins()["newest_compatibility_date"] and found["observability"]["enabled"]
        assert f"{worker}/{found['main']}" in tree


def test_only_the_front_is_reached_from_outside_and_nobody_gets_at_weights() -> None:
    tree = folder_tree(fake_bundle(), OPTIONS)
    front, layers = config(tree, "front"), config(tree, "layers-0")
    assert (front["name"], front["workers_dev"]) == ("fake-model", True)
    assert (layers["name"], layers["workers_dev"]) == ("fake-model-layers-0", False)
    assert front["services"] == [{"binding": "LAYERS", "service": "fake-model-layers-0"}]
    assert all(c["assets"]["run_worker_first"] is True and c["preview_urls"] is False for c in (front, layers))


def test_weights_may_lie_in_a_bucket_instead() -> None:
    front, layers = (config(folder_tree(fake_bundle(), Options("m", weights="r2")), name) for name in ("front", "layers-0"))
    assert "assets" not in front and front["r2_buckets"] == [{"binding": "WEIGHTS", "bucket_name": "m-weights"}]
    assert re.fullmatch(r"front/[0-9a-f]{12}/", front["vars"]["WEIGHTS_PREFIX"])
    assert layers["vars"]["WEIGHTS_PREFIX"].startswith("layers-0/")


def test_other_weights_have_other_keys_so_that_what_runs_still_finds_its_own() -> None:
    front = fake_bundle().workers[0]
    prefixes = [weights_prefix(replace(front, assets=assets)) for assets in ({"a": b"1"}, {"a": b"2"}, {"b": b"1"}, {"a": b"1"})]
    assert len(set(prefixes[:3])) == 3 and prefixes[0] == prefixes[3]


def test_the_readme_fills_the_bucket_that_wrangler_dev_reads() -> None:
    """What wrangler keeps here lies beside the configuration that it is given: `npm run dev` names the front's first."""
    tree = folder_tree(fake_bundle(), Options("m", weights="r2"))
    puts = [line for line in tree["README.md"].decode().splitlines() if "r2 object put m-weights" in line]
    assert len(puts) == 2 and all(" -c front/wrangler.jsonc " in line and line.endswith(" --remote") for line in puts)
    assert json.loads(tree["package.json"])["scripts"]["dev"].startswith("wrangler dev -c front/wrangler.jsonc")


def test_keeping_warm_is_a_cron_and_a_store_of_the_front_alone() -> None:
    tree = folder_tree(fake_bundle(), Options("m", keep_warm=True))
    assert config(tree, "front")["triggers"] and config(tree, "front")["d1_databases"][0]["binding"] == "ARRIVALS"
    assert not {"triggers", "d1_databases"} & config(tree, "layers-0").keys()
    assert not {"triggers", "d1_databases"} & config(folder_tree(fake_bundle(), OPTIONS), "front").keys()
    assert "Keeping it warm" in tree["README.md"].decode() and "layers-0/src/kept-warm.ts" not in tree


def test_packages_are_pinned_exactly() -> None:
    package = json.loads(folder_tree(fake_bundle(), OPTIONS)["package.json"])
    assert package["devDependencies"].items() <= pins().items()
    assert package["scripts"]["deploy"].index("layers-0") < package["scripts"]["deploy"].index("front")


def test_the_folder_says_which_node_it_needs(toolchain: Toolchain) -> None:
    needed = json.loads((toolchain.modules / "wrangler" / "package.json").read_text("utf-8"))["engines"]["node"]
    tree = folder_tree(fake_bundle(), OPTIONS)
    assert json.loads(tree["package.json"])["engines"] == {"node": needed} == {"node": node_range()}
    assert f"Node {needed.removeprefix('>=')} or newer" in tree["README.md"].decode()


def test_the_readme_says_how_to_ask_and_what_it_costs() -> None:
    text = folder_tree(fake_bundle(), OPTIONS)["README.md"].decode()
    for words in ("curl", "/v1/chat/completions", "Workers Paid plan", "CPU time", "wrangler secret put API_KEY -c front/wrangler.jsonc"):
        assert words in text
    assert "/v1/blueprint" not in text, "only routes that it has"


def test_workers_go_up_after_those_that_they_call() -> None:
    def worker(name: str, *calls: str) -> WorkerFiles:
        return WorkerFiles(name, {"src/index.ts": ""}, 1, services={c.upper(): c for c in calls})

    bundle = Bundle("llama", "m", (worker("front", "a", "b"), worker("a", "c"), worker("b"), worker("c", "b")), ())
    order = deploy_order(bundle)
    assert sorted(order) == ["a", "b", "c", "front"]
    assert order.index("b") < order.index("c") < order.index("a") < order.index("front")


@pytest.mark.parametrize(
    ("bundle", "words"),
    [
        (Bundle("llama", "m", (WorkerFiles("front", {"src/index.ts": ""}, 1, assets={"w.bin": b"x" * (25 * 2**20 + 1)}),), ()), "25 MiB"),
        (Bundle("llama", "m", (WorkerFiles("front", {}, 1),), ()), "has no src/index.ts"),
        (Bundle("llama", "m", (WorkerFiles("front", {"src/index.ts": ""}, 1, services={"A": "a"}),), ()), "which is not there"),
    ],
)
def test_what_cloudflare_would_not_take_is_told_in_a_sentence(bundle: Bundle, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        folder_tree(bundle, OPTIONS)


@pytest.mark.workerd
def test_a_built_folder_type_checks_and_is_small(tmp_path: Path) -> None:
    built = build_model(fake_bundle(), tmp_path / "m", Options("mm", keep_warm=True))
    assert 1000 < built.gzip["front"] < 50_000 and 100 < built.gzip["layers-0"] < 50_000
    assert not (tmp_path / "m" / "node_modules").exists() and [p.name for p in tmp_path.iterdir()] == ["m"]


@pytest.mark.usefixtures("unchecked")
def test_a_built_folder_has_a_key_of_its_own_that_only_its_owner_reads(tmp_path: Path) -> None:
    keys = set()
    for name in ("a", "b"):
        build_model(fake_bundle(), tmp_path / name, OPTIONS)
        secret = tmp_path / name / "front" / ".dev.vars"
        keys.add(secret.read_text())
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600 and "API_KEY=" in secret.read_text()
        assert edited_files(tmp_path / name) == []
    assert len(keys) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"], "nothing is left beside it"


@pytest.mark.usefixtures("unchecked")
def test_a_folder_is_replaced_when_asked_and_what_is_not_clodo_s_stays(tmp_path: Path) -> None:
    build_model(changed(fake_bundle(), old_ts="export {};\n"), tmp_path, OPTIONS)
    key = (tmp_path / "front" / ".dev.vars").read_text()
    (tmp_path / "notes.txt").write_text("mine")
    before = snapshot(tmp_path)
    with pytest.raises(WorkspaceError, match="not empty"):
        build_model(fake_bundle(), tmp_path, OPTIONS)
    assert snapshot(tmp_path) == before
    build_model(fake_bundle(), tmp_path, Options("other"), force=True)
    assert (tmp_path / "notes.txt").read_text() == "mine" and (tmp_path / "front" / ".dev.vars").read_text() == key
    assert not (tmp_path / "front" / "src" / "old.ts").exists()
    assert set(snapshot(tmp_path)) == {*folder_tree(fake_bundle(), OPTIONS), "notes.txt", "front/.dev.vars"}
    (tmp_path / "front" / "src" / "index.ts").write_text("// mine")
    with pytest.raises(WorkspaceError, match="front/src/index.ts"):
        build_model(fake_bundle(), tmp_path, OPTIONS, force=True)


@pytest.mark.usefixtures("unchecked")
def test_a_person_s_own_file_is_not_written_over_by_one_of_that_name(tmp_path: Path) -> None:
    build_model(fake_bundle(), tmp_path, OPTIONS)
    (tmp_path / "front" / "src" / "more.ts").write_text("// mine")
    before = snapshot(tmp_path)
    with pytest.raises(WorkspaceError, match="front/src/more.ts"):
        build_model(changed(fake_bundle(), more_ts="export {};\n"), tmp_path, OPTIONS, force=True)
    assert snapshot(tmp_path) == before


@pytest.mark.workerd
@pytest.mark.parametrize(
    ("sources", "error"),
    [
        ({"extra_ts": 'export const wrong: number = "text";\n'}, InternalError),
        ({"index_ts": 'import "./nowhere";\nexport default {};\n'}, ClodoError),
    ],
)
def test_what_does_not_hold_is_not_put_in_place(tmp_path: Path, sources: dict[str, str], error: type[Exception]) -> None:
    with pytest.raises(error):
        build_model(changed(fake_bundle(), **sources), tmp_path / "deep" / "m", OPTIONS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.workerd
def test_a_script_above_three_megabytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts, "MOST_GZIP_BYTES", 1000)
    with pytest.raises(ModelError, match="'front' has .* MB gzip"):
        build_model(fake_bundle(), tmp_path / "m", OPTIONS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("unchecked")
def test_a_failure_while_it_is_put_in_place_leaves_the_folder_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "m"
    build_model(fake_bundle(), place, OPTIONS)
    before = snapshot(place)
    rename, count = Path.rename, 0

    def failing(self: Path, target: Path) -> Path:
        nonlocal count
        count += 1
        if count == 20:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(KeyboardInterrupt):
        build_model(changed(fake_bundle(), other_ts="export {};\n"), place, Options("other"), force=True)
    assert count > 20, "and what was moved came back"
    assert snapshot(place) == before and [p.name for p in tmp_path.iterdir()] == ["m"]


def test_what_stands_in_the_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for place in (tmp_path, tmp_path / "file"):
        with pytest.raises(WorkspaceError):
            build_model(fake_bundle(), place, OPTIONS, force=True)
    assert snapshot(tmp_path) == {"file": b"x"}


@pytest.mark.parametrize("name", ["../mine", "/etc/mine", "front/../../mine"])
def test_a_manifest_that_names_files_elsewhere_is_not_believed(tmp_path: Path, name: str) -> None:
    place = tmp_path / "m"
    place.mkdir()
    (tmp_path / "mine").write_text("x")
    (place / MANIFEST).write_text(json.dumps({"workers": [{"name": "front"}], "files": {name: "0"}}))
    with pytest.raises(WorkspaceError, match="cannot be read"):
        build_model(fake_bundle(), place, OPTIONS, force=True)
    assert (tmp_path / "mine").read_text() == "x"


@pytest.mark.parametrize("name", ["", "A", "a", "1a", "-a", "a_b", "a" * 43, "a-"])
def test_a_name_must_be_one_of_workers(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        build_model(fake_bundle(), tmp_path / "m", Options(name))


@pytest.mark.parametrize(
    ("folder", "name"), [("My Model", "my-model"), ("1st", "model-1st"), ("x", "model-x"), ("ü", "model"), ("a" * 60, "a" * 42), ("1" * 60, "model-" + "1" * 36)]
)
def test_workers_are_named_after_their_folder(tmp_path: Path, folder: str, name: str) -> None:
    assert name_of(tmp_path / folder) == name


def test_what_is_no_model_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "text.gguf").write_text("hello")
    for reference, error in (("nothing-such", UsageError), (str(tmp_path / "text.gguf"), ModelError), (str(tmp_path), ModelError)):
        with pytest.raises(error) as caught:
            source_of(reference)
        assert caught.value.hint
