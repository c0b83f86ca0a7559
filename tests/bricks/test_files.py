"""Files and images of rows: the language, what the proof finds, and what no request can see."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.blueprint.gbnf import gbnf
from clodo.blueprint.plan import make_plan
from clodo.bricks.files.checks import checks
from clodo.bricks.files.language import FileField
from clodo.bricks.files.proving import chunked
from clodo.bricks.registry import service_tree
from clodo.proof.client import Client
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, expect_caught, made, proof

DISH = """service menu

entity dish {
  name: text
  photo: image max 1 MB
}
"""
#: What the faults are planted into: both kinds, one of them private, a cascade.
ALBUM = """service albums
read key
write key

entity album {
  title: text
}

entity track {
  album: -> album on delete cascade
  cover: image max 20 KB types "image/png", "image/webp"
  sheet: file max 20 KB
  master: file max 20 KB private
}
"""


def entity(line: str, more: str = "") -> str:
    return f"service s\n\nentity thing {{\n  name: text\n  {line}\n}}\n{more}"


def part(line: str) -> FileField:
    [found] = parse(entity(line)).entities[0].parts_of(FileField)
    return found


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidBlueprint) as caught:
        parse(text)
    return [f"{p.line}: {p.message} {p.suggestion}".strip() for p in caught.value.problems]


# -- the language ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("photo: image max 5 MB", FileField("photo", "image", 5_000_000)),
        ("photo: image max 1.5 MB", FileField("photo", "image", 1_500_000)),
        ("photo: image", FileField("photo", "image", 10_000_000)),
        ("a: file max 20 KB private", FileField("a", "file", 20_000, private=True)),
        (
            'contract: file max 10 MB types "application/pdf", "text/plain" private',
            FileField("contract", "file", 10_000_000, ("application/pdf", "text/plain"), private=True),
        ),
    ],
)
def test_a_line_is_read_and_written_back(line: str, value: FileField) -> None:
    assert part(line) == value
    text = format_blueprint(parse(entity(line)))
    assert format_blueprint(parse(text)) == text
    assert parse(text).entities[0].parts == (value,)


@pytest.mark.parametrize("name", ["file", "image", "private", "types", "max"])
def test_its_words_are_still_names(name: str) -> None:
    b = parse(f"service s\n\nentity {name} {{\n  {name}: text\n  other: enum({name}, b) default {name}\n  unique ({name}, other)\n}}\n")
    assert b.entities[0].fields[0].name == name


def test_the_row_tells_of_it_and_a_body_cannot() -> None:
    plan = make_plan(parse(DISH))
    assert [(f.name, f.read_only) for f in plan.blueprint.entities[0].fields] == [("name", False), ("photo", True)]
    tree = service_tree(parse(DISH), DISH)
    assert "CREATE TRIGGER" in tree["migrations/0001_init.sql"] and '"bucket_name": "menu-files"' in tree["wrangler.jsonc"]
    # No private file, no secret for links.
    assert "FILES_SECRET" not in tree["src/env.ts"] and "src/lib/file-links.ts" not in tree
    assert "FILES_SECRET" in service_tree(parse(ALBUM), ALBUM)["src/env.ts"]


def test_the_grammar_of_decoders_knows_it() -> None:
    assert '"image"' in gbnf() and '"types"' in gbnf()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("photo: image max 0.5 KB", "5: The size of 'photo' has to be from 1 KB to 500 MB, in whole bytes. Write max 10 MB, say."),
        ("photo: image max -1 MB", "5: The size of 'photo' has to be from 1 KB to 500 MB, in whole bytes. Write max 10 MB, say."),
        ("a: file max 1.0001 KB", "5: The size of 'a' has to be from 1 KB to 500 MB, in whole bytes. Write max 10 MB, say."),
        ("a: file max 501 MB", "5: The size of 'a' has to be from 1 KB to 500 MB, in whole bytes. Write max 10 MB, say."),
        ('a: file types "pdf"', "5: 'pdf' is no media type. Write \"application/pdf\", say."),
        ('a: file types "Text/Plain"', "5: 'Text/Plain' is no media type. Write \"text/plain\", say."),
        ('a: file types "a b/c"', "5: 'a b/c' is no media type. Write \"application/pdf\", say."),
        ('a: file types "text/csv", "text/csv"', "5: 'a' has the type 'text/csv' 2 times. Remove the repetition."),
        ('a: file types "multipart/form-data"', "5: 'multipart/form-data' is how forms are sent, and no type of a file. Remove it."),
        ('photo: image types "jpg"', "5: 'jpg' is no type of an image here. Write \"image/jpeg\"."),
        (
            'photo: image types "image/svg+xml"',
            "5: 'image/svg+xml' is no type of an image here. An SVG can carry scripts. Choose other types, or make it a file, which"
            " browsers save and do not show.",
        ),
        ("name: image", "5: thing has 'name' twice. Rename or remove one."),
        ("photo: image\n  unique (name, photo)", "5: 'photo' is a file and cannot be unique. Take it out of the group."),
        ("photo: image\n  search photo", "6: thing.photo cannot be searched: it is json. Search looks through stored texts."),
    ],
)
def test_what_makes_no_sense_is_told(line: str, said: str) -> None:
    found = problems(entity(line))
    assert said in found or (line.startswith("name") and any("said twice" in p for p in found)), found


def test_thirty_types_are_enough() -> None:
    types = ", ".join(f'"text/x-{n}"' for n in range(31))
    assert problems(entity(f"a: file types {types}")) == ["5: 'a' has 31 types, and 30 are possible. Remove some."]


@pytest.mark.parametrize("more", ["entity photo {\n  thing: -> thing\n}\n", "entity photo {\n  name: text\n  things: <-> thing\n}\n"])
def test_its_path_is_its_own(more: str) -> None:
    said = problems(entity("photos: image", more))
    assert all(p.startswith("5: The file field 'photos' of thing would answer at /api/things/{id}/photos, and so would the li") for p in said)


def test_doubts_are_warnings() -> None:
    from clodo.blueprint.checks import check

    found = check(parse(entity("a: file max 200 MB private")))
    assert [(p.severity, p.path) for p in found] == [("warning", "thing.a")] * 2
    assert "above 100 MB" in found[0].message and "everybody may read" in found[1].message


# -- faults that the proof finds ---------------------------------------------------------------------

FILES, STORE, BODY, TYPES, GET, LINKS = (
    f"src/lib/{name}.ts" for name in ("files", "file-store", "file-body", "file-types", "file-download", "file-links")
)
INDEX, SQL = "src/index.ts", "migrations/0001_init.sql"
FAULTS = (
    Fault("anyone writes", FILES, "= await writableRow(c, entity, id);\n  const length", '= [await readRow(c, entity, {}, id), {} as Caller] as const;\n  const length', "files.access"),
    Fault("anyone removes", FILES, "= await writableRow(c, entity, id);\n  if", '= [await readRow(c, entity, {}, id), {} as Caller] as const;\n  if', "files.access"),
    Fault("anyone reads", FILES, "await admit(c, entity.read)", "await admit(c, \"public\")", "files.access"),
    Fault("anyone gets a link", LINKS, "await admit(c, entity.read)", "await admit(c, \"public\")", "files.access"),
    Fault("no limit of a told length", FILES, "body.length > rules.max", "body.length > 9e9", "files.size"),
    Fault("the limit is one too low", INDEX, "max: 20000", "max: 19999", "files.size"),
    Fault("the limit is one too high", INDEX, "max: 20000", "max: 20001", "files.size"),
    Fault("no limit of an untold length", BODY, "if (size > limit.max) throw tooLarge(limit);", "", "files.size"),
    Fault("any type", FILES, "!rules.types.includes(type)", "type === \"\"", "files.kind"),
    Fault("forms", FILES, "if (isForm(type))", "if (type === \"\")", "files.kind"),
    Fault("content encodings", FILES, '!== "identity"', '=== "x"', "files.kind"),
    Fault("the bytes are not looked at", FILES, "rules.image && !beginsAs(type, head)", "type === \"\"", "files.kind"),
    Fault("any image passes for another", TYPES, "SIGNATURES[type]?.test(String.fromCharCode(...head)) ?? false", "Object.values(SIGNATURES).some((s) => s.test(String.fromCharCode(...head)))", "files.kind"),
    Fault("empty files", FILES, "head.byteLength === 0", "head.byteLength < 0", "files.kind"),
    Fault("one key for all versions", STORE, "${rules.field}/${version}", "${rules.field}", "files."),
    Fault("replaced files stay", FILES, "      await sweep(c);\n      return", "      return", "files.upload"),
    Fault("files that rows lose are not noted", SQL, 'json_extract(OLD."cover", \'$.version\') WHERE', 'NULL WHERE', "files.noted"),
    Fault("files of rows that go are not noted", SQL, 'AFTER DELETE ON "track"', 'AFTER UPDATE OF "id" ON "track"', "files.noted"),
    Fault("files stay without their row", "src/entities/track.ts", "hooks: [fileHook],", "", "files.gone"),
    Fault("the row does not tell", FILES, "content_type: type", "content_type: \"text/plain\"", "files.upload|files.kind|core.openapi"),
    Fault("names are not made safe", TYPES, "safeName(given.slice(-MAX_GIVEN))", "given", "files.name"),
    Fault("names are told raw", GET, 'disposition(rules.image ? "inline" : "attachment", file.name)', '`${rules.image ? "inline" : "attachment"}; filename="${file.name}"`', "files.name|core.no-server-error"),
    Fault("pages are shown", GET, 'rules.image ? "inline" : "attachment"', '"inline"', "files.download"),
    Fault("no sandbox", GET, 'headers.set("content-security-policy", "default-src \'none\'; sandbox");', "", "files.download"),
    Fault("caches keep it for all", GET, "private, no-cache", "public, max-age=60", "files.download"),
    Fault("no 304", GET, 'isKnown(c.req.header("if-none-match"), tag)', 'c.req.header("if-none-match") === "x"', "files.download"),
    Fault("a part too long", GET, "length: end - offset + 1", "length: end - offset", "files.download"),
    Fault("no 416", GET, "if (offset > end) {", "if (offset > end) return undefined;\n  if (offset > end) {", "files.download"),
    Fault("If-Range is not looked at", GET, '(c.req.header("if-range") ?? tag) !== tag', "false", "files.download"),
    Fault("private files are served to readers", INDEX, 'privateFiles(app, trackEntity, { field: "master"', 'files(app, trackEntity, { field: "master"', "files."),
    Fault("any signature", LINKS, "return crypto.subtle.verify(\"HMAC\", await signingKey(c), digest, data);", "return digest.length === 32;", "files.private"),
    Fault("links live for ever", LINKS, "return left > 0 && left <= MAX_SECONDS;", "return expires !== \"\";", "files.private"),
    Fault("links of any length", LINKS, "return left > 0 && left <= MAX_SECONDS;", "return left > 0;", "files.private"),
    Fault("the time is not signed", LINKS, "[path, version, expires]", "[path, version]", "files.private"),
    Fault("the path is not signed", LINKS, "[path, version, expires]", "[version, expires]", "files."),
    Fault("links outlive a replacement", LINKS, "fileData(row, rules)?.version !== version", "fileData(row, rules) === null", "files.bound"),
    Fault("any lifetime", LINKS, "min: 1, max: MAX_SECONDS, default", "default", "files.link"),
)  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_the_proof_finds(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(ALBUM, tmp_path / "s", toolchain, host, fault, checks=checks)


@pytest.mark.workerd
def test_what_the_faults_are_planted_into_is_proven(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(ALBUM, tmp_path / "s", toolchain, host, types=True)
    assert report.proven, report.summary()


# -- what no request can see: the bucket -----------------------------------------------------------------

#: Tells what is in the bucket; only in these tests.
PEEP = """app.get("/peep", async (c) => {
  const { objects } = await c.env.FILES.list();
  return c.json(objects.map(({ key, size }) => ({ key, size })));
});
"""
PNG = b"\x89PNG\r\n\x1a\n"


class Menu:
    """A service with dishes, its bucket and its database."""

    def __init__(self, host: Host, client: Client) -> None:
        self.host, self.client = host, client

    async def dish(self) -> str:
        return str((await self.client.send("POST", "/api/dishes", {"name": "x"})).body["id"])

    async def put(self, id: str, data: bytes, type_: str = "image/png", **headers: str) -> Any:
        sent = {"content-type": type_, **{k.replace("_", "-"): v for k, v in headers.items()}}
        return await self.client.send("PUT", f"/api/dishes/{id}/photo", headers=sent, content=data)

    async def bucket(self) -> dict[str, int]:
        return {o["key"]: o["size"] for o in (await self.client.send("GET", "/peep")).body}

    async def query(self, sql: str, *values: str) -> list[dict[str, Any]]:
        return await asyncio.to_thread(self.host.query, sql, list(values))

    async def key(self, id: str) -> str:
        row = (await self.client.send("GET", f"/api/dishes/{id}")).body
        return f"dish/{id}/photo/{row['photo']['version']}"


def on_menu(host: Host, folder: Path, run: Callable[[Menu], Awaitable[None]], fault: Fault | None = None, source: str = DISH) -> None:
    """Runs against a service whose bucket can be seen."""
    shutil.rmtree(folder, ignore_errors=True)
    made(source, folder, fault)
    index = folder / "src" / "index.ts"
    index.write_text(index.read_text().replace("export default", f"{PEEP}\nexport default"))

    async def all_of_it() -> None:
        client = Client(host.serve(folder, bindings={}).url)
        try:
            await run(Menu(host, client))
        finally:
            await client.close()

    try:
        asyncio.run(all_of_it())
    finally:
        host.reset()


@pytest.mark.workerd
def test_objects_come_and_go_with_their_rows(tmp_path: Path, host: Host) -> None:
    async def run(m: Menu) -> None:
        id = await m.dish()
        assert (await m.put(id, PNG + b"1")).status == 201
        first = await m.bucket()
        assert list(first.values()) == [9] and list(first) == [await m.key(id)]
        assert (await m.put(id, PNG + b"22")).status == 200
        assert await m.bucket() == {await m.key(id): 10}
        for refused in (b"GIF89a", b"", PNG.ljust(1_000_001), b"<svg/>"):
            assert (await m.put(id, refused)).status >= 400
        assert (await m.put(id, chunked(PNG.ljust(1_000_001)), transfer_encoding="chunked")).status == 413
        assert await m.bucket() == {await m.key(id): 10}
        assert (await m.client.send("DELETE", f"/api/dishes/{id}/photo")).status == 204
        assert await m.bucket() == {}
        assert (await m.put(id, PNG)).status == 201
        assert (await m.client.send("DELETE", f"/api/dishes/{id}")).status == 204
        assert await m.bucket() == {} and await m.query('SELECT * FROM "_unused_files"') == []

    on_menu(host, tmp_path / "s", run)


@pytest.mark.workerd
def test_uploads_and_deletions_at_once_leave_one_object_or_none(tmp_path: Path, host: Host) -> None:
    async def run(m: Menu) -> None:
        ids = [await m.dish() for _ in range(3)]
        # Of different sizes, so that a row tells which one it has.
        answers = await asyncio.gather(*(m.put(id, PNG + b"x" * (50 * n)) for n in range(8) for id in ids))
        assert {a.status for a in answers} <= {200, 201}
        for id in ids:
            row = (await m.client.send("GET", f"/api/dishes/{id}")).body
            served = await m.client.send("GET", f"/api/dishes/{id}/photo")
            assert int(served.headers["content-length"]) == row["photo"]["size"]
            assert served.headers["etag"] == f'"{row["photo"]["version"]}"'
        assert sorted(await m.bucket()) == sorted([await m.key(id) for id in ids])

        gone = [await m.dish() for _ in range(6)]
        await asyncio.gather(*(m.put(id, PNG) for id in gone))
        uploads = [m.put(id, PNG + b"late") for id in gone]
        deletions = [m.client.send("DELETE", f"/api/dishes/{id}") for id in gone]
        mixed = [one for pair in zip(uploads, deletions, strict=True) for one in pair]
        statuses = [a.status for a in await asyncio.gather(*mixed)]
        assert set(statuses[::2]) <= {200, 404} and set(statuses[1::2]) == {204}
        assert sorted(await m.bucket()) == sorted([await m.key(id) for id in ids])
        assert await m.query('SELECT * FROM "_unused_files"') == []

        # Reading while it is replaced gives one file or the other, whole.
        id = ids[0]
        reads = [m.client.send("GET", f"/api/dishes/{id}/photo") for _ in range(12)]
        writes = [m.put(id, PNG + b"y" * n) for n in range(12)]
        for a in (await asyncio.gather(*(one for pair in zip(reads, writes, strict=True) for one in pair)))[::2]:
            assert a.status == 200 and len(a.text) > 0

    on_menu(host, tmp_path / "s", run)


@pytest.mark.workerd
@pytest.mark.parametrize(
    ("name", "file", "old", "new"),
    [
        ("the row cannot be changed", FILES, "const stored = await carryOut(c, change, statement)", 'const stored = await Promise.reject(new Error("broken"))'),
        ("the row has gone meanwhile", FILES, "const stored = await carryOut(c, change, statement).catch(conflict(entity))", "void statement;\n  void conflict;\n  const stored = null as Row | null"),
        ("a hook refuses", FILES, "  await check(c, [change]);", "  throw notFound();\n  await check(c, [change]);"),
    ],
)  # fmt: skip
def test_no_object_is_left_where_the_row_cannot_have_it(name: str, file: str, old: str, new: str, tmp_path: Path, host: Host) -> None:
    async def run(m: Menu) -> None:
        assert (await m.put(await m.dish(), PNG)).status in (404, 500)
        assert await m.bucket() == {} and await m.query('SELECT * FROM "_unused_files"') == []

    on_menu(host, tmp_path / "s", run, Fault(name, file, old, new, ""))


@pytest.mark.workerd
def test_what_could_not_be_cleared_goes_later(tmp_path: Path, host: Host) -> None:
    async def run(m: Menu) -> None:
        id, other = await m.dish(), await m.dish()
        await m.put(id, PNG)
        await m.put(other, PNG)
        # By a hand that knows nothing of files.
        await m.query('DELETE FROM "dish" WHERE "id" = ?', id)
        # A Worker that died in an upload, long ago and just now.
        long_ago, now = "dish/x/photo/old", "dish/x/photo/new"
        await m.query('INSERT INTO "_unused_files" VALUES (?, ?)', long_ago, "2026-01-01T00:00:00.000Z")
        await m.query("INSERT INTO \"_unused_files\" VALUES (?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))", now)
        assert len(await m.bucket()) == 2
        await m.client.send("DELETE", f"/api/dishes/{other}/photo")
        assert await m.bucket() == {}
        assert [row["key"] for row in await m.query('SELECT "key" FROM "_unused_files"')] == [now]

    on_menu(host, tmp_path / "s", run)


@pytest.mark.workerd
def test_an_upload_that_was_given_up_cannot_end_well(tmp_path: Path, host: Host) -> None:
    slow = Fault("", FILES, "const row = await changeRow", 'await c.env.DB.prepare(\'UPDATE "_unused_files" SET "begun" = NULL\').run();\n      const row = await changeRow', "")

    async def run(m: Menu) -> None:
        id = await m.dish()
        assert (await m.put(id, PNG)).status == 404
        assert (await m.client.send("GET", f"/api/dishes/{id}")).body["photo"] is None and await m.bucket() == {}

    on_menu(host, tmp_path / "s", run, slow)


@pytest.mark.workerd
def test_rows_that_are_only_hidden_keep_their_files(tmp_path: Path, host: Host) -> None:
    async def run(m: Menu) -> None:
        id = await m.dish()
        await m.put(id, PNG)
        assert (await m.client.send("DELETE", f"/api/dishes/{id}")).status == 204
        assert (await m.client.send("GET", f"/api/dishes/{id}/photo")).status == 404
        assert len(await m.bucket()) == 1 and await m.query('SELECT * FROM "_unused_files"') == []

    on_menu(host, tmp_path / "s", run, source=DISH.replace("photo:", "soft delete\n  photo:"))


@pytest.mark.workerd
def test_large_files_without_a_length_come_whole(tmp_path: Path, host: Host) -> None:
    size = 12_000_001

    async def run(m: Menu) -> None:
        id = await m.dish()
        data = PNG + bytes(n % 251 for n in range(size - len(PNG)))
        made = await m.put(id, chunked(data), transfer_encoding="chunked")
        assert made.status == 201 and made.body["photo"]["size"] == size and list((await m.bucket()).values()) == [size]
        # Across the border of two parts.
        at = 5 * 1024 * 1024
        across = await m.client.send("GET", f"/api/dishes/{id}/photo", headers={"range": f"bytes={at - 5}-{at + 5}"})
        assert across.status == 206 and across.text == data[at - 5 : at + 6].decode("utf-8", "replace")
        assert (await m.put(id, chunked(data + b"x"), transfer_encoding="chunked")).status == 413
        assert list((await m.bucket()).values()) == [size]

    on_menu(host, tmp_path / "s", run, source=DISH.replace("1 MB", "12000.001 KB"))
