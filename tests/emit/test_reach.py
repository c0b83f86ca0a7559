"""A service carries only those files of its bricks that its code reaches."""

from __future__ import annotations

import re
from pathlib import Path
from posixpath import dirname, normpath

import pytest

from clodo.blueprint import parse
from clodo.bricks.registry import service_tree
from clodo.emit.reach import unreached
from clodo.emit.tree import FileTree
from tests.bricks.proving import BRICKS
from tests.conftest import EXAMPLES

SERVICES = [*EXAMPLES, *sorted(BRICKS.glob("*/example.clodo"))]
ALONE = {
    "slug": "service s\n\nentity post {\n  title: text required\n  slug from title\n}\n",
    "publish": "service s\nread public\nwrite key\n\nentity post {\n  title: text required\n  publish\n}\n",
    "markdown": "service s\n\nentity post {\n  body: longtext\n  markdown body\n}\n",
    "metrics": "service s\nmetrics\n\nentity post {\n  title: text required\n}\n",
    "log": "service s\nrequest log\n\nentity post {\n  title: text required\n}\n",
    "export": "service s\n\nentity post {\n  title: text required\n  export csv\n}\n",
    "own code": "service s\n\nentity post {\n  title: text required\n}\n\ncustom code\n",
}
OFFERED = {"src/entities/index.ts"}


def tree_of(source: str) -> FileTree:
    return service_tree(parse(source), source)


def library(source: str) -> set[str]:
    return {path.removeprefix("src/lib/") for path in tree_of(source) if path.startswith("src/lib/")}


def left_over(tree: FileTree) -> set[str]:
    """The modules of ``src`` that ``src/index.ts`` does not lead to, found by the lines of imports as they are printed."""
    todo, seen = ["src/index.ts"], set[str]()
    while todo:
        path = todo.pop()
        if path not in tree or path in seen:
            continue
        seen.add(path)
        for source in re.findall(r'(?m)(?:^import .*|^\} )from "(\.[^"]+)";$|^import "(\.[^"]+)";$|import\("(\.[^"]+)"\)', tree[path]):
            place = normpath(f"{dirname(path)}/{''.join(source)}")
            todo += [f"{place}.ts", f"{place}/index.ts"]
    return {path for path in tree if path.startswith("src/") and path.endswith(".ts")} - seen


@pytest.mark.parametrize("path", SERVICES, ids=lambda p: p.parent.name if p.stem == "example" else p.stem)
def test_every_module_of_an_example_is_reached(path: Path) -> None:
    assert left_over(tree_of(path.read_text("utf-8"))) == set()


@pytest.mark.parametrize("source", ALONE.values(), ids=ALONE)
def test_every_module_is_reached_where_one_word_of_a_brick_is_used(source: str) -> None:
    # What is offered to own code stays; the example that its folder begins with may not use it.
    assert left_over(tree_of(source)) <= OFFERED


def test_what_stands_in_the_library_follows_the_blueprint() -> None:
    slug, markdown = library(ALONE["slug"]), library(ALONE["markdown"])
    assert "slug.ts" in slug and not {"markdown.ts", "markdown-inline.ts", "publish.ts", "links.ts"} & slug
    assert {"markdown.ts", "markdown-inline.ts"} <= markdown and "slug.ts" not in markdown
    assert {"custom.ts", "custom-rows.ts", "problem.ts"} <= library(ALONE["own code"])


def test_the_manifest_knows_no_file_that_is_left_out() -> None:
    tree = tree_of(ALONE["slug"])
    assert "src/lib/slug.ts" in tree["clodo-service-manifest.json"] and "markdown" not in tree["clodo-service-manifest.json"]


TREE = {
    "src/index.ts": 'import { a } from "./lib/a";\nimport type { Own } from "./custom";\nimport openapi from "../openapi.json";\n',
    "src/lib/a.ts": 'export const b = () => import("./b");\nimport {\n  c,\n} from "./c";\nexport { d } from "./d";\nimport "./e";\n',
    "src/lib/b.ts": "", "src/lib/c.ts": "", "src/lib/d.ts": "", "src/lib/e.ts": 'import { a } from "./a";',
    "src/lib/f.ts": 'import { a } from "./a";\nimport { g } from "./g";', "src/lib/g.ts": 'import { f } from "./f";',
    "src/lib/h.ts": "", "src/lib/i.ts": "", "src/custom/index.ts": 'import type { H } from "../lib/h";',
    "test/service.test.ts": "import { i } from '../src/lib/i';", "README.md": 'from "./lib/f"',
}  # fmt: skip


def test_modules_that_only_import_each_other_are_unreached() -> None:
    assert unreached(TREE) == {"src/lib/f.ts", "src/lib/g.ts"}


def test_what_is_kept_keeps_what_it_imports() -> None:
    assert unreached(TREE, ["src/lib/f.ts", "src/lib/none.ts"]) == set()
