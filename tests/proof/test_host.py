"""The runtime process: migrations as SQLite reads them, and settings as wrangler reads them."""

from __future__ import annotations

import json
import subprocess
from importlib.resources import files
from pathlib import Path

import httpx2 as httpx
import pytest

from clodo.blueprint import parse
from clodo.bricks.registry import service_tree
from clodo.emit.tree import write_tree
from clodo.errors import WorkspaceError
from clodo.proof.host import Host, HostError
from clodo.proof.settings import read_settings
from clodo.proof.verify import verify
from clodo.toolchain import Toolchain
from clodo.toolchain.store import node_path

SOURCE = 'service shop\n\nentity book {\n  title: text required\n  kind: enum("a;\\nb", "c") default "c"\n}\n'

SCRIPT = """-- a comment; with a semicolon
CREATE TABLE "a;" (x TEXT CHECK (x IN ('one;
two', 'it''s -- no comment;', '/* nor; this */')), [y;] INT); CREATE TABLE b (x); /* ; */
CREATE TRIGGER IF NOT EXISTS "t" AFTER INSERT ON b WHEN 1 BEGIN
  UPDATE b SET x = CASE WHEN x THEN 1 ELSE 2 END; -- END;
  SELECT ';', 1 AS "end", 2 AS `end;`;
END;
create temp trigger u after insert on b begin select 1; end
;;
INSERT INTO b VALUES (CASE WHEN 1 THEN 2 END);
SELECT 1"""


def split(sql: str) -> list[str]:
    """What ``statements.mjs`` makes of a script."""
    module = Path(str(files("clodo.proof").joinpath("statements.mjs"))).as_uri()
    program = f'import {{ statements }} from "{module}"; console.log(JSON.stringify(statements({json.dumps(sql)})));'
    out = subprocess.run([node_path(), "--input-type=module", "-e", program], capture_output=True, text=True, check=True)
    found = json.loads(out.stdout)
    assert isinstance(found, list)
    return found


def test_statements_end_where_sqlite_ends_them() -> None:
    import sqlite3

    found = split(SCRIPT)
    assert [s.split()[0].upper() + " " + s.split()[1].upper() for s in found] == [
        "CREATE TABLE", "CREATE TABLE", "CREATE TRIGGER", "CREATE TEMP", "INSERT INTO", "SELECT 1",
    ]  # fmt: skip
    database = sqlite3.connect(":memory:")
    for statement in found:
        assert sqlite3.complete_statement(statement + ";")
        database.execute(statement)  # which takes one statement and no more
    assert "'one;\ntwo', 'it''s -- no comment;', '/* nor; this */'" in found[0]


@pytest.mark.parametrize("sql", ["", ";", "-- only this", "/* open", " \n;\n"])
def test_nothing_is_no_statement(sql: str) -> None:
    assert split(sql) == []


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """A small service."""
    write_tree(service_tree(parse(SOURCE), SOURCE), tmp_path / "shop")
    return tmp_path / "shop"


def configure(service: Path, **values: object) -> None:
    text = (service / "wrangler.jsonc").read_text("utf-8")
    shown = json.dumps(values)[1:-1]
    (service / "wrangler.jsonc").write_text(text.replace('"main":', f'{shown}, // a comment\n  "main":', 1), "utf-8")


@pytest.mark.workerd
def test_triggers_and_odd_values_migrate_and_vars_reach_the_service(service: Path, host: Host) -> None:
    (service / "migrations" / "0002_log.sql").write_text(
        "CREATE TABLE log (n INT);\nCREATE TRIGGER log_books AFTER INSERT ON book BEGIN\n"
        "  INSERT INTO log VALUES (1);\n  UPDATE log SET n = CASE WHEN n = 1 THEN 7 END;\nEND;\n"
    )
    configure(service, vars={"GREETING": "hello", "SHADOWED": "no", "DEEP": {"a": [1]}})
    (service / "src" / "index.ts").write_text(
        'export default { fetch: (_: Request, env: object) => Response.json({ ...env, DB: 0 }) };'
    )
    served = host.serve(service, bindings={"SHADOWED": "yes"})
    assert served.applied[1:] == ("0002_log.sql",)
    answer = httpx.get(served.url, trust_env=False).json()
    assert (answer["GREETING"], answer["SHADOWED"], answer["DEEP"]) == ("hello", "yes", {"a": [1]})
    host.query("INSERT INTO book (id, title, kind, created_at, updated_at) VALUES ('1', 't', ?, '', '')", ["a;\nb"])
    assert host.query("SELECT n FROM log", []) == [{"n": 7}]
    host.reset()


def test_the_settings_are_those_of_the_folder(service: Path) -> None:
    text = (service / "wrangler.jsonc").read_text("utf-8")
    (service / "wrangler.jsonc").write_text(text.replace("2026-10-01", "2026-01-02"), "utf-8")
    configure(service, compatibility_flags=["nodejs_compat"])
    settings = read_settings(service)
    assert (settings.compatibility_date, settings.compatibility_flags, settings.variables) == ("2026-01-02", ("nodejs_compat",), {})


@pytest.mark.workerd
def test_the_runtime_takes_the_date_and_flags_of_the_folder(service: Path, host: Host) -> None:
    (service / "src" / "index.ts").write_text(
        'import { Buffer } from "node:buffer";\nexport default { fetch: () => new Response(Buffer.from("aGk=", "base64").toString()) };'
    )
    configure(service, compatibility_flags=["nodejs_compat"])
    served = host.serve(service, bindings={})
    assert httpx.get(served.url, trust_env=False).text == "hi"
    host.reset()


@pytest.mark.workerd
def test_settings_that_cannot_be_read_are_told(service: Path, host: Host) -> None:
    (service / "wrangler.jsonc").write_text("{ broken")
    with pytest.raises(HostError, match=r"wrangler\.jsonc cannot be read"):
        host.serve(service, bindings={})


def test_a_blueprint_in_another_encoding_is_told(service: Path) -> None:
    (service / "blueprint.clodo").write_bytes(SOURCE.encode("utf-16"))
    with pytest.raises(WorkspaceError, match="cannot be read"):
        verify(service, lambda _: (), Toolchain(Path(), Path()))


@pytest.mark.workerd
def test_nothing_of_a_host_stays_behind(tmp_path: Path, toolchain: Toolchain) -> None:
    blueprint = parse(SOURCE)
    write_tree(service_tree(blueprint, SOURCE), tmp_path / "s", {})
    with Host(toolchain) as host:
        served = host.serve(tmp_path / "s", bindings={})
        assert httpx.get(f"{served.url}/health", trust_env=False).status_code == 200
        assert any(host.scratch.iterdir()), "its databases live elsewhere"
    assert not host.scratch.exists()
