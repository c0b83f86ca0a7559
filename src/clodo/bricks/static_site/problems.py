"""What is wrong with a site, which a grammar cannot see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from clodo.blueprint.constructs import path_of, place_name
from clodo.blueprint.problems import Problem
from clodo.blueprint.values import Blueprint
from clodo.bricks.static_site.values import HeaderRule, Redirect, Site, fits

_PATH = re.compile(r"/|(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?(?:(?<!/)/\*)?|/\*")
_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
_VALUE = re.compile(r"[\x20-\x7e]{1,2000}")
#: Folders that hold a service's own code are no folders of pages.
OWN_FOLDERS = ("src", "test", "migrations", "node_modules")
_FOLDER = re.compile(r"[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,7}")
_PAGE = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+\.html")
#: Headers that Cloudflare adds behind the service.
CLOUDFLARES = ("alt-svc", "cf-cache-status", "cf-ray", "date", "nel", "report-to", "server")
_OWN_PATHS = ("/health", "/openapi.json", "/docs", "/api")
_OWN_HEADERS = ("connection", "content-length", "content-type", "content-encoding", "etag", "location", "set-cookie", "transfer-encoding", "content-security-policy")


def site_problems(b: Blueprint, owner: None, site: Site) -> Iterator[Problem]:
    """What is wrong with a site."""
    path = path_of(owner, site)
    for n, what in enumerate(site.twice):
        yield Problem(f"The site says {what!r} twice.", "Remove one of the two.", f"{path}.{place_name(what, 1 + site.twice[:n].count(what))}")
    if any(getattr(part, "path", "") == "/*" for part in b.parts):
        yield Problem("A route for all paths leaves none for the site.", "Give the route a path of its own.", path)
    seen: list[Redirect] = []
    lines = [f"{path}.{place_name('redirect', n)}" for n in range(len(site.redirects))]
    for r, line in zip(site.redirects, lines, strict=True):
        yield from _redirect(r, line)
        if any(r.source == other.source for other in seen):
            yield Problem(f"{r.source} leads to two places.", "Remove one of the two redirects.", line)
        elif other := next((o for o in seen if fits(o.source, r.source)), None):
            yield Problem(f"The redirect of {r.source} is never reached: {other.source} stands before it.", "Put it first.", line)
        seen.append(r)
    yield from _circles(site.redirects, lines)
    for n, rule in enumerate(site.headers):
        yield from _header(rule, f"{path}.{place_name('header', n)}")
    yield from _removed(site, path)
    if site.folder and (not _FOLDER.fullmatch(site.folder) or site.folder.lower().split("/")[0] in OWN_FOLDERS):
        yield Problem(f"{site.folder!r} is no folder for pages.", 'Write a folder of the service such as "dist": letters, digits, - and _.', f"{path}.(folder)")
    if site.unknown and not _PAGE.fullmatch(site.unknown):
        yield Problem(f"{site.unknown!r} is no page of the site.", 'Write it as "/404.html".', f"{path}.{place_name('not found', 0)}")
    if site.policy and (not _VALUE.fullmatch(site.policy) or "," in site.policy):
        yield Problem("The policy has signs that a header cannot carry.", "Use plain ASCII, and semicolons between directives.", f"{path}.(policy)")
    for word in ("'unsafe-inline'", "'unsafe-eval'"):
        if word in site.policy:
            yield Problem(f"The policy allows {word}, which lets injected scripts or styles run.", "Keep them in files of their own.", f"{path}.(policy)", severity="warning")


def _removed(site: Site, path: str) -> Iterator[Problem]:
    sent = {rule.header[0].lower() for rule in site.headers}
    for n, name in enumerate(site.removed):
        line = f"{path}.{place_name('never send', n)}"
        if not _NAME.fullmatch(name):
            yield Problem(f"{name!r} is no name of a header.", "Use letters, digits and hyphens.", line)
        elif name.lower() in _OWN_HEADERS:
            yield Problem(f"The site itself decides on the header {name}.", "Remove that line.", line)
        elif name.lower() in sent:
            yield Problem(f"The site both sends {name} and never sends it.", "Remove one of the two.", line)
        elif name.lower() in CLOUDFLARES:
            yield Problem(f"Cloudflare adds the header {name} behind the service.", "Take it away by a rule of the zone, too.", line, severity="warning")
        if name.lower() in {other.lower() for other in site.removed[:n]}:
            yield Problem(f"The site says twice that it never sends {name}.", "Remove one of the two.", line)


def _redirect(r: Redirect, path: str) -> Iterator[Problem]:
    if not _PATH.fullmatch(r.source):
        yield Problem(f"{r.source!r} is no path.", 'Write "/old" or "/old/*": letters, digits, - and _.', path)
        return
    for own in _OWN_PATHS:
        if r.source == own or r.source.startswith(f"{own}/"):
            yield Problem(f"The path {r.source} belongs to {own} of the service itself.", "Choose another.", path)
    target = r.target.removesuffix("*") if r.source.endswith("/*") else r.target
    if target != r.target and not target.endswith("/"):
        # Without the slash callers choose how a name goes on, of a host too: `https://new.example@evil.example`.
        yield Problem(
            f"What follows {r.source.removesuffix('*')} would go on with the name that {r.target!r} ends in.",
            f'Write the star behind a slash: "{target}/*".',
            path,
        )
    elif not (_elsewhere(target) or (_PATH.fullmatch(target) and "*" not in target)):
        yield Problem(
            f"{r.target!r} is no place to lead to.",
            'Write a path such as "/new", or an address that begins with https://; a star goes at the end, where the source has one.',
            path,
        )


def _elsewhere(target: str) -> bool:
    try:
        parts = urlsplit(target)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
    return fine and parts.username is None and not re.search(r"[\s\\*#\"<>]|[^\x21-\x7e]", target)


def _circles(redirects: tuple[Redirect, ...], lines: list[str]) -> Iterator[Problem]:
    def following(place: str) -> Redirect | None:
        return next((r for r in redirects if fits(r.source, place)), None)

    for first, line in zip(redirects, lines, strict=True):
        here: Redirect | None = first
        for _ in range(len(redirects)):
            here = following(here.target.removesuffix("*").rstrip("/") or "/") if here is not None else None
            if here is first:
                yield Problem(f"The redirect of {first.source} leads back to itself.", "Remove one of the circle.", line)
                break


def _header(rule: HeaderRule, path: str) -> Iterator[Problem]:
    name, value = rule.header
    if not _PATH.fullmatch(rule.path):
        yield Problem(f"{rule.path!r} is no path.", 'Write "/about" or "/assets/*".', path)
    if ":" not in rule.line or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        yield Problem(f"{rule.line!r} is no header.", 'Write it as "Cache-Control: no-cache".', path)
    elif name.lower() in _OWN_HEADERS:
        mend = "Write it as policy \"…\"." if name.lower() == "content-security-policy" else "Remove that line."
        yield Problem(f"The site itself decides on the header {name}.", mend, path)
