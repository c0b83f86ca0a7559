"""Pure parts: privacy, limits, retries, the breaker, and the order of models."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from clodo.errors import ModelError, UsageError
from clodo.lm import Message, Profile, fits
from clodo.lm.breaker import FAILURES, PAUSE, Breaker
from clodo.lm.escalation import Doubt, escalate
from clodo.lm.limits import Limits, limits_from
from clodo.lm.privacy import Privacy, is_loopback, permit, privacy_named
from clodo.lm.retries import ATTEMPTS, Outcome, pauses


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_this_machine(host: str) -> None:
    assert is_loopback(host)
    permit(host, Privacy.LOCAL_ONLY)


@pytest.mark.parametrize(
    "host", ["example.com", "0.0.0.0", "10.0.0.1", "localhost.example.com", "127.0.0.1.nip.io", "127.1", "2130706433", "localhost.", "", "::"]
)
def test_other_machines(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(ModelError) as failure:
        permit(host, Privacy.LOCAL_ONLY)
    assert failure.value.code == "privacy" and "--privacy" in failure.value.hint
    permit(host, Privacy.REDACT)
    permit(host, Privacy.OPEN)


def test_an_unknown_policy_is_told() -> None:
    assert privacy_named("redact") is Privacy.REDACT
    with pytest.raises(UsageError, match="paranoid"):
        privacy_named("paranoid")


def test_limits_come_from_the_environment_or_are_refused() -> None:
    assert limits_from({}) == Limits()
    assert limits_from({"CLODO_DAY_REQUESTS": "7", "CLODO_CALL_SECONDS": "2.5"}) == Limits(call_seconds=2.5, day_requests=7)
    for text in ("0", "-1", "many", "nan", "inf"):
        with pytest.raises(UsageError, match="CLODO_DAY_TOKENS"):
            limits_from({"CLODO_DAY_TOKENS": text})


def waits(*outcomes: Outcome) -> list[float]:
    rounds = pauses()
    found = [next(rounds)]
    for outcome in outcomes:
        try:
            found.append(rounds.send(outcome))
        except StopIteration:
            break
    return found


def test_pauses_grow_and_end() -> None:
    again = Outcome(True, left=100)
    assert waits(*[again] * 9) == [0, 0.5, 1, 2] and len(waits(*[again] * 9)) == ATTEMPTS
    assert waits(Outcome(False, left=100)) == [0]


def test_a_pause_is_never_longer_than_what_is_left_of_the_call() -> None:
    assert waits(Outcome(True, left=0.4)) == [0]
    assert waits(Outcome(True, left=100, asked=7), Outcome(True, left=3, asked=7)) == [0, 7]
    assert waits(Outcome(True, left=100, asked=0)) == [0, 0.5]


def test_the_breaker_opens_tries_and_closes() -> None:
    b = Breaker()
    for n in range(FAILURES):
        assert b.state(n) == "closed"
        b = b.failed(10)
    assert b.state(10 + PAUSE - 1) == "open" and b.state(10 + PAUSE) == "half-open"
    trial = b.tried(50)
    assert trial.state(51) == "open"  # the others wait for the trial
    assert trial.succeeded().state(52) == "closed"
    worse = trial.failed(52)
    assert worse.state(52 + 2 * PAUSE - 1) == "open" and worse.state(52 + 2 * PAUSE) == "half-open"
    assert worse.state(-1e9) == "half-open"  # the clock was set back


def test_one_success_among_failures_keeps_it_closed() -> None:
    b = Breaker()
    for _ in range(9):
        b = b.failed(0).failed(0).succeeded()
    assert b.state(0) == "closed"


def test_whether_a_conversation_fits() -> None:
    said = (Message("user", "x" * 300),)
    assert fits(Profile("m", "p", 158), said, 50) and not fits(Profile("m", "p", 157), said, 50)
    assert fits(Profile("m", "p"), said, 10**9)


def failing(code: str) -> Callable[[], str]:
    def ask() -> str:
        raise ModelError(f"It failed: {code}.", code=code)

    return ask


def who(place: int) -> tuple[str, str]:
    return "abc"[place], "here"


def weak(place: int, answer: str) -> Doubt | None:
    return Doubt(answer, "") if answer.startswith("low") else Doubt("invalid-answer", "", usable=False) if not answer else None


def test_the_first_good_answer_counts_and_nobody_else_is_asked() -> None:
    assert escalate([lambda: "good", failing("never asked")], who, weak) == ("good", ())


@pytest.mark.parametrize("reason", ["too-long", "unavailable", "circuit-open", "over-budget"])
def test_a_failure_goes_further_with_its_reason(reason: str) -> None:
    answer, tried = escalate([failing(reason), lambda: "good"], who, weak)
    assert answer == "good" and [(t.model, t.reason) for t in tried] == [("a", reason)]


def test_where_the_larger_ones_fail_the_small_one_answers_and_says_why() -> None:
    answer, tried = escalate([lambda: "low-confidence", failing("unavailable")], who, weak)
    assert answer == "low-confidence"
    assert [(t.model, t.reason) for t in tried] == [("a", "low-confidence"), ("b", "unavailable")]


def test_the_last_answer_counts_for_more_than_a_doubtful_first() -> None:
    assert escalate([lambda: "low-1", lambda: "low-2"], who, weak)[0] == "low-2"


def test_an_unusable_answer_is_never_given() -> None:
    with pytest.raises(ModelError, match="holds up") as failure:
        escalate([lambda: "", lambda: ""], who, weak)
    assert failure.value.code == "invalid-answer"
    assert escalate([lambda: "low", lambda: ""], who, weak)[0] == "low"


def test_all_failures_are_told() -> None:
    with pytest.raises(ModelError, match="a: too-long; b: unavailable") as failure:
        escalate([failing("too-long"), failing("unavailable")], who, weak)
    assert failure.value.code == "unavailable"


def test_the_policy_is_no_cause_to_look_for_another() -> None:
    with pytest.raises(ModelError) as failure:
        escalate([failing("privacy"), lambda: "good"], who, weak)
    assert failure.value.code == "privacy"
