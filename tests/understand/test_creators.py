"""Who adds rows, where others change them."""

from __future__ import annotations

import pytest

from clodo.understand.verbs import makes_rows
from tests.understand.test_cues import ORDER, built

#: Who adds orders: the text that says it, facts, the lines that begin with ``create``, and what is left over.
CLERKS = "[clerks|ROLE:clerk] [open|@action of=order by=role:clerk] [orders|order]"
BOTH = "[clerks|ROLE:clerk] and [reps|ROLE:rep] [hand in|@action of=order by=role:clerk by=role:rep] [orders|order]"
BOSSES, WRITTEN = ", [bosses|ROLE:boss] change them", "write order role:boss"
CREATORS: list[tuple[str, list[str], list[str], list[str]]] = [
    # Whoever changes rows adds them too.
    (CLERKS + BOSSES, [WRITTEN], ["create role clerk, boss"], []),
    (BOTH + BOSSES, [WRITTEN], ["create role clerk, rep, boss"], []),
    (CLERKS + BOSSES, [WRITTEN, "access login"], ["create role clerk, boss"], []),
    (CLERKS + BOSSES, [WRITTEN, "access key"], ["create role clerk, boss"], []),
    (CLERKS + BOSSES, [WRITTEN, "write order role:clerk"], [], []),
    (BOTH + BOSSES, [WRITTEN, "write order role:clerk"], ["create role clerk, rep, boss"], []),
    ("[admins|ROLE:admin] [add|@action of=order by=role:admin] [orders|order]" + BOSSES, [WRITTEN], [], []),
    (CLERKS + ", [admins|ROLE:admin] change them", ["write order role:admin"], ["create role clerk, admin"], []),
    ("any [user|ROLE:user] may [add|@action of=order by=role:user] [orders|order]" + BOSSES, [WRITTEN], ["create user"], []),
    ("[orders|order] are [logged|@action of=order by=role:reporter] by [reporters|ROLE:reporter]" + BOSSES, [WRITTEN], ["create role reporter, boss"], []),
    ("its [owner|ROLE:owner] [files|@action of=order by=role:owner] it" + BOSSES, [WRITTEN], ["create role owner, boss"], []),
    # Of several, and said again.
    (CLERKS + ", and [reps|ROLE:rep] [submit|@action of=order by=role:rep] them too" + BOSSES, [WRITTEN], ["create role clerk, rep, boss"], []),
    (
        "[clerks|ROLE:clerk] [enter|@action of=customer of=order by=role:clerk] both, [reps|ROLE:rep] [add|@action of=order by=role:rep] [orders|order]" + BOSSES,
        [WRITTEN, "write customer role:boss"],
        ["create role clerk, rep, boss", "create role clerk, boss"],
        [],
    ),
    # Where all who are named may add rows already, nothing is narrowed.
    (CLERKS, [], [], []),
    (CLERKS, ["access none"], [], []),
    (CLERKS, ["access login"], [], []),
    (CLERKS, ["access login-write"], [], []),
    (CLERKS, ["write order public", WRITTEN], ["create public"], []),
    (CLERKS, ["write order login", WRITTEN], ["create user"], []),
    (CLERKS, ["own order"], [], []),
    (CLERKS, ["own-write order", WRITTEN], [], []),
    (CLERKS, ["own order", "read order role:boss", WRITTEN], [], []),
    # A role has no key.
    (CLERKS, ["access key-write"], [], ["open"]),
    (CLERKS, ["access login", "write order key", WRITTEN], ["create key"], ["open"]),
    # Nobody adds rows that only others may see.
    (CLERKS + BOSSES, [WRITTEN, "read order role:boss"], [], ["open"]),
    (BOTH + BOSSES, [WRITTEN, "read order role:boss", "read order role:rep"], ["create role rep, boss"], ["hand in"]),
    (CLERKS + BOSSES, [WRITTEN, "read order role:boss", "read order role:clerk"], ["create role clerk, boss"], []),
    ("[anybody|ROLE:user] may [add|@action of=order by=role:user] [orders|order]" + BOSSES, [WRITTEN, "read order role:boss"], [], ["add"]),
    # Users register by themselves.
    ("[users|user] have a [phone|user.]; [bosses|ROLE:boss] [register|@action of=user by=role:boss] [users|user]", [WRITTEN], [], ["register"]),
    # With a condition or an outcome it is a step.
    ("[clerks|ROLE:clerk] [submit|@action of=order set=order.status:sent by=role:clerk] [orders|order]" + BOSSES, [WRITTEN], [], []),
    ("[clerks|ROLE:clerk] [submit|@action of=order when=order.status:new by=role:clerk] [new|order.status =enum] [orders|order]" + BOSSES, [WRITTEN], [], []),
    ("[clerks|ROLE:clerk] [add|@action of=customer makes=order by=role:clerk] [orders|order]" + BOSSES, [WRITTEN], [], []),
    ("[clerks|ROLE:clerk] [reopen|@action of=order by=role:clerk] [orders|order]" + BOSSES, [WRITTEN], [], []),
    ("[orders|order] are [submitted|@action of=order]" + BOSSES, [WRITTEN], [], []),
]  # fmt: skip


#: Words for making rows, slips among them; and words for other things.
ADDED = [
    "add", "adds", "Added", "adding", "create", "created", "opens", "opened", "submit", "submitted", "submitting", "enters", "file", "filed", "filing", "raised", "raises", "posts",
    "registered", "records", "logs", "logged", "logging", "lodged", "placing", "inserted", "inputting", "uploaded", "contributed", "proposes", "suggested", "made", "making", "hand in",
    "handed in", "hand them in", "sends in", "sent in", "turning in", "put in", "puts in", "putting in", "keyed in", "types in", "noted down", "note it down", "notes down", "wrote down",
    "written down", "writes down", "sets up", "setting up", "addition", "submission", "creation", "registration", "add or register", "created and filed",
    # Slips.
    "creat", "craeted", "submited", "sumbit", "regster", "opend", "recrod",
]  # fmt: skip
OTHERS = [
    "report", "issue", "request", "publish", "start", "leave", "book", "fill in", "reopen", "resubmit", "unregister", "hand out", "hand over", "sent", "send off", "put", "write",
    "close", "approve", "edit", "delete", "add or edit", "create and delete", "log in", "sign up", "set", "note", "type", "entry of", "make ready",
]  # fmt: skip


@pytest.mark.parametrize(("said", "facts", "wanted", "over"), CREATORS)
def test_who_adds_rows(said: str, facts: list[str], wanted: list[str], over: list[str]) -> None:
    lines, left = built(ORDER + said, "order > customer", *facts)
    assert [line for line in lines if line.startswith("create ") and "(" not in line] == wanted
    assert left == over


def test_whoever_adds_rows_is_a_role_that_changes_none() -> None:
    lines, _ = built(ORDER + CLERKS + BOSSES, "order > customer", WRITTEN)
    assert "roles clerk, boss" in lines and "write role boss" in lines
    assert not any(line.startswith(("action ", "opened")) for line in lines)


def test_a_right_to_add_leaves_steps_of_the_same_verb_and_rights_to_delete_alone() -> None:
    said = ORDER + "[clerks|ROLE:clerk] [submit|@action of=order by=role:clerk] [orders|order], [reps|ROLE:rep] [submit|@action of=order set=order.status:sent by=role:rep] the rest, [authors|ROLE:author] [delete|@action of=order by=role:author] theirs"
    lines, left = built(said + BOSSES, "order > customer", WRITTEN)
    assert {"create role clerk, boss", "write role boss", "delete owner", "action submit {", "by role rep", 'set status = "sent"'} <= set(lines)
    assert left == []


def test_a_verb_that_is_the_mention_of_a_thing_stays_one() -> None:
    said = "[Members|ROLE:member] can [book|booking] [rooms|room] ([name|room.]) for a [day|booking. date]; [staff|ROLE:staff] [enter|@action of=room by=role:staff] [rooms|room], [bosses|ROLE:boss] change [rooms|room] and [bookings|booking]."
    lines, left = built(said, "booking > room", "write room role:boss", "write booking role:boss", "write booking login")
    assert [line for line in lines if line.startswith(("entity", "create"))] == ["entity booking {", "create user", "entity room {", "create role staff, boss"]
    assert left == []


@pytest.mark.parametrize("said", ADDED)
def test_words_for_making_rows(said: str) -> None:
    assert makes_rows(said)


@pytest.mark.parametrize("said", ["", *OTHERS])
def test_words_for_other_things(said: str) -> None:
    assert not makes_rows(said)
