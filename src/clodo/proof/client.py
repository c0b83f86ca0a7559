"""An HTTP client that holds every answer against the service's own OpenAPI document."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx2 as httpx
from jsonschema import Draft202012Validator

_LEAKS = re.compile(
    r"SQLITE|D1_ERROR|constraint failed|\bSELECT\b.*\bFROM\b|\bINSERT INTO\b|syntax error near"
    r"|\n\s+at |node_modules|\.ts:\d+|index\.mjs|pbkdf2-sha256",
)


@dataclass(frozen=True)
class Answer:
    """One answer: its status, headers (names in lower case) and body, parsed where it is JSON."""

    method: str
    path: str
    status: int
    headers: dict[str, str]
    body: Any
    text: str

    def excerpt(self) -> str:
        """The exchange in one line, for the report."""
        return f"{self.method} {self.path} → {self.status} {self.text[:200]}"


@dataclass(frozen=True)
class Disagreement:
    """An answer that the document does not describe, or that tells too much."""

    rule: str
    message: str
    answer: Answer


@dataclass
class _Operation:
    method: str
    pattern: re.Pattern[str]
    responses: dict[str, Any]
    literal: int
    validators: dict[str, Draft202012Validator] = field(default_factory=dict)


class Client:
    """Sends requests to one service and remembers what disagreed with its document."""

    def __init__(self, url: str, secrets: tuple[str, ...] = ()) -> None:
        limits = httpx.Limits(max_connections=16, max_keepalive_connections=16)
        self._http = httpx.AsyncClient(base_url=url, limits=limits, timeout=20, trust_env=False)
        self._secrets = tuple(s for s in secrets if len(s) >= 12)
        self.document: dict[str, Any] = {}
        self.disagreements: list[Disagreement] = []
        self.answers = 0

    async def close(self) -> None:
        """Closes its connections."""
        await self._http.aclose()

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
        params: dict[str, Any] | list[tuple[str, Any]] | None = None,
    ) -> Answer:
        """Sends one request (``body`` as JSON, or raw ``content``) and checks the answer."""
        all_headers = dict(headers or {})
        if body is not None and content is None:
            content = json.dumps(body).encode()
            all_headers.setdefault("content-type", "application/json")
        response = await self._http.request(
            method, path, content=content, headers=all_headers, params=params
        )
        text = response.text
        is_json = "json" in response.headers.get("content-type", "")
        answer = Answer(
            method,
            path,
            response.status_code,
            {k.lower(): v for k, v in response.headers.items()},
            json.loads(text) if is_json and text else None,
            text,
        )
        self.answers += 1
        self._check(answer)
        return answer

    def _check(self, answer: Answer) -> None:
        if answer.status >= 400 and (leak := _LEAKS.search(answer.text)):
            self._disagree("core.no-leak", f"an error tells {leak[0][:40]!r}", answer)
        for secret in self._secrets:
            if secret in answer.text:
                self._disagree("core.no-leak", "an answer tells a secret", answer)
        if answer.status >= 500:
            self._disagree("core.no-server-error", "the service failed", answer)
        if self.document:
            self._conform(answer)

    def _disagree(self, rule: str, message: str, answer: Answer) -> None:
        self.disagreements.append(Disagreement(rule, message, answer))

    def _conform(self, answer: Answer) -> None:
        path = answer.path.split("?")[0]
        found = [o for o in self._operations if o.pattern.fullmatch(path)]
        best = max((o.literal for o in found), default=0)
        same = [o for o in found if o.literal == best]
        method = "GET" if answer.method == "HEAD" else answer.method
        operation = next((o for o in same if o.method == method), None)
        if operation is None:
            wanted = (405,) if same else (404,)
            if answer.status not in wanted:
                self._disagree("core.openapi", f"{method} is not in the document", answer)
            return
        response = operation.responses.get(str(answer.status))
        if response is None:
            self._disagree("core.openapi", f"{answer.status} is not in the document", answer)
            return
        self._conform_body(operation, response, answer)

    def _conform_body(self, operation: _Operation, response: Any, answer: Answer) -> None:
        content = response.get("content", {})
        kind = answer.headers.get("content-type", "").split(";")[0]
        if answer.method == "HEAD" or (not content and not answer.text):
            return
        if kind not in content:
            self._disagree("core.openapi", f"the content type {kind!r} is not in the document", answer)
            return
        if "json" not in kind:
            return
        key = str(answer.status)
        if key not in operation.validators:
            schema = {**content[kind].get("schema", {}), "components": self.document["components"]}
            operation.validators[key] = Draft202012Validator(schema)
        error = next(iter(operation.validators[key].iter_errors(answer.body)), None)
        if error is not None:
            where = "/".join(str(p) for p in error.absolute_path)
            self._disagree("core.openapi", f"{where or 'the body'}: {error.message[:160]}", answer)

    @cached_property
    def _operations(self) -> list[_Operation]:
        out = []
        for path, item in self.document["paths"].items():
            pattern = re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)))
            literal = sum(not s.startswith("{") for s in path.split("/"))
            for method, operation in item.items():
                if method != "parameters":
                    out.append(_Operation(method.upper(), pattern, operation["responses"], literal))
        return out
