"""A site's pages: the folder, the code that answers with it, its place in the document."""

from __future__ import annotations

from typing import Any

from clodo.blueprint.plan import Plan
from clodo.bricks.static_site.starter import starter_files
from clodo.bricks.static_site.values import USUAL_POLICY, Redirect, Site
from clodo.emit.brick import Brick, Import, Parts
from clodo.emit.openapi import operation, ref
from clodo.emit.typescript import literal


def has_api(plan: Plan) -> bool:
    """Whether there is more than pages."""
    return bool(plan.blueprint.entities) or plan.blueprint.users is not None


def _parts(plan: Plan) -> Parts:
    b = plan.blueprint
    [site] = b.parts_of(Site)
    title = site.title or b.title or b.name.replace("_", " ").capitalize()
    return Parts(
        imports=(Import("site", "./lib/site"),),
        routes=(_call(site),),
        env={"ASSETS": "Fetcher"},
        wrangler={
            "assets": {
                "directory": f"./{site.pages}",
                "binding": "ASSETS",
                # The Worker says what goes with each file: redirects, headers, who may know that there is one.
                "run_worker_first": True,
                "html_handling": "auto-trailing-slash" if site.clean_urls else "none",
                "not_found_handling": "none",
            }
        },
        files=starter_files(title, site, has_api=has_api(plan)),
        readme=_readme(site),
        amend=lambda document: _amend(site, document),
    )


def _call(site: Site) -> str:
    redirects = "".join(f"\n    {_redirect(r)}," for r in site.redirects)
    rules = [(r.path.removesuffix("/*"), r.path.endswith("/*"), *r.header) for r in site.headers]
    headers = "".join(
        f"\n    {{ path: {literal(path)}, below: {literal(below)}, name: {literal(name)}, value: {literal(value)} }},"
        for path, below, name, value in rules
    )
    return "\n".join(
        [
            "site(app, {",
            f"  singlePage: {literal(site.single_page)},",
            f"  cleanUrls: {literal(site.clean_urls)},",
            f"  unknownPage: {literal(site.unknown_page)},",
            f"  redirects: [{redirects}{chr(10) + '  ' if redirects else ''}],",
            f"  headers: [{headers}{chr(10) + '  ' if headers else ''}],",
            f"  removed: {literal(list(site.removed))},",
            f"  policy: {literal(site.policy or USUAL_POLICY)},",
            "});",
        ]
    )


def _redirect(r: Redirect) -> str:
    source, below = r.source.removesuffix("/*"), r.source.endswith("/*")
    target, rest = r.target.removesuffix("*"), r.target.endswith("*")
    return (
        f"{{ path: {literal(source)}, below: {literal(below)}, to: {literal(target)}, "
        f"rest: {literal(rest)}, status: {302 if r.brief else 301} }}"
    )


def _readme(site: Site) -> str:
    urls = "`/about` answers with `about.html`" if site.clean_urls else "files are answered under their names, folders with their `index.html`"
    unknown = f"Unknown pages are answered with `{'index.html' if site.single_page else site.unknown_page.removeprefix('/')}`"
    return (
        f"## Site\n\nThe pages stand in `{site.pages}/`; {urls}. {unknown} where a browser asks for a page, with a problem in JSON "
        "else. Change these files as you like: Clodo keeps what you have edited.\n"
    )


def _amend(site: Site, document: dict[str, Any]) -> None:
    problem = {"application/problem+json": {"schema": ref("Problem")}}
    answers: dict[Any, Any] = {
        200: {"description": "The file, or the page", "content": {"*/*": {}}},
        304: {"description": "It has not changed"},
        307: {"description": "The file has another address"},
        404: {"description": "There is no such file", "content": {**problem, "text/html": {"schema": {"type": "string"}}}},
    }
    for status in sorted({302 if r.brief else 301 for r in site.redirects}):
        answers[status] = {"description": "It has moved"}
    paths = document["paths"]
    # A gateway's route for all paths stands before the site.
    paths.setdefault("/", {}).setdefault("get", operation("page", "The first page", "site", dict(answers)))
    rest = operation("file", "A file of the site", "site", dict(answers))
    rest["parameters"] = [{"name": "path", "in": "path", "required": True, "schema": {"type": "string"}, "description": "All that follows, slashes too.", "x-rest": True}]
    paths.setdefault("/{path}", {}).setdefault("get", rest)


BRICK = Brick("static_site", "clodo.bricks.static_site", lambda plan: bool(plan.blueprint.parts_of(Site)), _parts, order=95)
