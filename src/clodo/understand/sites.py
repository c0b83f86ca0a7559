"""Cues of sites: what unknown paths show, where old ones lead, headers of all pages."""

from __future__ import annotations

import re

from clodo.blueprint.text import quote
from clodo.understand.addresses import place
from clodo.understand.blocks import Block, Member
from clodo.understand.cue_lines import Lines
from clodo.understand.cue_names import Unsaid
from clodo.understand.draft import DraftCue
from clodo.understand.gateways import header_of

SITE: Block = ("site", "")
KINDS = ("spa", "redirect", "header-set", "header-remove")
#: Words of a redirect that stands for now only.
BRIEF = r"\b(?:temporar\w*|for now|30[27])\b"


def site() -> Lines:
    """The site itself."""
    return Lines(blocks=[(SITE, "")])


def lines_of(cue: DraftCue) -> Lines:
    """What a cue adds to the site.

    Raises:
        Unsaid: the text leaves open what a line would need.
    """
    if cue.kind == "header-remove":
        # A site has no headers but its own.
        raise Unsaid
    if cue.kind == "spa":
        found = ["single page"]
    elif cue.kind == "header-set":
        # It is of a site that there is, and makes none.
        return Lines(blocks=[(SITE, f"header \"/*\" {quote(': '.join(header_of(cue)))}")])
    else:
        found = _redirects(cue)
    members: list[Member] = [(SITE, ""), *((SITE, line) for line in found)]
    return Lines(blocks=members)


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
