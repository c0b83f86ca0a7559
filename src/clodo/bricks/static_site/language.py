"""``site { … }`` in the service: pages from a folder, and how they are answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from lark import Tree

from clodo.blueprint.constructs import Construct
from clodo.blueprint.syntax import text_of
from clodo.blueprint.text import quote
from clodo.bricks.static_site.problems import site_problems
from clodo.bricks.static_site.values import HeaderRule, Redirect, Site

_ONCE: dict[str, Callable[[list[Any]], dict[str, Any]]] = {
    "site_title": lambda c: {"title": text_of(c[0])},
    "site_folder": lambda c: {"folder": text_of(c[0])},
    "site_single": lambda c: {"single_page": True},
    "site_unknown": lambda c: {"unknown": text_of(c[0])},
    "site_clean": lambda c: {"clean_urls": True},
    "site_policy": lambda c: {"policy": text_of(c[0])},
}
_LISTS: dict[str, tuple[str, Callable[[list[Any]], Any]]] = {
    "site_redirect": ("redirects", lambda c: Redirect(text_of(c[0]), text_of(c[1]))),
    "site_detour": ("redirects", lambda c: Redirect(text_of(c[0]), text_of(c[1]), brief=True)),
    "site_header": ("headers", lambda c: HeaderRule(text_of(c[0]), text_of(c[1]))),
    "site_never": ("removed", lambda c: text_of(c[0])),
}
_WORDS = {
    "site_title": "title", "site_folder": "folder", "site_single": "single page", "site_clean": "clean urls", "site_unknown": "not found",
    "site_policy": "policy",
}  # fmt: skip


def _site(tree: Tree[Any]) -> Site:
    site, seen = Site(), set()
    for member in tree.children:
        kind = str(member.data)
        if kind in _LISTS:
            slot, make = _LISTS[kind]
            longer: dict[str, Any] = {slot: (*getattr(site, slot), make(member.children))}
            site = replace(site, **longer)
            continue
        if kind in seen:
            site = replace(site, twice=(*site.twice, _WORDS[kind]))
        seen.add(kind)
        site = replace(site, **_ONCE[kind](member.children))
    return site


def _lines(site: Site) -> Iterator[str]:
    yield "site {"
    if site.title:
        yield f"  title {quote(site.title)}"
    if site.folder:
        yield f"  folder {quote(site.folder)}"
    if site.single_page:
        yield "  single page"
    if site.clean_urls:
        yield "  clean urls"
    if site.unknown:
        yield f"  not found {quote(site.unknown)}"
    for r in site.redirects:
        yield f"  redirect {quote(r.source)} to {quote(r.target)}{' for now' if r.brief else ''}"
    for rule in site.headers:
        yield f"  header {quote(rule.path)} {quote(rule.line)}"
    for name in site.removed:
        yield f"  never send {quote(name)}"
    if site.policy:
        yield f"  policy {quote(site.policy)}"
    yield "}"


_GRAMMAR = """
site: "site" "{" _NL site_member* "}" _NL
?site_member: site_title
            | site_folder
            | site_single
            | site_clean
            | site_unknown
            | site_redirect
            | site_detour
            | site_header
            | site_never
            | site_policy
site_title: "title" STRING _NL
site_folder: "folder" STRING _NL
site_single: "single" "page" _NL
site_clean: "clean" "urls" _NL
site_unknown: "not" "found" STRING _NL
site_redirect: "redirect" STRING "to" STRING _NL
site_detour: "redirect" STRING "to" STRING "for" "now" _NL
site_header: "header" STRING STRING _NL
site_never: "never" "send" STRING _NL
site_policy: "policy" STRING _NL
"""

CONSTRUCTS = (
    Construct(
        name="site",
        place="service",
        value=Site,
        grammar=_GRAMMAR,
        build=_site,
        lines=_lines,
        check=site_problems,
        once=True,
        storeless=True,
        places={**_WORDS, "site_redirect": "redirect", "site_detour": "redirect", "site_header": "header", "site_never": "never send"},
    ),
)
