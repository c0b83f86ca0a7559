"""Checks of members and invitations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.bricks.tenants.language import HEADER, belongs
from clodo.bricks.tenants.strangers import ALONE, STRANGER, add, made, sent_by, tenant_of
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Account, Fault, Row, Session, expect, expect_path

_NOBODY = "01890000-0000-7000-8000-00000000dead"


def membership_checks(plan: Plan) -> Iterator[Check]:
    """The checks of who belongs to a tenant."""
    name = tenant_of(plan).name
    yield Check("tenants.hidden", f"a {name} is there for its members only", _hidden)
    yield Check("tenants.maker", f"whoever makes a {name} owns it", _maker)
    yield Check("tenants.invitation", f"who is invited to a {name} can join it, once, and no one else", _invitation)
    yield Check("tenants.invitation-end", "invitations end by themselves and can be taken back", _ends)
    yield Check("tenants.owners", f"only owners manage a {name}, and one of them stays", _owners)
    yield Check("tenants.removed", f"who is removed from a {name} is out at once", _removed)
    yield Check("tenants.deleted", f"a {name} with rows cannot be deleted", _deleted)


class _Tenant:
    """A tenant of the administrator's, apart from those of other checks."""

    def __init__(self, s: Session, owner: Account, id: str) -> None:
        self.s, self.owner, self.id = s, owner, id
        self.collection = s.path(tenant_of(s.plan))

    async def send(self, method: str, path: str, body: Any = None, *, by: Account | None = None) -> Answer:
        """Sends a request below the tenant."""
        headers = sent_by(self.s, by or self.owner)
        return await self.s.client.send(method, f"{self.collection}/{self.id}{path}", body, headers=headers)

    async def invite(self, account: Account, role: str = "member") -> Row:
        """An invitation, with its token."""
        answer = await self.send("POST", "/invitations", {"email": account.email, "role": role})
        return dict(expect(answer, 201, "an invitation").body)

    async def join(self, token: str, by: Account) -> Answer:
        """Accepts an invitation."""
        return await self.s.client.send("POST", f"{self.collection}/join", {"token": token}, headers=sent_by(self.s, by))


async def _new(s: Session) -> _Tenant:
    admin = await s.account("admin")
    return _Tenant(s, admin, (await made(s, tenant_of(s.plan), admin))["id"])


async def _hidden(s: Session) -> None:
    t = await _new(s)
    stranger = await s.account(STRANGER)
    # Also whoever names it in the header.
    body = {"email": stranger.email}
    probes: tuple[tuple[str, str, Any], ...] = (
        ("GET", "", None), ("PATCH", "", {}), ("DELETE", "", None), ("GET", "/members", None), ("GET", "/invitations", None),
        ("POST", "/invitations", body), ("PATCH", f"/members/{t.owner.id}", {"role": "member"}),
        ("DELETE", f"/members/{t.owner.id}", None), ("DELETE", f"/members/{stranger.id}", None), ("DELETE", f"/invitations/{_NOBODY}", None),
    )  # fmt: skip
    for method, path, sent in probes:
        expect(await t.send(method, path, sent, by=stranger), 404, f"{method} {path} of a stranger")
    listed = expect(await s.client.send("GET", t.collection, headers=sent_by(s, stranger), params={"limit": "100"}), 200)
    if t.id in listed.text:
        raise Fault("a stranger sees it in the list", listed)
    expect(await s.client.send("GET", f"{t.collection}/{t.id}/members"), 401, "members without a credential")
    expect(await s.client.send("POST", f"{t.collection}/join", {"token": "x"}), 401, "joining without a credential")


async def _maker(s: Session) -> None:
    t = await _new(s)
    answer = expect(await t.send("GET", "/members"), 200)
    told = [(m["user_id"], m["email"], m["role"]) for m in answer.body["items"]]
    if told != [(t.owner.id, t.owner.email, "owner")] or answer.body["next_cursor"] is not None:
        raise Fault("the maker is not the only member, and an owner", answer)
    await add(s, t.id, (await s.account("ann")).id)
    first = expect(await t.send("GET", "/members?limit=1"), 200).body
    rest = expect(await t.send("GET", f"/members?limit=1&cursor={first['next_cursor']}"), 200).body
    if len({m["user_id"] for m in first["items"] + rest["items"]}) != 2 or rest["next_cursor"] is not None:
        raise Fault("pages of one member each do not hold both")
    expect_path(expect(await t.send("GET", "/members?limit=0"), 400), "limit")


async def _invitation(s: Session) -> None:
    t, ann, guest = await _new(s), await s.account("ann"), await s.account(f"{ALONE}-invited")
    for body, path in (({}, "email"), ({"email": "nobody"}, "email"), ({"email": "a@example.com", "role": "king"}, "role"), ({"email": "a@example.com", "x": 1}, "x")):
        expect_path(expect(await t.send("POST", "/invitations", body), 422), path)
    invitation = await t.invite(guest)
    token = invitation["token"]
    stored = await s.query('SELECT * FROM "tenants__invitation" WHERE "tenant_id" = ?', t.id)
    if len(token) < 32 or any(token in str(value) for row in stored for value in row.values()):
        raise Fault("the token is short, or can be read in the database")
    listed = expect(await t.send("GET", "/invitations"), 200)
    if [i["id"] for i in listed.body["items"]] != [invitation["id"]] or token in listed.text:
        raise Fault("the open invitations are not told, or their tokens are", listed)
    expect(await t.join(token, ann), 404, "the invitation of someone else")
    expect(await t.join(token[:-1] + ("A" if token[-1] != "A" else "B"), guest), 404, "a token that nobody was given")
    expect_path(expect(await t.join("", guest), 422), "token")
    joined = expect(await t.join(token, guest), 200)
    if joined.body["id"] != t.id:
        raise Fault("what was joined is not told", joined)
    expect(await t.join(token, guest), 404, "an invitation that was used")
    expect(await t.send("GET", "", by=guest), 200, "a new member")
    expect_path(expect(await t.send("POST", "/invitations", {"email": guest.email}), 409, "a member already"), "email")


async def _ends(s: Session) -> None:
    t, guest = await _new(s), await s.account(f"{ALONE}-late")
    first, second = await t.invite(guest), await t.invite(guest)
    expect(await t.join(first["token"], guest), 404, "an invitation that another one replaced")
    expect(await t.send("DELETE", f"/invitations/{second['id']}"), 204)
    expect(await t.send("DELETE", f"/invitations/{second['id']}"), 404)
    expect(await t.join(second["token"], guest), 404, "an invitation that was taken back")
    third = await t.invite(guest)
    await s.query("UPDATE \"tenants__invitation\" SET \"expires_at\" = '2020-01-01T00:00:00.000Z' WHERE \"id\" = ?", third["id"])
    expect(await t.join(third["token"], guest), 404, "an invitation whose time is over")
    expect(await t.send("GET", "", by=guest), 404, "someone who never joined")


async def _owners(s: Session) -> None:
    t, ann = await _new(s), await s.account("ann")
    await add(s, t.id, ann.id)
    probes: tuple[tuple[str, str, Any], ...] = (
        ("PUT", "", await s.body(tenant_of(s.plan))), ("DELETE", "", None), ("GET", "/invitations", None),
        ("POST", "/invitations", {"email": "x@example.com"}), ("PATCH", f"/members/{ann.id}", {"role": "owner"}), ("DELETE", f"/members/{t.owner.id}", None), ("DELETE", f"/invitations/{_NOBODY}", None),
    )  # fmt: skip
    for method, path, body in probes:
        expect(await t.send(method, path, body, by=ann), 403, f"{method} {path} of a plain member")
    expect(await t.send("GET", "/members", by=ann), 200)
    me = f"/members/{t.owner.id}"
    expect(await t.send("DELETE", me), 409, "the last owner leaves")
    expect(await t.send("PATCH", me, {"role": "member"}), 409, "the last owner steps down")
    expect_path(expect(await t.send("PATCH", f"/members/{ann.id}", {"role": "king"}), 422), "role")
    expect(await t.send("PATCH", f"/members/{_NOBODY}", {"role": "owner"}), 404)
    if expect(await t.send("PATCH", f"/members/{ann.id}", {"role": "owner"}), 200).body["role"] != "owner":
        raise Fault("the member was not made an owner")
    expect(await t.send("PATCH", me, {"role": "member"}), 200, "one of two owners steps down")
    expect(await t.send("DELETE", f"/members/{ann.id}", by=t.owner), 403, "who is no owner any more")


async def _removed(s: Session) -> None:
    t, ben = await _new(s), await s.account("ben")
    await add(s, t.id, ben.id)
    row = next((e for e in s.blueprint.entities if belongs(s.blueprint, e) and not s.blueprint.read_access(e).roles), None)
    if row is not None:
        expect(await s.client.send("GET", s.path(row), headers=sent_by(s, ben, t.id)), 200, "a member")
    expect(await t.send("DELETE", f"/members/{ben.id}"), 204)
    expect(await t.send("DELETE", f"/members/{ben.id}"), 404)
    expect(await t.send("GET", "", by=ben), 404, "who was removed")
    if row is not None:
        expect(await s.client.send("GET", s.path(row), headers=sent_by(s, ben, t.id)), 403, "who was removed")
    await add(s, t.id, ben.id)
    expect(await t.send("DELETE", f"/members/{ben.id}", by=ben), 204, "a member leaves")


async def _deleted(s: Session) -> None:
    found = [e for e in s.blueprint.entities if belongs(s.blueprint, e)]
    for e in found:
        t = await _new(s)
        there = Account(t.owner.id, t.owner.email, t.owner.token, {HEADER: t.id})
        row = await made(s, e, there)
        expect(await t.send("DELETE", ""), 409, f"it has a {e.name}")
        expect(await s.get(e, row["id"]), 404, "a row of one's other tenant")
        read = await s.client.send("GET", s.path(e, row["id"]), headers=sent_by(s, there))
        expect(read, 200, "a row of the tenant that could not be deleted")
    empty = await _new(s)
    expect(await empty.send("DELETE", ""), 204, "it has no rows")
    if found:
        headers = sent_by(s, empty.owner, empty.id)
        expect(await s.client.send("GET", s.path(found[0]), headers=headers), 403, "a tenant that is gone")
