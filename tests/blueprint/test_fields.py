"""Fields: which constants, bounds and patterns make sense, and examples that fit them."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path

import pytest

import clodo.bricks
from clodo.blueprint import InvalidBlueprint, check, parse
from clodo.blueprint.constants import EMAIL
from clodo.blueprint.patterns import matches
from clodo.blueprint.ranges import is_within
from clodo.blueprint.samples import sample
from clodo.blueprint.values import Field


def field(line: str) -> Field:
    return parse(f"service x\nentity a {{\n  f: {line}\n}}\n").entities[0].fields[0]


def fault(line: str) -> str:
    with pytest.raises(InvalidBlueprint) as caught:
        field(line)
    return caught.value.message


@pytest.mark.parametrize(
    "line",
    [
        'date default "2019-01-01" min "2020-01-01"', 'date default "2020-W05-1"', 'date default "20200105"',
        'text default "zzz" pattern "^[0-9]+$"', 'text required default ""', 'text default "abc" max 2',
        'datetime default "2020-01-01T00:00:00"', 'datetime default "2020-01-01"', 'time default "T09:30"',
        'time default "093000"', 'time default "08:00" min "08:00:01"', "money default 1.005", "integer default 0.5",
        'email default "a b@example.com"', 'email default "nobody@b"', 'url default "http://a b"',
        'url default "http://1.2.3.4.5"', 'uuid default "0189000000007000800000000000000a"',
        'datetime default "2020-01-01T01:00:00+02:00" min "2020-01-01T00:00:00Z"',
    ],
)  # fmt: skip
def test_a_default_that_the_service_would_refuse_is_refused(line: str) -> None:
    assert "default" in fault(line)


@pytest.mark.parametrize(
    "line",
    [
        'date default "2020-01-01" min "2020-01-01"', "date default now", 'text default "77" pattern "^[0-9]+$"',
        'datetime default "2020-01-01T00:00:00+05:30"', 'time default "09:30"', "money default 1.25 above 1",
        'email default "a.b+c@example.com"', 'url default "https://example.com/?q=a#b"', 'text default "äöü" max 3',
        'time default "09:30" min "09:30:00"', 'uuid default "01890000-0000-7000-8000-00000000000A"',
    ],
)  # fmt: skip
def test_a_default_that_the_service_would_take_is_taken(line: str) -> None:
    field(line)


@pytest.mark.parametrize(
    "line",
    [
        "text required min 2000", "integer above 1 below 2", "text required max 0", "integer min 0.2 max 8",
        "money above 0 below 0.01", 'date above "2020-01-01" below "2020-01-02"', "email max 5", "decimal above 1 max 1",
        'datetime min "2020-01-01T00:00:00+00:00" max "2020-01-01T01:00:00+02:00"', "integer min 9007199254740992",
    ],
)  # fmt: skip
def test_bounds_that_leave_no_value_are_seen(line: str) -> None:
    assert re.search("bound|at most", fault(line))


@pytest.mark.parametrize("line", ['datetime min "now"', 'date max "now"', 'datetime min "2020-01-01T00:00:00"'])
def test_a_bound_is_a_fixed_moment(line: str) -> None:
    assert "say" in fault(line)


@pytest.mark.parametrize(
    "pattern",
    [
        r"^\d{3}\-\d{4}$", "a{,3}", "}", "a{", "[[:alpha:]]+", "x++", "x**", "(?P<y>a)", "(?i)a", r"\A", "(", "a)", "[z-a]",
        r"[a-\d]", r"\1", r"\k<y>", r"\p{Nonsense}", "(?<a>x)(?<a>y)", "(?>a)", "[", "a{3,2}", r"\_", "(?=a)*",
    ],
)  # fmt: skip
def test_patterns_that_javascript_refuses_are_refused(pattern: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "pattern" in fault(f"text pattern {json.dumps(pattern)}")


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"^\p{L}+$", "Zoë", "a1"), (r"^(?<y>\d{4})-\k<y>$", "2020-2020", "2020-2021"), (r"^\p{Lu}\p{Ll}*$", "Éa", "éa"),
        (r"^[\w.\-]+$", "a-b.c", "é"), (r"^a.b$", "a💡b", "a\nb"), (r"^\u{1F600}$", "😀", "x"), (r"^[^\s/]+$", "a", "\u00a0"),
        (r"^(?:a|b){2,3}?$", "aba", "a"), ("^[&&||~-]+$", "&", "x"), (r"^\d+$", "12", "١٢"), (r"^[A-Z]{3}$", "ABC", "ABC\n"),
    ],
)  # fmt: skip
def test_patterns_mean_what_they_mean_in_javascript(pattern: str, good: str, bad: str) -> None:
    f = field(f"text required pattern {json.dumps(pattern)}")
    assert matches(pattern, good) and not matches(pattern, bad)
    made = sample(f)
    assert made is None or matches(pattern, made)


def test_a_required_pattern_without_any_example_is_refused() -> None:
    assert "No text was found" in fault('text required pattern "^ab$" min 3')
    optional = parse('service x\nentity a {\n  f: text pattern "^ab$" min 3\n}\n')
    assert [p.severity for p in check(optional)] == ["warning"]


@pytest.mark.parametrize(
    "line",
    [
        'date required unique min "2020-01-01"', 'date above "2020-01-01"', 'date below "2020-01-01"', 
        'datetime min "2020-01-01T00:00:00+02:00"', "money above 0 below 0.05", "email max 15", "email min 30",
        "email min 200 max 200", "email max 6", "url max 9", "url min 300", 'time min "09:30" below "09:31"', "integer max 3",
        "integer max -7", "decimal above 0 below 0.001", "money min 19.99", "text max 1", "text min 900", "list min 3 max 3",
        "unique", "integer unique", "time", "datetime", "decimal min 100000000000000000000", "integer unique min 1 max 3",
    ],
)  # fmt: skip
def test_examples_keep_to_the_rules_and_differ(line: str) -> None:
    f = field(line if line.split()[0] != "unique" else f"text {line}")
    made = [sample(f, n) for n in range(60)]
    for value in made:
        if isinstance(value, list):
            assert f.minimum is not None and len(value) == f.minimum.value
        else:
            from decimal import Decimal

            assert is_within(f, value if isinstance(value, str) else Decimal(str(value))), value
    if f.unique:
        room = 3 if f.maximum else 60
        assert len({str(v) for v in made}) == room


def test_an_enum_may_be_joined_and_a_list_may_not() -> None:
    text = "service x\nentity a {{\n  b: {type}\n  c: date\n  t: text = b & c\n}}\n"
    parse(text.format(type="enum(x, y)"))
    for type_ in ("boolean", "json", "list"):
        with pytest.raises(InvalidBlueprint, match="no text"):
            parse(text.format(type=type_))


def test_the_worker_has_the_same_form_of_e_mail_addresses() -> None:
    brick = Path(clodo.bricks.__file__).parent / "resources" / "ts" / "lib" / "fields.ts"
    assert EMAIL in brick.read_text("utf-8")
