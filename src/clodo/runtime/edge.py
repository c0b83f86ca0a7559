"""A model inside of a Worker (``clodo edge``): its OpenAI route for texts, and its own for blueprints."""

from __future__ import annotations

import os
import re
from typing import Any

from clodo.errors import UsageError
from clodo.lm.privacy import Privacy
from clodo.runtime.endpoint import Endpoint, Hands
from clodo.runtime.openai import OpenAIModel, place

#: Room for a blueprint in a budget of tokens.
_ANSWER_TOKENS = 1600


def edge_model(
    url: str, model: str = "edge", *, context: int | None = None, privacy: Privacy = Privacy.LOCAL_ONLY, hands: Hands | None = None
) -> OpenAIModel:
    """The text model of a running edge Worker, which holds its answers to a grammar. The key comes from ``CLODO_EDGE_KEY``.

    Raises:
        ModelError: the policy does not let anything be sent there.
    """
    return OpenAIModel(
        f"{origin(url)}/v1", model, grammar="grammar", context=context, provider=_provider(url), key=_key(), privacy=privacy, hands=hands
    )


class EdgeReader:
    """The route ``POST /v1/blueprint`` of a running edge Worker: a description in, the document of ``clodo blueprint
    --json`` out. A Worker that has no such route, since its model writes text, answers with a problem of the code ``not-found``."""

    def __init__(self, url: str, *, privacy: Privacy = Privacy.LOCAL_ONLY, hands: Hands | None = None) -> None:
        """Connects to nothing yet.

        Raises:
            ModelError: the policy does not let anything be sent there.
        """
        headers = {"authorization": f"Bearer {key}"} if (key := _key()) else {}
        self._endpoint = Endpoint(f"{origin(url)}/v1", _provider(url), privacy, headers, hands)

    @property
    def local(self) -> bool:
        """Whether it runs on this machine."""
        return self._endpoint.local

    @property
    def provider(self) -> str:
        """Who answers, for people."""
        return self._endpoint.provider

    def ask(self, description: str) -> tuple[dict[str, Any], float]:
        """The document that it answers with, and how many ms that took.

        Raises:
            ModelError: it cannot be reached, or it refuses; see ``Endpoint.post``.
        """
        tokens = len(description) // 3 + _ANSWER_TOKENS
        return self._endpoint.post("blueprint", {"description": description}, tokens, also=_asks)

    def close(self) -> None:
        """Closes the connection."""
        self._endpoint.close()


def _asks(status: int, body: dict[str, Any]) -> bool:
    """Whether the answer is that the description must be asked about, a problem that carries the document; or that there is no
    such route."""
    return (status == 422 and body.get("code") == "unclear" and "questions" in body) or (status == 404 and body.get("code") == "not-found")


def origin(url: str) -> str:
    """The address of a Worker without the routes that people may have copied with it.

    Raises:
        UsageError: it is no address.
    """
    if not re.match(r"https?://[^/?#\s]+", url):
        raise UsageError(f"{url!r} is no address of an edge Worker.", hint="Write it like edge:http://127.0.0.1:8787.")
    return re.sub(r"/(v1(/.*)?)?$", "", url.partition("#")[0])


def _provider(url: str) -> str:
    return f"edge Worker on {place(url)}"


def _key() -> str:
    return os.environ.get("CLODO_EDGE_KEY", "")
