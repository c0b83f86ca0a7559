"""Workers AI from outside of Cloudflare: its REST interface."""

from __future__ import annotations

import os
import re
from typing import Any

from clodo.errors import ModelError, UsageError
from clodo.lm import Completion, Constraint, Message, Profile, estimated_tokens
from clodo.lm.privacy import Privacy, permit
from clodo.runtime.endpoint import Endpoint, Hands, host_of
from clodo.runtime.openai import OpenAIModel, completion, used_tokens

PROVIDER = "Workers AI"
_API = "https://api.cloudflare.com/client/v4"
_MODEL = re.compile(r"@[\w.-]+(?:/[\w.-]+)+")


class WorkersAIModel:
    """A model of Workers AI, called by ``ai/run``. The account and the token come from ``CLOUDFLARE_ACCOUNT_ID`` and
    ``CLOUDFLARE_API_TOKEN``, as for wrangler, and are never logged; ``CLOUDFLARE_API_BASE_URL`` is another address of the
    API, as for wrangler, too."""

    def __init__(
        self, model: str, *, context: int | None = None, privacy: Privacy = Privacy.LOCAL_ONLY, hands: Hands | None = None
    ) -> None:
        """Reads who calls from the environment.

        Raises:
            ModelError: the policy lets nothing be sent there, or a variable is missing.
            UsageError: the model's name is none of Workers AI.
        """
        base = account_url(model, privacy)
        headers = {"authorization": f"Bearer {_token()}"}
        self._endpoint = Endpoint(base, PROVIDER, privacy, headers, hands)
        self._profile = Profile(model, PROVIDER, context, None, self._endpoint.local)

    @property
    def profile(self) -> Profile:
        """What it is and can do."""
        return self._profile

    def complete(
        self, messages: tuple[Message, ...], constraint: Constraint | None, max_tokens: int
    ) -> Completion:
        """Answers a conversation; see the port. Workers AI takes no grammar, so a constraint is left to who checks."""
        body = {
            "messages": [{"role": m.role, "content": m.text} for m in messages],
            "max_tokens": max_tokens,
            "temperature": 0,
        }
        tokens = estimated_tokens(messages) + max_tokens
        answer, ms = self._endpoint.post(f"run/{self._profile.name}", body, tokens, lambda a: used_tokens(_result(a)))
        result = _result(answer)
        if "choices" in result:  # newer models answer in OpenAI's shape, inside of the same envelope
            return completion(result, PROVIDER, ms)
        text = result.get("response")
        if not isinstance(text, str):
            raise ModelError(f"The {PROVIDER} gave an answer without text.", code="invalid-answer")
        # It does not say whether it was cut off: where it counts, a full measure of tokens says so.
        usage = result.get("usage")
        written = usage.get("completion_tokens") if isinstance(usage, dict) else None
        finished = not isinstance(written, int) or written < max_tokens
        return Completion(text, finished, None, 0.0, ms, used_tokens(result))

    def close(self) -> None:
        """Closes the connection."""
        self._endpoint.close()


def over_openai(
    model: str, *, context: int | None = None, privacy: Privacy = Privacy.LOCAL_ONLY, hands: Hands | None = None
) -> OpenAIModel:
    """The same by the endpoint of Workers AI that speaks OpenAI's chat completions; see ``WorkersAIModel``."""
    base = f"{account_url(model, privacy)}/v1"
    return OpenAIModel(base, model, context=context, provider=PROVIDER, key=_token(), privacy=privacy, hands=hands)


def account_url(model: str, privacy: Privacy) -> str:
    """The address of the account's Workers AI, for a model's name that is one.

    Raises:
        ModelError: the policy lets nothing be sent there, or the account is not told.
        UsageError: the model's name is none of Workers AI.
    """
    if not _MODEL.fullmatch(model) or ".." in model:
        raise UsageError(
            f"{model!r} is no model of Workers AI.", hint="Write it like workers-ai:@cf/meta/llama-3.1-8b-instruct."
        )
    base = os.environ.get("CLOUDFLARE_API_BASE_URL") or _API
    permit(host_of(base), privacy)
    return f"{base.rstrip('/')}/accounts/{_variable('CLOUDFLARE_ACCOUNT_ID', r'[0-9a-zA-Z]{1,64}')}/ai"


def _token() -> str:
    return _variable("CLOUDFLARE_API_TOKEN", r"[\x21-\x7e]{1,512}")


def _variable(name: str, form: str) -> str:
    value = os.environ.get(name, "").strip()
    if re.fullmatch(form, value):
        return value
    what = "is not set" if not value else "is not in the form that it should have"
    raise ModelError(f"Workers AI needs the variable {name}, which {what}.", hint=f"Set {name} in the environment.", code="unauthorized")


def _result(answer: dict[str, Any]) -> dict[str, Any]:
    result = answer.get("result")
    return result if isinstance(result, dict) else {}
