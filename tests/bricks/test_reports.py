"""Reports: their words, what is wrong with them, planted faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.blueprint.plan import make_plan
from clodo.bricks.reports.brick import column_sql
from clodo.bricks.reports.language import Report
from clodo.emit.expressions import computed_sql
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught
from tests.bricks.tables import put, tables

HEAD = "service x\n\nentity shop {\n  town: text\n}\n\nentity sale {\n  total: money\n  day_sold: date\n  open: boolean\n  notes: list\n  shop: -> shop\n}\n"


def with_report(lines: str) -> str:
    return f"{HEAD}\nreport r {{\n" + "".join(f"  {line}\n" for line in lines.split("; ")) + "}\n"


@pytest.mark.parametrize(
    "lines",
    [
        "from sale; show count",
        "from sale where open and total > 5; group by shop.town as town, week(day_sold); show count as sales, sum(total * 2) as twice; read key",
        "from sale; group by shop; show min(day_sold), avg(total)",
    ],
)
def test_reports_have_one_form(lines: str) -> None:
    assert format_blueprint(parse(with_report(lines))) == with_report(lines)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("from sail; show count", "There is no entity 'sail'"),
        ("from sale", "shows nothing"),
        ("from sale; show total", "is no summary of rows"),
        ("from sale; show sum(day_sold)", "cannot take a date"),
        ("from sale; show sum(tottal)", "Did you mean total?"),
        ("from sale; group by notes; show count", "cannot be grouped by a list or JSON"),
        ("from sale; group by total, total; show count", "'total' 2 times"),
        ("from sale where total; show count", "A condition is yes or no"),
        ("from sale; show count; read user", "needs users"),
        ("from sale; group by month(total); show count", "wants a date"),
    ],
)
def test_what_makes_no_sense_is_told(lines: str, words: str) -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse(with_report(lines))
    assert words in caught.value.message


MADE, LIB = "src/reports.ts", "src/lib/reports.ts"
FAULTS = [
    Fault("counts what it is not about", LIB, ", ...(r.where === undefined ? [] : [condition(r.where)])", "", "reports.where"),
    Fault("other sums", MADE, "SUM((\\\"total\\\" / 100.0))", "SUM((\\\"total\\\" / 10.0))", "reports.sums"),
    Fault("greatest for least", MADE, "AVG(", "MAX(", "reports.sums"),
    Fault("groups by the day", MADE, "'%Y-%m'", "'%Y-%d'", "reports.sums"),
    Fault("a group less", LIB, "results.slice(0, MOST_GROUPS)", "results.slice(1, MOST_GROUPS)", "reports.sums"),
    Fault("whole amounts", LIB, "Math.round((value as number) * 100) / 100", "Math.round(value as number)", "reports.sums"),
    Fault("never whole", LIB, "complete: results.length <= MOST_GROUPS", "complete: results.length > MOST_GROUPS", "reports.sums"),
    Fault("no groups", LIB, "` GROUP BY ${places} ORDER BY ${places}`", '""', "reports.sums"),
    Fault("filters passed over", LIB, ", ...parseListQuery(entity, url.href).conditions", "", "reports."),
    Fault("limits passed over", LIB, "if (url.searchParams.has(name)) {", "if (url.searchParams.has(name) && name === 'x') {", "reports.parameters"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_planted_fault_is_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(example_of("reports"), tmp_path / "s", toolchain, host, fault)


def test_paths_in_a_tree_lead_to_the_other_row() -> None:
    source = (
        "service x\n\nentity employee {\n  name: text\n  boss: text = manager.name\n  pay: money\n  manager: -> employee\n  no timestamps\n}\n\n"
        "report teams {\n  from employee\n  group by manager.manager.name as top\n  show count, sum(manager.pay) as pays\n}\n"
    )
    db, b = tables(source)
    for id, manager in (("a", None), ("b", "a"), ("c", "b")):
        put(db, "employee", id=id, name=id.upper(), pay=100, manager_id=manager)
    e, report = b.entities[0], b.parts_of(Report)[0]
    boss = e.field("boss")
    assert boss is not None and boss.computed is not None
    assert db.execute(f'SELECT {computed_sql(boss.computed, e, b)} FROM employee ORDER BY id').fetchall() == [(None,), ("A",), ("B",)]
    columns = ", ".join(column_sql(make_plan(b), report, c) for c in (*report.group, *report.show))
    assert db.execute(f"SELECT {columns} FROM employee GROUP BY 1 ORDER BY 1").fetchall() == [(None, 2, 1.0), ("A", 1, 1.0)]


@pytest.mark.parametrize(
    "entities",
    [
        "entity node {\n  depth: integer = parent.depth + 1\n  parent: -> node\n}\n",
        "entity a {\n  n: integer = sum(b.m)\n}\n\nentity b {\n  m: integer = sum(a.n)\n}\n",
    ],
)
def test_fields_that_are_computed_from_themselves_are_told(entities: str) -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse(f"service x\n\n{entities}")
    assert "computed from itself" in caught.value.message
