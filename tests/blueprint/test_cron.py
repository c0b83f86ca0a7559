"""Lines of cron as Cloudflare's page on cron triggers has them."""

from __future__ import annotations

import pytest

from clodo.blueprint.cron import times


@pytest.mark.parametrize(
    ("line", "same"),
    [
        ("0 17 * * sun", "0 17 * * 1"),
        ("10 7 * * mon-fri", "10 7 * * 2-6"),
        ("0 18 * * 6L", "0 18 * * 6l"),
        ("*/30 * * * *", "0,30 * * * *"),
        ("0 0 1 JAN *", "0 0 1 1 *"),
        ("5/20 * * * *", "5,25,45 * * * *"),
    ],
)
def test_two_ways_to_say_the_same(line: str, same: str) -> None:
    assert times(line) == times(same)


def test_saturday_is_the_last_day() -> None:
    assert times("0 0 * * SAT")[4] == {7} and times("59 23 LW * *")[2] == {"LW"}


@pytest.mark.parametrize("line", ["0 0 * * 0", "0 0 * * 8", "0 0 * * sunday", "60 * * * *", "0 24 * * *", "0 0 0 * *", "0 0 * 13 *", "0 0 * *", "0 0 * * 5-2", "*/0 * * * *", "a * * * *"])
def test_what_cloudflare_refuses(line: str) -> None:
    with pytest.raises(ValueError, match=r"five parts|is no "):
        times(line)
