"""The brick ``cors``."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.bricks.cors.language import Cors, covers
from clodo.bricks.registry import service_tree
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught, proof

EXAMPLE = example_of("cors")
SMALL = "service notes\n\nentity note {{\n  cors: text required\n}}\n\n{}\n"
CORS = "src/lib/cors.ts"


# -- the language -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "origins"),
    [
        ("cors any", ()),
        ('cors "https://a.example.com"', ("https://a.example.com",)),
        ('cors "https://a.test", "https://*.b.test:8443", "http://localhost:5173", "http://[::1]:3000"', 4),
    ],
)
def test_a_line_is_read_and_written(line: str, origins: tuple[str, ...] | int) -> None:
    blueprint = parse(SMALL.format(line))
    [cors] = blueprint.parts_of(Cors)
    assert (len(cors.origins) if isinstance(origins, int) else cors.origins) == origins
    assert line in format_blueprint(blueprint)
    assert parse(format_blueprint(blueprint)) == blueprint


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('cors "*"', "Write cors any"),
        ('cors "app.example.com"', "is no origin as browsers send it"),
        ('cors "https://app.example.com/"', "is no origin"),
        ('cors "https://App.example.com"', "small letters"),
        ('cors "https://app.example.com:99999"', "is no origin"),
        ('cors "https://*"', "is no origin"),
        ('cors "https://a*.example.com"', "is no origin"),
        ('cors "https://a.*.example.com"', "is no origin"),
        ('cors "https://user@example.com"', "is no origin"),
        ('cors "null"', "is no origin"),
        ('cors "https://app.example.com:443"', "the port that browsers leave out"),
        ('cors "http://app.example.com"', "others can change"),
        ('cors "https://*.com"', "hosts of everybody"),
        ('cors "https://*.pages.dev"', "Anybody can have a host"),
        ('cors "https://a.test", "https://a.test"', "twice"),
        ("cors any\n\ncors any", "said twice"),
        ("cors " + ", ".join(f'"https://a{i}.test"' for i in range(51)), "50 are possible"),
    ],
)
def test_what_makes_no_sense_is_refused(line: str, words: str) -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse(SMALL.format(line))
    assert words in str(caught.value)


def test_a_star_stands_for_hosts_below() -> None:
    assert covers("https://*.a.test", "https://b.a.test") and covers("https://*.a.test", "https://c.b.a.test")
    for other in ("https://a.test", "https://.a.test", "https://xa.test", "http://b.a.test", "https://b.a.test:1", "https://b.a.test.c"):
        assert not covers("https://*.a.test", other)


def test_pages_that_may_use_cookies_must_be_let_in() -> None:
    users = 'service notes\ntype auth-service\n\nusers {{\n  cookies from "https://app.a.test"\n}}\n\ncors "{}"\n'
    parse(users.format("https://*.a.test"))
    with pytest.raises(InvalidBlueprint) as caught:
        parse(users.format("https://b.a.test"))
    assert "cors does not let them in" in str(caught.value)


def test_credentials_come_with_cookies_alone() -> None:
    text = 'service notes\ntype auth-service\n\nusers {\n  cookies from "https://app.a.test"\n}\n\ncors any\n'
    assert 'app.use(cors("any", ["https://app.a.test"]));' in service_tree(parse(text), text)["src/index.ts"]
    assert 'app.use(cors("any"));' in service_tree(parse(SMALL.format("cors any")), "")["src/index.ts"]


# -- in workerd -------------------------------------------------------------------------------

FAULTS = [
    Fault("any origin is told back", CORS, "patterns.some((matches) => matches(origin))", "patterns.length > 0", "cors.stranger"),
    Fault("the end of an origin is enough", CORS, "origin.startsWith(front) && ", "", "cors.stranger"),
    Fault("whatever stands for the star", CORS, " && LABELS.test(origin.slice(front.length, -back.length))", "", "cors.stranger"),
    Fault("a port is overlooked", CORS, "(origin) => origin === listed", "(origin) => origin.startsWith(listed)", "cors.stranger"),
    Fault("stores may mix origins up", CORS, 'headers.append("vary", "Origin")', 'headers.delete("vary")', "cors.vary"),
    Fault("OPTIONS is always a preflight", CORS, ' &&\n  c.req.header("access-control-request-method") !== undefined', "", "cors.method"),
    Fault("cookies go along", CORS, '{ "access-control-allow-origin": origin } : {}', '{ "access-control-allow-origin": origin, "access-control-allow-credentials": "true" } : {}', "cors.credentials"),
    Fault("Location cannot be read", CORS, "Location, ", "", "cors.origin"),
    Fault("a method is not granted", CORS, ", PATCH", "", "cors.preflight"),
    Fault("preflights need a credential", "src/index.ts", "app.use(cors(", 'app.use("/api/*", (c, next) => c.req.header("x-api-key") ? next() : c.json({}, 401));\napp.use(cors(', "cors.preflight"),
    Fault("errors cannot be read", CORS, "if (c.res.status !== 101)", "if (c.res.status < 400)", "cors.origin"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_faults_are_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(EXAMPLE, tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
@pytest.mark.parametrize(
    "source",
    [
        SMALL.format("cors any"),
        'service notes\n\nusers {\n  cookies from "https://app.a.test"\n}\n\nentity note {\n  text: text\n  write owner\n}\n\n'
        'cors "https://*.a.test"\n\nlimit 2 per hour per address\n\nrequest log\n',
    ],
    ids=["any", "cookies"],
)
def test_other_services_are_proven(source: str, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(source, tmp_path / "s", toolchain, host, types=True)
    assert report.proven, report.summary()
