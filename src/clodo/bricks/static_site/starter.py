"""The files that a new site begins with."""

from __future__ import annotations

from html import escape

from clodo.bricks.static_site.values import Site

_STYLE = """:root {
  color-scheme: light dark;
  font: 1.0625rem/1.6 system-ui, sans-serif;
}

body {
  margin: 0 auto;
  max-width: 42rem;
  padding: 3rem 1.25rem;
}

a {
  color: inherit;
}
"""


def _page(title: str, heading: str, text: str) -> str:
    return f"""<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>{escape(title)}</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/assets/style.css">
  </head>
  <body>
    <main>
      <h1>{escape(heading)}</h1>
      {text}
    </main>
  </body>
</html>
"""


def starter_files(title: str, site: Site, *, has_api: bool) -> dict[str, str]:
    """Path → text."""
    folder = site.pages
    api = '<p>The interface is described at <a href="/docs">/docs</a>.</p>' if has_api else f"<p>This page is <code>{folder}/index.html</code>.</p>"
    robots = "User-agent: *\n" + ("Disallow: /api/\n" if has_api else "Disallow:\n")
    return {
        f"{folder}/index.html": _page(title, title, api),
        f"{folder}{site.unknown_page}": _page(f"Not found · {title}", "Not found", '<p>There is nothing here. <a href="/">To the first page</a></p>'),
        f"{folder}/robots.txt": robots,
        f"{folder}/assets/style.css": _STYLE,
    }
