"""Checks of files: what is stored, what is refused, and when a file goes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from functools import partial

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Access, Entity, OnDelete, Who
from clodo.bricks.files.language import FORM_TYPES, IMAGE_TYPES, FileField
from clodo.bricks.files.links import link_checks
from clodo.bricks.files.proving import Content, Place
from clodo.bricks.files.serving import serving_checks
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Headers, Session, expect

#: Files up to this size are sent in full to see where the limit is, and stored.
_SENT_BYTES = 6_000_000
#: What is refused is read to its end up to this size, so that the answer arrives.
_READ_BYTES = 16 * 1024 * 1024


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    for e in plan.blueprint.entities:
        for f in e.parts_of(FileField):
            for id, rule, run in (
                ("upload", "is stored, told of by its row, replaced and removed", _upload),
                ("kind", f"takes only {', '.join(f.allowed) or 'files that are no forms'}", _kind),
                ("size", f"is at most {f.size}, whether its length is told or not", _size),
                ("name", "has a name that is safe to store and to show", _name),
                ("access", "is written by whoever may write the row", _access),
                ("gone", "goes with its row", _gone),
            ):
                yield Check(f"files.{id}", f"{e.name}.{f.name}: {rule}", partial(_on, run, e, f))
            rule = f"{e.name}.{f.name}: is noted when its row loses it, however that comes, and goes"
            # Others would clear away what this looks at.
            yield Check("files.noted", rule, partial(_on, _noted, e, f), alone=True)
            yield from serving_checks(e, f)
            yield from link_checks(e, f) if f.private else ()


async def _on(run: Callable[[Place], Awaitable[None]], e: Entity, f: FileField, s: Session) -> None:
    await run(Place(s, e, f))


def _told(p: Place, answer: Answer, sent: Content) -> str:
    """The version that a row tells of its file, if all that it tells is right."""
    told = answer.body[p.f.name]
    if told is None or (told["size"], told["content_type"]) != (len(sent.data), sent.type):
        raise Fault(f"the row tells {told!r} of a file of {len(sent.data)} bytes of {sent.type}", answer)
    datetime.fromisoformat(told["uploaded_at"])
    return str(told["version"])


async def _upload(p: Place) -> None:
    row = await p.s.create(p.e)
    id = row["id"]
    if row[p.f.name] is not None:
        raise Fault("a new row has a file")
    await p.absent(id)
    first, second = p.content(), p.content(size=90)
    made = expect(await p.upload(id, first), 201, "the first upload")
    version = _told(p, made, first)
    read = expect(await p.s.get(p.e, id), 200)
    if read.body != made.body:
        raise Fault("reading the row does not give what the upload answered", read)
    if p.e.timestamps and read.body["updated_at"] < row["updated_at"]:
        raise Fault("an upload moved updated_at back", read)
    again = expect(await p.upload(id, second, {"transfer-encoding": "chunked"}), 200, "the second upload")
    if _told(p, again, second) == version:
        raise Fault("another file has the same version", again)
    if expect(await p.read(id), 200).text != second.shown:
        raise Fault("another file is served than was sent last")
    await _at_once(p, id)
    if left := await p.unused(id):
        raise Fault(f"files that were replaced are still there: {', '.join(left)}")
    expect(await p.remove(id), 204)
    expect(await p.remove(id), 204, "removed twice")
    if expect(await p.s.get(p.e, id), 200).body[p.f.name] is not None:
        raise Fault("a row tells of a file that was removed")
    await p.absent(id)
    if left := await p.unused(id):
        raise Fault(f"a file that was removed is still there: {', '.join(left)}")


async def _at_once(p: Place, id: str) -> None:
    sent = [p.content(size=100 + i) for i in range(4)]
    for answer in await asyncio.gather(*(p.upload(id, one) for one in sent)):
        expect(answer, 200, "uploads at once")
    row = expect(await p.s.get(p.e, id), 200).body
    served = expect(await p.read(id), 200)
    [kept] = [one for one in sent if len(one.data) == row[p.f.name]["size"]]
    if served.text != kept.shown:
        raise Fault("after uploads at once the row tells of one file, and another is served", served)


async def _kind(p: Place) -> None:
    row = await p.s.create(p.e)
    page = Content("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    refused = [Content(f"{FORM_TYPES[0]}; boundary=x", b"--x--"), Content(FORM_TYPES[1], b"a=1"), Content("", b"x"), Content("nonsense", b"x")]
    if p.f.allowed:
        refused += [one for one in (page, Content("application/x-unheard-of", b"x")) if one.type not in p.f.allowed]
    if p.f.kind == "image":
        other = p.content(type_="image/gif" if p.f.allowed[0] != "image/gif" else "image/png")
        refused += [Content(p.f.allowed[0], other.data), *(Content(t, page.data) for t in p.f.allowed)]
        refused += [p.content(type_=t) for t in IMAGE_TYPES if t not in p.f.allowed]
    for one in refused:
        answer = await p.upload(row["id"], one)
        expect(answer, 415, f"{one.data[:20]!r} as {one.type or 'no type'}")
    packed = await p.upload(row["id"], p.content(), {"content-encoding": "gzip"})
    expect(packed, 415, "a content encoding")
    nothing = await p.s.client.send("PUT", p.path(row["id"]), headers=await p.s.writer(p.e), content=b"x")
    expect(nothing, 415, "no Content-Type")
    expect(await p.upload(row["id"], Content(p.content().type, b"")), 422, "an empty body")
    if expect(await p.s.get(p.e, row["id"]), 200).body[p.f.name] is not None:
        raise Fault("a file that was refused is stored")
    await p.absent(row["id"])
    for type_ in p.f.allowed[:6]:
        sent = p.content(type_=type_)
        answer = await p.upload(row["id"], sent, {"content-type": f"{type_.upper()}; x=1"})
        if answer.status not in (200, 201):
            raise Fault(f"{type_} is refused", answer)
        _told(p, answer, sent)


async def _size(p: Place) -> None:
    row = await p.s.create(p.e)
    id = row["id"]
    if p.f.max_bytes > _READ_BYTES:
        await _announced(p, id)
        return
    full, beyond = p.content(size=p.f.max_bytes), p.content(size=p.f.max_bytes + 1)
    expect(await p.upload(id, beyond), 413, "a byte too large, and its length is told")
    if p.f.max_bytes <= _SENT_BYTES:
        expect(await p.upload(id, beyond, {"transfer-encoding": "chunked"}), 413, "a byte too large, and its length is not told")
        _told(p, expect(await p.upload(id, full), 201, "as large as it may be"), full)
    if left := await p.unused(id):
        raise Fault(f"a file that was too large is still there: {', '.join(left)}")


async def _announced(p: Place, id: str) -> None:
    """Files this large are only announced, which is enough to be refused."""
    headers = {**await p.s.writer(p.e), "content-type": p.content().type, "content-length": str(p.f.max_bytes + 1)}
    lines = [f"PUT {p.path(id)} HTTP/1.1", "host: service", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
    reader, writer = await asyncio.open_connection(*p.s.client.address)
    try:
        writer.write("\r\n".join(lines).encode("latin-1"))
        status = (await asyncio.wait_for(reader.readline(), 10)).split()[1:2]
    except (OSError, TimeoutError):
        status = []
    finally:
        writer.close()
    if status != [b"413"]:
        raise Fault(f"an upload that says it is larger than {p.f.size} is answered {status}, not 413")


_NAMES = (
    ('attachment; filename="plan of the house.pdf"', "plan of the house.pdf"),
    ("attachment; filename=plain.pdf; filename*=UTF-8''Stra%C3%9Fe%20%E2%82%AC%20%22a%22.pdf", "Straße € _a_.pdf"),
    ('attachment; filename="../../etc/passwd"', "passwd"),
    ("attachment; filename*=UTF-8''..%5C..%5C.profile", "profile"),
    ("attachment; filename*=UTF-8''a%0D%0Ax-injected%3A%201%0D%0A%00.pdf", "ax-injected_ 1.pdf"),
    ("attachment; filename*=UTF-8''gpj%E2%80%AE.exe", "gpj.exe"),
    (f'attachment; filename="{"n" * 300}.pdf"', f"{'n' * 96}.pdf"),
)


async def _name(p: Place) -> None:
    row, _ = await p.stored()
    id = row["id"]
    if not row[p.f.name]["name"]:
        raise Fault("a file that came without a name has none")
    for header, wanted in _NAMES:
        answer = await p.upload(id, p.content(), {"content-disposition": header})
        name = expect(answer, 200).body[p.f.name]["name"]
        if name != wanted:
            raise Fault(f"the name became {name!r}, not {wanted!r}", answer)
        if "utf-8''" not in header.lower() or wanted.endswith(".exe"):
            continue
        read = expect(await p.read(id), 200)
        told = read.headers.get("content-disposition", "")
        if "x-injected" in read.headers or told.count('"') != 2 or not told.isascii() or "filename*=UTF-8''" not in told:
            raise Fault(f"the name {name!r} is not told safely: {told!r}", read)


async def _access(p: Place) -> None:
    b = p.s.blueprint
    row, sent = await p.stored("ann" if b.write_access(p.e).who is Who.OWNER else "admin")
    path, write = p.path(row["id"]), b.write_access(p.e)
    for method, content in (("PUT", p.content().data), ("DELETE", None)):
        for headers, status in await _strangers(p, write, reads=False):
            given = {**headers, **({"content-type": sent.type} if content else {})}
            answer = await p.s.client.send(method, path, headers=given, content=content)
            expect(answer, status, f"{method} by whoever may not write")
    read = b.read_access(p.e)
    for headers, status in await _strangers(p, read, reads=True):
        for method, place in [("GET", path), *([("POST", f"{path}/link")] if p.f.private else [])]:
            expect(await p.s.client.send(method, place, headers=headers), status, f"{method} by whoever may not read")
    for method in ("GET", "PUT", "DELETE"):
        headers = {**await p.s.writer(p.e), "content-type": sent.type}
        missing = await p.s.client.send(method, p.path("0"), headers=headers, content=sent.data if method == "PUT" else None)
        expect(missing, 404, "a row that is not there")
    wrong = expect(await p.s.client.send("PATCH", path, headers=await p.s.writer(p.e)), 405)
    if set(wrong.headers.get("allow", "").split(", ")) != {"PUT", "GET", "DELETE", "HEAD"}:
        raise Fault("the 405 does not tell what is allowed", wrong)


async def _strangers(p: Place, rule: Access, *, reads: bool) -> list[tuple[Headers, int]]:
    """Callers whom a rule does not let in, and what they are answered."""
    if rule.who is Who.PUBLIC:
        return []
    out: list[tuple[Headers, int]] = [({}, 401)]
    if rule.who is Who.OWNER:
        hidden = reads or p.s.blueprint.read_access(p.e).who is Who.OWNER
        out.append(((await p.s.account("ben")).headers, 404 if hidden else 403))
    if rule.who is Who.ROLE and "user" not in rule.roles:
        out.append(((await p.s.account("ann")).headers, 403))
    return out


async def _gone(p: Place) -> None:
    row, _ = await p.stored()
    path, headers = await p.source(row["id"])
    expect(await p.s.delete(p.e, row["id"]), 204)
    expect(await p.s.client.send("GET", path, headers=headers), 404, "the file of a row that was deleted")
    expect(await p.upload(row["id"], p.content()), 404, "an upload to a row that was deleted")
    await _left(p, row["id"], "the row")
    for r in p.e.references:
        parent = p.s.blueprint.entity(r.target)
        if parent is None or parent.name == p.e.name or r.on_delete is not OnDelete.CASCADE:
            continue
        above = await p.s.create(parent)
        child = await p.s.create(p.e, {f"{r.name}_id": above["id"]})
        expect(await p.upload(child["id"], p.content()), 201)
        path, headers = await p.source(child["id"])
        expect(await p.s.delete(parent, above["id"]), 204, f"the {parent.name} of a row with a file")
        expect(await p.s.client.send("GET", path, headers=headers), 404, "the file of a row that was taken along")
        await _left(p, child["id"], f"its {parent.name}")


async def _noted(p: Place) -> None:
    """No request empties a column behind the back of the service; the database itself does, where it cascades."""
    row, _ = await p.stored()
    id, version = row["id"], row[p.f.name]["version"]
    await p.s.query(f'UPDATE "{p.e.name}" SET "{p.f.name}" = NULL WHERE "id" = ?', id)
    if await p.unused(id) != [f"{p.e.name}/{id}/{p.f.name}/{version}"]:
        raise Fault("a row lost its file in the database, and nothing noted that")
    again = expect(await p.upload(id, p.content()), 201)
    if left := await p.unused(id):
        raise Fault(f"what was noted does not go with the next upload: {', '.join(left)}")
    await p.s.query(f'DELETE FROM "{p.e.name}" WHERE "id" = ?', id)
    if await p.unused(id) != [f"{p.e.name}/{id}/{p.f.name}/{again.body[p.f.name]['version']}"]:
        raise Fault("a row with a file was deleted in the database, and nothing noted that")
    other, _ = await p.stored()
    expect(await p.remove(other["id"]), 204)
    if left := await p.unused(id):
        raise Fault(f"what was noted does not go when another file does: {', '.join(left)}")


async def _left(p: Place, id: str, what: str) -> None:
    if left := await p.unused(id):
        raise Fault(f"{what} was deleted, and the file is still there: {', '.join(left)}")
