"""Answers of a front, held against the OpenAPI document that it gives of itself."""

from __future__ import annotations

import re
from typing import Any

import httpx2 as httpx
from jsonschema import Draft202012Validator

from clodo.proof.conformance import Conformance, document_faults


class Documented:
    """The document of a front that runs, without a key."""

    def __init__(self, url: str) -> None:
        answer = httpx.get(f"{url}/openapi.json", trust_env=False)
        assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
        self.document: dict[str, Any] = answer.json()
        assert list(document_faults(self.document)) == []
        self._conformance = Conformance(self.document)
        self.holds(answer)

    def holds(self, answer: httpx.Response) -> httpx.Response:
        """The answer, which must be one that the document describes."""
        kind = answer.headers.get("content-type", "").split(";")[0]
        body = answer.json() if "json" in kind and answer.content else None
        request = answer.request
        fault = self._conformance.fault(request.method, request.url.path, answer.status_code, kind, answer.text, body)
        assert fault == "", f"{request.method} {request.url.path} {answer.status_code}: {fault}\n{answer.text[:300]}"
        return answer

    def takes(self, schema: str, body: Any) -> bool:
        """Whether a body is one that a schema of the document allows."""
        return bool(Draft202012Validator({"$ref": f"#/components/schemas/{schema}", "components": self.document["components"]}).is_valid(body))


def check_what_is_open(url: str) -> None:
    """What every front answers without a key: the document, a page of it that asks no other host, and 405 to other methods."""
    document = Documented(url)
    with httpx.Client(base_url=url, trust_env=False) as client:
        for path in ("/health", "/metrics", "/openapi.json", "/docs"):
            answer = document.holds(client.get(path))
            assert answer.status_code == 200 and answer.headers["x-content-type-options"] == "nosniff" and answer.headers["cache-control"] == "no-store"
            assert (client.head(path).status_code, client.head(path).content) == (200, b"")
            wrong = document.holds(client.post(path))
            assert (wrong.status_code, wrong.headers["allow"], wrong.headers["content-type"]) == (405, "GET, HEAD", "application/problem+json")
        page = client.get("/docs")
        assert page.headers["content-type"].startswith("text/html") and "<html" in page.text and 'fetch("openapi.json")' in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert not re.search(r"""(?:src|href|url\()\s*=?\s*["']?(https?:)?//""", page.text)
        assert document.holds(client.get("/docs/")).status_code == 404, "the page finds its document beside it only"
        assert document.holds(client.get("/nowhere")).status_code == 404
