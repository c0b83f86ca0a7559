"""Own code: it is called, it is typed, and no regeneration touches it."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2 as httpx
import pytest

from clodo.app.services import put_service
from clodo.blueprint import format_blueprint, parse
from clodo.blueprint.problems import InvalidBlueprint
from clodo.bricks.custom.language import CustomCode
from clodo.bricks.registry import service_checks
from clodo.proof.host import Host
from clodo.proof.verify import verify
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught, made

NIGHT = "0 3 * * *"
OWN = Path("src") / "custom" / "index.ts"


def put(text: str, folder: Path, *, discard_edits: bool = False) -> None:
    put_service(parse(text), text, folder, prove=False, force=True, discard_edits=discard_edits)


# -- the language ---------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["custom code", f'custom code at "{NIGHT}"', f'custom code at "*/5 8-18 * * mon-fri", "{NIGHT}"'])
def test_it_is_read_and_written(line: str) -> None:
    text = f"service a\n\nentity b {{\n  c: text\n}}\n\n{line}\n"
    blueprint = parse(text)
    assert format_blueprint(blueprint) == text
    assert len(blueprint.parts_of(CustomCode)) == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('custom code at "every night"', "no line of cron"),
        ('custom code at "0 3 * *"', "no line of cron"),
        ('custom code at "0 3 * * 0"', "Sunday is 1 and Saturday 7"),
        (f'custom code at "{NIGHT}", "{NIGHT}"', "2 times"),
        ("custom code\ncustom code", "said twice"),
    ],
)
def test_what_makes_no_sense_is_told(line: str, message: str) -> None:
    with pytest.raises(InvalidBlueprint, match=message):
        parse(f"service a\nentity b {{\n  c: text\n}}\n{line}\n")


# -- regeneration ---------------------------------------------------------------------------


def test_no_regeneration_touches_it(tmp_path: Path) -> None:
    shop, text = tmp_path / "shop", example_of("custom")
    put(text, shop)
    mine = b"export const custom = {};\r\n// mine, with odd bytes \xff\r\n"
    (shop / OWN).write_bytes(mine)
    (shop / "src" / "custom" / "more.ts").write_text("export {};\n")
    stamps = [(shop / "src" / "custom" / n).stat().st_mtime_ns for n in ("index.ts", "more.ts")]
    for discard_edits in (False, True):
        put(text.replace("max 200", "").replace("seats", "places"), shop, discard_edits=discard_edits)
        assert "places" in (shop / "src" / "lib" / "custom-rows.ts").read_text()
        assert (shop / OWN).read_bytes() == mine
        assert (shop / "src" / "custom" / "more.ts").read_text() == "export {};\n"
    assert stamps == [(shop / "src" / "custom" / n).stat().st_mtime_ns for n in ("index.ts", "more.ts")]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["shop"]


def test_it_stays_where_the_line_goes_and_is_made_where_it_is_missing(tmp_path: Path) -> None:
    shop, text = tmp_path / "shop", example_of("custom")
    put(text, shop)
    first = (shop / OWN).read_text()
    put(text[: text.index("\ncustom code")], shop)
    assert (shop / OWN).read_text() == first
    (shop / OWN).unlink()
    put(text, shop)
    assert (shop / OWN).read_text() == first


def test_it_does_not_count_as_edited(tmp_path: Path) -> None:
    shop, text = tmp_path / "shop", example_of("custom")
    put(text, shop)
    assert "src/custom" not in (shop / "clodo-service-manifest.json").read_text()
    (shop / OWN).write_text("// mine\n")
    put(text, shop)
    assert (shop / OWN).read_text() == "// mine\n"


@pytest.mark.workerd
def test_the_new_service_is_proven_with_it(tmp_path: Path, toolchain: Toolchain) -> None:
    from clodo.app.services import Unproven

    shop, text = tmp_path / "shop", example_of("custom")
    put(text, shop)
    (shop / OWN).write_text('import { define } from "../lib/custom";\nexport const custom = define({ hooks: { lesson: {} } });\n')
    with pytest.raises(Unproven) as failure:
        put_service(parse(text), text, shop, prove=True, force=True)
    assert [e.id for e in failure.value.report.failures] == ["files.types"]


# -- types ----------------------------------------------------------------------------------


def _types(folder: Path, source: str, toolchain: Toolchain) -> str:
    """What tsc says of own code; empty where it accepts it."""
    from clodo.proof.files import TypeCheck

    (folder / OWN).write_text(source)
    check = TypeCheck(folder, toolchain)
    try:
        found = check.result()
    finally:
        check.stop()
    return "" if found.outcome == "passed" else found.detail or "failed"


def _defined(body: str) -> str:
    return f'import {{ define }} from "../lib/custom";\n\nexport const custom = define({body});\n'


@pytest.mark.workerd
def test_the_example_compiles_with_its_comments_made_code(tmp_path: Path, toolchain: Toolchain) -> None:
    folder = made(example_of("custom"), tmp_path / "s")
    source = re.sub(r"(?m)^( *)// (import .*|    .*|[\"\w}].*[{},;)]|  .*)$", r"\1\2", (folder / OWN).read_text())
    assert "beforeCreate" in source and "// import" not in source and "    // " not in source
    assert _types(folder, source, toolchain) == ""


@pytest.mark.workerd
def test_wrong_hooks_do_not_compile(tmp_path: Path, toolchain: Toolchain) -> None:
    folder = made(example_of("custom"), tmp_path / "s")
    wrong = {
        "no such entity": "{ hooks: { lesson: {} } }",
        "no such hook": "{ hooks: { course: { beforeSave() {} } } }",
        "no such field": "{ hooks: { course: { beforeCreate: (draft) => { draft.titel; } } } }",
        "another type": "{ hooks: { course: { beforeCreate: () => ({ title: 5 }) } } }",
        "null where it is required": "{ hooks: { course: { beforeCreate: () => ({ title: null }) } } }",
        "what the service keeps": '{ hooks: { course: { beforeCreate: () => ({ id: "x" }) } } }',
        "a field that may not be there": "{ hooks: { course: { beforeUpdate: (changes) => ({ title: changes.title.trim() }) } } }",
        "no such time": '{ scheduled: { "0 4 * * *": () => {} } }',
        "no such method": '{ routes: { "FETCH /x": { access: "public", answer: ({ c }) => c.body(null) } } }',
        "no access": '{ routes: { "GET /x": { answer: ({ c }) => c.body(null) } } }',
        "no answer": '{ routes: { "GET /x": { access: "public", answer: () => "text" } } }',
    }
    assert _types(folder, _defined("{ hooks: { course: { beforeUpdate: () => ({ title: \"x\" }) } } }"), toolchain) == ""
    accepted = [why for why, body in wrong.items() if not _types(folder, _defined(body), toolchain)]
    assert accepted == []


# -- what it does ---------------------------------------------------------------------------

MINE = """import { define } from "../lib/custom";
import { Problem } from "../lib/problem";
import { readRow } from "../lib/rows";
import { entityByName } from "../entities";

const log: unknown[] = [];

export const custom = define({
  hooks: {
    course: {
      beforeCreate(draft) {
        if (draft.title === "no") throw new Problem(409, "Not that.", [{ path: "title", message: "is taken" }]);
        if (draft.title === "broken") return { price: -1 };
        return { title: draft.title.trim(), price: draft.price + 0.5 };
      },
      afterCreate: (row) => void log.push(["created", row.title, row.income]),
      beforeUpdate: async (changes, row) => (changes.title === undefined ? undefined : { title: `${row.title} > ${changes.title}` }),
      afterUpdate: (row, before) => {
        log.push(["updated", before.title, row.title]);
        throw new Error("after");
      },
      beforeDelete(row) {
        if (row.title === "stays") throw new Problem(409, "It stays.");
      },
      afterDelete: (row) => void log.push(["deleted", row.title]),
    },
    booking: { beforeCreate: (draft) => void log.push(["booking", draft.paid, draft.email]), afterDelete: (row) => void log.push(["no booking", row.name]) },
  },
  routes: {
    "GET /api/courses/first": { access: "public", answer: ({ c }) => c.json({ first: true }) },
    "POST /api/own/:id": {
      access: "key",
      answer: async ({ c, caller }) => {
        const course = entityByName("course");
        if (course === undefined) throw new Error();
        return c.json(await readRow(c, course, caller, c.req.param("id") ?? ""));
      },
    },
    "GET /api/bookings": { access: "public", answer: ({ c }) => c.json({ all: "mine" }) },
    "GET /api/log": { access: "key", answer: ({ c }) => c.json(log) },
  },
  scheduled: { "0 3 * * *": async ({ DB }) => void (await DB.prepare("UPDATE course SET seats = 99").run()) },
});
"""
KEY = {"x-api-key": "a-key-for-this-test-alone"}


def _behaves(url: str, host: Host) -> None:
    """Fails unless own code is called wherever it should be."""
    with httpx.Client(base_url=url, headers=KEY, trust_env=False) as client:
        body = {"title": " Clay ", "price": 1.15, "seats": 2}
        course = client.post("/api/courses", json=body)
        assert course.status_code == 201, course.text
        row = course.json()
        assert (row["title"], row["price"], row["income"]) == ("Clay", 1.65, 3.3)
        refused = client.post("/api/courses", json={**body, "title": "no"})
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (409, "title")
        assert client.post("/api/courses", json={**body, "title": "broken"}).status_code == 500
        assert len(client.get("/api/courses").json()["items"]) == 1
        path = f"/api/courses/{row['id']}"
        assert client.patch(path, json={"seats": 3}).json()["title"] == "Clay"
        changed = client.patch(path, json={"title": "Wood"})
        assert (changed.status_code, changed.json()["title"]) == (200, "Clay > Wood")
        booked = client.post("/api/bookings", json={"name": "Ann", "email": "a@b.example", "course_id": row["id"]})
        assert booked.status_code == 201, booked.text
        kept = client.post("/api/courses", json={**body, "title": "stays"}).json()
        assert client.delete(f"/api/courses/{kept['id']}").status_code == 409
        host.scheduled(NIGHT)
        assert client.get(path).json()["seats"] == 99
        assert client.delete(path).status_code == 204
        assert client.get("/api/courses/first").json() == {"first": True}
        assert client.post("/api/courses/first").status_code == 405
        assert client.post(f"/api/own/{kept['id']}").json()["title"] == "stays"
        assert httpx.post(f"{url}/api/own/{kept['id']}", trust_env=False).status_code == 401
        # The methods that own code does not answer are the service's, where it has the path; the others are refused.
        assert client.get("/api/bookings").json() == {"all": "mine"}
        assert client.delete("/api/bookings").status_code == 405
        other = client.post("/api/log")
        assert (other.status_code, other.headers["allow"]) == (405, "GET, HEAD")
        log = client.get("/api/log").json()
    assert log == [
        ["created", "Clay", 3.3], ["updated", "Clay", "Clay"], ["updated", "Clay", "Clay > Wood"], ["booking", False, "a@b.example"],
        ["created", "stays", 3.3], ["deleted", "Clay > Wood"], ["no booking", "Ann"],
    ]  # fmt: skip


MACHINE = [
    None,
    Fault("what own code sets is not held against the field", "src/lib/custom-hooks.ts", "|| !isRight", "", ""),
    Fault("what own code sets is stored as it is", "src/lib/custom-hooks.ts", ": field.encode(value)", ": (value as Stored)", ""),
    Fault("values are shown as they are stored", "src/lib/custom-hooks.ts", ": kind.decode(value)", ": value", ""),
    Fault("an error behind a change is told to its caller", "src/lib/custom-hooks.ts", "console.error(error);", "throw error;", ""),
    Fault("own routes ask for nothing", "src/lib/custom.ts", "await admit(c, access)", "{}", ""),
    Fault("own code takes a path with all its methods", "src/lib/custom.ts", "isElsewhere(c) ? next() : ", "", ""),
    Fault("own routes stand behind the others", "src/index.ts", "ownRoutes(app, custom);", "", ""),
    Fault("deletions are not told", "src/lib/custom-hooks.ts", "return beforeDelete?.(row(entity, before ?? {}), scene)", "return", ""),
    Fault("work is done at no time", "src/lib/custom.ts", "await work.get(cron)?.(env, context);", "", ""),
]


@pytest.mark.workerd
@pytest.mark.parametrize("fault", MACHINE, ids=lambda f: f.name if f else "none")
def test_own_code_is_called(fault: Fault | None, tmp_path: Path, host: Host) -> None:
    folder = made(example_of("custom"), tmp_path / "s", fault)
    (folder / OWN).write_text(MINE)
    served = host.serve(folder, bindings={"API_KEY": KEY["x-api-key"]})
    try:
        if fault is None:
            _behaves(served.url, host)
        else:
            with pytest.raises((AssertionError, KeyError, ValueError)):
                _behaves(served.url, host)
    finally:
        host.reset()


@pytest.mark.workerd
def test_what_is_made_of_other_fields_is_made_of_what_own_code_sets(tmp_path: Path, host: Host) -> None:
    text = "service blog\nwrite key\nread public\n\nentity post {\n  title: text required\n  body: longtext\n  slug from title follow\n  markdown body\n}\n\ncustom code\n"
    folder = made(text, tmp_path / "s")
    body = '{ hooks: { post: { beforeCreate: () => ({ body: "*mine*" }), beforeUpdate: () => ({ title: "Mine" }), afterCreate: (row) => { if (!row.slug) throw new Error(); } } } }'
    (folder / OWN).write_text(_defined(body))
    served = host.serve(folder, bindings={"API_KEY": KEY["x-api-key"]})
    try:
        with httpx.Client(base_url=served.url, headers=KEY, trust_env=False) as client:
            row = client.post("/api/posts", json={"title": "Theirs", "body": "theirs"}).json()
            assert (row["slug"], row["body"], row["body_html"]) == ("theirs", "*mine*", "<p><em>mine</em></p>")
            assert client.patch(f"/api/posts/{row['id']}", json={"body": "x"}).json()["slug"] == "mine"
    finally:
        host.reset()


@pytest.mark.workerd
def test_own_code_compiles(tmp_path: Path, toolchain: Toolchain) -> None:
    assert _types(made(example_of("custom"), tmp_path / "s"), MINE, toolchain) == ""


FAULTS = [
    Fault("own code is asked for what it does not do", "src/lib/custom.ts", "work.get(cron)?.(", "work.get(cron)!(", "custom.scheduled"),
    Fault("own code takes every path", "src/lib/custom.ts", "adopt(hooks ?? {});", 'adopt(hooks ?? {}); app.all("/api/*", (c) => c.json({}));', "custom.paths|custom.rows"),
    Fault("values are stored as own code sees them", "src/lib/custom-hooks.ts", "const given = await (before", "Object.assign(after, decoded(entity, after)); const given = await (before", "custom.rows|resources"),
    Fault("a row that own code has no hook for is refused", "src/lib/custom-hooks.ts", "return beforeDelete?.(", "return beforeDelete!(", "custom.rows"),
    Fault("own code that has nothing to say refuses", "src/lib/custom-hooks.ts", "if (!given) return;", 'if (!given) throw new Error("nothing");', "custom.rows|resources"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_faults_are_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(example_of("custom"), tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
def test_own_code_that_breaks_a_rule_is_found(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    folder = made(example_of("custom"), tmp_path / "s")
    (folder / OWN).write_text(_defined('{ hooks: { course: { beforeUpdate: () => ({ title: "always" }) } } }'))
    report = verify(folder, service_checks, toolchain, host, types=False)
    assert not report.proven
