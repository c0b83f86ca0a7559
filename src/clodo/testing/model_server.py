"""A server of models on loopback, for tests: it speaks what OpenAI's chat completions, Workers AI's REST interface and an
edge Worker's ``/v1/blueprint`` are documented to speak, and fails as they do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ACCOUNT = "0123456789abcdef0123456789abcdef"
TOKEN = "test-token-of-workers-ai"


@dataclass(frozen=True)
class Reply:
    """One answer: text of the model, or a status and a body of its own. It comes after ``delay`` seconds, and drips byte by
    byte with ``drip`` seconds between."""

    text: str = ""
    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: float = 0.0
    logprob: float | None = None


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def texts(self) -> str:
        """All that a model is shown."""
        return json.dumps(self.body.get("messages", self.body), ensure_ascii=False)


@dataclass
class ModelServer:
    """What the server answers next, and what it was asked. The last reply is given again and again."""

    url: str
    replies: list[Reply] = field(default_factory=lambda: [Reply("yes")])
    asked: list[Asked] = field(default_factory=list)

    @property
    def api(self) -> str:
        """The base address of Cloudflare's interface."""
        return f"{self.url}/client/v4"

    def answer(self, asked: Asked) -> Reply:
        """The next reply, in the protocol of the path."""
        self.asked.append(asked)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        account, _, rest = asked.path.removeprefix("/client/v4/accounts/").partition("/ai/")
        if asked.path.startswith("/client/v4/"):
            return _workers_ai(reply, account, rest, asked)
        if reply.body is not None or reply.status != 200:
            return reply
        if asked.path == "/v1/chat/completions":
            return _with(reply, _chat(reply, asked))
        return _with(reply, {"error": {"message": f"no route {asked.path}"}}, 404)


def _with(reply: Reply, body: Any, status: int = 200) -> Reply:
    return Reply(reply.text, status, body, reply.headers, reply.delay, reply.drip)


def _chat(reply: Reply, asked: Asked) -> dict[str, Any]:
    choice: dict[str, Any] = {"index": 0, "message": {"role": "assistant", "content": reply.text}, "finish_reason": "stop"}
    if reply.logprob is not None:
        choice["logprobs"] = {"content": [{"token": "x", "logprob": reply.logprob}]}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    return {"id": "chatcmpl-1", "object": "chat.completion", "model": asked.body.get("model"), "choices": [choice], "usage": usage}


def _workers_ai(reply: Reply, account: str, rest: str, asked: Asked) -> Reply:
    """Cloudflare's envelope: ``result``, ``success``, ``errors``, ``messages``."""

    def refused(status: int, code: int, message: str) -> Reply:
        errors = [{"code": code, "message": message}]
        return _with(reply, {"result": None, "success": False, "errors": errors, "messages": []}, status)

    if asked.headers.get("authorization") != f"Bearer {TOKEN}":
        return refused(401, 10000, "Authentication error")
    if account != ACCOUNT:
        return refused(404, 7003, "Could not route to the account")
    if reply.body is not None or reply.status != 200:
        return reply
    if not isinstance(asked.body.get("messages"), list):
        return refused(400, 5006, "required properties at '/' are 'prompt' or 'messages'")
    if rest == "v1/chat/completions":
        return _with(reply, _chat(reply, asked))
    if not rest.startswith("run/@cf/"):
        return refused(400, 5007, f"No such model {rest.removeprefix('run/')} or task")
    usage = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
    result = {"response": reply.text, "usage": usage}
    return _with(reply, {"result": result, "success": True, "errors": [], "messages": []})


@contextmanager
def model_server() -> Iterator[ModelServer]:
    """A server on a free port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            headers = {k.lower(): v for k, v in self.headers.items()}
            reply = state.answer(Asked(self.path, headers, body))
            time.sleep(reply.delay)
            content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in {"content-type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            try:
                for at in range(0, len(content), 1 if reply.drip else len(content)):
                    self.wfile.write(content[at : at + 1] if reply.drip else content)
                    time.sleep(reply.drip)
            except OSError:
                pass  # the caller went away, as it may

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state = ModelServer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
