"""The understander over text models: what is asked, what goes back, and when it gives up."""

from __future__ import annotations

import pytest
from lark import UnexpectedInput

from clodo.blueprint import parse
from clodo.errors import ModelError
from clodo.testing import ScriptedModel
from clodo.understand.generative import GenerativeUnderstander, budget, conversation
from tests.blueprint.decoder import by_character

GOOD = "service shop\n\nentity book {\n  title: text required\n  price: money min 0\n}\n"
BAD = GOOD.replace("money", "cash")
TEXT = "Books have a title and a price of at least 0. Also 17 elephants."


def test_a_valid_answer_becomes_the_blueprint() -> None:
    model = ScriptedModel([GOOD])
    found = GenerativeUnderstander(model).understand(TEXT)
    assert found.blueprint == parse(GOOD)
    assert (found.model, found.provider, found.confidence) == ("scripted", "a script", 0.9)
    messages, constraint = model.asked[0]
    assert messages[-1].text == TEXT
    assert constraint is not None and "root ::=" in constraint.gbnf


def test_names_are_of_the_texts_own_words() -> None:
    model = ScriptedModel([BAD, GOOD])
    GenerativeUnderstander(model).understand(TEXT)
    for _, constraint in model.asked:
        assert constraint is not None and constraint.text == TEXT
        admitted = by_character(constraint.gbnf)
        admitted.parse(GOOD.replace("shop", "book_service"))
        with pytest.raises(UnexpectedInput):
            admitted.parse(GOOD.replace("shop", "book_service").replace("title", "subtitle"))


def test_faults_go_back_marked_and_the_next_answer_counts() -> None:
    model = ScriptedModel([BAD, GOOD])
    assert GenerativeUnderstander(model).understand(TEXT).blueprint == parse(GOOD)
    again = model.asked[1][0]
    assert again[-2].text.startswith("service shop") and "line 5, column 10" in again[-1].text
    assert "Expected" in again[-1].text


def test_of_a_long_faulty_answer_whole_lines_go_back() -> None:
    line = f"# {'x' * 96}\n"
    model = ScriptedModel([BAD + line * 40, GOOD])
    GenerativeUnderstander(model).understand(TEXT)
    shown = model.asked[1][0][-2].text
    assert len(shown) < 3000 and set(shown.removeprefix(BAD).splitlines()) == {line.strip()}


def test_it_gives_up_after_a_bounded_number_of_tries() -> None:
    model = ScriptedModel([BAD] * 9)
    with pytest.raises(ModelError, match="no valid blueprint in 3 tries"):
        GenerativeUnderstander(model).understand(TEXT)
    assert len(model.asked) == 3


def test_a_code_fence_is_taken_off() -> None:
    fenced = f"Here it is:\n```clodo\n{GOOD}```\nEnjoy!"
    assert GenerativeUnderstander(ScriptedModel([fenced])).understand(TEXT).blueprint == parse(GOOD)


def test_an_unclear_description_is_asked_about() -> None:
    answer = "service x\n\nentity unclear {\n  a: text\n}\n"
    found = GenerativeUnderstander(ScriptedModel([answer])).understand("hello")
    assert found.blueprint is None and found.questions


def test_numbers_that_nothing_accounts_for_are_shown() -> None:
    found = GenerativeUnderstander(ScriptedModel([GOOD])).understand(TEXT)
    left = [TEXT[s.start : s.end] for s in found.spans if s.role == "unexplained"]
    assert left == ["17"]


def test_the_examples_in_the_prompt_are_valid_blueprints() -> None:
    for message in conversation("x"):
        if message.role == "assistant":
            parse(message.text)


def test_an_answer_without_an_end_is_given_up_at_once() -> None:
    model = ScriptedModel([GOOD, GOOD], finished=False)
    with pytest.raises(ModelError, match="did not come to the end"):
        GenerativeUnderstander(model).understand(TEXT)
    assert len(model.asked) == 1


def test_long_descriptions_may_have_longer_blueprints() -> None:
    assert budget("A shop.") < budget("A shop with books. " * 20) < budget("A shop with books. " * 2000) == budget("x " * 9999)
