"""Checks of references, children and many-to-many links."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from clodo.blueprint.plan import Child, LinkTable, Plan
from clodo.blueprint.values import Entity, OnDelete, Reference, Who
from clodo.proof.check import Check
from clodo.proof.session import Fault, Headers, Session, expect, expect_path

_NO_ROW = "01890000-0000-7000-8000-000000000000"


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    for e in plan.blueprint.entities:
        for r in e.references:
            yield Check("relations.reference", f"{e.name}.{r.name}: refers to rows that exist", partial(_reference, e, r))
            if r.unique:
                yield Check("relations.one-to-one", f"{e.name}.{r.name}: one row each", partial(_one_to_one, e, r))
            if r.target != "user" or plan.blueprint.entity("user") is not None:
                rule = f"{e.name}.{r.name}: on deletion, {r.on_delete}"
                yield Check("relations.on-delete", rule, partial(_on_delete, e, r))
            if r.target == e.name and r.on_delete is OnDelete.CASCADE:
                rule = f"{e.name}.{r.name}: on deletion, a whole tree goes"
                yield Check("relations.tree", rule, partial(_tree, e, r))
    for child in plan.children:
        yield Check("relations.children", f"{child.parent.name}/{child.path}: children of one row", partial(_children, child))
    for link in plan.links:
        yield Check("relations.links", f"{link.source.name}/{link.source_path}: links both ways", partial(_links, link))
        if plan.blueprint.write_access(link.source).who is not Who.PUBLIC:
            rule = f"{link.source.name}/{link.source_path}: only who may change the {link.source.name} links it"
            yield Check("relations.link-rule", rule, partial(_link_rule, link))


def _parent(s: Session, r: Reference) -> Entity:
    parent = s.blueprint.entity(r.target)
    assert parent is not None
    return parent


async def _reference(e: Entity, r: Reference, s: Session) -> None:
    key = f"{r.name}_id"
    body = await s.body(e)
    for wrong in (_NO_ROW, "' OR 1=1 --", 5, "", ["x"]):
        answer = expect(await s.post(e, {**body, key: wrong}), 422, f"{key} = {wrong!r}")
        expect_path(answer, key)
    row = await s.create(e)
    expect_path(expect(await s.patch(e, row["id"], {key: _NO_ROW}), 422), key)
    if r.required:
        expect_path(expect(await s.post(e, {k: v for k, v in body.items() if k != key}), 422), key)
        expect_path(expect(await s.patch(e, row["id"], {key: None}), 422), key)
    else:
        expect(await s.patch(e, row["id"], {key: None}), 200, f"{key} null")


async def _one_to_one(e: Entity, r: Reference, s: Session) -> None:
    key = f"{r.name}_id"
    parent = s.blueprint.entity(r.target)
    id = (await s.create(parent))["id"] if parent is not None else (await s.account("admin")).id
    first = await s.post(e, await s.body(e, {key: id}))
    if first.status != 201 and parent is not None:
        expect(first, 201, "the first reference")
    expect(await s.post(e, await s.body(e, {key: id})), 409, f"{key} taken")


async def _on_delete(e: Entity, r: Reference, s: Session) -> None:
    parent = _parent(s, r)
    key = f"{r.name}_id"
    up = await s.create(parent)
    row = await s.create(e, {key: up["id"]})
    answer = await s.delete(parent, up["id"])
    if r.on_delete is OnDelete.RESTRICT:
        expect(answer, 409, "a row in use")
        expect(await s.get(parent, up["id"]), 200, "still there")
        expect(await s.delete(e, row["id"]), 204)
        expect(await s.delete(parent, up["id"]), 204, "no longer in use")
        return
    expect(answer, 204)
    after = await s.get(e, row["id"])
    if r.on_delete is OnDelete.CASCADE:
        expect(after, 404, "it goes with the row that it refers to")
    elif expect(after, 200).body[key] is not None:
        raise Fault(f"{key} was not emptied", after)


async def _tree(e: Entity, r: Reference, s: Session) -> None:
    rows = [await s.create(e)]
    for _ in range(12):  # D1 itself follows references ten levels deep
        rows.append(await s.create(e, {f"{r.name}_id": rows[-1]["id"]}))
    expect(await s.delete(e, rows[0]["id"]), 204, "the root of a tree")
    for row in rows:
        expect(await s.get(e, row["id"]), 404, "the whole tree goes")


async def _child_headers(s: Session, c: Child) -> Headers:
    b = s.blueprint
    rules = [b.read_access(c.parent), b.create_access(c.child), b.read_access(c.child)]
    return await s.headers(*rules)


async def _children(c: Child, s: Session) -> None:
    key = f"{c.reference.name}_id"
    headers = await _child_headers(s, c)
    up, other = await s.create(c.parent), await s.create(c.parent)
    path = f"{s.path(c.parent, up['id'])}/{c.path}"
    body = {k: v for k, v in (await s.body(c.child, {key: up["id"]})).items() if k != key}
    made = expect(await s.client.send("POST", path, body, headers=headers), 201)
    if made.body[key] != up["id"]:
        raise Fault(f"{key} did not come from the path", made)
    await s.create(c.child, {key: other["id"]})
    page = expect(await s.client.send("GET", path, headers=headers), 200)
    if [row["id"] for row in page.body["items"]] != [made.body["id"]]:
        raise Fault("the list does not hold exactly the children", page)
    all_rows = expect(await s.client.send("GET", f"{s.path(c.child)}?limit=1", headers=headers), 200)
    elsewhere = f"{path}?cursor={all_rows.body['next_cursor']}"
    expect(await s.client.send("GET", elsewhere, headers=headers), 400, "the cursor of another list")
    gone = f"{s.path(c.parent, _NO_ROW)}/{c.path}"
    expect(await s.client.send("GET", gone, headers=headers), 404, "no such parent")
    expect(await s.client.send("POST", gone, body, headers=headers), 404, "no such parent")
    moved = await s.client.send("POST", path, {**body, key: other["id"]}, headers=headers)
    expect(moved, 422, "another parent in the body")
    expect(await s.client.send("GET", f"{path}?limit=0", headers=headers), 400)


async def _links(link: LinkTable, s: Session) -> None:
    sides = [(link.source, link.target, link.source_path)]
    if not link.is_self:
        sides.append((link.target, link.source, link.target_path))
    for here, there, segment in sides:
        headers = await _link_headers(s, here, there)
        one, two = await s.create(here), await s.create(there)
        base = f"{s.path(here, one['id'])}/{segment}"
        for _ in range(2):
            expect(await s.client.send("PUT", f"{base}/{two['id']}", headers=headers), 204, "linked")
        if await _linked(s, base, headers) != [two["id"]]:
            raise Fault("the linked row is not in the list")
        if not link.is_self:
            back = link.target_path if here is link.source else link.source_path
            if await _linked(s, f"{s.path(there, two['id'])}/{back}", headers) != [one["id"]]:
                raise Fault("the link is not seen from the other side")
        for path in (f"{base}/{_NO_ROW}", f"{s.path(here, _NO_ROW)}/{segment}/{two['id']}"):
            expect(await s.client.send("PUT", path, headers=headers), 404, "no such row")
        for _ in range(2):
            expect(await s.client.send("DELETE", f"{base}/{two['id']}", headers=headers), 204)
        if await _linked(s, base, headers):
            raise Fault("the link is still there")
        await s.client.send("PUT", f"{base}/{two['id']}", headers=headers)
        expect(await s.delete(there, two["id"]), 204, "a linked row can be deleted")
        if await _linked(s, base, headers):
            raise Fault("a deleted row is still linked")


async def _link_rule(link: LinkTable, s: Session) -> None:
    b, source, target = s.blueprint, link.source, link.target
    one, two = await s.create(source, user="ann"), await s.create(target, user="ann")
    sides = [(source, one["id"], link.source_path, two["id"])]
    if not link.is_self:
        sides.append((target, two["id"], link.target_path, one["id"]))
    document = expect(await s.client.send("GET", "/openapi.json"), 200).body["paths"]
    rule = b.write_access(source).who
    rules = [b.read_access(source), b.read_access(target), b.write_access(target), b.write_access(source)]
    if rule is Who.KEY:
        rules = [r for r in rules if r.who in (Who.USER, Who.OWNER)]
    elif rule is not Who.OWNER:
        rules = [r for r in rules if r.who is Who.KEY]
    stranger = await s.headers(*(r for r in rules if r.who is not Who.ROLE), user="ben")
    for here, id, segment, other in sides:
        path = f"{s.path(here, id)}/{segment}/{other}"
        told = document[f"{s.path(here)}/{{id}}/{segment}/{{other_id}}"]
        for method in ("PUT", "DELETE"):
            if not {"401", "403"} & set(told[method.lower()]["responses"]):
                continue  # a refusal would not be in the document: that is another fault than this one
            answer = await s.client.send(method, path, headers=stranger)
            if answer.status not in (401, 403, 404):
                raise Fault(f"someone who may not change the {source.name} gets at its links", answer)


async def _link_headers(s: Session, here: Entity, there: Entity) -> Headers:
    b = s.blueprint
    rules = [b.read_access(here), b.write_access(here), b.read_access(there), b.write_access(there)]
    return await s.headers(*(r for r in rules if r.who is not Who.PUBLIC))


async def _linked(s: Session, path: str, headers: Headers) -> list[str]:
    page = expect(await s.client.send("GET", path, headers=headers), 200)
    return [row["id"] for row in page.body["items"]]
