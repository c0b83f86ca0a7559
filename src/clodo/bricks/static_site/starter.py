"""The files that a new site begins with."""

from __future__ import annotations

from html import escape

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


def starter_files(title: str, *, has_api: bool) -> dict[str, str]:
    """Path → text."""
    api = '<p>The interface is described at <a href="/docs">/docs</a>.</p>' if has_api else "<p>This page is <code>public/index.html</code>.</p>"
    robots = "User-agent: *\n" + ("Disallow: /api/\n" if has_api else "Disallow:\n")
    return {
        "public/index.html": _page(title, title, api),
        "public/404.html": _page(f"Not found · {title}", "Not found", '<p>There is nothing here. <a href="/">To the first page</a></p>'),
        "public/robots.txt": robots,
        "public/assets/style.css": _STYLE,
    }
