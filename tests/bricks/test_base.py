"""Planted faults of the bricks that the base grammar knows, each in the example of its brick, and more of those that have few."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught

KEY, SOFT, ENTITY, SEARCH = "src/lib/api-key.ts", "src/lib/soft-delete.ts", "src/lib/entity.ts", "src/lib/search.ts"
INIT = "migrations/0001_init.sql"
FAULTS = {
    "api_key": [
        Fault("no key is a key", KEY, "if (given === undefined) return undefined;", "if (given === undefined) return { key: true };", "api_key.needed"),
        Fault("an empty key is one", KEY, "if (!c.env.API_KEY)", 'if (given === "") return { key: true };\n  if (!c.env.API_KEY)', "api_key.needed"),
        Fault("the bearer's key is not taken", KEY, ' ?? bearerToken(c)', " ?? void bearerToken", "api_key.needed"),
        Fault("what follows the key does not count", KEY, "sameText(given, c.env.API_KEY)", "sameText(given.slice(0, c.env.API_KEY.length), c.env.API_KEY)", "api_key.needed"),
        Fault("capitals do not count", KEY, "sameText(given, c.env.API_KEY)", "sameText(given.toLowerCase(), c.env.API_KEY.toLowerCase())", "api_key.needed"),
        Fault("any scheme does", "src/lib/access.ts", "/^Bearer +(", "/^[A-Za-z]+ +(", "api_key.needed"),
        Fault("readings are open", "src/entities/reading.ts", 'read: "key"', 'read: "public"', "api_key.needed"),
        Fault("a refusal tells of no scheme", "src/lib/access.ts", '"www-authenticate"', '"x-authenticate"', "api_key.needed"),
    ],
    "soft_delete": [
        Fault("rows are gone for good", SOFT, "`UPDATE ${quote(entity.name)} SET \"deleted_at\" = ? WHERE ${those.sql} AND ${shown(entity)}`", "`DELETE FROM ${quote(entity.name)} WHERE ? <> '' AND ${those.sql}`", "soft_delete.hidden"),
        Fault("hidden at another time", SOFT, "new Date().toISOString()", "new Date(0).toISOString()", "soft_delete.hidden"),
        Fault("hidden rows are listed and read", ENTITY, 'conditions.push(condition(\'"deleted_at" IS NULL\'));', "void condition;", "soft_delete.hidden"),
        Fault("values of hidden rows stay taken", INIT, ' WHERE "deleted_at" IS NULL', "", "soft_delete.hidden"),
        Fault("hidden patterns hold their book", SOFT, "AND NOT ${along.sql} AND ${shown(child)} LIMIT 1", "AND NOT ${along.sql} LIMIT 1", "soft_delete.releases"),
        Fault("shown patterns hold no book", SOFT, " AND ${shown(child)}", " AND 1 = 2", "soft_delete.releases|relations.on-delete"),
        Fault("who comes during a deletion stays below it", SOFT, ", ...erasing(gone), ...whole(going)]", ", ...erasing(gone), ...whole(new Map())]", "soft_delete.race"),
        Fault("new rows come below a row that was hidden after the look", INIT, "BEFORE INSERT ON \"pattern\" WHEN EXISTS", "BEFORE INSERT ON \"pattern\" WHEN NOT EXISTS (SELECT 1) AND EXISTS", "soft_delete.race"),
        Fault("changed rows come below a row that was hidden after the look", INIT, "WHEN NEW.\"book_id\" IS NOT OLD.\"book_id\" AND", "WHEN NEW.\"book_id\" IS OLD.\"book_id\" AND", "soft_delete.race"),
    ],
    "search": [
        Fault("one field less", "src/entities/song.ts", '"title", "composer", "lyrics"', '"title", "composer"', "search.q"),
        Fault("another field", "src/entities/song.ts", '"title", "composer", "lyrics"', '"title", "title", "lyrics"', "search.q"),
        Fault("words at the beginning only", SEARCH, "> 0`", "= 1`", "search.q"),
        Fault("the words as SQL", SEARCH, "words.map(() => `instr(lower(${all}), lower(?)) > 0`).join(\" AND \"), ...words", "words.map((word) => `instr(lower(${all}), lower('${word}')) > 0`).join(\" AND \")", "search.q|core.no-server-error"),
    ],
}  # fmt: skip
PLANTED = [pytest.param(brick, fault, id=f"{brick}: {fault.name}") for brick, faults in FAULTS.items() for fault in faults]


@pytest.mark.workerd
@pytest.mark.parametrize(("brick", "fault"), PLANTED)
def test_faults_are_found(brick: str, fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(example_of(brick), tmp_path / "s", toolchain, host, fault)
