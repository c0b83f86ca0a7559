"""What is wrong within a block of a brick is told at its own line and column, and not at the head of the block."""

from __future__ import annotations

import pytest

from clodo.blueprint import InvalidBlueprint, check, parse
from clodo.blueprint.syntax import read

HEAD = """service shop
users {
}
entity item {
  name: text required
  stock: integer required
  status: enum(new, sold)
"""


def entity(*lines: str) -> str:
    return HEAD + "".join(f"  {line}\n" for line in lines) + "}\n"


def service(*lines: str) -> str:
    return HEAD + "}\n" + "".join(f"{line}\n" for line in lines)


FINE = 'action sell {', '  when stock > 0', '  set status = "sold"'
REPORT = "report r {", "  from item where stock > 0", "  group by status", "  show count, sum(stock) as held"
NIGHT = 'every day at "03:00" {', '  delete item where status = "sold"'
UP = 'upstream u "https://u.example" {'
ROUTE = 'upstream u "https://u.example"', 'route "/u/*" to u {', "  methods GET"

#: A blueprint, where the problem stands in it, and words of what is told.
CASES = [
    (entity(*FINE, "  when stok > 0", "}"), 11, 5, "stok"),
    (entity(*FINE, '  set name = "x", stok = 1', "}"), 11, 21, "stok"),
    (entity(*FINE, '  set stock = "x"', "}"), 11, 9, "text"),
    (entity(*FINE, "  set stock = 1, stock = 2", "}"), 11, 5, "2 times"),
    (entity(*FINE, "  create item (stock = 1)", "}"), 11, 5, "needs 'name'"),
    (entity(*FINE, "  create itm (stock = 1)", "}"), 11, 5, "no entity 'itm'"),
    (entity(*FINE, "  update item set stok = 1 where stock > 0", "}"), 11, 21, "stok"),
    (entity(*FINE, "  delete item where stok > 0", "}"), 11, 5, "stok"),
    (entity(*FINE, "  by role boss", "}"), 11, 5, "boss"),
    (entity(*FINE, "  by owner", "}"), 11, 5, "no owner"),
    (entity(*FINE, "  by user", "  by public", "}"), 12, 5, "said twice"),
    (entity(*FINE, f'  when stock > 1 "{"x" * 201}"', "}"), 11, 5, "one short line"),
    (entity("action sell(a: integer, b: -> shop) {", "  set stock = 1", "}"), 8, 27, "'shop'"),
    (entity("action sell(a: integer min 5 max 2) {", "  set stock = 1", "}"), 8, 15, "both bounds"),
    (entity("action sell {", "  when stock > 0", "}"), 8, 3, "does nothing"),
    (service(*REPORT, "}", "report q {", "  from itm", "  show count", "}"), 15, 3, "'itm'"),
    (service("report q {", "  from item where stok > 0", "  show count", "}"), 10, 3, "stok"),
    (service(*REPORT[:2], "  show count", "  group by status, stok", "}"), 12, 20, "stok"),
    (service(*REPORT, "  show stock", "}"), 13, 8, "no summary"),
    (service(*REPORT, "  show avg(name)", "}"), 13, 8, "cannot take"),
    (service(*REPORT, "  show count", "}"), 13, 8, "2 times"),
    (service(*REPORT, "  read role boss", "}"), 13, 3, "boss"),
    (service(*REPORT, "  read user", "  read user", "}"), 14, 3, "said twice"),
    (service(*NIGHT, "  delete item where stok > 0", "}"), 11, 3, "stok"),
    (service(*NIGHT, "}", *NIGHT, "  update item set stok = 1 where stock > 0", "}"), 14, 19, "stok"),
    (service(*NIGHT, "}", 'every day at "3" {', NIGHT[1], "}"), 12, 1, "time of day"),
    (service(*NIGHT, "  run sell on item where stock > 0", "}"), 11, 3, "no action 'sell'"),
    (service(*NIGHT, '  mail report r to "a@example.com"', "}"), 11, 3, "no report 'r'"),
    (service(UP, "  retry 2 times", "  timeout 90 s", "}", ROUTE[1], "}"), 11, 3, "timeout"),
    (service(UP, "  timeout 5 s", "  break after 0 failures for 5 s", "}", ROUTE[1], "}"), 11, 3, "failures"),
    (service(UP, "  timeout 5 s", "  timeout 6 s", "}", ROUTE[1], "}"), 11, 3, "said twice"),
    (service(*ROUTE, "  cache 0 s", "}"), 12, 3, "cache"),
    (service(*ROUTE, '  set "Host" "x"', "}"), 12, 3, "Host"),
    (service(*ROUTE, '  set "X-A" "x"', '  set "X-a" "y"', "}"), 13, 3, "twice"),
    (service(*ROUTE, '  remove "X-A"', '  remove "X A"', "}"), 13, 3, "no name of a header"),
    (service(*ROUTE, "  limit 5 per minute per key", "}"), 12, 3, "counts for each key"),
    (service(*ROUTE, "  allow role boss", "}"), 12, 3, "boss"),
    (service(*ROUTE, "  methods POST", "}"), 12, 3, "twice"),
    (service(*ROUTE, '  strip "/v"', "}"), 12, 3, "stripped"),
    (service("site {", '  title "T"', '  redirect "/a" to "/b"', '  redirect "c" to "/d"', "}"), 12, 3, "no path"),
    (service("site {", '  title "T"', '  title "U"', "}"), 11, 3, "twice"),
    (service("site {", '  header "/a" "X-A: b"', '  header "/a" "nothing"', "}"), 11, 3, "no header"),
    (service("site {", '  title "T"', '  policy "a, b"', "}"), 11, 3, "policy"),
    (service("limit 5 per day per address", "limit 0 per hour per address"), 10, 1, "no number of requests"),
    (entity("check stock > 0", "check stok > 0"), 9, 3, "stok"),
    (entity('notify "a@example.com" on created', 'notify "a@example.com" when stok > 0'), 9, 3, "stok"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "line", "column", "words"), CASES)
def test_a_problem_is_told_where_it_stands(source: str, line: int, column: int, words: str) -> None:
    try:
        problems = check(*read(source))
    except InvalidBlueprint as refused:
        problems = refused.problems
    found = [(p.line, p.column) for p in problems if words.lower() in p.message.lower()]
    assert found == [(line, column)], problems


@pytest.mark.parametrize("source", [entity(*FINE, "}"), service(*REPORT, "}"), service(*NIGHT, "}"), service(*ROUTE, "}")])
def test_these_blocks_are_fine_without_it(source: str) -> None:
    parse(source)
