"""How a tree reaches the disk, and what must never break a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clodo.blueprint import parse
from clodo.blueprint.plan import plural
from clodo.bricks.registry import service_secrets, service_tree
from clodo.emit.tree import MANIFEST, digest, edited_files, write_tree
from clodo.errors import WorkspaceError

ODD = """service odd "Bob's \\"store\\" `${x}` </script>"
read key
write key

entity class {
  default: text required pattern "^[`'\\\\$]+$" default "`$'"
  order: enum(select, "it's `x`", "</script>") default "it's `x`"
  function: -> class
}

entity news {
  text: text
}

entity new {
  while: json
}
"""


def tree_of(text: str) -> dict[str, str]:
    return service_tree(parse(text), text)


def test_odd_names_and_texts_stay_apart() -> None:
    tree = tree_of(ODD)
    document = json.loads(tree["openapi.json"])
    assert len([p for p in document["paths"] if p.count("/") == 2 and p.startswith("/api")]) == 3
    assert json.loads(tree["package.json"])["name"] == "odd"


def test_manifest_knows_every_file_and_its_hash() -> None:
    tree = tree_of(ODD)
    manifest = json.loads(tree[MANIFEST])
    assert manifest["files"] == {n: digest(t) for n, t in tree.items() if n != MANIFEST}
    assert manifest["blueprint_sha256"] == digest(ODD)


def test_write_makes_everything_and_fresh_secrets(tmp_path: Path) -> None:
    blueprint = parse(ODD)
    for name in ("a", "b"):
        write_tree(tree_of(ODD), tmp_path / name, service_secrets(blueprint))
    one, two = ((tmp_path / n / ".dev.vars").read_text() for n in ("a", "b"))
    assert "\nAPI_KEY=" in one
    assert one != two
    assert ".dev.vars" in (tmp_path / "a" / ".gitignore").read_text()
    assert (tmp_path / "a" / "blueprint.clodo").read_text() == ODD


def test_write_refuses_a_folder_with_content_and_leaves_it(tmp_path: Path) -> None:
    target = tmp_path / "mine"
    target.mkdir()
    (target / "kept.txt").write_text("kept")
    with pytest.raises(WorkspaceError):
        write_tree(tree_of(ODD), target)
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]
    assert [p.name for p in target.iterdir()] == ["kept.txt"]


def test_edited_files_are_found(tmp_path: Path) -> None:
    write_tree(tree_of(ODD), tmp_path / "a")
    assert edited_files(tmp_path / "a") == []
    (tmp_path / "a" / "src" / "index.ts").write_text("// mine")
    assert edited_files(tmp_path / "a") == ["src/index.ts"]


@pytest.mark.parametrize(
    ("name", "many"),
    [
        ("book", "books"), ("category", "categories"), ("person", "people"), ("order_item", "order_items"),
        ("class", "classes"), ("bus", "buses"), ("status", "statuses"), ("address", "addresses"), ("box", "boxes"),
        ("child", "children"), ("day", "days"), ("gas", "gases"),
    ],
)  # fmt: skip
def test_plurals(name: str, many: str) -> None:
    assert plural(name) == many
