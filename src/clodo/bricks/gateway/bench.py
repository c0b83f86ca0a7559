"""The server that stands behind a gateway in its proof: it notes what arrives and answers what it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from clodo.bricks.gateway.values import Upstream

_NUMBER = re.compile(r"[?&]proof=(\d+)")
_MOST_HEAD_BYTES = 256 * 1024


@dataclass(frozen=True)
class Reply:
    """What the server answers. ``broken``: it closes the connection instead; ``silent``: it never answers."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b'{"fine":true}'
    broken: bool = False
    silent: bool = False


def problem(status: int) -> Reply:
    """An error in the form that the proof holds errors against."""
    body = {"type": "about:blank", "title": "Told", "status": status, "detail": "As the proof said."}
    return Reply(status, (("content-type", "application/problem+json"),), json.dumps(body).encode())


FINE = Reply(headers=(("content-type", "application/json"),))


@dataclass(frozen=True)
class Seen:
    """A request that arrived. Names of headers are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The path, without the query."""
        return self.target.split("?")[0]


@dataclass
class Bench:
    """The server. Each request that a check sends carries a number in its query, ``?proof=7``, by which it is known here."""

    seen: dict[int, list[Seen]] = field(default_factory=dict)
    _told: dict[int, list[Reply]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    url: str = ""

    def number(self, *replies: Reply) -> int:
        """A number for a request; its answers in turn, of which the last one stays."""
        number = next(self._numbers)
        self._told[number] = list(replies or (FINE,))
        self.seen[number] = []
        return number

    @contextlib.contextmanager
    def running(self, upstreams: tuple[Upstream, ...]) -> Iterator[Mapping[str, str]]:
        """Runs it in a thread of its own; gives the variables that lead the gateway here."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        server = asyncio.run_coroutine_threadsafe(self._start(), loop).result(10)
        try:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield {u.variable: f"{self.url}{self.base(u.name)}" for u in upstreams}
        finally:
            asyncio.run_coroutine_threadsafe(_end(server), loop).result(10)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)
            loop.close()

    @staticmethod
    def base(upstream: str) -> str:
        """The path that an upstream has here."""
        return f"/behind-{upstream}"

    async def _start(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_MOST_HEAD_BYTES)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError, ValueError, asyncio.LimitOverrunError, asyncio.CancelledError):
            while await self._exchange(reader, writer):
                pass
        writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        seen = await _read(reader)
        found = _NUMBER.search(seen.target)
        number = int(found[1]) if found else 0
        self.seen.setdefault(number, []).append(seen)
        # What no check sent is nothing that is here.
        told = self._told.get(number, [problem(404)])
        reply = told.pop(0) if len(told) > 1 else told[0]
        if reply.broken:
            return False
        if reply.silent:
            await reader.read()
            return False
        writer.write(_message(reply, with_body=seen.method != "HEAD"))
        await writer.drain()
        return True


def _message(reply: Reply, *, with_body: bool) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} Told", *(f"{name}: {value}" for name, value in reply.headers)]
    lines.append(f"content-length: {len(reply.body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (reply.body if with_body else b"")


async def _read(reader: asyncio.StreamReader) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ", 2)
    headers: dict[str, str] = {}
    for line in head[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    body = b""
    if "chunked" in headers.get("transfer-encoding", ""):
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
    elif "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    return Seen(method, target, headers, body)


async def _end(server: asyncio.Server) -> None:
    server.close()
    mine = asyncio.current_task()
    left = [t for t in asyncio.all_tasks() if t is not mine]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
