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


@dataclass(frozen=True, slots=True)
class Site:
    """The pages of a service. ``single_page``: unknown pages are answered with the first one."""

    title: str = ""
    single_page: bool = False
    clean_urls: bool = False
    redirects: tuple[Redirect, ...] = ()
    headers: tuple[HeaderRule, ...] = ()
    policy: str = ""
    #: Lines that the text gives twice.
    twice: tuple[str, ...] = ()


def fits(pattern: str, path: str) -> bool:
    """Whether a path belongs to a pattern: itself, or with a star what lies below."""
    if not pattern.endswith("/*"):
        return path == pattern
    prefix = pattern.removesuffix("/*")
    return path == prefix or path.startswith(f"{prefix}/")
