"""The models that stand beside a service in its proof: one behind each provider. They note what they are asked, and say what
they are told to, however hostile."""

from __future__ import annotations

import contextlib
import json
import math
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from clodo.lm.redaction import Redaction

MODEL = "model-of-the-proof"
KEY = "key-of-the-proof-0123456789"
#: How long the service waits for it. Longer would make a proof slow.
SECONDS = 2
#: Who is asked, in order. The last is the one that most checks are about; unless a check tells the others what to say, they say
#: nothing that holds up.
PROVIDERS = ("edge", "workers-ai", "openai")
#: The policy: what is shown to Workers AI is redacted, the others are the service's own and on this machine.
PRIVACY = "redacted"
#: Below this, the next is asked.
CONFIDENCE = 0.5

#: The Worker behind the bindings MODEL and AI: it hands on what it is asked.
_BOUND = """
import { WorkerEntrypoint } from "cloudflare:workers";

export default class extends WorkerEntrypoint {
  fetch(request) {
    return fetch(new Request(new URL("/edge/chat/completions", this.env.ASSISTANT_OPENAI_URL), request));
  }

  async run(model, input) {
    const url = new URL("/workers-ai", this.env.ASSISTANT_OPENAI_URL);
    const answer = await fetch(url, { method: "POST", body: JSON.stringify({ ...input, model }) });
    if (!answer.ok) throw new Error(`${answer.status}: it failed`);
    return { response: (await answer.json()).choices?.[0]?.message?.content };
  }
}
"""
BOUND: Mapping[str, str] = {"MODEL": _BOUND, "AI": _BOUND}


@dataclass(frozen=True)
class Reply:
    """``content`` is what the model says: a text as it is, all else as JSON. ``body`` is a whole body in the place of
    OpenAI's. ``silent``: it never answers. ``chances`` are the probabilities of its tokens, which it tells whoever asks for them, and ``logprobs`` what it
    says in their place. ``cut``: its tokens were not enough."""

    content: Any = ""
    status: int = 200
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    silent: bool = False
    chances: tuple[float, ...] = ()
    logprobs: Any = None
    cut: bool = False

    def sent(self, asked: Mapping[str, Any]) -> bytes:
        """The body as it goes out to a request."""
        if self.body is not None:
            return self.body
        text = self.content if isinstance(self.content, str) else json.dumps(self.content)
        told = self.logprobs or {"content": [{"token": "x", "logprob": math.log(c)} for c in self.chances]}
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": "length" if self.cut else "stop",
            "logprobs": told if asked.get("logprobs") is True else None,
        }
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


#: What a model says that no check has told anything.
_NOTHING = Reply()


@dataclass
class Bench:
    """The models. A check knows its requests by the provider and the text that it is asked about."""

    told: dict[tuple[str, str], list[Reply]] = field(default_factory=dict)
    seen: dict[tuple[str, str], list[Seen]] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)

    def expect(self, text: str, *replies: Reply, provider: str = PROVIDERS[-1]) -> list[Seen]:
        """From now on, what a provider is asked about that text is answered so, in turn; the last reply stays. Gives the list of
        the requests that will arrive. Workers AI is to be asked about the text without its secrets."""
        key = (provider, redacted(text) if provider == "workers-ai" else text)
        self.told[key] = list(replies)
        self.seen[key] = []
        return self.seen[key]

    @contextlib.contextmanager
    def running(self) -> Iterator[Mapping[str, str]]:
        """Runs them; gives the variables that lead the service here."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield {
                "ASSISTANT_PROVIDERS": ", ".join(PROVIDERS),
                "ASSISTANT_PRIVACY": PRIVACY,
                "ASSISTANT_CONFIDENCE": str(CONFIDENCE),
                "ASSISTANT_WORKERS_AI_MODEL": MODEL,
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
        """The reply to a request, which is noted where a check waits for it."""
        provider = {"/edge": "edge", "/workers-ai": "workers-ai"}.get(seen.path.removesuffix("/chat/completions"), "openai")
        key = (provider, seen.says("user"))
        replies = self.told.get(key)
        if replies is None:
            return _NOTHING if provider != "openai" else Reply(status=404, body=b'{"error": {"message": "no check asks that"}}')
        self.seen[key].append(seen)
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def wait(self) -> None:
        """Holds a silent answer back for longer than anybody waits."""
        self._over.wait(4 * SECONDS)


def redacted(text: str) -> str:
    """A text without its secrets and names, as whoever is elsewhere is shown it."""
    return Redaction([text]).hide(text).text


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
            content = reply.sent(body)
            self.send_response(reply.status)
            for name, value in (("content-type", "application/json"), *reply.headers, ("content-length", str(len(content)))):
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):  # the service may have had enough
                self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    return Handler
