"""HTTP/1.1 over kept connections, no more than a proof against 127.0.0.1 needs.

A proof sends a thousand small requests; a general client spends more time on each than the service
itself does. No redirects, proxies, cookies, compression or TLS.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

_MAX_HEAD_BYTES = 256 * 1024


class TransportError(Exception):
    """The service closed the connection, did not answer in time, or answered no HTTP."""


@dataclass(frozen=True)
class RawAnswer:
    """A status, headers (names in lower case; of repeated ones the last) and the body's bytes."""

    status: int
    headers: dict[str, str]
    body: bytes


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Transport:
    """A pool of connections to one host and port."""

    def __init__(self, host: str, port: int, timeout: float = 20.0) -> None:
        self._host, self._port, self._timeout = host, port, timeout
        self._idle: list[Connection] = []

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self._host, self._port

    async def close(self) -> None:
        """Closes the idle connections."""
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()

    async def request(
        self, method: str, target: str, headers: dict[str, str], content: bytes | None
    ) -> RawAnswer:
        """Sends a request and waits for the whole answer.

        Raises:
            TransportError: there was no answer.
        """
        message = _message(method, target, f"{self._host}:{self._port}", headers, content)
        reused = bool(self._idle)
        try:
            return await asyncio.wait_for(self._exchange(method, message), self._timeout)
        except TimeoutError:
            raise TransportError(f"no answer within {self._timeout:.0f} s") from None
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            # The other side may close an idle connection at any time; a fresh one tells more.
            if reused:
                await self.close()
                return await self.request(method, target, headers, content)
            raise TransportError(f"the connection broke: {error or type(error).__name__}") from None

    async def _exchange(self, method: str, message: bytes) -> RawAnswer:
        if self._idle:
            reader, writer = self._idle.pop()
        else:
            reader, writer = await asyncio.open_connection(
                self._host, self._port, limit=_MAX_HEAD_BYTES
            )
        try:
            writer.write(message)
            # A large body is refused while it is still being sent: the answer may come first.
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            answer, keep = await _read(reader, method)
        except BaseException:
            writer.close()
            raise
        if keep:
            self._idle.append((reader, writer))
        else:
            writer.close()
        return answer


def _message(
    method: str, target: str, host: str, headers: dict[str, str], content: bytes | None
) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    # Content that is sent in chunks says its own length.
    if content is not None and "transfer-encoding" not in headers:
        lines.append(f"content-length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (content or b"")


async def _read(reader: asyncio.StreamReader, method: str) -> tuple[RawAnswer, bool]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ", 2)[1])
    headers = {}
    for line in head[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    keep = headers.get("connection", "").lower() != "close"
    if method == "HEAD" or status in (204, 304):
        return RawAnswer(status, headers, b""), keep
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return RawAnswer(status, headers, await _chunks(reader)), keep
    if "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
        return RawAnswer(status, headers, body), keep
    return RawAnswer(status, headers, await reader.read()), False


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass  # trailers
    return b"".join(parts)
