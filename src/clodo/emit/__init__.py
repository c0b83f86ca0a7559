"""Blueprint → file tree. A pure function of the blueprint, its text and the bricks."""

from __future__ import annotations

import json
from collections.abc import Sequence

from clodo.blueprint.plan import Plan, make_plan
from clodo.blueprint.values import Blueprint
from clodo.emit import assembly, project
from clodo.emit.brick import Brick
from clodo.emit.openapi import document
from clodo.emit.reach import unreached
from clodo.emit.readme import readme
from clodo.emit.sql import migration
from clodo.emit.tree import MANIFEST, OWN, FileTree, digest
from clodo.emit.typescript import entities_index, entity_module, entity_source
from clodo.version import VERSION


def needed_secrets(plan: Plan, bricks: Sequence[Brick]) -> tuple[str, ...]:
    """The names of the secrets that a service needs, in the order of the bricks."""
    return tuple(s for brick in bricks if brick.applies(plan) for s in brick.parts(plan).secrets)


def emit(blueprint: Blueprint, source: str, bricks: Sequence[Brick]) -> FileTree:
    """All files of a service but its secrets, by relative path.

    ``source`` is the blueprint's text as the user keeps it. The same arguments and version give the
    same bytes.
    """
    plan = make_plan(blueprint)
    used = [brick for brick in bricks if brick.applies(plan)]
    parts = [brick.parts(plan) for brick in used]
    secrets = tuple(s for p in parts for s in p.secrets)
    blueprint = plan.blueprint
    tree: FileTree = {
        "blueprint.clodo": source,
        "package.json": project.package_json(blueprint, stores=plan.stores),
        "tsconfig.json": project.tsconfig(),
        "wrangler.jsonc": project.wrangler_jsonc(blueprint, parts, stores=plan.stores),
        "vitest.config.ts": project.vitest_config(secrets, stores=plan.stores),
        ".gitignore": "node_modules/\n.wrangler/\n.dev.vars\n",
        "README.md": readme(plan, secrets, [p.readme for p in parts if p.readme]),
        "openapi.json": json.dumps(document(plan, [*(p.amend for p in parts if p.amend), *(p.finish for p in parts if p.finish)]), indent=1, ensure_ascii=False) + "\n",
        "src/index.ts": assembly.index_source(parts),
        "src/env.ts": assembly.env_source(parts, secrets, stores=plan.stores),
        "test/service.test.ts": project.service_test(plan),
    }
    if plan.stores:
        tree["migrations/0001_init.sql"] = migration(plan, [s for p in parts for s in p.sql])
        tree["src/entities/index.ts"] = entities_index(plan)
    tree |= {f"src/entities/{entity_module(e)}.ts": entity_source(plan, e, [p.entities[e.name] for p in parts if e.name in p.entities]) for e in blueprint.entities}
    for brick in used:
        tree |= brick.sources()
    for p in parts:
        tree |= p.files
    dead = unreached(tree, (path for p in parts for path in p.offered))
    tree = {path: tree[path] for path in sorted(tree) if path not in dead}
    tree[MANIFEST] = _manifest(blueprint, tree, [brick.name for brick in used], secrets)
    return tree


def _manifest(blueprint: Blueprint, tree: FileTree, bricks: list[str], secrets: tuple[str, ...]) -> str:
    manifest = {
        "name": blueprint.name,
        "type": blueprint.type.value,
        "generator": f"clodo {VERSION}",
        "blueprint_sha256": digest(tree["blueprint.clodo"]),
        "bricks": bricks,
        "secrets": list(secrets),
        "files": {name: digest(text) for name, text in tree.items() if not name.startswith(OWN)},
    }
    return json.dumps(manifest, indent=2) + "\n"


__all__ = ["Brick", "FileTree", "emit", "make_plan", "needed_secrets"]
