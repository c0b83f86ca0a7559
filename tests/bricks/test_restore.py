"""Restoring: its line, what is wrong with it, and faults that the proof finds."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.proof.client import Client
from clodo.proof.host import Host
from clodo.proof.verify import PROOF_SECRETS
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, checks_of, expect_caught, made, proof

SOURCE = """service plans
read user
write user

users {
  roles editor
}

entity plan {
  name: text required unique
  above: -> plan on delete cascade
  soft delete
  restore
}

entity step {
  title: text required
  plan: -> plan required on delete cascade
  read user
  write owner
  soft delete
  restore
}

entity remark {
  text: text required
  step: -> step required on delete cascade
  write role editor
  soft delete
  restore
}
"""
FOLDERS = """service folders

entity folder {
  name: text required unique
  soft delete
  restore
}

entity file {
  name: text required
  folder: -> folder on delete cascade
  soft delete
  restore
}
"""


def test_the_line_is_kept_as_it_is() -> None:
    assert format_blueprint(parse(SOURCE)) == SOURCE


@pytest.mark.parametrize(
    ("lines", "words"),
    [("  restore\n", "none can be restored"), ("  soft delete\n  restore\n  restore\n", "said twice")],
)
def test_what_makes_no_sense_is_told(lines: str, words: str) -> None:
    with pytest.raises(InvalidBlueprint, match=words) as error:
        parse("service s\n\nentity thing {\n  name: text required\n" + lines + "}\n")
    assert all(p.suggestion and p.line for p in error.value.problems)


of_this_brick = checks_of("restore")


FILE = "src/lib/restore.ts"
FAULTS = [
    Fault("nothing comes along", FILE, "reference.onDelete === \"cascade\" && child.softDelete ? then", "false ? then", "restore.cascade"),
    Fault("all comes along", FILE, "const then = `\"deleted_at\" = '${moment.replaceAll(\"'\", \"''\")}'`", "const then = '\"deleted_at\" <> \"\" AND ' + `'${moment}' <> ''`", "restore.cascade"),
    Fault("orphans", FILE, "then)), ...whole(c, rows)];", "then))];", "restore.parent"),
    Fault("anyone lists", FILE, "      const caller = await admit(c, entity.write);\n      return listRows", "      const caller = await admit(c, entity.read);\n      return listRows", "restore.access"),
    Fault("anyone restores", FILE, '...(ownAlone(entity.write, caller) ? [condition(\'"owner_id" = ?\', caller.user?.id ?? "")] : []),', "", "restore.access"),
    Fault("all rows are listed", FILE, "condition('\"deleted_at\" IS NOT NULL'),", "", "restore.list|restore.back"),
    Fault("twice", FILE, 'throw new Problem(409, "This row is not deleted.");\n      }', "return c.json(toJson(entity, await readRow(c, entity, caller, id)));\n      }", "restore.back"),
]


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_a_planted_fault_is_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(SOURCE, tmp_path / "s", toolchain, host, fault, checks=of_this_brick)


@pytest.mark.workerd
@pytest.mark.parametrize("source", [SOURCE, FOLDERS], ids=["users", "public"])
def test_a_service_is_proven(source: str, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(source, tmp_path / "s", toolchain, host)
    assert report.proven, report.summary()


@pytest.mark.workerd
def test_no_row_comes_back_while_its_parent_goes(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    served = host.serve(made(FOLDERS, tmp_path / "s"), bindings=PROOF_SECRETS)

    async def run() -> None:
        client = Client(served.url)
        for n in range(20):
            folder = (await client.send("POST", "/api/folders", {"name": f"f{n}"})).body["id"]
            file = (await client.send("POST", "/api/files", {"name": "x", "folder_id": folder})).body["id"]
            assert (await client.send("DELETE", f"/api/files/{file}")).status == 204
            restored, deleted = await asyncio.gather(
                client.send("POST", f"/api/files/{file}/restore"), client.send("DELETE", f"/api/folders/{folder}")
            )
            assert deleted.status == 204
            assert restored.status in (200, 409)
            twice = await asyncio.gather(*(client.send("POST", f"/api/folders/{folder}/restore") for _ in range(3)))
            assert sorted(a.status for a in twice) == [200, 409, 409]
        await client.close()

    asyncio.run(run())
    host.reset()


OWN = """service shelf

entity box {
  name: text required
  soft delete
  restore
  versions
}

entity item {
  name: text required
  seen: integer default 0
  box: -> box required on delete cascade
  soft delete
  restore
  versions
}

custom code
"""
COUNTS = """import { define } from "../lib/custom";

export const custom = define({
  hooks: {
    item: { beforeUpdate: (_, before) => (before.name === "plain" ? undefined : { seen: before.seen! + 1, name: "back" }) },
  },
});
"""


@pytest.mark.workerd
def test_what_own_code_sets_in_a_row_that_comes_back_is_stored(tmp_path: Path, host: Host) -> None:
    folder = made(OWN, tmp_path / "s")
    (folder / "src" / "custom" / "index.ts").write_text(COUNTS, "utf-8")
    served = host.serve(folder, bindings=PROOF_SECRETS)

    async def run() -> None:
        client = Client(served.url)
        box = (await client.send("POST", "/api/boxes", {"name": "a"})).body
        items = [(await client.send("POST", "/api/items", {"name": name, "box_id": box["id"]})).body for name in ("x", "plain")]
        assert (await client.send("DELETE", f"/api/items/{items[0]['id']}")).status == 204
        answer = await client.send("POST", f"/api/items/{items[0]['id']}/restore")
        assert (answer.status, answer.body["seen"], answer.body["name"]) == (200, 1, "back")
        assert answer.body["version"] != items[0]["version"]
        assert (await client.send("GET", f"/api/items/{items[0]['id']}")).body == answer.body
        # So are the rows that come along; one that own code leaves alone is as it was.
        assert (await client.send("DELETE", f"/api/boxes/{box['id']}")).status == 204
        assert (await client.send("POST", f"/api/boxes/{box['id']}/restore")).body == box
        assert (await client.send("GET", f"/api/items/{items[0]['id']}")).body["seen"] == 2
        assert (await client.send("GET", f"/api/items/{items[1]['id']}")).body == items[1]
        await client.close()

    asyncio.run(run())
    host.reset()
