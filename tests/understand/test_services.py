"""Gateways, sites, accounts, files, figures by mail and work in the background: from marks to the text of a blueprint."""

from __future__ import annotations

import mimetypes
from dataclasses import replace

import pytest

from clodo.blueprint import format_blueprint
from clodo.bricks.files import language as files
from clodo.corpus.format import Record
from clodo.corpus.gold import gold_draft
from clodo.understand.addresses import address, place, segments, upstream_name
from clodo.understand.compiler import compile_draft
from clodo.understand.draft import Draft, DraftEntity, Evidence
from clodo.understand.file_rules import IMAGE_TYPES, MEDIA_TYPES, media_types
from clodo.understand.questions import notes_on, questions_for
from tests.understand.services import RECORDS, expect_blueprint
from tests.understand.test_cues import ORDER, built, record_of

GATEWAY = "[/a|#] [goes to|@route from=#/a to=#https://a.example] [https://a.example|#], [/b|#] [to|@route from=#/b to=#https://b.example n=#POST] [https://b.example|#] for [POST|#]. "


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.id)
def test_a_record_comes_to_its_blueprint(record: Record) -> None:
    expect_blueprint(record)
    draft = gold_draft(record)
    assert questions_for(draft, compile_draft(draft)[0]) == ()


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("[retry|@retry n=#9] [9|#] times", ["retry"]),
        ("with a [timeout|@timeout]", ["timeout"]),
        ("[timeout|@timeout n=#5 per=#minutes] of [5|#] [minutes|#]", ["timeout"]),
        ("[limit|@limit-address n=#5 per=#week] of [5|#] a [week|#]", ["limit"]),
        ("[cached|@cache n=#2 per=#days] for [2|#] [days|#]", ["cached"]),
        ("[set|@header-set from=#Host to=#x] [Host|#] to [x|#]", ["set"]),
        ("[set|@header-set from=#X-A] [X-A|#]", ["set"]),
        ("[/c|#] [goes|@route from=#/c] somewhere", ["goes"]),
        ("[/a|#] [goes|@route from=#/a to=#https://c.example] to [https://c.example|#]", ["goes"]),
        ("[/health|#] [goes|@route from=#/health to=#https://c.example] to [https://c.example|#]", ["goes"]),
        ("[/c|#] [goes|@route from=#/c to=#https://c.example n=#any] to [https://c.example|#], [any|#]", ["goes"]),
        ("[exported|@export] as CSV", ["exported"]),
        ("[told|@notify] by mail", ["told"]),
        ("[strip|@header-remove n=#X-A] [X-A|#], [at most|@limit-address n=#2 per=#second] [2|#] a [second|#]", []),
    ],
)
def test_what_a_gateway_cannot_have_is_left_over(said: str, left: list[str]) -> None:
    lines, found = built(GATEWAY + said, "type api-gateway")
    assert found == left
    assert 'route "/a/*" to a {' in lines or 'route "/a/*" to a' in lines


def test_limits_and_caching_are_of_the_routes_that_can_have_them() -> None:
    lines, left = built(GATEWAY + "[cache|@cache] it, [10|#] a [minute|#] [per key|@limit-key n=#10 per=#minute]", "type api-gateway")
    assert left == []
    assert lines.count("cache 60 s") == 1 and lines.count("limit 10 per minute per key") == lines.count("allow key") == 2


def test_of_several_rules_for_a_path_the_narrower_holds() -> None:
    text = "[/a|#] [goes|@route from=#/a to=#https://a.example] to [https://a.example|#], for [auditors|ROLE:auditor] [only|@route from=#/a to=#https://a.example by=role:auditor]"
    for access in ("access key", "access key-write"):
        lines, left = built(text, "type api-gateway", access)
        assert lines.count("allow role auditor") == 1 and "allow key" not in lines and lines.count('route "/a/*" to a {') == 1
        assert left == []


def test_a_wish_that_cannot_be_takes_no_limit_with_it() -> None:
    lines, left = built(GATEWAY + "[60|#] a [minute|#] [per address|@limit-address n=#60 per=#minute], [timeout|@timeout n=#900 per=#seconds] of [900|#] [seconds|#]", "type api-gateway")
    assert left == ["timeout"] and "limit 60 per minute per address" in lines


def test_whoever_is_counted_on_routes_shows_who_they_are() -> None:
    draft = gold_draft(record_of(GATEWAY + "[10|#] a [minute|#] [per user|@limit-user n=#10 per=#minute]", "type api-gateway"))
    blueprint, left = compile_draft(draft)
    assert blueprint is not None and blueprint.users is not None and not left
    assert format_blueprint(blueprint).count("  allow user") == 2


def test_a_gateway_without_routes_is_asked_for_them() -> None:
    draft = gold_draft(record_of("[/a|#] [goes|@route from=#/a] to our shop", "type api-gateway"))
    blueprint, left = compile_draft(draft)
    assert blueprint is None and left == [(3, 7)]
    [question] = questions_for(draft, blueprint)
    assert "paths" in question


def test_things_of_other_services_are_not_stored_by_a_gateway() -> None:
    draft = Draft(service_type="api-gateway", entities={"order": DraftEntity("order"), "user": DraftEntity("user")})
    draft.cues = gold_draft(record_of(GATEWAY, "type api-gateway")).cues
    blueprint, _ = compile_draft(draft)
    assert blueprint is not None and blueprint.entities == () and blueprint.users is None
    assert "The text names nothing to store of order, so nothing is." in notes_on(draft, blueprint, draft)


def test_what_is_counted_for_longer_than_a_minute_is_the_gateways_and_not_a_routes() -> None:
    lines, left = built(GATEWAY + "[1000|#] a [day|#] [per key|@limit-key n=#1000 per=#day], [9|#] a [minute|#] [from an address|@limit-address n=#9 per=#minute]", "type api-gateway\naccess key")
    assert not left and lines.count("limit 1000 per day per key") == 1 and lines.count("limit 9 per minute per address") == 2


def test_a_service_that_stores_something_has_limits_of_its_own_beside_its_routes() -> None:
    lines, left = built(ORDER + GATEWAY + "[10|#] a [minute|#] [each|@limit-address n=#10 per=#minute]", "order > customer")
    assert left == [] and "limit 10 per minute per address" in lines and "limit 10 per minute per address {" not in lines
    assert lines[0] == "service order_service" and lines[1] == ""


def members(lines: list[str], head: str) -> list[str]:
    """The lines of a block."""
    start = next((i for i, line in enumerate(lines) if line.startswith(head)), None)
    assert start is not None, head
    return lines[start + 1 : lines.index("}", start)] if lines[start].endswith("{") else []


def limited(kind: str, path: str, per: str = "minute") -> str:
    return f"[at most {path}|@{kind} n=#10 per=#{per} from=#{path}] [10|#] a [{per}|#] to [{path}|#]. "


def test_a_limit_of_one_path_is_of_no_other_and_beats_the_one_of_all() -> None:
    lines, left = built(GATEWAY + limited("limit-address", "/a"), "type api-gateway")
    assert left == [] and members(lines, 'route "/a/*"') == ["limit 10 per minute per address"] and members(lines, 'route "/b/*"') == ["methods POST"]
    lines, left = built(GATEWAY + limited("limit-address", "/a") + "[60|#] a [minute|#] [each|@limit-address n=#60 per=#minute]", "type api-gateway")
    assert left == [] and members(lines, 'route "/a/*"') == ["limit 10 per minute per address"]
    assert "limit 60 per minute per address" in members(lines, 'route "/b/*"')


def test_a_path_below_a_route_becomes_one_for_the_same_callers() -> None:
    lines, left = built(GATEWAY + limited("limit-user", "/a/search") + "[strip|@header-remove n=#Server] the [Server|#]", "type api-gateway", "access login")
    assert left == [] and 'route "/a/search/*" to a {' in lines
    assert members(lines, 'route "/a/search/*"') == ["allow user", "limit 10 per minute per user", 'answer remove "Server"']
    assert members(lines, 'route "/a/*"') == ["allow user", 'answer remove "Server"']
    # Of two routes above, the path goes where the longer one does.
    more = "[/a/x|#] [goes|@route from=#/a/x to=#https://x.example] to [https://x.example|#]. "
    assert 'route "/a/x/y/*" to x {' in built(GATEWAY + more + limited("limit-address", "/a/x/y"), "type api-gateway")[0]


@pytest.mark.parametrize(("kind", "path", "per"), [("limit-address", "/c", "minute"), ("limit-address", "/a", "week"), ("limit-user", "/a", "minute"), ("limit-user", "/a/search", "day"), ("limit-address", "what is slow", "minute")])
def test_a_limit_that_one_path_cannot_have_is_left_over(kind: str, path: str, per: str) -> None:
    lines, left = built(GATEWAY + limited(kind, path, per), "type api-gateway", "access key")
    assert left == [f"at most {path}"] and not any(line.startswith("limit") or "search" in line for line in lines)


def test_a_longer_limit_of_one_path_stands_beside_the_one_of_all() -> None:
    said = limited("limit-address", "/a", "hour") + "[60|#] a [minute|#] [each|@limit-address n=#60 per=#minute]"
    lines, left = built(GATEWAY + said, "type api-gateway")
    assert left == [] and members(lines, 'route "/a/*"') == ["limit 10 per hour per address", "limit 60 per minute per address"]
    assert members(lines, 'route "/b/*"') == ["methods POST", "limit 60 per minute per address"]


def test_a_limit_that_cannot_be_takes_no_route_out_of_the_one_of_all() -> None:
    said = limited("limit-address", "/a", "week") + "[60|#] a [minute|#] [each|@limit-address n=#60 per=#minute]"
    lines, left = built(GATEWAY + said, "type api-gateway")
    assert left == ["at most /a"] and members(lines, 'route "/a/*"') == ["limit 60 per minute per address"]


def test_without_a_gateway_there_are_no_paths_to_limit_or_keep() -> None:
    assert built(ORDER + limited("limit-address", "/orders"), "order > customer")[1] == ["at most /orders"]
    assert built(ORDER + "[kept|@cache of=order n=#5 per=#minutes from=#/orders] [5|#] [minutes|#] at [/orders|#]", "order > customer")[1] == ["kept"]


def test_paths_of_a_service_that_stores_something_have_limits_too() -> None:
    lines, left = built(ORDER + GATEWAY + limited("limit-address", "/a"), "order > customer")
    assert left == [] and members(lines, 'route "/a/*"') == ["limit 10 per minute per address"]


@pytest.mark.parametrize("access", ["access none", "access key", "access login"])
def test_answers_are_kept_whoever_may_call(access: str) -> None:
    lines, left = built(GATEWAY + "They are [kept|@cache n=#30 per=#seconds] for [30|#] [seconds|#]", "type api-gateway", access)
    assert left == [] and "cache 30 s" in members(lines, 'route "/a/*"') and "cache 30 s" not in members(lines, 'route "/b/*"')
    lines, left = built(GATEWAY + "[/a/me|#] is [kept|@cache n=#30 per=#seconds from=#/a/me] for [30|#] [seconds|#]", "type api-gateway", access)
    assert left == [] and "cache 30 s" in members(lines, 'route "/a/me/*"') and lines.count("cache 30 s") == 1


@pytest.mark.parametrize(
    ("said", "found", "left"),
    [
        ("from [dist|#] ([served|@route to=#dist])", ['folder "dist"'], []),
        ("from [./web/out/|#] ([served|@route to=#./web/out/])", ['folder "web/out"'], []),
        ("from [the folder “www”|#] ([served|@route to=#the folder “www”])", ['folder "www"'], []),
        ("from [html|#] ([served|@route to=#html])", ['folder "html"'], []),
        ("from [src|#] ([served|@route to=#src])", [], ["served"]),
        ("from [two disks|#] ([served|@route to=#two disks])", [], ["served"]),
        ("[/x|#] from [dist|#] ([served|@route from=#/x to=#dist])", [], ["served"]),
        ("[lost.html|#] [for what is not there|@redirect to=#lost.html]", ['not found "/lost.html"'], []),
        ("[shown|@redirect from=#404 to=#/errors/lost] for a [404|#]: [/errors/lost|#]", ['not found "/errors/lost.html"'], []),
        ("[a page of our own|@redirect from=#not found] for what is [not found|#]", ['not found "/404.html"'], []),
        ("[unknown paths|#] [show|@redirect from=#unknown paths to=#index.html] [index.html|#]", ["single page"], []),
        ("[unknown paths|#] [show|@redirect from=#unknown paths to=#two pages of it] [two pages of it|#]", [], ["show"]),
        ("[leads|@redirect to=#/new] to [/new|#]", [], ["leads"]),
        ("[/404|#] [leads|@redirect from=#/404 to=#/new] to [/new|#]", ['redirect "/404" to "/new"'], []),
        ("[hide|@header-remove n=#X-Powered-By n=#Via:] [X-Powered-By|#] and [Via:|#]", ['never send "X-Powered-By"', 'never send "Via"'], []),
        ("[hide|@header-remove n=#ETag] [ETag|#]", [], ["hide"]),
        ("[hide|@header-remove n=#X-A] [X-A|#], [send|@header-set from=#x-a to=#1] [x-a|#] [1|#]", ['header "/*" "x-a: 1"'], ["hide"]),
    ],
)
def test_what_a_site_is_served_from_shows_for_what_is_not_there_and_never_sends(said: str, found: list[str], left: list[str]) -> None:
    lines, over = built(f"A site, {said}.", "type static-site")
    assert over == left and members(lines, "site {") == found


def test_a_folder_that_is_served_makes_a_site_where_no_type_is_said_and_of_all_else_beside_routes() -> None:
    folder = "The folder [dist|#] is [served|@route to=#dist]. "
    draft = replace(gold_draft(record_of(folder, "type static-site")), service_type="unstated")
    blueprint, left = compile_draft(draft)
    assert blueprint is not None and left == [] and 'folder "dist"' in format_blueprint(blueprint)
    lines, over = built(GATEWAY + folder, "type api-gateway")
    assert over == [] and members(lines, "site") == ['folder "dist"']
    # Another word than what folders of pages are called may be that of a server.
    lines, over = built(GATEWAY + folder.replace("dist", "backend"), "type api-gateway")
    assert over == ["served"] and "site {" not in lines


def test_a_header_makes_no_site() -> None:
    header = "[send|@header-set from=#X-A to=#b] [X-A|#]: [b|#]"
    assert built(ORDER + header, "order > customer")[1] == ["send"]
    lines, left = built(f"{ORDER}a [single-page app|@spa], {header}", "order > customer")
    assert left == [] and 'header "/*" "X-A: b"' in lines


def test_a_site_is_open_and_says_that_it_cannot_be_closed() -> None:
    draft = Draft(service_type="static-site", access="login", access_evidence=Evidence(spans=[(2, 9)]))
    blueprint, left = compile_draft(draft)
    assert blueprint is not None and left == [(2, 9)]


@pytest.mark.parametrize(
    ("redirects", "left"),
    [
        (["/a > /b", "/b > /a"], ["leads 1"]),
        (["/a > /b", "/a > /c"], ["leads 1"]),
        (["/a/* > /b", "/a/x > /c"], ["leads 1"]),
        (["/api/x > /b"], ["leads 0"]),
        (["/Old-Page > /new/*"], []),
        (["the old page > /new"], ["leads 0"]),
        (["/a > shop.example/x"], []),
    ],
)
def test_redirects_that_cannot_be_are_left_over(redirects: list[str], left: list[str]) -> None:
    told = [said.split(" > ") for said in redirects]
    text = "; ".join(f"[{a}|#] [leads {n}|@redirect from=#{a} to=#{b}] to [{b}|#]" for n, (a, b) in enumerate(told))
    lines, found = built(text, "type static-site")
    assert found == left and lines[1] == "type static-site"
    assert sum(line.startswith("redirect") for line in lines) == len(redirects) - len(left)


def test_addresses_and_paths_as_people_write_them() -> None:
    addresses = {
        "https://a.example/": "https://a.example", "a.example/v1/*": "https://a.example/v1", "localhost:3000": "http://localhost:3000", "(orders:8080)": "https://orders:8080",
        "the shop": "", "https://u:p@a.example": "", "https://a.example?x=1": "", "a.example:99999": "", "ftp://a.example": "",
    }  # fmt: skip
    assert {said: address(said) for said in addresses} == addresses
    paths = {
        "/orders": ["orders"], "/orders/**": ["orders"], "GET /orders/{id}/items": ["orders"], "`/a/B`": ["a", "B"], "orders": ["orders"], "everything else": [],
        "/": [], "*": [], "/orders/…": ["orders"], "/Ärger": None, "the orders": None, "all orders": None, "anything under orders": None, "rest/items": ["rest", "items"], "all the other requests": [], "https://x.example/a/b?c": ["a", "b"],
    }  # fmt: skip
    assert {said: segments(said) for said in paths} == paths
    assert [place(said) for said in ("/a/", "/a/*", "x.example", "https://x.example/*", "index.html")] == ["/a", "/a/*", "https://x.example", "https://x.example/*", ""]
    assert [upstream_name(*said, set()) for said in (("https://orders.x.example", ["a"]), ("https://api.x.example", ["api", "v1", "shop"]), ("http://10.0.0.1", []))] == ["orders", "shop", "backend"]
    assert upstream_name("https://a.example", ["a"], {"a", "a_2"}) == "a_3"


def test_kinds_of_file_are_the_media_types_that_the_world_knows() -> None:
    known = {ext.removeprefix("."): type_ for ext, type_ in mimetypes.MimeTypes().types_map[True].items()}
    differing = {"md", "rtf", "xml", "wav", "bmp", "m4a"}  # of which several are in use
    assert {word for word, types in MEDIA_TYPES.items() if known.get(word, types[0]) != types[0]} <= differing
    assert media_types("PDFs or Word documents")[0] == "application/pdf" and media_types("image/png") == ["image/png"]
    assert media_types("pictures") == list(IMAGE_TYPES) == list(files.IMAGE_TYPES) and media_types("anything") == []


def test_rules_of_files_are_of_files_alone() -> None:
    two = "[leases|lease]: [deed|lease. file], [plan|lease. image], [name|lease.]. "
    assert built(two + "They are [private|@private].")[1] == ["private"]
    assert built(two + "The [name|lease.] is [private|@private set=lease.name].")[1] == ["private"]
    lines, left = built(two + "[plans|lease.plan] as [PDF|#] [only|@file-types set=lease.plan n=#PDF]")
    assert left == ["only"] and "plan: image max 10 MB" in lines
    lines, left = built(two + "[deeds|lease.deed] as [PDF|#] or [DWG|#] [only|@file-types set=lease.deed n=#PDF n=#DWG]")
    assert left == ["only"] and "deed: file max 10 MB" in lines
    lines, left = built("[leases|lease]: [deed|lease. file] ([private|@private])")
    assert left == [] and "deed: file max 10 MB private" in lines


def test_the_rules_of_a_file_that_cannot_be_are_left_over_with_it() -> None:
    _, left = built("[users|user]: a [passport|user. file] ([private|@private]), [notes|note] ([text|note.])", "access login")
    assert left == ["private"]


SALE = "[Sales|sale]: [amount|sale. money], [cost|sale. money]. A [total|@sum of=sale from=sale.amount] and an [average|@average of=sale from=sale.cost] are "


def test_the_report_that_is_mailed_is_the_one_of_the_field_that_is_named() -> None:
    mail = "[mailed|@mail-report of=sale{} n=#a@b.example n=#c@d.example per=#daily] [daily|#] to [a@b.example|#] and [c@d.example|#]"
    lines, left = built(SALE + mail.format(" from=sale.cost"))
    assert left == [] and [line for line in lines if line.startswith("mail")] == [f'mail report average_cost to "{a}"' for a in ("a@b.example", "c@d.example")]
    assert built(SALE + mail.format(""))[1] == ["mailed"]
    assert built(SALE + mail.format(" from=sale.cost").replace("daily", "yearly"))[1] == ["mailed"]


def test_work_in_the_background_is_a_step_that_is_done_later() -> None:
    lines, left = built(ORDER + "are [sent|@job of=order set=order.status:sent] later", "order > customer")
    assert left == [] and "action send later {" in lines
    lines, left = built(ORDER + "are [sent|@action of=order set=order.status:sent]", "order > customer")
    assert left == [] and "action send {" in lines
