"""Cues of sites: the folder that is served, what unknown paths show, where old ones lead, headers of all pages and headers of none."""

from __future__ import annotations

import re

from clodo.blueprint.text import quote
from clodo.understand.addresses import SIGNS, UNKNOWN, folder, is_page, page, place
from clodo.understand.blocks import Block
from clodo.understand.cue_conditions import Lines
from clodo.understand.cue_names import Unsaid
from clodo.understand.draft import DraftCue
from clodo.understand.gateways import header_of
from clodo.understand.storeless import is_folder

SITE: Block = ("site", "")
KINDS = ("spa", "redirect", "header-set", "header-remove")
#: Words of a redirect that stands for now only.
BRIEF = r"\b(?:temporar\w*|for now|30[27])\b"
#: What folders of pages are called: in a gateway other words may be those of a server.
FOLDERS = frozenset(["assets", "build", "dist", "docs", "files", "html", "out", "output", "pages", "public", "site", "static", "web", "webroot", "website", "www"])
#: The page for what is not there where the text does not say which, and the one that makes a single page of a site.
USUAL_UNKNOWN, FIRST = "/404.html", "/index.html"


def site() -> Lines:
    """The site itself."""
    return Lines(blocks=[(SITE, "")])


def takes(cue: DraftCue) -> bool:
    """Whether a cue is about the site, where it is not about routes."""
    return cue.kind in KINDS or is_folder(cue)


def lines_of(cue: DraftCue, *, beside: bool = False) -> Lines:
    """What a cue adds to the site. ``beside``: the service is a gateway, in which a folder makes a site of all that no route leads away.

    Raises:
        Unsaid: the text leaves open what a line would need.
    """
    if cue.kind in ("spa", "redirect"):
        found = ["single page"] if cue.kind == "spa" else [_unknown(cue)] if _is_unknown(cue) else _redirects(cue)
        return Lines(blocks=[(SITE, ""), *((SITE, line) for line in found)])
    if cue.kind == "header-set":
        found = [f"header \"/*\" {quote(': '.join(header_of(cue)))}"]
    elif cue.kind == "header-remove":
        found = [f"never send {quote(name)}" for f in cue.slots.get("n", []) if (name := f.words.strip(SIGNS + ":"))]
    else:
        found = [f"folder {quote(name)}" for f in cue.slots["to"] if (name := folder(f.words))]
    if not found:
        raise Unsaid
    # Others are of a site that there is, and make none.
    made = [(SITE, "")] if beside and is_folder(cue) and any(FOLDERS & {*line.split('"')[1].lower().split("/")} for line in found) else []
    return Lines(blocks=[*made, *((SITE, line) for line in found)])


def _is_unknown(cue: DraftCue) -> bool:
    """Whether a cue leads what is not there to a page: it says so, or names that page and nothing that leads there."""
    sources, targets = ([f.words for f in cue.slots.get(slot, []) if f.words] for slot in ("from", "to"))
    if sources:
        return all(re.search(UNKNOWN, said.lower()) and not said.strip(SIGNS).startswith("/") for said in sources)
    return len(targets) == 1 and is_page(targets[0])


def _unknown(cue: DraftCue) -> str:
    targets = [f.words for f in cue.slots.get("to", []) if f.words]
    found = page(targets[0]) if targets else USUAL_UNKNOWN
    if not found:
        raise Unsaid
    return "single page" if found == FIRST else f"not found {quote(found)}"


def _redirects(cue: DraftCue) -> list[str]:
    targets = [made for f in cue.slots.get("to", []) if (made := place(f.words))]
    sources = [made for f in cue.slots.get("from", []) if (made := place(f.words)).startswith("/")]
    if not targets or not sources:
        raise Unsaid
    tail = " for now" if re.search(BRIEF, cue.words.lower()) else ""
    return [f"redirect {quote(source)} to {quote(_fitting(targets[0], source))}{tail}" for source in sources]


def _fitting(target: str, source: str) -> str:
    """The target without a star where the source has none, which would stand for nothing."""
    if source.endswith("/*") or not target.endswith("/*"):
        return target
    return target.removesuffix("/*") or "/"
