"""Checks of a site: its pages, what goes with them, and what must never be one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from urllib.parse import urlsplit

from clodo.blueprint.plan import Plan
from clodo.bricks.static_site.starter import starter_files
from clodo.bricks.static_site.values import USUAL_POLICY, HeaderRule, Redirect, Site, fits
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Session, expect

_PAGE = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
#: What only the files around the site say.
_INNARDS = ("compatibility_date", "blueprint_sha256", "PRIMARY KEY", '"scripts"', "Local secrets of this service")
_OUTSIDE = ("wrangler.jsonc", "package.json", ".dev.vars", "blueprint.clodo", "src/index.ts", "migrations/0001_init.sql")
_WAYS_OUT = ("/", "/../", "/..%2f", "/%2e%2e/", "/%2e%2e%2f", "/..%5c", "/assets/../../", "/assets/..%2f..%2f", "//", "/./", "/%252e%252e%252f", "/..;/", "/public/../", "/.%00/")
_LURES = ("//elsewhere.example/index.html", "//elsewhere.example/%2e%2e", "//elsewhere.example//", "/%2f%2felsewhere.example/index.html", "/%5celsewhere.example/")


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    [site] = plan.blueprint.parts_of(Site)
    yield Check("static_site.page", "GET / is the first page, with an ETag", _first)
    yield Check("static_site.address", "files have one address each", partial(_address, site=site))
    yield Check("static_site.security", "pages carry a content security policy and its companions", partial(_security, site=site))
    yield Check("static_site.unchanged", "what has not changed is 304, and HEAD has no body", _unchanged)
    yield Check("static_site.unknown", "an unknown page is a page for browsers, a problem for others", partial(_unknown, site=site))
    yield Check("static_site.method", "other methods than GET and HEAD are 405", _method)
    yield Check("static_site.outside", "no path leads out of the folder of the site", _outside)
    yield Check("static_site.lure", "no path of the site leads a browser to another host", _lure)
    for r in site.redirects:
        yield Check("static_site.redirect", f"{r.source} leads to {r.target}", partial(_redirect, r=r, first=_first_of(site, r)))
    for name in site.removed:
        yield Check("static_site.never", f"nothing of the site carries {name}", partial(_never, name=name, site=site))
    for rule in site.headers:
        yield Check("static_site.header", f"{rule.path} carries {rule.line}", partial(_header, rule=rule, site=site))


def _first_of(site: Site, r: Redirect) -> tuple[Redirect, ...]:
    """The redirects that stand before one."""
    return site.redirects[: site.redirects.index(r)]


async def _first(s: Session) -> None:
    answer = await s.client.send("GET", "/", headers=_PAGE)
    if answer.status in (301, 302):  # a redirect of the blueprint
        return
    expect(answer, 200)
    if not answer.headers.get("content-type", "").startswith("text/html") or not answer.headers.get("etag"):
        raise Fault("it is no page, or has no ETag", answer)


async def _address(s: Session, site: Site) -> None:
    if any(fits(r.source, "/index.html") for r in site.redirects):
        return
    answer = await s.client.send("GET", "/index.html", headers=_PAGE)
    if not site.clean_urls:
        expect(answer, 200)
    elif expect(answer, 307, "clean urls").headers.get("location") != "/":
        raise Fault("the file of the first page does not lead to its address", answer)


async def _security(s: Session, site: Site) -> None:
    wanted = {"content-security-policy": site.policy or USUAL_POLICY, "x-content-type-options": "nosniff", "x-frame-options": "DENY"}
    wanted |= {"referrer-policy": "strict-origin-when-cross-origin", "cross-origin-opener-policy": "same-origin"}
    removed = _removed(site)
    for path in ("/", "/no-such-page"):
        answer = await s.client.send("GET", path, headers=_PAGE)
        ruled = {r.header[0].lower() for r in site.headers if fits(r.path, path)}
        for name, value in wanted.items():
            if name not in ruled | removed and answer.headers.get(name) != value:
                raise Fault(f"the header {name} is not {value!r}", answer)
        if "permissions-policy" not in removed and not answer.headers.get("permissions-policy"):
            raise Fault("there is no Permissions-Policy", answer)


async def _unchanged(s: Session) -> None:
    path = await _some_file(s)
    if path is None:
        return
    whole = expect(await s.client.send("GET", path), 200)
    tag = {"if-none-match": whole.headers["etag"]}
    same = expect(await s.client.send("GET", path, headers=tag), 304)
    if same.text or same.headers.get("etag", "").removeprefix("W/") != whole.headers["etag"].removeprefix("W/"):
        raise Fault("the 304 has a body or another ETag", same)
    expect(await s.client.send("GET", path, headers={"if-none-match": '"other"'}), 200, "another ETag")
    head = expect(await s.client.send("HEAD", path), 200)
    for name in ("content-type", "etag", "cache-control", "content-security-policy"):
        if head.headers.get(name) != whole.headers.get(name):
            raise Fault(f"HEAD has another {name} than GET", head)


async def _some_file(s: Session) -> str | None:
    """A file of the starter's that is still there; people change the folder."""
    for path in ("/", "/assets/style.css", "/robots.txt"):
        if (await s.client.send("GET", path)).status == 200:
            return path
    return None


async def _unknown(s: Session, site: Site) -> None:
    for path in ("/no-such-page", "/no/such/page"):
        answer = await s.client.send("GET", path, headers=_PAGE)
        _expect_page(answer, 200 if site.single_page else 404)
        if "cache-control" not in _removed(site) and not ({"no-store", "no-cache"} & set(answer.headers.get("cache-control", "").split(", "))):
            raise Fault("the page for what is not there may be kept", answer)
    for path, headers in (("/no-such-page", {"accept": "application/json"}), ("/no-such-file.js", {"accept": "*/*"}), ("/api/no-such-thing", _PAGE)):
        answer = expect(await s.client.send("GET", path, headers=headers), 404)
        if answer.headers.get("content-type") != "application/problem+json":
            raise Fault("the 404 is no problem", answer)
    await _own_page(s, site)
    if site.single_page:
        expect(await s.client.send("GET", "/no-such-file.js", headers=_PAGE), 404, "a file that is not there is no page")


async def _own_page(s: Session, site: Site) -> None:
    """A fault where what is not there is answered with another page than the site's own for it, which has an address as all files have."""
    address = site.unknown_page.removesuffix("index.html") if site.clean_urls else site.unknown_page
    address = address.removesuffix(".html") if site.clean_urls else address
    if any(fits(r.source, place) for r in site.redirects for place in (address, "/no-such-file.html")):
        return
    own = await s.client.send("GET", address, headers=_PAGE)
    answer = await s.client.send("GET", "/no-such-file.html", headers=_PAGE)
    if own.status == 200 and (expect(answer, 404).text != own.text):
        raise Fault(f"it is not {site.unknown_page}", answer)


def _expect_page(answer: Answer, status: int) -> None:
    # Where the folder has no such page any more, a problem says the same.
    if answer.status == 404 and answer.headers.get("content-type") == "application/problem+json":
        raise Fault("there is no page for what is not there", answer)
    if not expect(answer, status).headers.get("content-type", "").startswith("text/html"):
        raise Fault("it is no page", answer)


async def _method(s: Session) -> None:
    path = await _some_file(s)
    for method in ("POST", "PUT", "DELETE"):
        if path is not None:
            answer = expect(await s.client.send(method, path), 405)
            if {m.strip() for m in answer.headers.get("allow", "").split(",")} != {"GET", "HEAD"}:
                raise Fault("Allow is not GET, HEAD", answer)
        expect(await s.client.send(method, "/no-such-page"), 404)


async def _outside(s: Session) -> None:
    async def one(target: str) -> None:
        status, text = await _raw(s, target)
        if any(word in text for word in _INNARDS):
            raise Fault(f"GET {target} was answered {status} with a file from outside the site")
        if status >= 500:
            raise Fault(f"GET {target} was answered {status}")

    await asyncio.gather(*(one(f"{way}{name}") for way in _WAYS_OUT for name in _OUTSIDE[:3]))
    await asyncio.gather(*(one(f"/../{name}") for name in _OUTSIDE[3:]))
    for hidden in ("/.dev.vars", "/.git/config", "/assets/.hidden", "/.assetsignore", "/_headers"):
        answer = await s.client.send("GET", hidden)
        expect(answer, 404, "a hidden file")


async def _raw(s: Session, target: str, name: str = "") -> tuple[int, str]:
    """Status and text of the answer to a target that is sent as it stands."""
    host, port = s.client.address
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET {target} HTTP/1.1\r\nhost: {name or f'{host}:{port}'}\r\nconnection: close\r\n\r\n".encode("latin-1"))
        await writer.drain()
        text = (await asyncio.wait_for(reader.read(), 20)).decode("utf-8", "replace")
        return int(text.split(" ", 2)[1]), text
    finally:
        writer.close()


async def _lure(s: Session) -> None:
    for target in _LURES:
        status, text = await _raw(s, target)
        if places := [line for line in text.split("\r\n\r\n")[0].splitlines() if line.lower().startswith("location:")]:
            raise Fault(f"GET {target} was answered {status} with {places[0]}")


async def _redirect(s: Session, r: Redirect, first: tuple[Redirect, ...]) -> None:
    status, source = (302 if r.brief else 301), r.source.removesuffix("/*")
    for tail in ("/there/it%20is.html", "") if r.source.endswith("/*") else ("",):
        path = f"{source}{tail}" or "/"
        if any(fits(other.source, path) for other in first):
            continue
        base = r.target.removesuffix("*")
        wanted = base + (tail.lstrip("/") if r.target.endswith("*") else "")
        for query in ("", "?a=1&b=%2F"):
            answer = expect(await s.client.send("GET", path + query), status)
            full = wanted + (query.replace("?", "&") if "?" in base else query)
            if answer.headers.get("location") != full:
                raise Fault(f"it leads to {answer.headers.get('location')}, not to {full}", answer)
    if not r.source.endswith("/*"):
        return
    host = urlsplit(r.target).netloc
    for tail in ("//elsewhere.example/x", "/%2felsewhere.example", "/\\elsewhere.example", "/@elsewhere.example", "/https://elsewhere.example"):
        status, text = await _raw(s, source + tail)
        found = [line.split(":", 1)[1].strip() for line in text.split("\r\n\r\n")[0].splitlines() if line.lower().startswith("location:")]
        for place in found:
            if urlsplit(place.replace("\\", "/")).netloc != host:
                raise Fault(f"GET {source}{tail} leads to {place}")


def _removed(site: Site) -> set[str]:
    """The headers that the site never sends, in small letters."""
    return {name.lower() for name in site.removed}


def _starters(site: Site) -> list[str]:
    """The addresses of the files that a new site begins with."""
    return [f"/{file.removeprefix(f'{site.pages}/')}" for file in starter_files("", site, has_api=False)]


async def _never(s: Session, name: str, site: Site) -> None:
    for path in ("/", *_starters(site), "/no-such-page", *(r.source.removesuffix("/*") or "/" for r in site.redirects)):
        answer = await s.client.send("GET", path, headers=_PAGE)
        if name.lower() in answer.headers:
            raise Fault(f"GET {path} carries {name}", answer)


async def _header(s: Session, rule: HeaderRule, site: Site) -> None:
    name, value = rule.header
    later = {r.header[0].lower(): r for r in site.headers[site.headers.index(rule) + 1 :]}
    for path in ("/", *(file for file in _starters(site) if not file.endswith(".html"))):
        answer = await s.client.send("GET", path)
        if answer.status != 200:
            continue
        beaten = name.lower() in later and fits(later[name.lower()].path, path)
        if fits(rule.path, path) and not beaten and answer.headers.get(name.lower()) != value:
            raise Fault(f"the header {name} is not {value!r}", answer)
        others = [r for r in site.headers if r.header[0].lower() == name.lower() and fits(r.path, path)]
        if not others and answer.headers.get(name.lower()) == value:
            raise Fault(f"the header {name} is on what lies beside the rule", answer)
    missing = f"{rule.path.removesuffix('/*')}/no-such-file.js"
    if fits(rule.path, missing):
        answer = await s.client.send("GET", missing, headers=_PAGE)
        if answer.headers.get(name.lower()) == value:
            raise Fault(f"what is not there carries {name}", answer)
