"""Paths and addresses as people write them in a text, as a blueprint has them."""

from __future__ import annotations

import re

from clodo.understand.naming import words

#: Signs around a path or an address that are not of it.
SIGNS = "\"'“”‘’` <>(),;.…"
_ADDRESS = re.compile(r"https?://([A-Za-z0-9.-]+)(?::([0-9]{1,5}))?((?:/[A-Za-z0-9._~%-]+)*)")
_BARE = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::[0-9]{1,5})?(?:/.*)?|(?:[A-Za-z0-9-]+:[0-9]{1,5}|localhost)(?:/.*)?")
_WHOLE = re.compile("[^:/]*://[^/?#]*([^?#]*)")
_SEGMENT = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*")
_WORD = re.compile(r"[A-Za-z0-9_~-]+(?:/[A-Za-z0-9_~-]+)*")
#: Words for all paths that have no route of their own.
ALL = frozenset(["all", "anything", "else", "everything", "other", "others", "remaining", "rest"])
_HIGHEST_PORT = 65535
#: Words that may stand beside those for all paths.
FILLERS = frozenset(["the", "of", "path", "paths", "request", "requests", "route", "routes", "call", "calls", "traffic"])
#: First parts of hosts that name no service.
PLAIN_HOSTS = frozenset(
    ["api", "app", "apps", "backend", "dev", "host", "internal", "localhost", "origin", "prod", "production", "server", "service", "services", "staging", "svc", "test", "upstream", "web", "www"]
)  # fmt: skip
#: Words that may stand beside the name of a folder or of a page.
BESIDE = frozenset(["a", "called", "directory", "file", "folder", "html", "my", "named", "our", "own", "page", "the"])
#: Words for what a site does not have.
UNKNOWN = r"\b(?:404s?|not (?:be )?found|not there|unknown|missing|exist\w*)\b"
_FOLDER = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*")
_PAGE = re.compile(r"(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*/)*[A-Za-z0-9_~-]+")
_PLAIN_SEGMENT = re.compile(r"api|v[0-9]+")


def address(surface: str) -> str:
    """The address of a server; empty where the words are none."""
    said = re.sub(r"/?\*+$", "", surface.strip(SIGNS)).rstrip("/")
    if "://" not in said and _BARE.fullmatch(said):
        local = re.match(r"localhost\b|127\.", said) is not None
        said = f"{'http' if local else 'https'}://{said}"
    found = _ADDRESS.fullmatch(said)
    return said if found and 0 < int(found[2] or 1) <= _HIGHEST_PORT and re.search("[A-Za-z0-9]", found[1]) else ""


def segments(surface: str) -> list[str] | None:
    """The fixed segments of a path, up to its first placeholder; ``None`` where the words are no path."""
    said = surface.strip(SIGNS)
    if whole := _WHOLE.match(said):
        said = whole[1] or "/"
    found = re.search("(?:^| )(/[^ ]*)", said)
    if found is None:
        told = set(words(said))
        if (ALL & told and told <= ALL | FILLERS) or re.fullmatch(r"\*+", said):
            return []
        return said.split("/") if _WORD.fullmatch(said) else None
    out: list[str] = []
    for part in filter(None, found[1].split("/")):
        fixed = part.rstrip("*.…")
        if not fixed or fixed[0] in ":{<":
            break
        if not _SEGMENT.fullmatch(fixed):
            return None
        out.append(fixed)
        if fixed != part:
            break
    return out


def upstream_name(where: str, path: list[str], taken: set[str]) -> str:
    """What a server is called: by its host, where that says more than ``api`` or ``localhost``, else by the path that leads there."""
    found = _ADDRESS.fullmatch(where)
    host = found[1].lower().split(".") if found else []
    named = [host[0]] if host and host[0] not in PLAIN_HOSTS and not all(part.isdigit() for part in host) else []
    named += [s for s in path if not _PLAIN_SEGMENT.fullmatch(s)][:1]
    plain = [re.sub("^[^a-z]+", "", re.sub("[^a-z0-9]+", "_", n)).strip("_")[:40] for n in named]
    plain = [n for n in plain if n] or ["backend"]
    free = next((n for n in plain if n not in taken), None)
    number = 2
    while free is None or free in taken:
        free, number = f"{plain[0]}_{number}", number + 1
    return free


def place(surface: str) -> str:
    """A place of a site, a path or an address elsewhere, with the star that it ends in; empty where the words are neither."""
    said = surface.strip(SIGNS)
    if "://" in said or (not said.startswith("/") and _BARE.fullmatch(said) and not re.fullmatch(r"[A-Za-z0-9_-]+\.html?", said)):
        whole = address(said)
        return f"{whole}/*" if whole and said.endswith("/*") else whole
    found = segments(said)
    if found is None:
        return ""
    return f"/{'/'.join([*found, *(['*'] if said.endswith('*') else [])])}"


def _alone(surface: str) -> str:
    """A name without what stands beside it, signs and slashes around it; empty where the words name several things."""
    parts = [part.strip(SIGNS) for part in re.split(r"\s+", surface)]
    named = [part for part in parts if part.strip("/") and (len(parts) == 1 or part.lower() not in BESIDE)]
    return named[0].strip("/") if len(named) == 1 else ""


def folder(surface: str) -> str:
    """The folder that some words name; empty where they name none."""
    said = _alone(surface)
    return said if _FOLDER.fullmatch(said) else ""


def page(surface: str) -> str:
    """The file of a page of a site that some words name, from its root on; empty where they name none."""
    said = re.sub(r"\.html?$", "", _alone(surface))
    return f"/{said}.html" if _PAGE.fullmatch(said) else ""


def is_page(surface: str) -> bool:
    """Whether some words name the file of a page, with its ending."""
    return re.search(r"\.html?$", _alone(surface)) is not None
