"""A receiver of webhooks on this machine, for the proof: it keeps what arrives and answers as it is told."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

#: The host that the proof's receivers are found at.
HOST = "127.0.0.1"
_SECONDS = 25.0
_TOLERANCE_SECONDS = 300


@dataclass(frozen=True)
class Arrival:
    """A request that came in; names of headers are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> dict[str, Any]:
        """The event; nothing where the body is no JSON object."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def fault(self, secret: str) -> str:
        """What is wrong with its signature after Standard Webhooks; empty where it is right."""
        id, moment = self.headers.get("webhook-id", ""), self.headers.get("webhook-timestamp", "")
        key = base64.b64decode(secret.removeprefix("whsec_"))
        mark = hmac.new(key, f"{id}.{moment}.".encode() + self.body, hashlib.sha256).digest()
        if not id or f"v1,{base64.b64encode(mark).decode()}" not in self.headers.get("webhook-signature", "").split():
            return "the signature is not that of the secret"
        if not moment.isdigit() or abs(time.time() - int(moment)) > _TOLERANCE_SECONDS:
            return "the timestamp is not that of the attempt"
        return ""


#: Says how to answer an arrival: a status and further headers.
Answering = Callable[[Arrival], tuple[int, dict[str, str]]]


class Receiver:
    """Listens on a port of its own while it is entered. ``answering`` may be changed at any time."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.answering: Answering = lambda arrival: (200, {})
        #: While it is cleared, arrivals that are ``held`` are kept waiting for their answer.
        self.open = asyncio.Event()
        self.open.set()
        self.held: Callable[[Arrival], bool] = lambda arrival: True
        self._changed = asyncio.Condition()
        self._connections: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.open.set()
        self._server.close()
        for writer in self._connections:
            writer.close()

    def url(self, path: str = "/") -> str:
        """An address of it."""
        return f"http://{HOST}:{self.port}{path}"

    async def wait(self, wanted: Callable[[], bool], seconds: float | None = None) -> bool:
        """Whether that becomes true, in so many seconds; it is looked at whenever something arrives."""
        try:
            async with self._changed:
                await asyncio.wait_for(self._changed.wait_for(wanted), _SECONDS if seconds is None else seconds)
        except TimeoutError:
            return False
        return True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while True:
                arrival = await _read(reader)
                async with self._changed:
                    self.arrivals.append(arrival)
                    self._changed.notify_all()
                if self.held(arrival):
                    await self.open.wait()
                status, headers = self.answering(arrival)
                lines = [f"HTTP/1.1 {status} Told", "content-length: 0", *(f"{k}: {v}" for k, v in headers.items())]
                writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
                await writer.drain()
        except (OSError, EOFError):
            pass  # the service has closed the connection
        finally:
            self._connections.discard(writer)
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Arrival:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    path = head[0].split(" ")[1]
    pairs = (line.partition(":") for line in head[1:] if ":" in line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        parts = []
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
        return Arrival(path, headers, b"".join(parts))
    return Arrival(path, headers, await reader.readexactly(int(headers.get("content-length", 0))))
