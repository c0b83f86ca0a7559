"""What is given with a step, and its conditions on rows that refer to its own: from marks to lines, and to a proven service."""

from __future__ import annotations

from pathlib import Path

import pytest
from evals.edge_agreement import MODEL

from clodo.corpus.format import Record
from clodo.corpus.gold import gold_draft
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from clodo.training.ceiling import differences
from clodo.understand.compiler import compile_draft
from clodo.understand.coverage import unexplained
from clodo.understand.decoding import _Decoder
from clodo.understand.draft import Filler, Span
from clodo.understand.givens import Givens
from clodo.understand.reading import load_tokenizer
from clodo.understand.standing import standing, taken
from tests.bricks.proving import proof
from tests.understand.services import STEP_RECORDS, expect_blueprint, wanted
from tests.understand.test_cues import built, record_of

#: A card, its owner and its uses: each may be counted.
CARD = (
    "[Cards|card] ([code|card.], [balance|card. money], [limit|card. money], [seats|card. int], [state|card. enum] [open|card.state =enum], [shut|card.state =enum]) of a [holder|holder] "
    "([name|holder.], [credit|holder. money]) have [uses|use] ([cost|use. money], [paid|use. bool], [kind|use. enum] [trip|use.kind =enum], [meal|use.kind =enum], [pin|use. wo], [at|use.used_at dt]). "
)
FACTS = ("card > holder", "use > card")
#: The text, lines that it comes to, and what is left over.
GIVEN_STEPS: list[tuple[str, list[str], list[str]]] = [
    # What a step is given.
    ("[move|@action of=card set=card.limit set=card.code set=card.state:shut] it", ["action move(code: text required, limit_value: money required) {", 'set state = "shut", code = code, limit_value = limit_value'], []),
    ("[mark|@action of=card set=card.state] it", ["action mark(state: enum(open, shut) required) {", "set state = state"], []),
    ("[pass on|@action of=card set=holder] to another", ["action pass_on(holder: -> holder required) {", "set holder = holder"], []),
    ("[credit|@action of=card set=holder.credit] the holder", ["action credit(credit: money required) {", "set holder.credit = credit"], []),
    ("[use|@action of=card makes=use set=use.cost set=card.limit minus=card.balance n=use.cost] it", ["action use(limit_value: money required, cost: money required above 0) {", "set limit_value = limit_value, balance = balance - cost", "create use (card = this, cost = cost)"], []),
    ("[use|@action of=card makes=use set=use.kind:meal unset=use.paid to=use.used_at] it", ["create use (card = this, paid = false, kind = \"meal\", used_at = now)"], []),
    ("[load|@action of=card plus=card.balance n=#money] [money|#]", ["action load(money: money required above 0) {", "set balance = balance + money"], []),
    ("[load|@action of=card plus=card.seats n=#how many] [how many|#]", ["action load(quantity: integer required above 0) {"], []),
    ("[load|@action of=card plus=card.balance n=#…] […|#]", ["action load(amount: money required above 0) {"], []),
    # A parameter hides the row's own field of its name, which then is 'this.'.
    ("[load|@action of=card plus=card.balance n=#balance over=card.balance when=card.state:open] [balance|#]", ['when state = "open" and this.balance >= balance', "set balance = this.balance + balance"], []),
    ("[set|@action of=card set=card.limit over=card.limit n=#5] it above [5|#]", ["action set(limit_value: money required) {", "when this.limit_value > 5"], []),
    # Steps that differ only in their outcomes are told apart by what the text says, not by what is given.
    ("[mark|@action of=card set=card.code set=card.state:shut] it, [mark|@action of=card set=card.limit] it", ["action mark_shut(code: text required) {", "action mark_limit_value(limit_value: money required) {"], []),
    # What nobody can give, or nobody gives.
    ("[stamp|@action of=card set=card.code:x] with a [x|card.code =def]", [], ["stamp"]),
    ("[take|@action of=card set=use.cost] it", [], ["take"]),
    ("[every|@every of=card set=card.limit per=#night] [night|#]", [], ["every"]),
    ("[load|@action of=card plus=card.code n=#words] [words|#]", [], ["load"]),
    ("[load|@action of=card plus=card.balance n=#cash n=#coins] [cash|#] and [coins|#]", [], ["load"]),
    # Conditions on other rows.
    ("[shut|@action of=card set=card.state:shut when=use.paid unless=use.kind:trip] it", ["when count(use where card = this and paid != true) = 0", 'when count(use where card = this and kind = "trip") = 0'], []),
    ("[shut|@action of=card set=card.state:shut when=use.kind:trip when=use.kind:meal] it", ['when count(use where card = this and kind != "trip" and kind != "meal") = 0'], []),
    ("[shut|@action of=card set=card.state:shut unless=use.used_at] it", ["when count(use where card = this and used_at is not empty) = 0"], []),
    ("[shut|@action of=card set=card.state:shut when=use.used_at] it", ["when count(use where card = this and used_at is empty) = 0"], []),
    ("[shut|@action of=card set=card.state:shut when=use unless=card.state:shut] it", ['when state != "shut"', "when count(use where card = this) > 0"], []),
    ("[shut|@action of=card set=card.state:shut below=use n=#3] with under [3|#]", ["when count(use where card = this) < 3"], []),
    ("[shut|@action of=card set=card.state:shut below=use n=#3] with more than [3|#]", ["when count(use where card = this) <= 3"], []),
    ("[shut|@action of=card set=card.state:shut over=use.cost n=#3] from [3|#]", ["when sum(use.cost where card = this) >= 3"], []),
    ("[shut|@action of=card set=card.state:shut over=use below=card.seats] it", ["when count(use where card = this) >= seats"], []),
    ("[shut|@action of=card set=card.state:shut below=use.cost over=holder.credit] it", ["when sum(use.cost where card = this) <= holder.credit"], []),
    ("[refund|@action of=card plus=card.balance n=#sum over=use.cost] a [sum|#]", ["action refund(sum: money required above 0) {", "when sum(use.cost where card = this) >= sum"], []),
    # Figures of those in a state alone.
    ("[shut|@action of=card set=card.state:shut over=use.paid n=#3] from [3|#]", ["when count(use where card = this and paid) >= 3"], []),
    ("[shut|@action of=card set=card.state:shut below=use.paid unless=use.paid n=#3] under [3|#]", ["when count(use where card = this and paid != true) < 3"], []),
    ("[shut|@action of=card set=card.state:shut over=use.kind unless=use.kind:trip unless=use.kind:meal n=#3] from [3|#]", ['when count(use where card = this and kind != "trip" and kind != "meal") >= 3'], []),
    ("[shut|@action of=card set=card.state:shut over=use.kind:trip over=use.kind:meal when=use.kind:trip n=#3] from [3|#]", ['when count(use where card = this and kind in ("trip", "meal")) >= 3'], []),
    # Of one field, how many are in one state, and what is said of all in another.
    ("[shut|@action of=card set=card.state:shut over=use.kind:trip unless=use.kind:meal n=#2] from [2|#]", ['when count(use where card = this and kind = "meal") = 0', 'when count(use where card = this and kind = "trip") >= 2'], []),
    ("[shut|@action of=card set=card.state:shut below=use.kind:trip unless=use.kind:Meal unless=use.kind:trip n=#2] at most [2|#] [Meal|use.kind =enum]", ['when count(use where card = this and kind = "meal") = 0', 'when count(use where card = this and kind != "trip") <= 2'], []),
    ("[shut|@action of=card set=card.state:shut over=use.kind:trip when=use.kind:trip when=use.kind:meal n=#2] from [2|#]", ['when count(use where card = this and kind != "trip" and kind != "meal") = 0', 'when count(use where card = this and kind = "trip") >= 2'], []),
    ("[shut|@action of=card set=card.state:shut over=use.cost over=use.kind:trip unless=use.kind:meal n=#2] from [2|#]", ['when count(use where card = this and kind = "meal") = 0', 'when sum(use.cost where card = this and kind = "trip") >= 2'], []),
    ("[shut|@action of=card set=card.state:shut over=use.kind:trip unless=use.kind:meal below=card.seats] it", ['when count(use where card = this and kind = "meal") = 0', 'when count(use where card = this and kind = "trip") >= seats'], []),
    ("[shut|@action of=card set=card.state:shut over=use.paid unless=use.kind:meal n=#2] from [2|#]", ['when count(use where card = this and kind = "meal") = 0', "when count(use where card = this and paid) >= 2"], []),
    ("[shut|@action of=card set=card.state:shut over=use over=use.used_at unless=use.paid n=#3] from [3|#]", ["when count(use where card = this and paid) = 0", "when count(use where card = this and used_at is not empty) >= 3"], []),
    ("[shut|@action of=card set=card.state:shut over=use.cost over=use.kind:meal below=card.balance] it", ['when sum(use.cost where card = this and kind = "meal") >= balance'], []),
    ("[shut|@action of=card set=card.state:shut over=use.paid below=use.cost] it", ["when sum(use.cost where card = this) <= count(use where card = this and paid)"], []),
    ("[settle|@action of=holder over=use.paid n=#3] from [3|#]", ["when count(use where card.holder = this and paid) >= 3"], []),
    ("[shut|@action of=card set=card.state:shut over=card.state:open n=#3] from [3|#]", [], ["shut"]),
    ("[shut|@action of=card set=card.state:shut over=use.pin n=#3] from [3|#]", [], ["shut"]),
    ("[shut|@action of=card set=card.state:shut over=use.paid] it", [], ["shut"]),
    ("[shut|@action of=card set=card.state:shut over=use.paid below=use.paid] it", [], ["shut"]),
    # From a holder it is two steps to uses, and from a use one up to the card, whose state is meant.
    ("[settle|@action of=holder unless=use.paid] it", ["when count(use where card.holder = this and paid) = 0"], []),
    ("[settle|@action of=use when=card.state:open] it", ['when card.state = "open"'], []),
    ("[settle|@action of=use when=holder] it", ["when card.holder is not empty"], []),
    ("[deleted|@action of=card unless=use when=card.state:shut] then", ['delete when state = "shut" and count(use where card = this) = 0'], []),
    ("[locked|@action of=card when=use] then", ["change when count(use where card = this) = 0"], []),
    # Rows of which a text says no number, or no figure, and what stays open.
    ("[shut|@action of=card set=card.state:shut over=use] it", [], ["shut"]),
    ("[shut|@action of=card set=card.state:shut over=use.kind n=#3] from [3|#]", [], ["shut"]),
    ("[shut|@action of=card set=card.state:shut when=use.pin] it", [], ["shut"]),
    ("[locked|@action of=card when=use.paid] then", [], ["locked"]),
    ("[tell me|@notify of=card unless=use]", [], ["tell me"]),
]  # fmt: skip


@pytest.mark.parametrize("record", STEP_RECORDS, ids=lambda r: r.id)
def test_a_record_comes_to_its_blueprint(record: Record) -> None:
    expect_blueprint(record)


@pytest.mark.parametrize(("said", "lines", "over"), GIVEN_STEPS)
def test_steps_with_what_they_are_given_and_conditions_on_others(said: str, lines: list[str], over: list[str]) -> None:
    found, left = built(CARD + said, *FACTS)
    assert [line for line in lines if line not in found] == []
    assert left == over


def test_rows_that_refer_and_are_linked_are_what_they_are_linked_with_or_refer_to() -> None:
    posts = "[Posts|post] ([title|post.], [lead|post. ->tag]) have [tags|tag] ([word|tag.], [hidden|tag. bool]). "
    # Where a row has a tag of its own, that is meant; and things that are linked with their like are linked in one direction.
    assert "when lead is not empty" in built(posts + "[pin|@action of=post when=tag] one", "post * tag")[0]
    assert built(posts + "[pin|@action of=post over=tag n=#2] with [2|#]", "post * tag")[1] == ["pin"]
    alike = "[Posts|post] ([title|post.]) go with other [posts|post]: [pin|@action of=post over=post n=#2] with [2|#]"
    assert built(alike, "post * post")[1] == ["pin"]


OWN_USES = "[Uses|use] ([cost|use.]). [Members|ROLE:member] [cancel|@action of=use by=role:member by=role:staff] their own [uses|use], [staff|ROLE:staff] {}. "
#: Facts, and who takes the step by them: rows that nobody owns, and those to which a role has rights, are nobody's own.
OWNERS: dict[tuple[str, ...], str] = {
    ("own-write use", "write use role:staff"): "by owner or role staff",
    ("own use", "read use role:staff"): "by owner or role staff",
    ("access login",): "by role member, staff",
    ("own-write use", "write use role:member", "write use role:staff"): "by role member, staff",
}


def test_members_take_a_step_with_their_own_rows_and_staff_with_any() -> None:
    for facts, line in OWNERS.items():
        assert line in built(OWN_USES.format("any"), *facts)[0]
    other = "[Uses|use] ([cost|use.]). [Members|ROLE:member] or [staff|ROLE:staff] [cancel|@action of=use by=role:member by=role:staff] [uses|use]."
    assert "by role member, staff" in built(other, "own-write use", "write use role:staff")[0]


def test_parameters_of_one_name_are_told_apart() -> None:
    lines, left = built(
        "[Loans|loan] ([note|loan.]) of [books|book] ([title|book.], [note|book.]): it is [lent|@action of=book makes=loan set=loan.note set=book.note]", "loan > book"
    )
    assert "action lend(note: text required, loan_note: text required) {" in lines
    assert "create loan (book = this, note = loan_note)" in lines and left == []
    givens = Givens()
    assert "note" not in givens and givens.lines() == []


def test_words_of_what_is_given_count_as_understood_where_the_step_stands() -> None:
    text = "[Cards|card] have a [code|card.] and a {}. They are [loaded|@action of=card plus=card.balance n=#any sum] by [any sum|#]."
    for balance, stands in (("[balance|card. money]", True), ("[balance|card.]", False)):
        draft = gold_draft(record := record_of(text.format(balance)))
        at = record.text.index("any sum")
        draft.cues[0].evidence.add(1, (at, at + 7))
        draft.heard = [(at, at + 7)]
        blueprint, left = compile_draft(draft)
        shown = unexplained(standing(draft, blueprint, left), record.text, taken(standing(draft, blueprint, left)), len(record.text))
        assert ((at, at + 7) not in shown) is stands


def test_what_is_given_is_decoded_beside_an_outcome_that_is_surer(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _Decoder._fillers

    def unsure(self: _Decoder, cue: int, label: int) -> list[tuple[float, Filler, list[Span]]]:
        return [(0.6 if f.field and not f.words else p, f, spans) for p, f, spans in found(self, cue, label)]

    monkeypatch.setattr(_Decoder, "_fillers", unsure)
    assert differences([STEP_RECORDS[0]], load_tokenizer(MODEL)) == {}


@pytest.mark.workerd
@pytest.mark.parametrize("id", ["step-04", "step-09", "step-19", "step-20", "step-21"])
def test_a_service_with_both_is_proven(id: str, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(wanted()[id][0], tmp_path, toolchain, host)
    assert report.proven, report.summary()
