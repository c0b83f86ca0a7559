"""One HTTP endpoint of a model, wherever it is: the only way in which Clodo speaks to models outside of its own process.

Whatever adapter sits on it, the same holds: the privacy policy is asked before a connection is made, redirects are not
followed, a call ends when its time is over, answers that may pass (429, 5xx) are tried again with growing pauses, budgets of
the day are kept, and a provider that keeps failing is left alone for a while.
"""

from __future__ import annotations

import json
import os
import random
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import TIMEOUT_MAX, Thread
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx

from clodo.errors import ModelError
from clodo.lm import limits as limited
from clodo.lm.privacy import Privacy, is_loopback, permit
from clodo.lm.retries import PASSING, Outcome, pauses
from clodo.runtime.usage import Usage

_MOST_BYTES = 8 * 1024 * 1024
_HINT = "Start the server, or choose another model with --model."
#: What servers call a request that is longer than the model's context.
_TOO_LONG = frozenset({"context_length_exceeded", "exceed_context_size_error", "3006", "too-large"})
#: Workers AI's code for an account whose free allocation of the day is used up: no pause of seconds helps.
_DAY_IS_SPENT = "3036"
#: Whether an answer with a status and a body is one.
Also = Callable[[int, dict[str, Any]], bool]
#: How an attempt ended: with an answer or an error, and the pause that the server asks for.
Attempt = tuple[dict[str, Any] | ModelError, float | None]
#: Failures that count against a provider.
_FAILING = frozenset({"unavailable", "timeout", "rate-limited"})


@dataclass(frozen=True, slots=True)
class Hands:
    """What an endpoint does things with: tests bring their own."""

    transport: Any = None
    usage: Usage | None = None
    limits: limited.Limits | None = None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Endpoint:
    """An address that answers requests with JSON."""

    def __init__(
        self, base_url: str, provider: str, privacy: Privacy, headers: Mapping[str, str], hands: Hands | None = None
    ) -> None:
        """``provider`` is what people are told it is; budgets are kept under this name, too.

        Raises:
            ModelError: the address is none, or the policy does not let anything be sent there.
        """
        hands = hands or Hands()
        host = host_of(base_url)
        permit(host, privacy)
        self.local = is_loopback(host)
        self.provider = provider
        self._privacy, self._hands = privacy, hands
        self._key = headers.get("authorization", "").removeprefix("Bearer ")
        self._limits = hands.limits or (limited.LOCAL if self.local else limited.limits_from(os.environ))
        self._usage = None if self.local else (hands.usage or Usage())
        self._http = httpx.Client(
            base_url=base_url.rstrip("/") + "/",
            headers=dict(headers),
            transport=hands.transport,
            follow_redirects=False,
            # A proxy of the environment would take even what goes to this machine elsewhere.
            trust_env=not self.local,
            event_hooks={"request": [self._guard]},
        )

    def post(
        self,
        path: str,
        body: dict[str, Any],
        tokens: int,
        used: Callable[[dict[str, Any]], int] = lambda _: 0,
        also: Also = lambda status, _: False,
    ) -> tuple[dict[str, Any], float]:
        """What the endpoint answers to a body, and how many ms that took. ``tokens`` is what the call may take at most,
        ``used`` finds in the answer what it took (0: not told, so that all of it counts). ``also`` says which answers with
        another status than 200 are answers all the same.

        Raises:
            ModelError: its ``code`` says what failed: ``privacy over-budget circuit-open unavailable timeout rate-limited
                unauthorized too-long refused invalid-answer``.
        """
        if tokens > self._limits.call_tokens:
            raise ModelError(
                f"The call may take {tokens} tokens, and {self._limits.call_tokens} are the most for one call.",
                hint="Shorten the text, use a local model, or raise CLODO_CALL_TOKENS.",
                code="over-budget",
            )
        if self._usage is not None:
            self._usage.admit(self.provider, self._limits, tokens)
        spent: int = tokens
        answered: bool | None = None  # stopped from outside: that says nothing of the provider
        try:
            started = self._hands.clock()
            answer = self._insist(path, body, started, also)
            answered, spent = True, used(answer) or tokens
            return answer, (self._hands.clock() - started) * 1000
        except ModelError as error:
            answered = error.code not in _FAILING
            spent = 0
            raise
        finally:
            if self._usage is not None:
                self._usage.settle(self.provider, tokens, spent, answered=answered)

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def _insist(self, path: str, body: dict[str, Any], started: float, also: Also) -> dict[str, Any]:
        end = started + self._limits.call_seconds
        rounds = pauses(random.uniform(0.5, 1.0))
        next(rounds)
        while True:
            answer, asked = self._attempt(path, body, end, also)
            if not isinstance(answer, ModelError):
                return answer
            try:
                pause = rounds.send(Outcome(answer.retryable, end - self._hands.clock(), asked))
            except StopIteration:
                raise answer from None
            if self._usage is not None and not self._usage.again(self.provider, self._limits):
                raise answer from None
            self._hands.sleep(pause)

    def _attempt(self, path: str, body: dict[str, Any], end: float, also: Also) -> Attempt:
        """The answer, or what went wrong and the pause that the server asks for."""
        left = end - self._hands.clock()
        if left <= 0:
            return self._late(), None
        ended: SimpleQueue[Attempt | BaseException] = SimpleQueue()

        def work() -> None:
            try:
                ended.put(self._exchange(path, body, left, end, also))
            except BaseException as error:
                ended.put(error)

        # By itself: the client bounds each step, and a server that drips its headers keeps within that for ever.
        Thread(target=work, daemon=True).start()
        try:
            found = ended.get(timeout=min(left, TIMEOUT_MAX))
        except Empty:
            return self._late(), None
        if isinstance(found, BaseException):
            raise found
        return found

    def _exchange(self, path: str, body: dict[str, Any], left: float, end: float, also: Also) -> Attempt:
        content = bytearray()
        try:
            with self._http.stream("POST", path, json=body, timeout=left) as response:
                for piece in response.iter_bytes():
                    content += piece
                    if self._hands.clock() > end:  # a server that drips would keep within every time-out of a read
                        return self._late(), None
                    if len(content) > _MOST_BYTES:
                        return self._error("answered with more than 8 MB", "invalid-answer"), None
        except httpx.TimeoutException:
            return self._late(), None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            message = f"The {self.provider} cannot be reached ({type(error).__name__})."
            # On this machine nobody comes back within seconds.
            return ModelError(message, hint=_HINT, code="unavailable", retryable=not self.local), None
        found = _decoded(bytes(content))
        status = response.status_code
        if found is not None and ((status == 200 and found.get("success") is not False) or also(status, found)):
            return found, None
        if status == 200 and found is None:
            return self._error("gave an answer without text: it is no JSON", "invalid-answer"), None
        return self._complaint(status, found), _asked(response.headers.get("retry-after"))

    def _complaint(self, status: int, body: dict[str, Any] | None) -> ModelError:
        said, codes = _complaint(body or {}, self._key)
        message = f"The {self.provider} answered {status}: {said}."
        hint = "Check the model's name, its key and the server's log."
        if status == 413 or codes & _TOO_LONG:
            return ModelError(message, hint="Shorten the text, or use a model with a larger context.", code="too-long")
        if _DAY_IS_SPENT in codes:
            return ModelError(message, hint="Wait until tomorrow, or use another plan or model.", code="over-budget")
        if status in (401, 403):
            return ModelError(message, hint="Check the key; docs/providers.md says where each is read from.", code="unauthorized")
        if status == 429:
            return ModelError(message, hint="Try again later.", code="rate-limited", retryable=True)
        if status in PASSING or status >= 500:
            return ModelError(message, hint=hint, code="unavailable", retryable=status in PASSING)
        return ModelError(message, hint=hint, code="refused")

    def _late(self) -> ModelError:
        message = f"The {self.provider} did not answer within {self._limits.call_seconds:g} s."
        # The variable bounds what is elsewhere alone.
        hint = "Try again, or use a faster model." if self.local else "Try again, or raise CLODO_CALL_SECONDS."
        return ModelError(message, hint=hint, code="timeout", retryable=True)

    def _error(self, what: str, code: str) -> ModelError:
        return ModelError(f"The {self.provider} {what}.", hint="Check that it is the endpoint of a model.", code=code)

    def _guard(self, request: Any) -> None:
        """Called with each request before it is sent."""
        permit(request.url.host, self._privacy)
        if self._privacy is Privacy.OPEN or request.url.host != "localhost":
            return
        try:
            found = socket.getaddrinfo("localhost", request.url.port)
        except OSError:
            raise httpx.ConnectError("'localhost' leads nowhere", request=request) from None
        for *_, address in found:
            permit(str(address[0]), self._privacy)
            if not is_loopback(str(address[0])):  # what is shown to this machine is not redacted
                raise ModelError(
                    f"'localhost' leads to {address[0]}, which is another machine.",
                    hint="Mend the file of hosts, or name the other machine by its own name.",
                    code="privacy",
                )


def host_of(url: str) -> str:
    """The host of an address.

    Raises:
        ModelError: it is no address of HTTP.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise ModelError(f"{url!r} is no address of a model.", hint="Write it like http://127.0.0.1:8080/v1.")
    return host


def _decoded(content: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _complaint(body: dict[str, Any], key: str) -> tuple[str, set[str]]:
    """What is wrong, in words and codes: OpenAI's ``error``, Cloudflare's ``errors``, or problem details. A server that repeats
    the key is not quoted with it."""
    error = body.get("error")
    listed = body.get("errors")
    if isinstance(error, dict):
        found = [error]
    elif isinstance(listed, list) and listed:
        found = [e for e in listed if isinstance(e, dict)]
    else:
        found = [{"message": error if isinstance(error, str) else body.get("detail") or body.get("title"), "code": body.get("code")}]
    words = "; ".join(str(e["message"]) for e in found if e.get("message"))
    words = words.replace(key, "…") if key else words
    codes = {str(e[k]) for e in (*found, body) for k in ("code", "type") if e.get(k) is not None}
    return words[:200].rstrip(".") or "no reason given", codes


def _asked(header: str | None) -> float | None:
    """The seconds of a ``Retry-After``; a date counts as not told."""
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:
        return None
