"""What services answer where rules meet: each test is one small blueprint and the requests that matter."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import subprocess
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from clodo.blueprint import parse
from clodo.blueprint.plan import make_plan
from clodo.blueprint.values import Entity
from clodo.bricks.registry import service_secrets, service_tree
from clodo.emit.tree import write_tree
from clodo.proof.client import Client
from clodo.proof.host import Host
from clodo.proof.session import Session
from clodo.proof.verify import PROOF_SECRETS
from clodo.toolchain import Toolchain

pytestmark = pytest.mark.workerd

Play = Callable[[Session], Awaitable[None]]


@pytest.fixture
def serve(tmp_path: Path, host: Host) -> Callable[[str, Play], None]:
    """Builds and boots a blueprint (a semicolon stands for a new line), and lets a play send its requests."""

    def run(compact: str, play: Play) -> None:
        source = compact.replace("{", "{\n").replace("}", "\n}\n").replace("; ", "\n")
        blueprint = parse(source)
        write_tree(service_tree(blueprint, source), tmp_path / "s", service_secrets(blueprint))
        try:
            url = host.serve(tmp_path / "s", bindings=PROOF_SECRETS).url

            async def main() -> None:
                client = Client(url)
                await play(Session(client, make_plan(blueprint), PROOF_SECRETS, host.query))
                await client.close()

            asyncio.run(main())
        finally:
            host.reset()

    return run


def entity(s: Session, name: str) -> Entity:
    found = s.blueprint.entity(name)
    assert found is not None
    return found


Serve = Callable[[str, Play], None]


def test_the_side_that_declares_a_link_decides_who_changes_it(serve: Serve) -> None:
    async def play(s: Session) -> None:
        post, cat = entity(s, "post"), entity(s, "cat")
        mine, c = await s.create(post, user="ann"), await s.create(cat, user="ben")
        paths = (f"/api/posts/{mine['id']}/cats/{c['id']}", f"/api/cats/{c['id']}/posts/{mine['id']}")
        ann, ben = (await s.account("ann")).headers, (await s.account("ben")).headers
        for method in ("PUT", "DELETE"):
            for path in paths:
                assert (await s.client.send(method, path, headers=ben)).status == 403, (method, path)
                assert (await s.client.send(method, path)).status == 401, (method, path)
                assert (await s.client.send(method, path, headers=ann)).status == 204, (method, path)

    serve(
        "service s; users {} entity post { title: text; cats: <-> cat; write owner }"
        "entity cat { title: text; write user }",
        play,
    )


def test_a_self_link_asks_for_its_own_side_only(serve: Serve) -> None:
    async def play(s: Session) -> None:
        person = entity(s, "person")
        mine, other = await s.create(person, user="ann"), await s.create(person, user="ben")
        path = f"/api/people/{mine['id']}/friends/{other['id']}"
        assert (await s.client.send("PUT", path, headers=(await s.account("ann")).headers)).status == 204
        assert (await s.client.send("PUT", path, headers=(await s.account("ben")).headers)).status == 403

    serve("service s; users {} entity person { name: text; friends: <-> person; write owner }", play)


def test_who_may_not_read_a_row_cannot_change_it(serve: Serve) -> None:
    async def play(s: Session) -> None:
        tip = entity(s, "tip")
        row = await s.create(tip, user="ann")
        ann = (await s.account("ann")).headers
        for method, body in (("PATCH", {}), ("PUT", {"text": "x"}), ("DELETE", None)):
            answer = await s.client.send(method, s.path(tip, row["id"]), body, headers=ann)
            assert answer.status == 404 and row["text"] not in answer.text, method
        assert (await s.patch(tip, row["id"], {"text": "y"})).status == 200

    serve("service s; users { roles editor } entity tip { text: text required; read role editor; write user }", play)


def test_an_empty_change_answers_the_row_as_it_is(serve: Serve) -> None:
    async def play(s: Session) -> None:
        thing = entity(s, "thing")
        row = await s.create(thing)
        await asyncio.sleep(0.005)
        assert (await s.patch(thing, row["id"], {})).body == row
        changed = (await s.patch(thing, row["id"], {"name": "other"})).body
        assert changed["updated_at"] > row["updated_at"] and changed["created_at"] == row["created_at"]

    serve("service s; entity thing { name: text }", play)


def test_everybody_may_write_and_an_owner_can_refer_to_their_private_row(serve: Serve) -> None:
    async def play(s: Session) -> None:
        album = await s.create(entity(s, "album"), user="ann")
        body, path = {"album_id": album["id"]}, s.path(entity(s, "photo"))
        ann, ben = (await s.account("ann")).headers, (await s.account("ben")).headers
        assert (await s.client.send("POST", path, body, headers=ann)).status == 201
        assert (await s.client.send("POST", path, body, headers=ben)).status == 422
        assert (await s.client.send("POST", path, body)).status == 422
        key = {"x-api-key": PROOF_SECRETS["API_KEY"]}
        path = s.path(entity(s, "scan"))
        assert (await s.client.send("POST", path, body, headers=key)).status == 422
        assert (await s.client.send("POST", path, body, headers={**key, **ann})).status == 201

    serve(
        "service s; users {} entity album { title: text; read owner; write owner }"
        "entity photo { album: -> album required } entity scan { album: -> album required; write key }",
        play,
    )


def test_deletion_takes_along_a_whole_tree(serve: Serve) -> None:
    async def play(s: Session) -> None:
        for name in ("page", "note"):
            e = entity(s, name)
            rows = [await s.create(e)]
            beside = await s.create(e)
            for _ in range(15):
                rows.append(await s.create(e, {"parent_id": rows[-1]["id"]}))
            assert (await s.delete(e, rows[0]["id"])).status == 204
            assert {(await s.get(e, row["id"])).status for row in rows} == {404}
            assert (await s.get(e, beside["id"])).status == 200

    serve(
        "service s; entity page { name: text; parent: -> page on delete cascade; soft delete }"
        "entity note { name: text; parent: -> note on delete cascade }",
        play,
    )


def test_hidden_rows_hold_nothing_back_however_far_away(serve: Serve) -> None:
    async def play(s: Session) -> None:
        shelf, box, item = entity(s, "shelf"), entity(s, "box"), entity(s, "item")
        top = await s.create(shelf)
        middle = await s.create(box, {"shelf_id": top["id"]})
        row = await s.create(item, {"box_id": middle["id"]})
        assert (await s.delete(shelf, top["id"])).status == 409
        assert (await s.get(box, middle["id"])).status == 200
        assert (await s.delete(item, row["id"])).status == 204
        assert (await s.delete(shelf, top["id"])).status == 204
        assert (await s.get(box, middle["id"])).status == 404

        folder, file, page = entity(s, "folder"), entity(s, "doc_file"), entity(s, "doc_page")
        top = await s.create(folder)
        middle = await s.create(file, {"folder_id": top["id"]})
        first = await s.create(page, {"doc_file_id": middle["id"]})
        second = await s.create(page, {"doc_file_id": middle["id"], "before_id": first["id"]})
        for e, r in ((page, second), (page, first), (file, middle), (folder, top)):
            assert (await s.delete(e, r["id"])).status == 204, e.name

    serve(
        "service s; entity shelf { name: text } entity box { shelf: -> shelf required on delete cascade }"
        "entity item { box: -> box required; soft delete }"
        "entity folder { name: text } entity doc_file { folder: -> folder required; soft delete }"
        "entity doc_page { doc_file: -> doc_file required; before: -> doc_page; soft delete }",
        play,
    )


def test_hiding_a_row_follows_each_reference(serve: Serve) -> None:
    async def play(s: Session) -> None:
        team, member, badge, desk = (entity(s, n) for n in ("team", "member", "badge", "desk"))
        top = await s.create(team)
        one = await s.create(member, {"team_id": top["id"]})
        worn = await s.create(badge, {"member_id": one["id"]})
        table = await s.create(desk, {"team_id": top["id"]})
        assert (await s.delete(team, top["id"])).status == 204
        assert (await s.get(member, one["id"])).status == 404
        assert (await s.get(badge, worn["id"])).status == 404
        assert (await s.get(desk, table["id"])).body["team_id"] is None
        assert [r["deleted_at"] is not None for r in await s.query('SELECT * FROM "member"')] == [True]
        assert await s.query('SELECT * FROM "badge"') == []

    serve(
        "service s; entity team { name: text; soft delete }"
        "entity member { team: -> team required on delete cascade; soft delete }"
        "entity badge { member: -> member required on delete cascade }"
        "entity desk { team: -> team on delete set null }",
        play,
    )


async def _deep(s: Session, depth: int) -> int:
    """The status of a creation whose JSON value is nested that deep."""
    content = b'{"data": ' + b"[" * depth + b"]" * depth + b"}"
    headers = {"content-type": "application/json"}
    return (await s.client.send("POST", "/api/things", content=content, headers=headers)).status


def test_json_may_be_nested_a_hundred_deep(serve: Serve) -> None:
    async def play(s: Session) -> None:
        found = [await _deep(s, n) for n in (1, 100, 101, 3000, 100_000, 500_000)]
        assert found == [201, 201, 422, 422, 422, 422]
        content, headers = b'{"data": [1e999]}', {"content-type": "application/json"}
        answer = await s.client.send("POST", "/api/things", content=content, headers=headers)
        assert answer.status == 422

    serve("service s; entity thing { data: json }", play)


def test_search_looks_for_every_word_in_any_number_of_fields(serve: Serve) -> None:
    async def play(s: Session) -> None:
        wide = entity(s, "wide")
        made = await s.create(wide, {"f3": "Red brick", "f90": "blue\u00a0SKY", "path": ['say "hi", you', "green"]})
        await s.create(wide, {"f3": "red", "f90": "grey", "path": ["x", "y"]})
        for q in ("red sky", "BRICK blue", "red brick blue sky green", 'say "hi",', "", "red " * 8):
            assert made["id"] in await s.ids(wide, {"q": q}), q
        for q in ("red nothing", "brickblue", "[", '","', "hi\\"):
            assert await s.ids(wide, {"q": q}) == [], q
        many = await s.page(wide, {"q": "one two three four five six seven eight nine"})
        assert (many.status, many.body["errors"][0]["path"]) == (400, "q")

    names = [f"f{i}" for i in range(91)]
    fields = "; ".join(f"{n}: text" for n in names)
    serve(f"service s; entity wide {{ {fields}; path: list; search {', '.join(names)}, path }}", play)


def test_filters_take_what_makes_sense_and_nothing_else(serve: Serve) -> None:
    async def play(s: Session) -> None:
        sale = entity(s, "sale")
        row = await s.create(sale, {"price": 1500, "at": "2026-03-01T00:00:00+02:00"})
        good = {
            "price_min": ("1e3", ".5", "1500", "+1.5E3", "1500."), "price_max": ("1500.00",),
            "at_min": ("2026-02-28", "2026-02-28T22:00:00Z"), "at_max": ("2026-03-01",),
            "created_at_min": ("2026-01-01", "2020-02-29T00:00:00Z"), "created_at_max": ("9999-12-31",),
        }  # fmt: skip
        for name, values in good.items():
            for value in values:
                assert await s.ids(sale, {name: value}) == [row["id"]], (name, value)
        for name in ("created_at_min", "updated_at", "at", "at_max"):
            for value in ("2020-02-30", "2020", "x", "2020-01-01T00:00:00"):
                assert (await s.page(sale, {name: value})).status == 400, (name, value)
        for value in ("1e", "e3", ".", "0x10", "1e999", "Infinity"):
            assert (await s.page(sale, {"price_min": value})).status == 400, value
        many: dict[str, Any] = {f"n{i}_{side}": 1 for i in range(40) for side in ("min", "max")}
        assert (await s.page(sale, many)).status == 400

    fields = "; ".join(f"n{i}: integer" for i in range(40))
    serve(f"service s; entity sale {{ price: money; at: datetime; {fields} }}", play)


def test_addresses_that_differ_by_case_are_one(serve: Serve) -> None:
    async def play(s: Session) -> None:
        member = entity(s, "member")
        made = await s.post(member, {"email": "Dup@Example.com"})
        assert (made.status, made.body["email"]) == (201, "dup@example.com")
        assert (await s.post(member, {"email": "DUP@example.com"})).status == 409
        assert await s.ids(member, {"email": "DUP@example.com"}) == [made.body["id"]]

    serve("service s; entity member { email: email required unique }", play)


def test_registration_tells_every_fault_at_once(serve: Serve) -> None:
    async def play(s: Session) -> None:
        answer = await s.client.send("POST", "/api/auth/register", {"email": "x", "tags": 5, "extra": 1})
        found = {e["path"]: e["message"] for e in answer.body["errors"]}
        assert (answer.status, set(found)) == (422, {"email", "password", "name", "tags", "extra"})
        assert found["tags"] == "must be an array"

    serve("service s; users { name: text required; tags: list } entity thing { name: text }", play)


def test_a_cursor_is_good_for_its_own_list_only(serve: Serve) -> None:
    async def play(s: Session) -> None:
        shop, sale = entity(s, "shop"), entity(s, "sale")
        one, two = await s.create(shop), await s.create(shop)
        for i in range(4):
            await s.create(sale, {"price": i, "shop_id": (one, two)[i % 2]["id"]})
        paths = [s.path(sale), *(f"{s.path(shop, r['id'])}/sales" for r in (one, two))]
        pages = [await s.client.send("GET", p, params={"limit": 1, "sort": "price"}) for p in paths]
        cursors = [p.body["next_cursor"] for p in pages]
        for i, path in enumerate(paths):
            for j, cursor in enumerate(cursors):
                answer = await s.client.send("GET", path, params={"limit": 1, "sort": "price", "cursor": cursor})
                assert answer.status == (200 if i == j else 400)
        inside = json.loads(base64.urlsafe_b64decode(cursors[0] + "=="))
        for value, status in ((5, 200), (None, 200), ("5", 400), (True, 400), ([], 400)):
            changed = json.dumps([*inside[:2], value, inside[3]]).encode()
            cursor = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
            assert (await s.page(sale, {"limit": 1, "sort": "price", "cursor": cursor})).status == status, value

    serve("service s; entity shop { name: text } entity sale { price: integer; shop: -> shop required }", play)


def test_ids_are_in_the_order_of_creation(toolchain: Toolchain) -> None:
    module = files("clodo.bricks.resources").joinpath("ts/lib/id.ts")
    script = f"""import {{ uuidv7 }} from {json.dumps(f"file://{module}")};
    const now = Date.now(); Date.now = () => now - Math.floor(performance.now() / 10);
    console.log(JSON.stringify(Array.from({{ length: 10000 }}, uuidv7)));"""
    command = [str(toolchain.node), "--experimental-strip-types", "--input-type=module", "-e", script]
    ids = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert ids == sorted(set(ids))
    assert all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", id) for id in ids)
