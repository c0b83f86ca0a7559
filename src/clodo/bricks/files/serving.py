"""Checks of how files are served."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from clodo.blueprint.values import Entity
from clodo.bricks.files.language import FileField
from clodo.bricks.files.proving import Content, Place
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Headers, Session, expect


def serving_checks(e: Entity, f: FileField) -> Iterator[Check]:
    """The checks of one file."""
    yield Check("files.download", f"{e.name}.{f.name}: is served with the right headers, whole, in parts or not at all", partial(_download, e, f))
    if f.kind == "file" and not f.types:
        yield Check("files.pages", f"{e.name}.{f.name}: a page that was uploaded is saved, and never shown", partial(_pages, e, f))


async def _download(e: Entity, f: FileField, s: Session) -> None:
    p = Place(s, e, f)
    row, sent = await p.stored()
    path, headers = await p.source(row["id"])

    async def get(more: Headers, method: str = "GET") -> Answer:
        return await s.client.send(method, path, headers={**headers, **more})

    whole = expect(await get({}), 200)
    if whole.text != sent.shown:
        raise Fault("another file is served than was sent", whole)
    _headers(f, whole, sent)
    head = expect(await get({}, "HEAD"), 200)
    if any(head.headers.get(k) != whole.headers[k] for k in ("etag", "content-type", "content-length")):
        raise Fault("HEAD tells other headers than GET", head)
    tag = whole.headers["etag"]
    for known in (tag, f'W/{tag}', f'"other", {tag}', "*"):
        same = expect(await get({"if-none-match": known}), 304, f"If-None-Match: {known}")
        if same.headers.get("etag") != tag:
            raise Fault("the 304 tells another ETag", same)
    expect(await get({"if-none-match": '"other"'}), 200, "If-None-Match with another ETag")
    await _parts(sent, tag, get)


def _headers(f: FileField, answer: Answer, sent: Content) -> None:
    told = answer.headers
    wanted = {
        "content-type": sent.type, "content-length": str(len(sent.data)), "x-content-type-options": "nosniff", "accept-ranges": "bytes",
    }  # fmt: skip
    for name, value in wanted.items():
        if told.get(name) != value:
            raise Fault(f"{name} is {told.get(name)!r}, not {value!r}", answer)
    if not told.get("etag", "").startswith('"'):
        raise Fault("there is no strong ETag", answer)
    if "public" in told.get("cache-control", "public"):
        raise Fault("caches may keep the file for others", answer)
    if not told.get("content-disposition", "").startswith("inline" if f.kind == "image" else "attachment"):
        raise Fault("the Content-Disposition is missing or wrong", answer)
    if "sandbox" not in told.get("content-security-policy", ""):
        raise Fault("a page that was uploaded could run scripts here", answer)


async def _parts(sent: Content, tag: str, get: Callable[[Headers], Awaitable[Answer]]) -> None:
    data, size = sent.data, len(sent.data)
    cases = (
        ("bytes=10-19", 10, 20), ("bytes=20-", 20, size), ("bytes=-5", size - 5, size), (f"bytes=0-{size * 9}", 0, size), (f"bytes=-{size * 9}", 0, size),
    )  # fmt: skip
    for asked, start, end in cases:
        part = expect(await get({"range": asked}), 206, f"Range: {asked}")
        told = part.headers.get("content-range"), part.headers.get("content-length")
        if part.text != data[start:end].decode("utf-8", "replace") or told != (f"bytes {start}-{end - 1}/{size}", str(end - start)):
            raise Fault(f"Range: {asked} did not give the bytes from {start} to {end - 1}", part)
    for asked in (f"bytes={size}-", "bytes=-0"):
        none = expect(await get({"range": asked}), 416, f"Range: {asked}")
        if none.headers.get("content-range") != f"bytes */{size}":
            raise Fault("the 416 does not tell the size in Content-Range", none)
    for asked in ("bytes=9-2", "lines=1-2", "bytes=0-1,4-5", "bytes=-"):
        expect(await get({"range": asked}), 200, f"Range: {asked}")
    expect(await get({"range": "bytes=0-3", "if-range": tag}), 206, "If-Range with the ETag")
    expect(await get({"range": "bytes=0-3", "if-range": '"other"'}), 200, "If-Range with another ETag")


async def _pages(e: Entity, f: FileField, s: Session) -> None:
    p = Place(s, e, f)
    row = await s.create(e)
    for type_ in ("text/html", "image/svg+xml", "image/png"):
        sent = Content(type_, b"<script>alert(1)</script>")
        answer = await p.upload(row["id"], sent)
        if answer.status not in (200, 201):
            raise Fault(f"{type_} is refused", answer)
        _headers(f, expect(await p.read(row["id"]), 200), sent)
