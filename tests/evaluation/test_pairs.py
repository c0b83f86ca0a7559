"""A user's own pairs as a set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clodo.errors import UsageError
from clodo.evaluation.cases import load

BOOKS = "service books\n\nentity book {\n  title: text required\n}\n"


def rows(path: Path, *lines: object) -> Path:
    path.write_text("\n\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), "utf-8")
    return path


@pytest.mark.parametrize("name", ["pairs.jsonl", "pairs.txt"])
def test_a_row_means_what_its_blueprint_says(name: str, tmp_path: Path) -> None:
    locked = BOOKS.replace("books\n", "books\nwrite key\n", 1)
    path = rows(tmp_path / name, {"description": " Books. ", "blueprint": BOOKS}, {"description": "Books [a|b], with a key.", "blueprint": locked})
    one, two = load(path)
    assert one.meaning is not None and two.meaning is not None
    assert (one.id, one.text, one.exact, two.id) == ("own-1", "Books.", True, "own-3")
    assert one.meaning.entities == {"book"} and ("book", "title", "required") in one.meaning.constraints
    assert (one.meaning.access, two.meaning.access) == ("", "key write"), "access is judged where the blueprint has a line of it"


def test_a_row_with_a_verdict_wants_questions_and_odd_signs_break_no_row(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    lines = ({"description": "An app.", "blueprint": None, "verdict": "vague"}, {"description": "Books.\u2028Titles.", "blueprint": BOOKS})
    path.write_text("\ufeff" + "\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "utf-8")
    unclear, clear = load(path)
    assert unclear.meaning is None and clear.text == "Books.\u2028Titles."


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{nonsense", "line 3 is not JSON"),
        ({"description": "Books."}, "line 3 is not JSON with the texts"),
        ({"description": "Books.", "blueprint": None}, "line 3 is not JSON with the texts"),
        ({"description": "Books.", "blueprint": "entity {"}, "the blueprint of line 3 is not valid: line"),
    ],
)
def test_a_row_that_is_none_is_told(bad: object, reason: str, tmp_path: Path) -> None:
    path = rows(tmp_path / "pairs.jsonl", {"description": "Books.", "blueprint": BOOKS}, bad)
    with pytest.raises(UsageError, match=reason):
        load(path)
