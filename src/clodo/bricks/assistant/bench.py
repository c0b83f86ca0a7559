"""The model that stands beside a service in its proof: it speaks OpenAI's chat completions, notes what it is asked, and says
what it is told to, however hostile."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "model-of-the-proof"
KEY = "key-of-the-proof-0123456789"
#: How long the service waits for it. Longer would make a proof slow.
SECONDS = 2


@dataclass(frozen=True)
class Reply:
    """``content`` is what the model says: a text as it is, all else as JSON. ``body`` is a whole body in the place of
    OpenAI's. ``silent``: it never answers."""

    content: Any = ""
    status: int = 200
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    silent: bool = False

    def sent(self) -> bytes:
        """The body as it goes out."""
        if self.body is not None:
            return self.body
        text = self.content if isinstance(self.content, str) else json.dumps(self.content)
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return json.dumps({"object": "chat.completion", "model": MODEL, "choices": [choice]}).encode()


@dataclass(frozen=True)
class Seen:
    """A request that arrived. Names of headers are in lower case."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]

    def says(self, role: str) -> str:
        """What the messages of a role say."""
        return "\n".join(str(m.get("content")) for m in self.body.get("messages", []) if m.get("role") == role)


@dataclass
class Bench:
    """The model. A check knows its requests by the text that it is asked about."""

    told: dict[str, list[Reply]] = field(default_factory=dict)
    seen: dict[str, list[Seen]] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)

    def expect(self, text: str, *replies: Reply) -> list[Seen]:
        """From now on, what is asked about that text is answered so, in turn; the last reply stays. Gives the list of the
        requests that will arrive."""
        self.told[text] = list(replies)
        self.seen[text] = []
        return self.seen[text]

    @contextlib.contextmanager
    def running(self) -> Iterator[Mapping[str, str]]:
        """Runs it; gives the variables that lead the service here."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield {
                "ASSISTANT_PROVIDERS": "openai",
                "ASSISTANT_PRIVACY": "local-only",
                "ASSISTANT_OPENAI_URL": f"http://127.0.0.1:{server.server_address[1]}/v1",
                "ASSISTANT_OPENAI_MODEL": MODEL,
                "ASSISTANT_OPENAI_KEY": KEY,
                "ASSISTANT_SECONDS": str(SECONDS),
            }
        finally:
            self._over.set()
            server.shutdown()
            server.server_close()
            thread.join(10)

    def answer(self, seen: Seen) -> Reply:
        """The reply to a request, which is noted."""
        replies = self.told.get(seen.says("user"))
        if replies is None:
            return Reply(status=404, body=b'{"error": {"message": "no check asks that"}}')
        self.seen[seen.says("user")].append(seen)
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def wait(self) -> None:
        """Holds a silent answer back for longer than anybody waits."""
        self._over.wait(4 * SECONDS)


def _handler(bench: Bench) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)))
            reply = bench.answer(Seen(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            if reply.silent:
                bench.wait()
                self.close_connection = True
                return
            content = reply.sent()
            self.send_response(reply.status)
            for name, value in (("content-type", "application/json"), *reply.headers, ("content-length", str(len(content)))):
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):  # the service may have had enough
                self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    return Handler
