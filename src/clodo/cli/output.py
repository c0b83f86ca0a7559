"""What a person sees: the description coloured by what was understood, the blueprint, the proof."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.text import Text

from clodo.proof.report import Report
from clodo.understand.port import Span, Understanding

#: Role → style and, for those who see no colour, the signs around the words.
_STYLES = {
    "entity": ("bold cyan", "", ""),
    "field": ("green", "", ""),
    "value": ("yellow", "", ""),
    "role": ("blue", "", ""),
    "name": ("bold", "", ""),
    "access": ("blue", "", ""),
    "cue": ("bold yellow", "", ""),
    "unsupported": ("magenta", "[not built by this model: ", "]"),
    "unexplained": ("bold red", "[not understood: ", "]"),
}
#: What lies below the other roles, which are of layer 1, and above them.
_LAYERS = {"access": 0, "unsupported": 2, "unexplained": 3}
_BLUEPRINT = (
    (re.compile(r"^(service|type|read|write|users|entity)\b", re.MULTILINE), "bold magenta"),
    (re.compile(r"(?<=entity )\w+"), "bold cyan"),
    (re.compile(r"^  (\w+)(?=:)", re.MULTILINE), "green"),
    (re.compile(r"\b(required|unique|default|min|max|above|below|pattern|read-only|write-only|hashed|on delete)\b"), "yellow"),
    (re.compile(r"<?->\s*\w+"), "cyan"),
)  # fmt: skip


def pasted(path: Path) -> str:
    """A path as a word of a command that a shell takes as it is, and the program not for an option."""
    text = str(path)
    return shlex.quote(f"./{text}" if text.startswith("-") else text)


def description(text: str, spans: Sequence[Span]) -> Text:
    """The description with every understood stretch in the style of its role. Of two that overlap the narrower is seen, but what
    was not understood lies above all, so that nothing hides it, and the sentence that tells who may do what below all."""
    roles = [""] * len(text)
    for span in sorted(spans, key=lambda s: (_LAYERS.get(s.role, 1), s.start - s.end, s.start)):
        roles[span.start : span.end] = [span.role] * (span.end - span.start)
    out, at = Text(), 0
    for role, run in groupby(roles):
        end = at + len(list(run))
        style, before, after = _STYLES.get(role, ("", "", ""))
        out.append(before + text[at:end] + after, style)
        at = end
    return out


def passed_over(text: str, spans: Sequence[Span]) -> str:
    """The words that were not understood, one after the other, for those who do not see the description; empty where there are none."""
    found: list[tuple[int, int]] = []
    for span in sorted((s for s in spans if s.role == "unexplained"), key=lambda s: (s.start, s.end)):
        if found and not text[found[-1][1] : span.start].strip():
            found[-1] = (found[-1][0], max(found[-1][1], span.end))
        else:
            found.append((span.start, span.end))
    said = dict.fromkeys(" ".join(text[start:end].split()) for start, end in found)
    return f"not understood: {', '.join(said)}" if said else ""


def blueprint(source: str) -> Text:
    """A blueprint with its words highlighted."""
    out = Text(source.rstrip("\n"))
    for pattern, style in _BLUEPRINT:
        for m in pattern.finditer(source):
            out.stylize(style, *m.span(m.lastindex or 0))
    return out


def show_description(console: Console, text: str, u: Understanding) -> None:
    """The description, coloured, and a line after it."""
    console.print(description(text, u.spans), style=None, soft_wrap=True)
    console.print()


def show_understanding(console: Console, text: str, u: Understanding, source: str) -> None:
    """Description, blueprint, notes, and who understood it in what time."""
    show_description(console, text, u)
    console.print(blueprint(source), soft_wrap=True)
    console.print()
    for note in u.notes:
        console.print(f"note: {note}", soft_wrap=True, markup=False)
    console.print(answered_by(u), style="dim", soft_wrap=True, markup=False)


def answered_by(u: Understanding) -> str:
    """Who understood it, in what time, how surely, and who was asked before."""
    ms = u.timings_ms.get("model", 0.0)
    line = f"understood by {u.model} ({u.provider}) in {ms:.0f} ms, confidence {u.confidence:.0%}"
    return "\n".join([line, *(f"tried {t.model} ({t.provider}): {t.reason}. {t.detail}".rstrip() for t in u.tried)])


def show_report(console: Console, report: Report, *, every: bool = False) -> None:
    """The proof in short; failures whole."""
    for e in report.evidence:
        if e.outcome == "failed":
            console.print(f"✗ failed  {e.id}  {e.rule}", style="red", soft_wrap=True, markup=False)
            console.print(f"    {e.detail}", soft_wrap=True, markup=False)
        elif e.outcome == "skipped":
            console.print(f"– skipped  {e.id}  {e.rule}: {e.detail}", soft_wrap=True, markup=False)
        elif every:
            console.print(f"✓ passed  {e.id}  {e.rule}", soft_wrap=True, markup=False)
    seconds = report.timings_ms.get("total", 0.0) / 1000
    passed = len(report.evidence) - len(report.failures) - len(report.skipped)
    mark, style = ("✓ proven", "green") if report.proven else ("✗ not proven", "red")
    console.print(
        f"{mark}: {passed} of {len(report.evidence)} checks passed over {report.requests} requests "
        f"in workerd ({seconds:.1f} s), bundle {report.gzip / 1024:.0f} KB gzip",
        style=style, soft_wrap=True, markup=False,
    )  # fmt: skip
