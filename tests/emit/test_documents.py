"""The OpenAPI document and the migration say what the service does."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest

from clodo.blueprint import parse
from clodo.blueprint.plan import plural
from clodo.bricks.registry import bricks, service_tree


def tree_of(text: str) -> dict[str, str]:
    return service_tree(parse(text), text)


def openapi(text: str) -> Any:
    return json.loads(tree_of(text)["openapi.json"])


def test_a_computed_field_has_no_limits_of_its_type() -> None:
    text = "service x\nentity a {\n  b: text required min 5\n  n: integer\n  t: text = b & b\n  m: money = n * n\n}\n"
    row = openapi(text)["components"]["schemas"]["A"]["properties"]
    assert row["t"] == {"type": ["string", "null"], "readOnly": True}
    assert row["m"] == {"type": ["number", "null"], "readOnly": True}
    assert row["b"]["minLength"] == 5


def test_two_rules_need_both_credentials() -> None:
    text = "service x\nusers {\n}\nentity album {\n  read owner\n  write owner\n}\n"
    text += "entity tagged {\n  album: -> album\n  read key\n  write key\n}\n"
    paths = openapi(text)["paths"]
    assert paths["/api/albums/{id}/taggeds"]["get"]["security"] == [{"bearer": [], "apiKey": []}]
    assert paths["/api/taggeds"]["get"]["security"] == [{"apiKey": []}]


def test_who_deletes_is_told_where_rows_are_deleted_and_come_back() -> None:
    text = "service x\nusers {\n}\nentity a {\n  n: integer\n  write key\n  delete role admin\n  soft delete\n  restore\n}\n"
    paths = openapi(text)["paths"]
    row = paths["/api/as/{id}"]
    assert [row[method]["security"] for method in ("patch", "put", "delete")] == [[{"apiKey": []}], [{"apiKey": []}], [{"bearer": []}]]
    assert paths["/api/as/{id}/restore"]["post"]["security"] == paths["/api/as/deleted"]["get"]["security"] == [{"bearer": []}]
    assert "| key; deletes: role admin |" in tree_of(text)["README.md"]


def test_only_services_that_say_who_deletes_have_code_for_it() -> None:
    lines = "  n: integer\n  write user\n{}  soft delete\n  restore\n"
    plain, apart = (tree_of(f"service x\nusers {{\n}}\nentity a {{\n{lines.format(more)}}}\n") for more in ("", "  delete owner\n"))
    sources = {name: text for brick in bricks() for name, text in brick.sources().items()}
    assert {name for name in plain if name.startswith("src/lib/") and plain[name] != sources[name]} == set()
    changed = {name for name in apart if name.startswith("src/lib/") and apart[name] != plain.get(name)}
    assert changed == {f"src/lib/{name}.ts" for name in ("deleters", "deletion", "entity", "restore", "soft-delete")}


def test_every_reference_and_operation_of_the_document_has_one_meaning() -> None:
    names = ["problem", "registration", "message", "message_body", "a", "a_change", "b_by_c", "a_b"]
    text = "service x\nusers {\n}\n" + "".join(
        f"entity {n} {{\n  {n}_only: text\n  c: -> a\n}}\n" for n in names
    )
    document = openapi(text)
    for name in names:
        path = f"/api/{plural(name).replace('_', '-')}"
        for method, answer in (("get", "200"), ("post", "201")):
            schema = document["paths"][path][method]["responses"][answer]["content"]["application/json"]["schema"]
            schema = schema.get("properties", {}).get("items", {}).get("items", schema)
            found = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            assert f"{name}_only" in found["properties"]
    ids = [o["operationId"] for item in document["paths"].values() for o in item.values() if "operationId" in o]
    assert len(set(ids)) == len(ids)


def test_a_parameter_stands_once() -> None:
    document = openapi("service x\nentity a {\n  price: money\n  price_min: text\n}\n")
    names = [p["name"] for p in document["paths"]["/api/as"]["get"]["parameters"]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "text",
    [
        "entity a {\n  b: text\n  c: text\n  unique (b, c)\n  unique (b, c)\n  unique (c, b)\n}",
        "entity index {\n  a: text\n}\nentity level1 {\n}\nentity level_1 {\n  table: text unique\n}",
        "entity a {\n" + "".join(f"  f{i}: text\n" for i in range(97)) + "}",
        "type generic",
        "type auth-service\nusers {\n  name: text\n}",
    ],
)
def test_the_migration_is_one_that_the_database_takes(text: str) -> None:
    tree = tree_of(f"service x\n{text}\n")
    database = sqlite3.connect(":memory:")
    database.setlimit(sqlite3.SQLITE_LIMIT_COLUMN, 100)
    assert sqlite3.complete_statement(tree["migrations/0001_init.sql"])
    database.executescript(tree["migrations/0001_init.sql"])


def test_every_entity_has_a_module_of_its_own() -> None:
    tree = tree_of("service x\nentity index {\n  a: text\n}\nentity level1 {\n}\nentity level_1 {\n}\n")
    assert "entityByName" in tree["src/entities/index.ts"]
    assert '"index"' in tree["src/entities/index-entity.ts"]
    names = [n.partition(" } from")[0] for n in tree["src/index.ts"].split("import { ") if "/entities/" in n]
    assert len(set(names)) == 3


def test_the_index_of_entities_is_there_for_own_code_even_without_any() -> None:
    assert "entityByName" in tree_of("service x\ntype generic\ncustom code\n")["src/entities/index.ts"]
    assert "src/entities/index.ts" not in tree_of("service x\ntype generic\n")


def test_a_long_name_makes_a_worker_that_may_be_called_so() -> None:
    config = tree_of(f"service {'a' * 63}\nentity a {{\n}}\n")["wrangler.jsonc"]
    name = json.loads(config.partition("\n")[2])["name"]
    assert len(name) <= 63 and name.endswith("-worker")


@pytest.mark.parametrize("name", ["staff", "data", "police", "luggage", "equipment", "feedback", "medical_staff"])
def test_what_is_not_counted_has_no_plural(name: str) -> None:
    assert plural(name) == name
