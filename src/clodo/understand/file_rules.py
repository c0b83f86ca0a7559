"""What cues say of files: the kinds that are taken, and that signed links alone open them."""

from __future__ import annotations

import re

from clodo.blueprint.text import quote
from clodo.understand.cue_names import Unsaid
from clodo.understand.draft import Draft, DraftCue, DraftField, Span
from clodo.understand.naming import words

#: Kinds of field that are files beside the row, and no columns.
FILES = ("file", "image")
KINDS = ("private", "file-types")
#: What pictures can be.
IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif")

_WORD = ("application/msword", "application/vnd.openxmlformats-officedocument.wordprocessingml.document")
_EXCEL = ("application/vnd.ms-excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
_SLIDES = ("application/vnd.ms-powerpoint", "application/vnd.openxmlformats-officedocument.presentationml.presentation")
_VIDEO = ("video/mp4", "video/webm", "video/quicktime")
_AUDIO = ("audio/mpeg", "audio/mp4", "audio/wav", "audio/ogg")
#: What people call kinds of file → their media types.
MEDIA_TYPES: dict[str, tuple[str, ...]] = {
    "pdf": ("application/pdf",), "word": _WORD, "doc": _WORD[:1], "docx": _WORD[1:], "excel": _EXCEL, "xls": _EXCEL[:1], "xlsx": _EXCEL[1:],
    "spreadsheet": _EXCEL, "powerpoint": _SLIDES, "ppt": _SLIDES[:1], "pptx": _SLIDES[1:], "odt": ("application/vnd.oasis.opendocument.text",),
    "ods": ("application/vnd.oasis.opendocument.spreadsheet",), "rtf": ("application/rtf",), "csv": ("text/csv",), "txt": ("text/plain",),
    "text": ("text/plain",), "plain": ("text/plain",), "markdown": ("text/markdown",), "md": ("text/markdown",), "html": ("text/html",),
    "xml": ("application/xml",), "json": ("application/json",), "zip": ("application/zip",), "epub": ("application/epub+zip",), "ics": ("text/calendar",),
    "png": ("image/png",), "jpg": ("image/jpeg",), "jpeg": ("image/jpeg",), "gif": ("image/gif",), "webp": ("image/webp",), "avif": ("image/avif",),
    "svg": ("image/svg+xml",), "tif": ("image/tiff",), "tiff": ("image/tiff",), "bmp": ("image/bmp",), "heic": ("image/heic",),
    **dict.fromkeys(("image", "photo", "picture"), IMAGE_TYPES),
    "mp4": ("video/mp4",), "mov": ("video/quicktime",), "webm": ("video/webm",), "video": _VIDEO,
    "mp3": ("audio/mpeg",), "wav": ("audio/wav",), "ogg": ("audio/ogg",), "m4a": ("audio/mp4",), "audio": _AUDIO, "sound": _AUDIO,
}  # fmt: skip
_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]*")


def media_types(surface: str) -> list[str]:
    """The media types that some words name, each once."""
    whole = surface.strip("\"'“”‘’` ,.").lower()
    if _TYPE.fullmatch(whole):
        return [whole]
    said = [w if w in MEDIA_TYPES else w.removesuffix("s") for w in words(surface)]
    return list(dict.fromkeys(type_ for word in said for type_ in MEDIA_TYPES.get(word, ())))


class FileRules:
    """What the cues of a draft say of its files."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._types: dict[tuple[str, str], dict[str, None]] = {}
        self._private: set[tuple[str, str]] = set()
        self._spans: dict[tuple[str, str], list[Span]] = {}
        #: The words of cues of which no file can have what they say.
        self.left: list[Span] = []
        for cue in draft.cues:
            if cue.kind in KINDS:
                try:
                    self._note(cue)
                except Unsaid:
                    self.left += cue.evidence.spans[:1]

    def tail(self, entity: str, f: DraftField) -> str:
        """What stands behind the kind and the size of a file, with the space before it."""
        key = entity, f.name
        types = f" types {', '.join(map(quote, self._types[key]))}" if key in self._types else ""
        return f"{types}{' private' if key in self._private else ''}"

    def spans(self, entity: str, f: DraftField) -> list[Span]:
        """The words for a file with its rules."""
        return [*f.evidence.spans, *self._spans.get((entity, f.name), [])]

    def _note(self, cue: DraftCue) -> None:
        files = self._files(cue)
        kinds = [media_types(filler.words) for filler in cue.slots.get("n", []) if filler.words]
        found = [t for some in kinds for t in some]
        # A kind that is not known would be refused by the service.
        if cue.kind == "file-types" and (not found or not all(kinds) or any(f.type == "image" and not set(found) <= set(IMAGE_TYPES) for _, f in files)):
            raise Unsaid
        for key, _ in files:
            if cue.kind == "private":
                self._private.add(key)
            else:
                self._types.setdefault(key, {}).update(dict.fromkeys(found))
            self._spans.setdefault(key, []).extend(cue.evidence.spans[:1])

    def _files(self, cue: DraftCue) -> list[tuple[tuple[str, str], DraftField]]:
        """The files that a cue names, else the only one of the text."""
        files = [((e.name, f.name), f) for e in self._draft.entities.values() for f in e.fields.values() if f.type in FILES]
        named = {(filler.entity, filler.field) for filler in cue.slots.get("set", [])}
        found = [(key, f) for key, f in files if key in named] if named else files[:1] if len(files) == 1 else []
        if not found or len(found) < len(named):
            raise Unsaid
        return found
