"""Escape sequences of terminals, which tools put into what they print whatever ``NO_COLOR`` says."""

from __future__ import annotations

import re

#: Colours and moves of the cursor (CSI), titles and links (OSC), and other two-letter ones.
_ESCAPES = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]|\x1b")


def without_escapes(text: str) -> str:
    """What a tool printed, as plain text: to be read in a message, a log or JSON."""
    return _ESCAPES.sub("", text)
