"""The first model first, a larger one only where the first does not do: the rule of every hybrid, for texts and for
understandings alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from clodo.errors import ModelError
from clodo.lm import Tried

Answer = TypeVar("Answer")

#: Below this confidence the next model is asked.
THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why an answer is not good enough while there is another model to ask. One that is not ``usable`` is never given, however
    the other models fare."""

    reason: str
    detail: str
    usable: bool = True


def escalate(
    asked: Sequence[Callable[[], Answer]],
    who: Callable[[int], tuple[str, str]],
    doubt: Callable[[int, Answer], Doubt | None],
) -> tuple[Answer, tuple[Tried, ...]]:
    """The answer of the first model that gives no cause for doubt, and those that were tried before. Where all give
    cause, the last usable answer counts: whoever came later was thought the better. Where others
    came after it in vain, it stands among the tried ones, with the cause. ``who`` is the model and the provider of a place in the order.

    Raises:
        ModelError: no model gave a usable answer; it is the error of the last.
    """
    tried: list[Tried] = []
    usable: list[Answer] = []
    failure: ModelError | None = None
    for place, ask in enumerate(asked):
        try:
            answer = ask()
        except ModelError as error:
            if error.code == "privacy":  # no cause to look for another: the order itself is against the policy
                raise
            failure = error
            tried.append(Tried(*who(place), error.code, error.message))
            continue
        found = doubt(place, answer)
        if found is None:
            return answer, tuple(tried)
        if found.usable and place == len(asked) - 1:  # nobody is left to ask
            return answer, tuple(tried)
        tried.append(Tried(*who(place), found.reason, found.detail))
        if found.usable:
            usable.append(answer)
    if usable:
        return usable[-1], tuple(tried)
    if len(asked) == 1 and failure is not None:
        raise failure
    said = "; ".join(f"{t.model}: {t.reason}" for t in tried)
    last = failure or ModelError("No model gave an answer that holds up.", code="invalid-answer")
    raise ModelError(f"{last.message} (tried {said})", hint=last.hint, code=last.code, retryable=last.retryable)
