"""When an answer is said to go round in circles, and when it is not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clodo.blueprint import format_blueprint, parse
from clodo.runtime.loops import goes_round
from tests.conftest import EXAMPLES

TEXT = st.text(st.characters(codec="ascii"), max_size=200)


@given(TEXT, st.text("abc {}\n:", min_size=24, max_size=300))
def test_the_fourth_time_is_seen(before: str, passage: str) -> None:
    assert goes_round(before + passage * 4) or len(set(passage[-24:])) == 1


@given(TEXT, st.text("abc", min_size=30, max_size=90), st.integers(1, 3))
def test_three_times_are_none(before: str, passage: str, times: int) -> None:
    assert not goes_round(before + "x" + "".join(f"{passage}{n}" for n in range(times)))


def test_blueprints_and_rules_of_dashes_do_not_go_round() -> None:
    assert not goes_round("name\n" + "-" * 400)
    for example in EXAMPLES:
        text = format_blueprint(parse(example.read_text("utf-8")))
        assert not any(goes_round(text[:end]) for end in range(len(text)))
