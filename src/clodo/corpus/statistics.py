"""Counts of the written records: ``python -m clodo.corpus.statistics``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from clodo.corpus.format import Record
from clodo.corpus.splits import load_split


def counts(records: Iterable[Record]) -> dict[str, Counter[str]]:
    """Records by style and verdict, and how often each construct occurs."""
    out: dict[str, Counter[str]] = {"style": Counter(), "verdict": Counter(), "construct": Counter()}
    for r in records:
        out["style"][r.style] += 1
        out["verdict"][r.verdict or "clear"] += 1
        made = out["construct"]
        made["entity"] += len(r.entities)
        made["relation"] += len(r.relations)
        made[f"access {r.access or 'unstated'}"] += 1
        made["owner"] += len(r.owned)
        for fields in r.entities.values():
            made["field"] += len(fields)
            for f in fields.values():
                made[f"type {f.type}"] += 1
                for attr in f.attrs:
                    made[f"flag {attr}"] += 1
        for m in r.marks:
            if m.kind == "value":
                made[f"value {m.role}"] += 1
            elif m.kind in ("unsupported", "role", "name"):
                made[m.kind] += 1
    return out


def card() -> str:
    """The table of the data card: records of both splits by style, by verdict and by the first letter of their files."""
    splits = [load_split(split) for split in ("train", "valid")]
    rows = [("records", *(len(s) for s in splits)), ("words", *(sum(len(r.text.split()) for r in s) for s in splits))]
    rows.append(("domains", *(len({r.domain.lower().strip() for r in s}) for s in splits)))
    of: dict[str, Callable[[Record], str]] = {"style": lambda r: r.style, "verdict": lambda r: r.verdict or "clear", "files": lambda r: f"{r.id[0]}*"}
    for name, key in of.items():
        found = [Counter(map(key, s)) for s in splits]
        rows += [(f"{name} `{k}`", *(f[k] for f in found)) for k in sorted(found[0] | found[1])]
    lines = [f"| {name} | {train:,} | {valid:,} |" for name, train, valid in rows]
    return "\n".join(["| | train | valid |", "|---|---|---|", *lines])


def main() -> None:
    """Prints the table of the data card and the counts of both splits."""
    print(card())
    for split in ("train", "valid"):
        records = load_split(split)
        words = sum(len(r.text.split()) for r in records)
        print(f"{split}: {len(records)} records, {words} words, {len({r.domain for r in records})} domains")
        for name, found in counts(records).items():
            print(f"  {name}: " + ", ".join(f"{k} {n}" for k, n in found.most_common()))


if __name__ == "__main__":
    main()
