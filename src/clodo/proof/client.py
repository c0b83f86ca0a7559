"""An HTTP client that holds every answer against the service's own OpenAPI document."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from clodo.proof.conformance import ANYTHING, Conformance
from clodo.proof.transport import RawAnswer, Transport, TransportError

_INNARDS = re.compile(
    r"SQLITE|D1_ERROR|constraint failed|\bSELECT\b.*\bFROM\b|\bINSERT INTO\b|syntax error near"
    r"|no such (?:table|column)|\n\s+at |node_modules|\.ts:\d+|index\.mjs|(?:Type|Reference|Syntax|Range)Error"
)
_HASH = re.compile(r"pbkdf2|\$[A-Za-z0-9+/]{16,}={0,2}\$[A-Za-z0-9+/]{20,}", re.IGNORECASE)
_TOKEN = re.compile(r"eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*")
_SHOWN_CHARACTERS = 300
_MOST_REPEATS = 5
#: Failures of another server than the service, which it may tell of where its document says so.
_OF_OTHERS = (502, 503, 504)

#: What is held against every answer of a run: id of the evidence → the rule in words.
ALWAYS = {
    "core.openapi": "every answer is as the service's own document says",
    "core.problem": "every error is application/problem+json with its status",
    "core.no-server-error": "no request makes the service fail",
    "core.no-leak": "no answer tells SQL, a stack, a file or a secret",
}


@dataclass(frozen=True)
class Answer:
    """One answer: its status, headers (names in lower case) and body, parsed where it is JSON.
    ``sent`` is the body of the request."""

    method: str
    path: str
    status: int
    headers: dict[str, str]
    body: Any
    text: str
    sent: str = ""

    @property
    def request(self) -> str:
        """The request in one line."""
        return f"{self.method} {self.path} {self.sent}".strip()

    @property
    def answer(self) -> str:
        """The answer in one line."""
        return f"{self.status} {self.text}".strip()


@dataclass(frozen=True)
class Disagreement:
    """An answer that breaks one of the rules of ``ALWAYS``."""

    rule: str
    message: str
    answer: Answer


@dataclass
class Trace:
    """The exchanges of one check: how many, and the last."""

    count: int = 0
    last: Answer | None = None


#: The trace of the check that runs in this context.
TRACE: ContextVar[Trace | None] = ContextVar("trace", default=None)


class Client:
    """Sends requests to one service and remembers what broke a rule that holds for every answer.

    ``secrets`` must never be answered; ``hidden_keys`` are JSON keys that no answer may have.
    """

    def __init__(
        self, url: str, secrets: tuple[str, ...] = (), hidden_keys: frozenset[str] = frozenset()
    ) -> None:
        parts = urlsplit(url)
        self._transport = Transport(parts.hostname or "127.0.0.1", parts.port or 80)
        self._secrets = tuple(s for s in secrets if len(s) >= 12)
        keys = "|".join(re.escape(f'"{k}":') for k in sorted(hidden_keys))
        self._hidden = re.compile(keys) if keys else None
        self._conformance: Conformance | None = None
        #: Whether a request that got this answer is to be sent once more, as if it had not been sent.
        self.again: Callable[[RawAnswer], Awaitable[bool]] | None = None
        self.disagreements: list[Disagreement] = []
        self.statuses: Counter[int] = Counter()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the service, for what is more than one request and one answer."""
        return self._transport.address

    @property
    def answers(self) -> int:
        """How many answers there were."""
        return self.statuses.total()

    def hold_against(self, document: dict[str, Any]) -> None:
        """From now on every answer is held against this OpenAPI document."""
        self._conformance = Conformance(document)

    async def close(self) -> None:
        """Closes its connections."""
        await self._transport.close()

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
        params: dict[str, Any] | None = None,
    ) -> Answer:
        """Sends one request (``body`` as JSON, or raw ``content``) and checks the answer.

        Raises:
            TransportError: there was no answer at all.
        """
        all_headers = dict(headers or {})
        if body is not None and content is None:
            content = json.dumps(body).encode()
            all_headers.setdefault("content-type", "application/json")
        if content is None and method in ("POST", "PUT", "PATCH"):
            content = b""
        if params:
            path += ("&" if "?" in path else "?") + urlencode(params)
        target = quote(path, safe="/?&=%+:,;@!$'()*~-._")
        sent = (content or b"")[:_SHOWN_CHARACTERS].decode("utf-8", "replace")
        try:
            raw = await self._transport.request(method, target, all_headers, content)
            for _ in range(_MOST_REPEATS):
                if self.again is None or not await self.again(raw):
                    break
                raw = await self._transport.request(method, target, all_headers, content)
        except TransportError as error:
            nothing = Answer(method, path, 0, {}, None, str(error), sent)
            self._disagree("core.no-server-error", str(error), nothing)
            raise
        text = raw.body.decode("utf-8", "replace")
        answer = Answer(method, path, raw.status, raw.headers, _parsed(raw.headers, text), text, sent)
        self._check(answer)
        return answer

    def _check(self, answer: Answer) -> None:
        self.statuses[answer.status] += 1
        if (trace := TRACE.get()) is not None:
            trace.count += 1
            trace.last = answer
        kinds = self._foretold(answer)
        if answer.status >= 500 and not (kinds and answer.status in _OF_OTHERS):
            self._disagree("core.no-server-error", "the service failed", answer)
        self._check_leaks(answer)
        kind = answer.headers.get("content-type", "").split(";")[0]
        if answer.status >= 400 and answer.method != "HEAD":
            told = answer.body.get("status") if isinstance(answer.body, dict) else None
            foretold = kind != "application/problem+json" and bool({kind, ANYTHING} & kinds)
            if not foretold and (kind != "application/problem+json" or told != answer.status):
                self._disagree("core.problem", f"an error as {kind!r} with status {told}", answer)
        if self._conformance is not None:
            path = answer.path.split("?")[0]
            message = self._conformance.fault(
                answer.method, path, answer.status, kind, answer.text, answer.body
            )
            if message:
                self._disagree("core.openapi", message, answer)

    def _foretold(self, answer: Answer) -> frozenset[str]:
        """The content types that the service's document has for the answer."""
        if self._conformance is None or answer.status < 400:
            return frozenset()
        return self._conformance.kinds(answer.method, answer.path.split("?")[0], answer.status)

    def _check_leaks(self, answer: Answer) -> None:
        if answer.status >= 400 and (leak := _INNARDS.search(answer.text)):
            # What the request itself said may be told back.
            if leak[0] not in answer.sent and leak[0] not in answer.path:
                self._disagree("core.no-leak", f"an error tells {leak[0][:40]!r}", answer)
        if any(secret in answer.text for secret in self._secrets):
            self._disagree("core.no-leak", "an answer tells a secret", answer)
        if answer.path in ("/openapi.json", "/docs"):
            return
        if _HASH.search(answer.text):
            self._disagree("core.no-leak", "an answer tells the hash of a password", answer)
        if self._hidden is not None and (key := self._hidden.search(answer.text)):
            self._disagree("core.no-leak", f"an answer has the key {key[0]}", answer)

    def _disagree(self, rule: str, message: str, answer: Answer) -> None:
        self.disagreements.append(Disagreement(rule, message, answer))

    def shown(self, text: str) -> str:
        """A text for the report: secrets and tokens blacked out, shortened."""
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        text = _TOKEN.sub("[token]", text)
        return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]} …"


def _parsed(headers: dict[str, str], text: str) -> Any:
    if "json" not in headers.get("content-type", "") or not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None
