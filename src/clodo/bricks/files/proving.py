"""What the checks of files share: files to send, and how to send and read them."""

from __future__ import annotations

from dataclasses import dataclass

from clodo.blueprint.values import Entity
from clodo.bricks.files.language import FileField
from clodo.proof.client import Answer
from clodo.proof.session import Headers, Row, Session, expect

_BEGINNINGS = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "image/gif": b"GIF89a",
    "image/webp": b"RIFF\x40\x00\x00\x00WEBPVP8 ",
    "image/avif": b"\x00\x00\x00\x20ftypmif1\x00\x00\x00\x00avifmif1",
}


@dataclass(frozen=True)
class Content:
    """A file to send. ``shown`` is what the client makes of its bytes."""

    type: str
    data: bytes

    @property
    def shown(self) -> str:
        """The bytes as the client tells them."""
        return self.data.decode("utf-8", "replace")


def content(f: FileField, number: int, *, type_: str = "", size: int = 0) -> Content:
    """A file that the field takes, perhaps of a type and a size in bytes; others for other numbers."""
    type_ = type_ or (f.allowed[0] if f.allowed else "text/plain")
    data = _BEGINNINGS.get(type_, b"%file ") + f"number {number}, and some bytes that follow".encode()
    return Content(type_, data.ljust(size, b"."))


def chunked(data: bytes) -> bytes:
    """A body as it is sent by whoever does not know its length."""
    size = 60_000
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


@dataclass(frozen=True)
class Place:
    """A file of the rows of an entity, and the run that asks for it."""

    s: Session
    e: Entity
    f: FileField

    def path(self, id: str) -> str:
        """Where the file of a row is."""
        return f"{self.s.path(self.e, id)}/{self.f.path}"

    def content(self, *, type_: str = "", size: int = 0) -> Content:
        """A file that nobody has sent yet."""
        return content(self.f, self.s.number(), type_=type_, size=size)

    async def upload(self, id: str, sent: Content, headers: Headers | None = None, *, user: str = "admin") -> Answer:
        """Sends a file."""
        given = {"content-type": sent.type, **await self.s.writer(self.e, user), **(headers or {})}
        if "transfer-encoding" in given:
            sent = Content(sent.type, chunked(sent.data))
        return await self.s.client.send("PUT", self.path(id), headers=given, content=sent.data)

    async def stored(self, user: str = "admin") -> tuple[Row, Content]:
        """A new row with a file, as it is answered, and what was sent."""
        row, sent = await self.s.create(self.e, user=user), self.content()
        answer = expect(await self.upload(row["id"], sent, user=user), 201, "a valid upload")
        return dict(answer.body), sent

    async def source(self, id: str) -> tuple[str, Headers]:
        """Where and how the file of a row can be read now."""
        if not self.f.private:
            return self.path(id), await self.s.reader(self.e)
        return target(expect(await self.link(id), 200, "a link")), {}

    async def link(self, id: str, body: Row | None = None, *, user: str = "admin") -> Answer:
        """Asks for a signed link."""
        return await self.s.client.send("POST", f"{self.path(id)}/link", body, headers=await self.s.reader(self.e, user))

    async def read(self, id: str, headers: Headers | None = None) -> Answer:
        """Reads the file of a row that has one."""
        path, given = await self.source(id)
        return await self.s.client.send("GET", path, headers={**given, **(headers or {})})

    async def absent(self, id: str) -> None:
        """Holds that there is no file, not even a link to one."""
        if self.f.private:
            expect(await self.link(id), 404, "a link to no file")
        else:
            expect(await self.s.client.send("GET", self.path(id), headers=await self.s.reader(self.e)), 404, "no file")

    async def remove(self, id: str, *, user: str = "admin") -> Answer:
        """Removes the file of a row."""
        return await self.s.client.send("DELETE", self.path(id), headers=await self.s.writer(self.e, user))

    async def unused(self, id: str) -> list[str]:
        """Objects of a row that it has no longer, and that are still there. No request tells of them."""
        # Not LIKE: D1 refuses patterns of more than 50 bytes.
        rows = await self.s.query('SELECT "key" FROM "_unused_files" WHERE instr("key", ?) = 1', f"{self.e.name}/{id}/")
        return [str(row["key"]) for row in rows]


def target(link: Answer) -> str:
    """The path and query of a link."""
    return "/" + str(link.body["url"]).split("/", 3)[3]
