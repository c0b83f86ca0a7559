"""Export, import and bulk: their lines, what is wrong with them, and faults that the proof finds."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.bricks.registry import service_tree
from clodo.proof.client import Answer, Client
from clodo.proof.host import Host
from clodo.proof.verify import PROOF_SECRETS
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, checks_of, expect_caught, made, proof

LINES = ["export csv, ndjson", "export ndjson", "import csv", "import ndjson, csv", "bulk create 100", "bulk create 1000"]
SOURCE = """service notes

read user
write user

users {
}

entity folder {
  name: text required unique
  read owner
  write owner
}

entity note {
  title: text required unique
  body: longtext
  size: integer min 0
  folder: -> folder
  read owner
  write owner
  soft delete
  export csv, ndjson
  import csv, ndjson
  bulk create 60
}
"""
PLAIN = "service log\n\nentity entry {\n  title: text required\n  code: text unique\n  export csv, ndjson\n  import csv, ndjson\n  bulk create 5\n}\n"


def entity(*lines: str) -> str:
    return "service s\n\nentity thing {\n  name: text required\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_kept_as_it_is(line: str) -> None:
    assert format_blueprint(parse(entity(line))) == entity(line)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("export csv, csv",), "names csv twice"),
        (("import ndjson, ndjson",), "names ndjson twice"),
        (("bulk create 0",), "0 rows"),
        (("bulk create 1001",), "1001 rows"),
        (("bulk create 1.5",), "1.5 rows"),
        (("bulk create 5", "bulk create 6"), "said twice"),
        (("export csv", "export ndjson"), "said twice"),
        (("format: text", "export csv"), "asked for its format by 'format'"),
    ],
)
def test_what_makes_no_sense_is_told(lines: tuple[str, ...], words: str) -> None:
    with pytest.raises(InvalidBlueprint, match=words) as error:
        parse(entity(*lines))
    assert all(p.suggestion and p.line for p in error.value.problems)


def test_a_field_called_format_is_in_the_way_of_an_export_alone() -> None:
    parse(entity("format: text", "import csv"))
    parse(entity("format: json", "export csv"))


def test_an_export_alone_brings_no_import() -> None:
    tree = service_tree(parse(entity("export csv")), entity("export csv"))
    assert "importing" not in tree["src/index.ts"]
    paths = json.loads(tree["openapi.json"])["paths"]
    assert "/api/things/export" in paths
    assert "/api/things/import" not in paths


of_this_brick = checks_of("transfer")


FAULTS = [
    Fault("formulas", "src/lib/csv.ts", "FORMULA.test(text) ? `'${text}` : text", "text", "transfer.export"),
    Fault("formulas stay guarded", "src/lib/csv.ts", "FORMULA.test(text) ? text.slice(1) : text", "text", "transfer.import"),
    Fault("quotes", "src/lib/csv.ts", """text.replaceAll('"', '""')""", "text", "transfer.export"),
    Fault("private rows", "src/lib/export.ts", "...visible(entity, caller), ", "", "transfer.export-access"),
    Fault("one page", "src/lib/export.ts", "results.length < limit", "results.length > 0", "transfer.all"),
    Fault("order", "src/lib/export.ts", " ORDER BY ${query.order}", ' ORDER BY "id"', "transfer.export|transfer.all"),
    Fault("references", "src/lib/insertion.ts", "  await lookUp(c, entity, caller, given.map(([, fields]) => fields));\n", "", "transfer.import-rules"),
    Fault("hidden references", "src/lib/insertion.ts", ", ...nameable(entity, reference.to, caller)", "", "transfer.import-rules"),
    Fault("not all or nothing", "src/lib/insertion.ts", "  refuseFaulty(entries);\n  try", "  try", "transfer.import-rules"),
    Fault("no blame", "src/lib/insertion.ts", "await blame(c, entity, entries, error);", "", "transfer.import-rules"),
    Fault("anyone imports", "src/lib/import.ts", "await admit(c, entity.write)", "{}", "transfer.import-access"),
    Fault("no bound", "src/lib/import.ts", "if (size > MOST_BYTES) throw", "if (size > 9 * MOST_BYTES) throw", "transfer.import-file"),
    Fault("partial", "src/lib/import.ts", "await blame(c, entity, sound, error).catch((broken: unknown) => giveUp(storing, broken));", "throw error;", "transfer.import-partial"),
    Fault("any number", "src/lib/bulk.ts", "|| given.length > most", "", "transfer.bulk"),
]


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_a_planted_fault_is_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(SOURCE, tmp_path / "s", toolchain, host, fault, checks=of_this_brick)


@pytest.mark.workerd
@pytest.mark.parametrize("source", [SOURCE, PLAIN], ids=["private", "public"])
def test_a_service_is_proven(source: str, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(source, tmp_path / "s", toolchain, host)
    assert report.proven, report.summary()


async def sent(client: Client, method: str, path: str, rows: list[dict[str, Any]] | None = None) -> Answer:
    content = None if rows is None else "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    return await client.send(method, f"/api/entries/{path}", content=content, headers={"content-type": "application/x-ndjson"})


@pytest.mark.workerd
def test_many_rows_go_in_and_out(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    served = host.serve(made(PLAIN, tmp_path / "s"), bindings=PROOF_SECRETS)

    async def run() -> None:
        client = Client(served.url)
        rows = [{"title": f"row {n} {'x' * (n % 300)}", "code": f"c{n}"} for n in range(10_000)]
        answer = await sent(client, "POST", "import?format=ndjson", rows)
        assert answer.body == {"created": 10_000, "failed": 0, "errors": []}
        assert (await sent(client, "POST", "import?format=ndjson", [{"title": "x"}] * 10_001)).status == 413
        # Copies in the database, so that there are 100,000.
        await asyncio.to_thread(host.query, _COPIES, [])
        text = (await sent(client, "GET", "export?format=csv")).text
        ids = [line[:36] for line in text.splitlines()[1:]]
        assert len(ids) == len(set(ids)) == 100_000
        assert ids == sorted(ids)
        await client.close()

    asyncio.run(run())
    host.reset()


_COPIES = """INSERT INTO "entry" SELECT substr("id", 1, 8) || printf('-%04d', n.value) || substr("id", 14), "title", NULL,
"created_at", "updated_at" FROM "entry", (SELECT value FROM json_each('[1,2,3,4,5,6,7,8,9]')) n"""


RULED = "service log\n\nentity entry {\n  title: text required\n  size: integer required\n  check size > 0 \"An entry has a size.\"\n  import csv, ndjson\n}\n"


def _entries(sizes: list[int]) -> list[dict[str, Any]]:
    return [{"title": f"row {n}", "size": size} for n, size in enumerate(sizes, 1)]


@pytest.mark.workerd
def test_rows_that_take_too_many_attempts_are_left(tmp_path: Path, host: Host) -> None:
    """Each third row breaks a rule, so that the attempts are spent before the end: what is stored is counted, and the rest can be sent again."""
    served = host.serve(made(RULED, tmp_path / "s"), bindings=PROOF_SECRETS)

    async def run() -> None:
        client = Client(served.url)
        rows = _entries([0 if n % 3 == 0 else 1 for n in range(600)])
        answer = await sent(client, "POST", "import?format=ndjson&mode=partial", rows)
        assert answer.status == 200, answer.text
        created, failed, errors = (answer.body[key] for key in ("created", "failed", "errors"))
        stored = (await asyncio.to_thread(host.query, 'SELECT count(*) AS n FROM "entry"', []))[0]["n"]
        assert 0 < created == stored < 400
        assert created + failed == 600
        assert errors[0]["message"].startswith("was not tried")
        # All in front were looked at, and none behind.
        first = int(errors[0]["path"])
        assert created == sum(row["size"] for row in rows[: first - 1])
        assert [e["path"] for e in errors[1:]] == [str(n) for n in range(1, first, 3)][:49]
        assert {e["message"] for e in errors[1:]} == {"An entry has a size."}
        await client.close()

    asyncio.run(run())
    host.reset()


@pytest.mark.workerd
def test_few_rows_that_a_rule_refuses_are_found_among_many(tmp_path: Path, host: Host) -> None:
    served = host.serve(made(RULED, tmp_path / "s"), bindings=PROOF_SECRETS)

    async def run() -> None:
        client = Client(served.url)
        answer = await sent(client, "POST", "import?format=ndjson&mode=partial", _entries([0 if n in (7, 800) else 1 for n in range(1, 1501)]))
        assert answer.body == {"created": 1498, "failed": 2, "errors": [{"path": p, "message": "An entry has a size."} for p in ("7", "800")]}
        await client.close()

    asyncio.run(run())
    host.reset()


@pytest.mark.workerd
def test_where_the_database_gives_out_midway_what_is_stored_is_told(tmp_path: Path, host: Host) -> None:
    folder = made(RULED, tmp_path / "s")
    library = folder / "src" / "lib" / "insertion.ts"
    head = "const before = ahead(c, changes);"
    text = library.read_text("utf-8")
    assert head in text
    broken = "c.set('n' as never, ((Number(c.get('n' as never)) || 0) + 1) as never);\n  if (Number(c.get('n' as never)) > 4) throw new Error('too many queries');"
    library.write_text(text.replace(head, f"{broken}\n  {head}"), "utf-8")
    served = host.serve(folder, bindings=PROOF_SECRETS)

    async def run() -> None:
        client = Client(served.url)
        # All of them; the first four; the first two; the next two: the last is refused, and so on.
        answer = await sent(client, "POST", "import?format=ndjson&mode=partial", _entries([1, 1, 1, 0, 1, 1, 1, 1]))
        stored = (await asyncio.to_thread(host.query, 'SELECT count(*) AS n FROM "entry"', []))[0]["n"]
        assert answer.status == 200, answer.text
        assert (answer.body["created"], answer.body["failed"], stored) == (2, 6, 2)
        told = {e["path"]: e["message"] for e in answer.body["errors"]}
        assert "may be stored or not" in told["3"]
        assert answer.body["errors"][0]["path"] == "4"
        await client.close()

    asyncio.run(run())
    host.reset()


@pytest.mark.workerd
def test_of_two_imports_at_once_one_is_stored_whole(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    served = host.serve(made(PLAIN, tmp_path / "s"), bindings=PROOF_SECRETS)

    async def run() -> None:
        client = Client(served.url)
        both = [[{"title": who, "code": f"{who}{n}" if n else "same"} for n in range(50)] for who in ("ann", "ben")]
        answers = await asyncio.gather(*(sent(client, "POST", "import?format=ndjson", rows) for rows in both))
        assert sorted(a.status for a in answers) == [200, 409]
        loser = next(a for a in answers if a.status == 409)
        assert [e["path"] for e in loser.body["errors"]] == ["1.code"]
        titles = [json.loads(line)["title"] for line in (await sent(client, "GET", "export?format=ndjson")).text.splitlines()]
        assert len(titles) == 50
        assert len(set(titles)) == 1
        await client.close()

    asyncio.run(run())
    host.reset()


@pytest.mark.workerd
def test_an_export_can_be_imported_again(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    served = host.serve(made(PLAIN, tmp_path / "s"), bindings=PROOF_SECRETS)
    texts = ["=1+1", "''=x", "'plain", "\t", "\r\n", '"', "a,b", " x ", "-", "＝1", "𝔘", "1e5", "true", "null"]

    async def run() -> None:
        client = Client(served.url)
        assert (await sent(client, "POST", "import?format=ndjson", [{"title": text} for text in texts])).status == 200
        file = (await sent(client, "GET", "export?format=csv")).text
        headers = {"content-type": "text/csv"}
        answer = await client.send("POST", "/api/entries/import?format=csv", content=file.encode(), headers=headers)
        assert answer.body["created"] == len(texts), answer.text
        rows = [json.loads(line) for line in (await sent(client, "GET", "export?format=ndjson")).text.split("\n")[:-1]]
        assert [row["title"] for row in rows] == texts * 2
        await client.close()

    asyncio.run(run())
    host.reset()


JSON = """service log

entity entry {
  meta: json
  export csv, ndjson
  import csv, ndjson
}
"""


@pytest.mark.workerd
def test_json_comes_back_from_csv_as_it_was(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    served = host.serve(made(JSON, tmp_path / "s"), bindings=PROOF_SECRETS)
    values: list[Any] = ["123", "null", "true", "[1]", "", "plain", "=1+1", "'=x", '"', "a,b\r\n", "𝔘", 123, True, None, [1, "2"], {"a": "1"}]

    async def run() -> None:
        client = Client(served.url)
        assert (await sent(client, "POST", "import?format=ndjson", [{"meta": value} for value in values])).status == 200
        file = (await sent(client, "GET", "export?format=csv")).text
        # Texts of files that were written by hand are taken as they are where they are no JSON.
        file += ",by hand,,\r\n"
        headers = {"content-type": "text/csv"}
        answer = await client.send("POST", "/api/entries/import?format=csv", content=file.encode(), headers=headers)
        assert answer.body["created"] == len(values) + 1, answer.text
        rows = [json.loads(line) for line in (await sent(client, "GET", "export?format=ndjson")).text.split("\n")[:-1]]
        assert [row["meta"] for row in rows] == [*values, *values, "by hand"]
        await client.close()

    asyncio.run(run())
    host.reset()


SLUGS = """service log

entity entry {
  title: text required
  slug from title
  import ndjson
  bulk create 100
}

webhook told on entry created
"""


@pytest.mark.workerd
def test_what_hooks_ask_and_store_is_asked_once_for_a_request(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    folder = made(SLUGS, tmp_path / "s")
    index = folder / "src" / "index.ts"
    # Counts what is prepared while a request goes on; only the number behind a slug takes a statement for each row.
    index.write_text(index.read_text().replace("const app = new Hono<AppEnv>();", _COUNTED))
    served = host.serve(folder, bindings=PROOF_SECRETS)

    async def run() -> None:
        client = Client(served.url)
        counts = []
        for many in (1, 11, 61):
            answer = await client.send("POST", "/api/entries/bulk", [{"title": f"row {n % 5}"} for n in range(many)])
            assert answer.status == 201, answer.text
            assert len({item["slug"] for item in answer.body["items"]}) == many
            counts.append(int(answer.headers["x-statements"]) - many)
        assert len(set(counts)) == 1, counts
        await client.close()

    asyncio.run(run())
    host.reset()


_COUNTED = """const app = new Hono<AppEnv>();
app.use(async (c, next) => {
  let count = 0;
  const { DB } = c.env;
  const prepare = (sql: string): D1PreparedStatement => (count++, DB.prepare(sql));
  c.env = { ...c.env, DB: { prepare, batch: (all: D1PreparedStatement[]) => DB.batch(all) } as unknown as D1Database };
  await next();
  c.header("x-statements", String(count));
});"""
