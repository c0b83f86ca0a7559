"""A page with pictures of where models fail."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from clodo.evaluation.tables import breakdown, table

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 68rem; margin: 0 auto; padding: 1.5rem; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0 1.4rem; }
th, td { text-align: left; padding: .25rem .5rem; border-bottom: 1px solid #8884; vertical-align: top; }
td small { opacity: .65; } svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
.bar { fill: #3b82c4; } .low { fill: #d0573f; } .axis { stroke: #8888; } .even { stroke: #8888; stroke-dasharray: 4 4; }
.faults { color: #d0573f; margin: .2rem 0; } details { border-bottom: 1px solid #8883; padding: .3rem 0; }
p.text { white-space: pre-wrap; opacity: .85; }
"""
_BAR_WIDTH, _BAR_HEIGHT, _LABELS = 380, 20, 190
_SQUARE = 260


def page(title: str, *sets: tuple[str, Sequence[dict[str, Any]]]) -> str:
    """A page that stands by itself, no script, no request: of each set its name, the table of all candidates, and pictures
    of each."""
    parts = [f"<h1>{escape(title)}</h1>"]
    for name, results in sets:
        parts += [f"<h2>{escape(name)}</h2>", _html(table(results))]
        for r in results:
            parts += [f"<h3>{escape(r['candidate'])}</h3>", *_sections(r)]
    body = "\n".join(parts)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>{body}</body></html>\n"
    )


def _html(markdown: str) -> str:
    head, _, *rows = markdown.splitlines()

    def row(line: str, tag: str) -> str:
        cells = [c.strip() for c in line.strip("| ").split(" | ")]
        return "<tr>" + "".join(f"<{tag}>{escape(c)}</{tag}>" for c in cells) + "</tr>"

    return f"<table>{row(head, 'th')}{''.join(row(r, 'td') for r in rows)}</table>"


def _sections(r: dict[str, Any]) -> list[str]:
    out = []
    if r["constructs"]:
        shown = {f"{k} ({v['wanted']:.0f})": v["f1"] for k, v in r["constructs"].items() if v["wanted"]}
        out += ["<h4>F1 by construct (how many were stated)</h4>", bars(shown)]
    if r["styles"]:
        out += ["<h4>By style</h4>", _html(breakdown([r], "style")), bars({k: v["usable"] for k, v in r["styles"].items()})]
    calibration = r["calibration"]
    for what, name in (("parts", "parts"), ("whole", "whole blueprints")):
        bins = calibration.get(f"reliability_{what}") if calibration.get("parts") else None
        if bins:
            count = sum(b["count"] for b in bins)
            out += [f"<h4>Confidence of {count} {name} against the share that is right</h4>", diagram(bins)]
    if r.get("failed"):
        out.append(f'<p class="faults">{r["failed"]} texts came to no answer: {escape(r["failure"])}</p>')
    if r.get("faults"):
        out.append(f"<h4>{len(r['faults'])} texts with a fault</h4>")
        out += [_fault(f) for f in r["faults"]]
    return out


def _fault(f: dict[str, Any]) -> str:
    lines = "".join(f'<div class="faults">{escape(x)}</div>' for x in f["faults"])
    first = escape(f["text"][:90])
    return f'<details><summary>{escape(f["id"])} · {first} …</summary><p class="text">{escape(f["text"])}</p>{lines}</details>'


def bars(values: dict[str, float]) -> str:
    """A bar for each value of 0 to 1."""
    rows = []
    for i, (name, value) in enumerate(values.items()):
        y = i * _BAR_HEIGHT
        low = " low" if value < 0.8 else ""
        rows.append(
            f'<text x="0" y="{y + 14}">{escape(name)}</text>'
            f'<rect class="bar{low}" x="{_LABELS}" y="{y + 3}" width="{value * _BAR_WIDTH:.0f}" height="{_BAR_HEIGHT - 6}"/>'
            f'<text x="{_LABELS + value * _BAR_WIDTH + 6:.0f}" y="{y + 14}">{value:.2f}</text>'
        )
    height = len(values) * _BAR_HEIGHT + 4
    return f'<svg width="{_LABELS + _BAR_WIDTH + 50}" height="{height}" role="img">{"".join(rows)}</svg>'


def diagram(bins: Sequence[dict[str, Any]]) -> str:
    """A reliability diagram: on the broken line confidence is the share that is right; the area of a
    dot is the number of decisions."""
    total = sum(b["count"] for b in bins)
    dots = "".join(
        f'<circle class="bar" cx="{30 + b["confidence"] * _SQUARE:.0f}" cy="{10 + (1 - b["right"]) * _SQUARE:.0f}" '
        f'r="{3 + 14 * (b["count"] / total) ** 0.5:.1f}"><title>{b["count"]} of confidence {b["confidence"]:.2f}: {b["right"]:.2f} right</title></circle>'
        for b in bins
    )
    low, high = 10 + _SQUARE, 30 + _SQUARE
    return (
        f'<svg width="{_SQUARE + 60}" height="{_SQUARE + 40}" role="img">'
        f'<line class="even" x1="30" y1="{low}" x2="{high}" y2="10"/>'
        f'<path class="axis" d="M30 10V{low}H{high}" fill="none"/>'
        f'<text x="2" y="16">1</text><text x="{high}" y="{low + 16}">1</text><text x="30" y="{low + 16}">confidence →</text>{dots}</svg>'
    )
