"""WebSockets (RFC 6455) from the caller's side, no more than a proof needs."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import struct
from typing import Any

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10
_SECONDS = 15


class NoSocket(Exception):
    """The service did not open a WebSocket, or it did not follow the protocol."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Socket:
    """An open WebSocket. ``protocol`` is the one that the service chose; ``head`` its whole answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        self._reader, self._writer, self.head = reader, writer, head
        self.protocol = _header(head, "sec-websocket-protocol")

    @classmethod
    async def open(cls, address: tuple[str, int], path: str, headers: dict[str, str]) -> Socket:
        """A WebSocket to a path.

        Raises:
            NoSocket: it was refused.
        """
        reader, writer = await asyncio.open_connection(*address)
        key = base64.b64encode(os.urandom(16)).decode()
        sent = {
            "host": f"{address[0]}:{address[1]}", "upgrade": "websocket", "connection": "Upgrade",
            "sec-websocket-key": key, "sec-websocket-version": "13", **headers,
        }  # fmt: skip
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
        writer.write("\r\n".join(lines).encode("latin-1"))
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _SECONDS)).decode("latin-1")
        status = int(head.split(" ", 2)[1])
        wanted = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()
        if status != 101 or _header(head, "sec-websocket-accept") != wanted:
            writer.close()
            raise NoSocket(f"no WebSocket was opened: {status}", status)
        return cls(reader, writer, head)

    async def send(self, value: Any) -> None:
        """Sends a JSON value; texts as they are, bytes as binary."""
        raw = value if isinstance(value, (str, bytes)) else json.dumps(value)
        await self._frame(_BINARY if isinstance(raw, bytes) else _TEXT, raw if isinstance(raw, bytes) else raw.encode())

    async def _frame(self, kind: int, data: bytes) -> None:
        mask = os.urandom(4)
        size = len(data)
        length = bytes([0x80 | size]) if size < 126 else struct.pack("!BH", 0x80 | 126, size) if size < 65536 else struct.pack("!BQ", 0x80 | 127, size)
        body = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
        self._writer.write(bytes([0x80 | kind]) + length + mask + body)
        await self._writer.drain()

    async def receive(self) -> Any:
        """The next message, parsed; the code of the end as a number.

        Raises:
            NoSocket: nothing came in time.
        """
        try:
            return await asyncio.wait_for(self._next(), _SECONDS)
        except TimeoutError:
            raise NoSocket(f"nothing was told within {_SECONDS} s") from None
        except (OSError, EOFError):
            raise NoSocket("the connection broke") from None

    async def _next(self) -> Any:
        while True:
            first, second = await self._reader.readexactly(2)
            size = second & 0x7F
            if size >= 126:
                size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8), "big")
            data = await self._reader.readexactly(size)
            kind = first & 0x0F
            if kind == _CLOSE:
                return struct.unpack("!H", data[:2])[0] if len(data) >= 2 else 1005
            if kind == _PING:
                await self._frame(_PONG, data)
            elif kind == _TEXT:
                return json.loads(data)

    async def until(self, kind: str) -> Any:
        """The next message of a type; others are passed over. The code of the end, where that comes first."""
        while True:
            got = await self.receive()
            if isinstance(got, int) or got.get("type") == kind:
                return got

    async def close(self) -> None:
        """Leaves."""
        with contextlib.suppress(OSError):
            await self._frame(_CLOSE, struct.pack("!H", 1000))
        self._writer.close()


def _header(head: str, name: str) -> str:
    for line in head.split("\r\n")[1:]:
        key, _, value = line.partition(":")
        if key.strip().lower() == name:
            return value.strip()
    return ""
