"""What a site is."""

from __future__ import annotations

from dataclasses import dataclass

#: What pages may load where the blueprint says nothing: what the site itself holds, and images in the page.
USUAL_POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class Redirect:
    """``source`` leads to ``target``; a star at the end of both stands for the rest of the path. ``brief``: for now only."""

    source: str
    target: str
    brief: bool = False


@dataclass(frozen=True, slots=True)
class HeaderRule:
    """A header of what lies at a path; ``line`` is name and value as HTTP writes them."""

    path: str
    line: str

    @property
    def header(self) -> tuple[str, str]:
        """Name and value."""
        name, _, value = self.line.partition(":")
        return name.strip(), value.strip()


#: The folder of the pages, and the page for what is not there, where the blueprint says nothing.
USUAL_FOLDER, USUAL_UNKNOWN = "public", "/404.html"


@dataclass(frozen=True, slots=True)
class Site:
    """The pages of a service. ``folder`` holds them, ``single_page``: unknown pages are answered with the first one, ``unknown``
    is the page for what is not there (empty, both of these: the usual one), ``removed`` are headers that nothing carries."""

    title: str = ""
    folder: str = ""
    single_page: bool = False
    unknown: str = ""
    removed: tuple[str, ...] = ()
    clean_urls: bool = False
    redirects: tuple[Redirect, ...] = ()
    headers: tuple[HeaderRule, ...] = ()
    policy: str = ""
    #: Lines that the text gives twice.
    twice: tuple[str, ...] = ()

    @property
    def pages(self) -> str:
        """The folder of the pages, beside ``src``."""
        return self.folder or USUAL_FOLDER

    @property
    def unknown_page(self) -> str:
        """Where in that folder the page for what is not there lies."""
        return self.unknown or USUAL_UNKNOWN


def fits(pattern: str, path: str) -> bool:
    """Whether a path belongs to a pattern: itself, or with a star what lies below."""
    if not pattern.endswith("/*"):
        return path == pattern
    prefix = pattern.removesuffix("/*")
    return path == prefix or path.startswith(f"{prefix}/")
