"""Static sites: what their language says and refuses, and faults that their proof finds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clodo.blueprint import format_blueprint, parse
from clodo.blueprint.checks import check
from clodo.blueprint.problems import InvalidBlueprint
from clodo.blueprint.syntax import read
from clodo.bricks.registry import service_tree
from clodo.emit.tree import edited_files
from clodo.proof.conformance import document_faults
from clodo.proof.host import Host
from clodo.proof.verify import verify
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught, made, proof

PAGES = """service handbook
type static-site

site {
  title "The <small> handbook"
  clean urls
  redirect "/start" to "/"
  redirect "/news/*" to "/blog/*"
  redirect "/shop/*" to "https://shop.example/all/*" for now
  header "/assets/*" "Cache-Control: public, max-age=31536000, immutable"
}
"""
SINGLE = """service app
type static-site

site {
  single page
  redirect "/help/*" to "https://help.example/?from=app"
  header "/*" "X-Frame-Options: SAMEORIGIN"
  policy "default-src 'self'; connect-src https:"
}
"""
#: A folder and a page of its own for what is not there, and headers that are never sent.
OWN = """service atlas
type static-site

site {
  folder "web/dist"
  clean urls
  not found "/lost.html"
  redirect "/old" to "/new"
  never send "X-Powered-By"
  never send "Permissions-Policy"
}
"""
TOGETHER = """service shop
type api-gateway
read public
write key

entity note {
  body: text required
}

upstream catalog "https://catalog.internal.example"

route "/catalog/*" to catalog

site {
  clean urls
}
"""

#: Whatever no route leads away is a page of the site, and the first one where there is no such page.
BESIDE = """service front
type static-site

upstream shop "https://shop.internal.example"

route "/api/*" to shop {
  strip "/api"
}

route "/search" to shop {
  methods GET
}

site {
  folder "dist"
  single page
  redirect "/old" to "/new"
}
"""


def problems(lines: str, more: str = "") -> list[str]:
    blueprint, _ = read(f"service s\ntype static-site\n{more}site {{\n{lines}\n}}\n")
    return [p.message for p in check(blueprint)]


@pytest.mark.parametrize("text", [PAGES, SINGLE, OWN, TOGETHER, BESIDE, example_of("static_site")], ids=["pages", "single", "own", "together", "beside", "example"])
def test_its_text_is_canonical(text: str) -> None:
    assert format_blueprint(parse(text)) == text


def test_an_empty_site_is_one() -> None:
    assert format_blueprint(parse("service s\ntype static-site\nsite {\n}\n")).endswith("\nsite {\n}\n")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('title "a"\ntitle "b"', "says 'title' twice"),
        ("single page\nsingle page", "says 'single page' twice"),
        ('redirect "old" to "/new"', "'old' is no path"),
        ('redirect "/old" to "new"', "no place to lead to"),
        ('redirect "/old" to "//elsewhere.example"', "no place to lead to"),
        ('redirect "/old" to "javascript:alert(1)"', "no place to lead to"),
        ('redirect "/old" to "https://u:p@a.example"', "no place to lead to"),
        ('redirect "/old" to "/new/*"', "no place to lead to"),
        ('redirect "/old" to "/new\\r\\nSet-Cookie: a=1"', "no place to lead to"),
        ('redirect "/old/*" to "https://new.example*"', "would go on with the name"),
        ('redirect "/old/*" to "https://new.example/a*"', "would go on with the name"),
        ('redirect "/old/*" to "https://new.example/?q=*"', "would go on with the name"),
        ('redirect "/older/*" to "/new*"', "would go on with the name"),
        ('redirect "/old/*" to "*"', "would go on with the name"),
        ('redirect "/old" to "/new*"', "no place to lead to"),
        ('redirect "/old/*" to "https://*"', "no place to lead to"),
        ('redirect "/old/*" to "//*"', "no place to lead to"),
        ('redirect "/old" to "//"', "no place to lead to"),
        ('redirect "/a" to "/b"\nredirect "/a" to "/c"', "leads to two places"),
        ('redirect "/a/*" to "/b"\nredirect "/a/x" to "/c"', "never reached"),
        ('redirect "/a" to "/b"\nredirect "/b" to "/a"', "back to itself"),
        ('redirect "/a/*" to "/a/b/*"', "back to itself"),
        ('redirect "/health" to "/b"', "of the service itself"),
        ('redirect "/api/x" to "/b"', "of the service itself"),
        ('header "assets" "X-A: 1"', "is no path"),
        ('header "/a" "X-A"', "is no header"),
        ('header "/a" "X A: 1"', "is no header"),
        ('header "/a" "X-A: 1\\nX-B: 2"', "is no header"),
        ('header "/a" "Set-Cookie: a=1"', "itself decides"),
        ('header "/a" "Content-Security-Policy: x"', "itself decides"),
        ('folder "a"\nfolder "b"', "says 'folder' twice"),
        ('folder "src"', "no folder for pages"),
        ('folder "Migrations/x"', "no folder for pages"),
        ('folder "../web"', "no folder for pages"),
        ('folder "/web"', "no folder for pages"),
        ('folder "."', "no folder for pages"),
        ('folder "package.json"', "no folder for pages"),
        ('not found "/a.html"\nnot found "/b.html"', "says 'not found' twice"),
        ('not found "404.html"', "no page of the site"),
        ('not found "/404"', "no page of the site"),
        ('not found "/../404.html"', "no page of the site"),
        ('never send "X Powered"', "no name of a header"),
        ('never send "ETag"', "itself decides"),
        ('never send "content-security-policy"', "itself decides"),
        ('never send "X-A"\nnever send "x-a"', "says twice"),
        ('header "/a" "X-A: 1"\nnever send "x-a"', "both sends"),
        ('never send "Server"', "Cloudflare adds"),
        ('policy "default-src \\n"', "signs that a header cannot carry"),
        ("policy \"script-src 'unsafe-inline'\"", "lets injected scripts"),
    ],
)  # fmt: skip
def test_what_a_site_cannot_say(lines: str, said: str) -> None:
    assert any(said in message for message in problems(lines)), problems(lines)


def test_a_route_for_all_paths_leaves_none() -> None:
    assert any("leaves none" in m for m in problems("", 'upstream a "https://a.example"\nroute "/*" to a\n'))


def test_there_is_one_site() -> None:
    with pytest.raises(InvalidBlueprint, match="said twice"):
        parse("service s\ntype static-site\nsite {\n}\nsite {\n}\n")


def test_it_begins_with_pages_and_stores_nothing() -> None:
    tree = service_tree(parse(PAGES), PAGES)
    assert {n for n in tree if n.startswith("public/")} == {"public/index.html", "public/404.html", "public/robots.txt", "public/assets/style.css"}
    assert "<title>The &lt;small&gt; handbook</title>" in tree["public/index.html"]
    config = json.loads(tree["wrangler.jsonc"])
    assert config["assets"]["run_worker_first"] is True and "d1_databases" not in config
    assert "migrations/0001_init.sql" not in tree
    own = service_tree(parse(OWN), OWN)
    assert {n.removeprefix("web/dist/") for n in own if n.startswith("web/")} == {"index.html", "lost.html", "robots.txt", "assets/style.css"}
    assert not any(n.startswith("public/") for n in own) and json.loads(own["wrangler.jsonc"])["assets"]["directory"] == "./web/dist"
    # The pages keep to the policy that they are answered with.
    assert all(word not in tree[n] for n in tree if n.endswith(".html") for word in ("<script", "<style", "style=", "http:", "https:"))


@pytest.mark.parametrize("text", [PAGES, SINGLE, OWN, TOGETHER, BESIDE, example_of("static_site")], ids=["pages", "single", "own", "together", "beside", "example"])
def test_its_document_is_valid(text: str) -> None:
    assert list(document_faults(json.loads(service_tree(parse(text), text)["openapi.json"]))) == []


@pytest.mark.workerd
@pytest.mark.parametrize("text", [PAGES, SINGLE, OWN, TOGETHER, BESIDE], ids=["pages", "single", "own", "together", "beside"])
def test_sites_are_proven(text: str, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(text, tmp_path / "s", toolchain, host, types=True)
    assert report.proven, report.summary()


def test_what_cloudflare_adds_is_no_error() -> None:
    blueprint, _ = read('service s\ntype static-site\nsite {\nnever send "Server"\n}\n')
    assert [p.severity for p in check(blueprint)] == ["warning"]


@pytest.mark.workerd
def test_a_folder_that_a_person_has_changed_is_proven_too(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    from clodo.bricks.registry import service_checks

    folder = made(PAGES, tmp_path / "s")
    (folder / "public" / "index.html").write_text("<!doctype html><title>Mine</title>")
    (folder / "public" / "robots.txt").unlink()
    (folder / "public" / "about.html").write_text("<!doctype html><title>About</title>")
    assert edited_files(folder) == ["public/index.html"]
    report = verify(folder, service_checks, toolchain, host, types=False)
    assert report.proven, report.summary()


FILE = "src/lib/site.ts"
FAULTS = [
    (PAGES, Fault("the rest of a path may name a host", FILE, '.replace(/^[/\\\\]+/, "")', "", "static_site.redirect")),
    (PAGES, Fault("drops the query", FILE, ': search);', ': "");', "static_site.redirect")),
    (PAGES, Fault("every redirect is for good", FILE, "status: found.status", "status: 301", "static_site.redirect")),
    (PAGES, Fault("a prefix is taken for a path", FILE, "asked === path ||", 'asked === "/" && path === "/assets" ||', "static_site.header|static_site.redirect")),
    (PAGES, Fault("what is not there is kept for a year", FILE, "if (found.status === 404) return undefined;", "", "static_site.header|static_site.unknown")),
    (PAGES, Fault("no policy", FILE, '"content-security-policy": policy,', "", "static_site.security")),
    (PAGES, Fault("policy on files alone", FILE, "response.headers.set(name, value);", "response.status === 200 && response.headers.set(name, value);", "static_site.security")),
    (PAGES, Fault("a missing page is 200", FILE, "single ? 200 : 404", "200", "static_site.unknown")),
    (PAGES, Fault("everybody gets a page", FILE, 'return undefined;\n  const single', '{}\n  const single', "static_site.unknown|core.unknown-route")),
    (PAGES, Fault("the interface is a page", FILE, 'path === "/api" || path.startsWith("/api/") || ', "", "static_site.unknown")),
    (PAGES, Fault("writes are taken for reads", FILE, "if (!reading) {", "if (false) {", "static_site.method")),
    (PAGES, Fault("never asks whether it changed", FILE, "method: c.req.method, headers: c.req.raw.headers", "method: c.req.method", "static_site.unchanged")),
    (PAGES, Fault("loses the ETag", FILE, "const response = new Response(found.body, found);", "const response = new Response(found.body, { status: found.status });", "static_site.unchanged|static_site.page")),
    (PAGES, Fault("serves the whole folder", "wrangler.jsonc", '"./public"', '"."', "static_site.outside|static_site.page")),
    (PAGES, Fault("two addresses for a page", "wrangler.jsonc", '"auto-trailing-slash"', '"none"', "static_site.address|static_site.page")),
    (OWN, Fault("sends what is never to be sent", FILE, "for (const name of options.removed) response.headers.delete(name);", "", "static_site.never")),
    (OWN, Fault("sends it with what is not there", FILE, "for (const name of options.removed)", "if (response.status === 200) for (const name of options.removed)", "static_site.never")),
    (OWN, Fault("shows another page for what is not there", FILE, ": options.unknownPage;", ': "/index.html";', "static_site.unknown")),
    (OWN, Fault("has no page for what is not there", FILE, ": options.unknownPage;", ': "/404.html";', "static_site.unknown")),
    (OWN, Fault("serves another folder", "wrangler.jsonc", '"./web/dist"', '"./web"', "static_site.page")),
    (SINGLE, Fault("a missing script is a page", FILE, "options.singlePage && !/\\.[^/]*$/.test(path)", "options.singlePage", "static_site.unknown")),
    (SINGLE, Fault("unknown pages are not the first one", FILE, "const single = options.singlePage", "const single = !options.singlePage", "static_site.unknown")),
    (SINGLE, Fault("the rule does not beat the usual header", FILE, "response.headers.set(rule.name, rule.value)", "response.headers.has(rule.name)", "static_site.header")),
    (BESIDE, Fault("browsers get pages for what routes lead away", "src/lib/gateway.ts", "if (found.length === 0) return next();", 'if (found.length === 0 || (c.req.header("accept") ?? "").includes("text/html")) return next();', "gateway.forward")),
    (BESIDE, Fault("routes lead away all that lies beside them", "src/lib/gateway.ts", "const first = sorted.find((route) => fits(route, path));", "const first = sorted.find((route) => fits(route, path)) ?? sorted[0];", "static_site.page|gateway.unmatched")),
    (SINGLE, Fault("a second question mark", FILE, 'search.replace("?", "&")', "search", "static_site.redirect")),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize(("source", "fault"), FAULTS, ids=[f.name for _, f in FAULTS])
def test_the_proof_finds_the_fault(source: str, fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(source, tmp_path / "s", toolchain, host, fault)
