"""Reports: their words, what is wrong with them, planted faults."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.blueprint.checks import check
from clodo.blueprint.plan import make_plan
from clodo.bricks.registry import service_tree
from clodo.bricks.reports.brick import column_sql
from clodo.bricks.reports.language import Report
from clodo.emit.expressions import computed_sql
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, checks_of, example_of, expect_caught, proof
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


WAGES = (
    "service firm\n\nusers {\n  roles hr, boss\n}\n\nentity worker {\n  nick: text required\n  town: text required\n  town_min: integer\n"
    "  wage: money required\n  read role hr\n}\n\n"
    "report pay {\n  from worker\n  show count, avg(wage) as mean\n  read public\n}\n\n"
    "report towns {\n  from worker\n  group by town\n  show sum(wage)\n  read user\n}\n\nreport bosses {\n  from worker\n  group by town as place\n  show sum(wage)\n  read role boss\n}\n"
)
OPEN = [
    Fault("rows for everybody", LIB, "if (!allows(entity.read, caller)) {", "if (false) {", "reports.rows"),
    Fault("not even the groups", LIB, "if (!r.filters?.includes(name)) {", "if (r !== undefined) {", "reports.rows"),
]


@pytest.mark.workerd
@pytest.mark.parametrize("fault", [None, *OPEN], ids=lambda f: f.name.replace(" ", "-") if f else "none")
def test_a_report_tells_nothing_of_rows_that_the_caller_may_not_read(fault: Fault | None, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    if fault is not None:
        expect_caught(WAGES, tmp_path / "s", toolchain, host, fault)
        return
    report = proof(WAGES, tmp_path / "s", toolchain, host, types=True, checks=checks_of("reports"))
    assert not report.failures, report.failures
    assert sum(e.id == "reports.rows" for e in report.evidence) == 3


def test_the_document_says_whom_a_filter_is_for() -> None:
    tree = service_tree(parse(WAGES), WAGES)
    document = json.loads(tree["openapi.json"])
    told = {p["name"]: p.get("description", "") for p in document["paths"]["/api/reports/towns"]["get"]["parameters"]}
    assert told["town"] == ""
    assert told["town_min"] == told["nick"] == told["id"] == "For callers who may read the rows themselves (role hr)."
    assert 'filters: ["town"],' in tree["src/reports.ts"]
    assert "filters: []," in tree["src/reports.ts"]


@pytest.mark.parametrize(
    ("rows", "read", "warned"),
    [("owner", "role hr", True), ("owner or role hr", "role hr", False), ("owner or role hr", "role boss", True), ("owner", "public", True), ("owner", "user", False), ("role hr", "role boss", False)],
)
def test_a_report_of_private_rows_says_whom_it_counts_nothing(rows: str, read: str, warned: bool) -> None:
    source = f"service x\n\nusers {{\n  roles hr, boss\n}}\n\nentity note {{\n  text: text\n  read {rows}\n  write owner\n}}\n\nreport r {{\n  from note\n  show count\n  read {read}\n}}\n"
    told = [p for p in check(parse(source)) if "of others" in p.message]
    assert [p.severity for p in told] == (["warning"] if warned else [])


@pytest.mark.parametrize(
    ("patients", "read", "warned"),
    [
        ("public", "", False), ("user", "", False), ("role clerk", "", True), ("role clerk", "read role clerk", False), ("role clerk", "read public", True),
        ("owner", "", True), ("owner or role clerk", "", True), ("owner or role clerk", "read role clerk", False), ("key", "", True),
    ],
)  # fmt: skip
def test_columns_of_rows_that_readers_of_the_report_may_not_read_are_warned_of(patients: str, read: str, warned: bool) -> None:
    text = (
        "service x\nread user\nwrite user\n\nusers {\n  roles clerk\n}\n\n"
        f"entity patient {{\n  name: text\n  read {patients}\n  write {'owner' if 'owner' in patients else 'user'}\n}}\n\n"
        "entity visit {\n  at: date\n  patient: -> patient\n}\n\n"
        f"report visits {{\n  from visit\n  group by patient.name as who, month(at) as month\n  show count\n  {read}\n}}\n"
    )
    told = [p for p in check(parse(text)) if "keeps that from some of them" in p.message]
    assert [p.severity for p in told] == (["warning"] if warned else [])


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
