"""Random expressions: the database, the service's TypeScript and an oracle of the tests' own agree on what they mean; what is
unsound is refused before anything is made of it."""

from __future__ import annotations

import json
import math
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from clodo.blueprint import InvalidBlueprint, parse
from clodo.blueprint.defaults import row_scope
from clodo.blueprint.evaluation import Unknowable, half_away, value_of
from clodo.blueprint.formulas import AGGREGATES, Scope, depth, names_in, type_of
from clodo.blueprint.formulas import parts as parts_of
from clodo.blueprint.text import expression_text
from clodo.blueprint.values import Call, Expression, IsEmpty, IsIn, Not, Operand, Operation
from clodo.blueprint.values import Path as Names
from clodo.bricks.registry import service_secrets, service_tree
from clodo.emit.computations import typescript
from clodo.emit.expressions import Place, computed_sql, sql, stored_sql
from clodo.emit.tree import write_tree
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.blueprint.oracle import At, World, meaning, written
from tests.blueprint.worlds import (
    BLUEPRINT,
    INVOICE,
    NOW,
    SOURCE,
    TEXTS,
    filled,
    sound,
    statements,
    worlds,
)
from tests.bricks.tables import tables

DB, _ = tables(SOURCE)
SCOPE = Scope(BLUEPRINT, INVOICE)
WORDS = {"now": f"'{written(NOW)}'", "today": f"'{NOW.date()}'"}
FORMULA = Path(__file__).parents[2] / "src/clodo/bricks/resources/ts/private/formula.ts"
_QUICK = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large])


def select(e: Expression) -> str:
    made = sql(e, Place(SCOPE, row='"invoice".', this='"invoice".', words=WORDS))
    return f'SELECT {made} AS "value" FROM "invoice" WHERE "id" = \'invoice0\''


def sound_in(scope: Scope, e: Expression) -> Expression:
    """The expression, of which nothing is wrong; the same on both sides of a comparison is only wrong as a slip."""
    problems: list[str] = []
    type_of(e, scope, problems)
    assume(not any("Both sides are the same" in p for p in problems))
    assert problems == [], expression_text(e)
    return e


def same(got: Any, wanted: Any) -> bool:
    if wanted is None or got is None:
        return got is None and wanted is None
    if isinstance(wanted, bool):
        return bool(got) is wanted
    if isinstance(wanted, float):
        return isinstance(got, int | float) and math.isclose(got, wanted, rel_tol=1e-7, abs_tol=1e-7)
    return bool(got == wanted)


def wanted_of(e: Expression, world: World) -> Any:
    try:
        return written(meaning(e, At(world, "invoice", world.rows["invoice"][0])))
    except (OverflowError, ValueError):
        assume(False)  # beyond what calendars hold


@_QUICK
@given(e=sound(), world=worlds())
def test_the_database_gives_what_is_meant(e: Expression, world: World) -> None:
    wanted = wanted_of(sound_in(SCOPE, e), world)
    filled(DB, world)
    [(got,)] = DB.execute(select(e)).fetchall()
    assert same(got, wanted), (expression_text(e), got, wanted)


@_QUICK
@given(e=sound(), world=worlds())
def test_what_is_printed_is_read_as_the_same(e: Expression, world: World) -> None:
    """Through the text of a blueprint, as a condition of a computed field."""
    sound_in(SCOPE, e)
    source = SOURCE.replace("  total: money\n", f"  total: money\n  answer: boolean = ({expression_text(e)}) is empty\n")
    answer = parse(source).entities[2].field("answer")
    assert answer is not None and answer.computed == IsEmpty(e)


class Script:
    """The service's own library of formulas in Node, one expression after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def __call__(self, code: str, row: dict[str, Any]) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps({"code": code, "row": row}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, (code, answer)
        return answer["value"]


_HARNESS = """
const { formula } = require("./formula.js");
formula.now = () => %s;
formula.today = () => formula.now().slice(0, 10);
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { code, row } = JSON.parse(line);
  let answer;
  try {
    answer = { value: new Function("formula", "value", `return ${code}`)(formula, (name) => row[name]) };
    if (answer.value === undefined || Number.isNaN(answer.value)) answer = { error: "no value" };
  } catch (error) { answer = { error: String(error) }; }
  console.log(JSON.stringify(answer));
});
"""


@pytest.fixture(scope="module")
def script(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Script]:
    folder = tmp_path_factory.mktemp("formula")
    esbuild = toolchain.modules / ".bin" / "esbuild"
    command = [str(esbuild), str(FORMULA), "--format=cjs", "--bundle", "--log-level=error", "--platform=node", f"--outfile={folder / 'formula.js'}", "--alias:zod/mini=" + str(toolchain.modules / "zod" / "mini")]
    subprocess.run(command, check=True)
    (folder / "run.js").write_text(_HARNESS % json.dumps(written(NOW)))
    process = subprocess.Popen([str(toolchain.node), str(folder / "run.js")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Script(process)
    finally:
        process.kill()
        process.communicate()


@_QUICK
@given(e=sound(alone=True), world=worlds())
def test_typescript_gives_what_is_meant(script: Script, e: Expression, world: World) -> None:
    scope = row_scope(INVOICE.fields)
    wanted = wanted_of(sound_in(scope, e), world)
    row = {f.name: written(world.rows["invoice"][0][f.name]) for f in INVOICE.fields}
    got = script(typescript(e, scope), row)
    assert same(got, wanted), (expression_text(e), got, wanted)
    try:
        told = value_of(e, row | {"now": written(NOW), "today": str(NOW.date())})
    except Unknowable:
        return
    assert same(told, wanted), (expression_text(e), told, wanted)


@_QUICK
@given(cents=st.integers(-(10**7), 10**7), thousandths=st.integers(1, 3000))
@example(cents=115, thousandths=500)
@example(cents=-115, thousandths=500)
def test_a_half_goes_away_from_zero_everywhere(script: Script, cents: int, thousandths: int) -> None:
    """In amounts of money and in whole numbers, though the product of two binary fractions may be less than the half that is meant."""
    total, row = Operand("total", is_field=True), {"total": cents / 100}
    e: Expression = Operation("*", total, Operand(Decimal(thousandths) / 1000))
    whole = Call("round", Operation("*", e, Operand(Decimal(100))))
    exact = Fraction(cents * thousandths, 1000)
    wanted = int(abs(exact) + Fraction(1, 2)) * (1 if exact > 0 else -1)
    money = INVOICE.field("total")
    assert money is not None
    for made in (stored_sql(e, Place(SCOPE), money), sql(whole, Place(SCOPE))):
        assert DB.execute(f'SELECT {made} FROM (SELECT ? AS "total")', [cents]).fetchone() == (wanted,)
    scope = row_scope(INVOICE.fields)
    assert script(f"formula.rounded({typescript(e, scope)}, 100)", row) == wanted / 100
    assert script(typescript(whole, scope), row) == wanted
    assert half_away(value_of(e, row), 2) == wanted / 100
    assert value_of(whole, row) == wanted


_NAMES = st.sampled_from(["number", "title", "paid", "issued", "due", "state", "total", "customer", "line", "now", "today", "this", "caller", "empty", "owner", "id", "created_at", "no_such"])
_PATHS = st.sampled_from(["customer.country.code", "customer.since", "customer.no", "line.amount", "line.at", "this.total", "title.x", "customer.country", "line.invoice"])
_FUNCTIONS = st.sampled_from([*AGGREGATES, "days", "months", "round", "abs", "length", "lower", "month", "week", "hour", "eval", "load_extension"])
anything: st.SearchStrategy[Expression] = st.recursive(
    st.one_of(
        _NAMES.map(lambda n: Operand(n, is_field=True)),
        _PATHS.map(lambda p: Names(tuple(p.split(".")))),
        st.integers(0, 9).map(lambda n: Operand(Decimal(n))),
        st.sampled_from([*TEXTS, "open", "2026-01-01"]).map(Operand),
        st.booleans().map(Operand),
    ),
    lambda inner: st.one_of(
        st.builds(Operation, st.sampled_from(["+", "-", "*", "/", "&", "=", "!=", "<", "<=", ">", ">=", "and", "or"]), inner, inner),
        st.builds(Call, _FUNCTIONS, inner, st.none() | inner),
        st.builds(Not, inner),
        st.builds(IsEmpty, inner, st.booleans()),
        st.builds(IsIn, inner, st.lists(st.sampled_from([Decimal(1), "open", "2026-01-01", True]), min_size=1, max_size=2).map(tuple)),
    ),
    max_leaves=4,
)
_TYPES = ["integer", "money", "decimal", "text", "boolean", "date", "datetime"]


@settings(_QUICK, max_examples=200)
@given(e=anything, type_=st.sampled_from(_TYPES))
def test_what_is_unsound_is_refused_when_it_is_read_and_never_when_it_runs(e: Expression, type_: str) -> None:
    source = SOURCE.replace("  total: money\n", f"  total: money\n  answer: {type_} = {expression_text(e)}\n")
    try:
        blueprint = parse(source)
    except InvalidBlueprint:
        return
    entity = blueprint.entities[2]
    computed = entity.field("answer")
    assert computed is not None and computed.computed is not None
    DB.execute(f'SELECT {computed_sql(computed.computed, entity, blueprint)} FROM "invoice"').fetchall()


@settings(_QUICK, max_examples=200)
@given(e=anything, type_=st.sampled_from(_TYPES))
def test_a_default_is_refused_or_worked_out(script: Script, e: Expression, type_: str) -> None:
    source = SOURCE.replace("  total: money\n", f"  total: money\n  answer: {type_} default ({expression_text(e)})\n")
    try:
        entity = parse(source).entities[2]
    except InvalidBlueprint:
        return
    answer = entity.field("answer")
    assert answer is not None
    if answer.worked_out is None:
        return
    assert not any(isinstance(p, Names) or (isinstance(p, Call) and p.function in AGGREGATES) for p in parts_of(answer.worked_out))
    row: dict[str, Any] = {"number": 3, "title": "t", "paid": True, "issued": "2026-01-31", "due": "2026-01-31T09:00:00.000Z", "state": "open", "total": 2.5}
    for one in (row, dict.fromkeys(row)):
        script(typescript(answer.worked_out, row_scope(entity.fields)), one)


_hostile = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.sampled_from(
    ["'; DROP TABLE invoice; --", "${process.exit()}", '"); process.exit(); ("', "\\", "\\u0027", "*/", "</script>", "\u2028", "?1", ":a", "@b", "$c", "`", "'||sqlite_version()||'", "%s", "{0}"]
)  # fmt: skip


@_QUICK
@given(word=_hostile)
def test_a_text_stays_a_text_everywhere(script: Script, word: str) -> None:
    e = Operation("&", Operand(word), Operand(""))
    source = SOURCE.replace("  total: money\n", f"  total: money\n  answer: text = {expression_text(e)}\n")
    read = parse(source).entities[2].field("answer")
    assert read is not None and read.computed == e
    assert DB.execute(f"SELECT {sql(e, Place(SCOPE))}").fetchone() == (word,)
    assert script(typescript(e, row_scope(INVOICE.fields)), {}) == word


@_QUICK
@given(word=_hostile, build=st.sampled_from([lambda w: Operand(w, is_field=True), lambda w: Names(("customer", w)), lambda w: Names((w, "code")), lambda w: Call(w, Operand(Decimal(1))), lambda w: Call("count", Operand(w, is_field=True)), lambda w: Call("sum", Names(("line", w)))]))
def test_a_name_that_nobody_gave_is_refused(word: str, build: Callable[[str], Expression]) -> None:
    e = build(word)
    assume(not {*names_in(e)} & {"now", "today", "this"})
    problems: list[str] = []
    type_of(e, SCOPE, problems)
    known = {f.name for x in BLUEPRINT.entities for f in x.fields}
    assert problems or word in known


@pytest.fixture(scope="module")
def d1(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("billing")
    write_tree(service_tree(BLUEPRINT, SOURCE), folder, service_secrets(BLUEPRINT))
    host.serve(folder, bindings={})
    yield host
    host.reset()


@settings(_QUICK, max_examples=8)
@given(e=sound(), world=worlds())
def test_d1_gives_what_is_meant(d1: Host, e: Expression, world: World) -> None:
    wanted = wanted_of(sound_in(SCOPE, e), world)
    for entity in reversed(BLUEPRINT.entities):
        d1.query(f'DELETE FROM "{entity.name}"', [])
    for text, values in statements(world):
        d1.query(text, values)
    [row] = d1.query(select(e), [])
    assert same(row["value"], wanted), (expression_text(e), row, wanted)


@_QUICK
@given(e=sound(), world=worlds())
def test_no_expression_is_deeper_than_it_is_said_to_be(e: Expression, world: World) -> None:
    assert depth(e, SCOPE) < 60, expression_text(e)
    DB.setlimit(sqlite3.SQLITE_LIMIT_EXPR_DEPTH, depth(e, SCOPE))
    try:
        DB.execute(select(e))
    except sqlite3.OperationalError as error:
        raise AssertionError((expression_text(e), depth(e, SCOPE), select(e))) from error
    finally:
        DB.setlimit(sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 1000)


def _deep(check: str, answer: str = "number") -> str:
    return SOURCE.replace("  total: money\n", f"  total: money\n  answer: integer = {answer}\n  check {check}\n")


@pytest.mark.parametrize(
    "source",
    [
        _deep("answer + " + " + ".join(["1"] * 48) + " > 0", " + ".join(["number"] * 50)),
        _deep("not " * 110 + "paid"),
        _deep("not " * 700 + "paid"),
        _deep("not " * 5000 + "paid"),
        _deep("(" * 3000 + "paid" + ")" * 3000 + " or " + "not " * 90 + "paid"),
    ],
)
def test_what_is_too_deep_for_the_database_is_told(source: str) -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse(source)
    assert "steps deep" in caught.value.message
    assert all(p.line for p in caught.value.problems)


@pytest.mark.parametrize(
    "source",
    [
        _deep(" + ".join(["answer"] * 49) + " > 0", " + ".join(["number"] * 20)),
        _deep(" + ".join(["1"] * 49) + " > 0", " + ".join(["number"] * 50)),
        _deep("not " * 30 + "paid"),
        _deep(" or ".join(["total * 2 > 3", "due - created_at > 4", 'quarter(due) = "a"'] * 5)),
    ],
)
def test_what_is_not_too_deep_runs(source: str) -> None:
    db, _ = tables(source)
    db.setlimit(sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 100)
    filled(db, World({"invoice": ({"id": "a", "created_at": NOW, "updated_at": NOW},), **dict.fromkeys(("line", "customer", "country"), ())}, {}, NOW))
