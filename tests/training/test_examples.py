"""What a record teaches: the decisions of an example."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import clodo.models
from clodo.blueprint.values import OnDelete
from clodo.corpus.format import parse
from clodo.corpus.gold import gold_draft
from clodo.training.examples import Example, example
from clodo.understand import labels as L
from clodo.understand.compiler import compile_draft
from clodo.understand.reading import load_tokenizer

_TOKENIZER = load_tokenizer(Path(clodo.models.__file__).parent / "clodo-1")


def example_of(text: str, *facts: str) -> Example:
    return example(parse("\n".join(["=== t-1 | style=terse | domain=test", text, "---", *facts])), _TOKENIZER)


def test_what_becomes_of_a_named_reference_is_taught_of_that_reference() -> None:
    text = "A [chore|chore] has a [title|chore.] and a [doer|chore. ->flatmate ?]; when a [flatmate|flatmate] ([name|flatmate.]) moves out it stays"
    facts = ["chore > flatmate setnull"]
    made = example_of(text, *facts)
    stated = {L.REFERENCE_FLAGS[k] for f in np.flatnonzero(made.targets >= 0) for k in np.flatnonzero(made.target_flags[f])}
    assert stated == {"optional", "setnull"}
    assert not made.relations.any()
    blueprint, _ = compile_draft(gold_draft(parse("\n".join(["=== t-1 | style=terse | domain=test", text, "---", *facts]))))
    assert blueprint is not None
    chore = next(e for e in blueprint.entities if e.name == "chore")
    assert [(r.name, r.on_delete) for r in chore.references] == [("doer", OnDelete.SET_NULL)]


def test_all_mentions_of_a_role_say_its_rights_together() -> None:
    text = "[Guards|ROLE:guard] read [cells|cell] ([number|cell.]), [cooks|ROLE:cook] write [meals|meal] ([name|meal.]), a [guard|ROLE:guard] does not"
    made = example_of(text, "read cell role:guard", "write meal role:cook")
    assert made.in_role.sum(1).tolist() == [2, 1]
    assert made.roles[:, :, 0].tolist() == [[1, 0], [0, 0]] and made.roles[:, :, 1].tolist() == [[0, 0], [0, 1]]
