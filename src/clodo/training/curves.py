"""Loss and validation figures of a training as a picture (SVG)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from clodo.training.files import write_text

_WIDTH, _HEIGHT, _LEFT, _TOP = 640, 320, 46, 24
_COLOURS = {"loss": "#888", "entities": "#7b5ea7", "fields": "#3b82c4", "constraints": "#d0573f", "references": "#c58a1c", "usable": "#2a8f5b"}  # fmt: skip


def write_log(folder: Path, log: Sequence[dict[str, float]]) -> None:
    """``log.jsonl`` and ``curves.svg``, as far as a training is."""
    write_text(folder / "log.jsonl", "".join(json.dumps(x) + "\n" for x in log))
    write_text(folder / "curves.svg", draw_curves(log))


def draw_curves(log: Sequence[dict[str, float]]) -> str:
    """One line for each figure over the examples seen. The loss is drawn as a share of its highest."""
    last = max((row["seen"] for row in log), default=1) or 1
    highest = max((row["loss"] for row in log), default=1) or 1
    lines, legend = [], []
    for i, (name, colour) in enumerate(_COLOURS.items()):
        points = [(row["seen"] / last, row[name] / (highest if name == "loss" else 1)) for row in log if name in row]
        if not points:
            continue
        path = " ".join(f"{_LEFT + x * _WIDTH:.1f},{_TOP + (1 - y) * _HEIGHT:.1f}" for x, y in points)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        lines += [f'<circle cx="{p.split(",")[0]}" cy="{p.split(",")[1]}" r="2.5" fill="{colour}"/>' for p in path.split()]
        shown = name if name != "loss" else f"loss (1 = {highest:.2f})"
        legend.append(f'<text x="{_LEFT + i * 105}" y="14" fill="{colour}">{shown}</text>')
    grid = "".join(
        f'<path d="M{_LEFT} {_TOP + (1 - y) * _HEIGHT:.0f}h{_WIDTH}" stroke="#8884"/><text x="8" y="{_TOP + (1 - y) * _HEIGHT + 4:.0f}">{y:.2f}</text>'
        for y in (0, 0.25, 0.5, 0.75, 1)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH + _LEFT + 20}" height="{_HEIGHT + _TOP + 30}" '
        f'font-family="system-ui, sans-serif" font-size="12" fill="#777">{grid}{"".join(lines)}{"".join(legend)}'
        f'<text x="{_LEFT + _WIDTH - 110}" y="{_HEIGHT + _TOP + 22}">{last:.0f} examples</text></svg>\n'
    )
