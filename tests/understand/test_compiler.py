"""Drafts become valid blueprints, or none at all."""

from __future__ import annotations

from collections.abc import Sequence, Set

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clodo.blueprint import check, format_blueprint, parse
from clodo.blueprint.values import Field, FieldType
from clodo.understand import labels as L
from clodo.understand.compiler import compile_draft
from clodo.understand.draft import (
    Draft,
    DraftEntity,
    DraftField,
    DraftRelation,
    DraftValue,
    Evidence,
)
from clodo.understand.questions import notes_on, questions_for

NAMES = ["book", "user", "owner", "auth", "order", "tag", "constructor"]
FIELDS = ["title", "email", "id", "created_at", "limit", "password", "pin", "api_token", "owner", "tag", "price"]
WORDS = ["5", "draft", "no", "zero", "non-negative", "in progress", "x" * 30, "2026-01-01", "!!"]


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=4))
    draft = Draft(access=draw(st.sampled_from(L.ACCESS)))
    for name in names:
        entity = DraftEntity(name, flags=draw(st.sets(st.sampled_from(L.ENTITY_FLAGS), max_size=3)))
        for field in draw(st.lists(st.sampled_from(FIELDS), unique=True, max_size=4)):
            made = DraftField(field, draw(st.sampled_from(L.TYPES)))
            made.flags = draw(st.sets(st.sampled_from(L.FIELD_FLAGS), max_size=3))
            made.target = draw(st.sampled_from(names))
            for role in draw(st.lists(st.sampled_from(L.VALUE_ROLES), max_size=3)):
                made.values.append(DraftValue(role, draw(st.sampled_from(WORDS))))
            entity.fields[field] = made
        entity.write_roles = draw(st.lists(st.sampled_from(["admin", "editor"]), max_size=1))
        entity.read_roles = draw(st.lists(st.sampled_from(["admin", "editor"]), max_size=1))
        if len(entity.fields) > 1:
            entity.together = draw(st.sampled_from([[], [tuple(entity.fields)[:2]]]))
        draft.entities[name] = entity
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["belongs", "many"]))
        flags = draw(st.sets(st.sampled_from(L.REFERENCE_FLAGS), max_size=2))
        pair = draw(st.sampled_from(names)), draw(st.sampled_from(names))
        draft.relations.append(DraftRelation(*pair, kind, flags))
    return draft


@given(drafts())
@settings(max_examples=300, deadline=None)
def test_every_draft_compiles_to_a_valid_blueprint_or_none(draft: Draft) -> None:
    blueprint, _ = compile_draft(draft)
    if blueprint is not None:
        assert not [p for p in check(blueprint) if p.severity == "error"]
        assert parse(format_blueprint(blueprint)) == blueprint


def holding(name: str, type_: str = "text", flags: tuple[str, ...] = (), values: tuple[tuple[str, str], ...] = (), beside: str = "name", of: str = "member") -> Draft:
    """A draft of one thing with a field of that name and another one; spans of values are told apart by their order."""
    field = DraftField(name, type_, set(flags), [DraftValue(role, words) for role, words in values])
    for number, value in enumerate(field.values):
        value.evidence.spans.append((number, number + 1))
    draft = Draft(access="login" if of == "user" else "unstated")
    draft.entities[of] = DraftEntity(of, {beside: DraftField(beside), name: field}, together=[(beside, name)] if "together" in flags else [])
    draft.entities["book"] = DraftEntity("book", {"title": DraftField("title")})
    return draft


#: What texts say of secrets: its line, and the values that are left over.
SECRET_CASES: tuple[tuple[Draft, str, list[tuple[int, int]]], ...] = (
    (holding("password", flags=("required",)), "password: text required hashed", []),
    (holding("password", flags=("write_only",)), "password: text hashed", []),
    (holding("password", flags=("read_only", "unique", "search")), "password: text hashed", []),
    (holding("password", flags=("together",)), "password: text hashed", []),
    (holding("password", "email"), "password: email", []),
    (holding("passcode", values=(("minlen", "8"), ("def", "secret"))), "passcode: text min 8 hashed", [(1, 2)]),
    (holding("passcode", values=(("minlen", "8"), ("maxlen", "2000"))), "passcode: text min 8 max 2000 hashed", []),
    (holding("pin", "int", values=(("min", "1000"), ("len", "4"))), "pin: text min 4 max 4 hashed", [(0, 1)]),
    (holding("pin", "bool"), "pin: boolean", []),
    (holding("pin_code"), "pin_code: text hashed", []),
    (holding("pin_code", beside="city"), "pin_code: text\n", []),
    (holding("api_token", flags=("required", "unique")), "api_token: text required unique write-only", []),
    (holding("api_token", flags=("read_only", "search")), "api_token: text write-only", []),
    (holding("secret", "list"), "secret: list write-only", []),
    (holding("door_pin", "int", of="user"), "  door_pin: text hashed", []),
    (holding("secret_key", of="user"), "  secret_key: text write-only", []),
    (holding("password_changed_on", "date"), "password_changed_on: date", []),
)
SECRETS = tuple(draft for draft, _, _ in SECRET_CASES)


@pytest.mark.parametrize(("draft", "line", "left"), SECRET_CASES, ids=[line for _, line, _ in SECRET_CASES])
def test_what_is_called_a_secret_is_never_answered(draft: Draft, line: str, left: list[tuple[int, int]]) -> None:
    blueprint, found = compile_draft(draft)
    assert blueprint is not None
    text = format_blueprint(blueprint)
    assert line in text
    assert found == left
    assert "unique (" not in text
    assert "search" not in text
    assert not [p for p in check(blueprint) if p.severity == "error" or "read" in p.message]
    told = " ".join(notes_on(draft, blueprint, draft))
    assert ("salted hash" in told, "is a secret" in told) == ("hashed" in line, "write-only" in line)


def test_values_become_rules_or_are_left_over() -> None:
    draft = Draft()
    price = DraftField("price", "money")
    price.values = [DraftValue("xmin", "zero"), DraftValue("max", "nothing")]
    status = DraftField("status", "enum")
    status.values = [DraftValue("enumdef", "Draft"), DraftValue("enum", "in progress")]
    draft.entities["order"] = DraftEntity("order", {"price": price, "status": status})
    blueprint, left = compile_draft(draft)
    assert blueprint is not None
    text = format_blueprint(blueprint)
    assert "price: money\n" in text  # "nothing" contradicts "above zero": neither is guessed
    assert "status: enum(draft, in_progress) default draft" in text
    assert left == []


def test_a_value_that_does_not_fit_is_left_over() -> None:
    title = DraftField("title", values=[DraftValue("max", "blue")])
    title.values[0].evidence.spans.append((7, 11))
    blueprint, left = compile_draft(Draft(entities={"book": DraftEntity("book", {"title": title})}))
    assert blueprint is not None
    assert left == [(7, 11)]


STARS = DraftField("stars", "int", values=[DraftValue("def", "10", Evidence(spans=[(7, 9)])), DraftValue("max", "5", Evidence(spans=[(13, 14)]))])
#: A default beyond the bound.
CROSSED = Draft(entities={"book": DraftEntity("book", {"stars": STARS})})


def test_rules_that_the_checks_object_to_are_left_over() -> None:
    blueprint, left = compile_draft(CROSSED)
    assert blueprint is not None
    assert blueprint.entities[0].fields[0] == Field("stars", FieldType.INTEGER)
    assert left == [(7, 9), (13, 14)]


def test_owned_rows_make_users() -> None:
    draft = Draft(entities={"note": DraftEntity("note", {"text": DraftField("text")}, {"own"})})
    blueprint, _ = compile_draft(draft)
    assert blueprint is not None
    assert blueprint.users is not None
    assert str(blueprint.read_access(blueprint.entities[0])) == "owner"


@pytest.mark.parametrize(
    ("access", "flags", "readers", "writers", "rules"),
    [
        ("login", {"own"}, "doctor", "", ("owner or role doctor", "owner", None)),
        ("login", {"own"}, "doctor", "doctor", ("owner or role doctor", "owner or role doctor", None)),
        # Nobody changes what nothing says they may see.
        ("login", {"own"}, "", "doctor", ("owner", "owner", None)),
        ("login-write", {"own-write"}, "", "moderator", (None, "owner or role moderator", None)),
        ("unstated", {"write-public"}, "staff", "", ("role staff", "role staff", "public")),
        ("unstated", {"write-public", "read-key"}, "", "", ("key", "key", "public")),
        ("none", {"write-login"}, "", "curator", (None, "role curator", "user")),
        ("login", {"write-public"}, "", "curator", (None, "role curator", "public")),
        # The rule of the service holds for the rest.
        ("key-write", {"write-public"}, "", "", (None, None, "public")),
        ("key", {"write-public"}, "", "", (None, None, "public")),
        # Nobody else is named, or nobody narrower.
        ("unstated", {"write-public"}, "", "", (None, "public", None)),
        ("none", {"write-login"}, "", "", (None, "user", None)),
        ("login", {"write-key"}, "", "", (None, "key", None)),
        ("login", set(), "", "curator", (None, "role curator", None)),
    ],
)  # fmt: skip
def test_who_adds_is_not_always_who_changes(
    access: str, flags: set[str], readers: str, writers: str, rules: tuple[str | None, str | None, str | None]
) -> None:
    entity = DraftEntity("note", {"text": DraftField("text")}, flags)
    entity.read_roles, entity.write_roles = readers.split(), writers.split()
    blueprint, _ = compile_draft(Draft(access=access, entities={"note": entity}))
    assert blueprint is not None
    made = blueprint.entities[0]
    assert tuple(None if a is None else str(a) for a in (made.read, made.write, made.create)) == rules


def test_a_self_reference_is_optional() -> None:
    draft = Draft(entities={"part": DraftEntity("part", {"name": DraftField("name")})})
    draft.relations.append(DraftRelation("part", "part", "belongs"))
    blueprint, _ = compile_draft(draft)
    assert blueprint is not None
    reference = blueprint.entities[0].references[0]
    assert (reference.name, reference.required) == ("parent", False)


def test_what_refers_and_holds_nothing_gets_what_it_is_nothing_without_and_a_note_says_so() -> None:
    draft = Draft(access="none")
    draft.entities["post"] = DraftEntity("post", {"title": DraftField("title", "text")})
    for name in ("comment", "rating", "like"):
        draft.entities[name] = DraftEntity(name)
        draft.relations.append(DraftRelation(name, "post", "belongs"))
    draft.entities["note"] = DraftEntity("note")
    blueprint, _ = compile_draft(draft)
    assert blueprint is not None
    text = format_blueprint(blueprint)
    assert "text: longtext required" in text and "score: integer required" in text
    assert {e.name: len(e.fields) for e in blueprint.entities} == {"post": 1, "comment": 1, "rating": 1, "like": 0}
    notes = notes_on(draft, blueprint, draft)
    assert any("comment" in n and "text" in n for n in notes) and not any("like" in n for n in notes)


def test_a_thing_that_stands_alone_and_holds_nothing_is_asked_about() -> None:
    draft = Draft(access="none", entities={"review": DraftEntity("review")})
    blueprint, _ = compile_draft(draft)
    assert blueprint is not None and questions_for(draft, blueprint)


def test_names_that_javascript_keeps_for_itself_are_changed_and_nothing_is_lost() -> None:
    draft = Draft(access="none")
    draft.entities["prototype"] = DraftEntity("prototype", {"name": DraftField("name", "text")})
    draft.entities["test"] = DraftEntity("test", {"score": DraftField("score", "int")})
    draft.relations.append(DraftRelation("test", "prototype", "belongs"))
    blueprint, _ = compile_draft(draft)
    assert blueprint is not None
    assert [e.name for e in blueprint.entities] == ["prototype_entry", "test"]
    assert [r.target for r in blueprint.entities[1].references] == ["prototype_entry"]


def of_users(*fields: DraftField) -> Draft:
    """Users of a club with these fields, which have words of their own, and teams."""
    draft = Draft(access="login")
    for number, f in enumerate(fields):
        f.evidence.spans.append((10 * number, 10 * number + 5))
    draft.entities["user"] = DraftEntity("user", {f.name: f for f in fields})
    draft.entities["team"] = DraftEntity("team", {"name": DraftField("name")})
    return draft


def between(source: str, target: str, kind: str) -> Draft:
    draft = of_users(DraftField("phone"))
    draft.relations.append(DraftRelation(source, target, kind, evidence=Evidence(spans=[(40, 45), (60, 64)])))
    return draft


def bounded(low: str, high: str) -> DraftField:
    return DraftField("number", "int", {"unique"}, [DraftValue("min", low), DraftValue("max", high)])


def value(role: str, words: str, span: tuple[int, int]) -> DraftValue:
    return DraftValue(role, words, evidence=Evidence(spans=[span]))


def told_of_users(*fields: DraftField, together: Sequence[tuple[str, ...]] = (), flags: Set[str] = frozenset()) -> Draft:
    """Users of teams with numbers, of whom more is told."""
    team = DraftField("team", "enum", values=[DraftValue("enum", "red"), DraftValue("enum", "blue")])
    draft = of_users(team, DraftField("number", "int"), *fields)
    users = draft.entities["user"]
    users.together, users.flags = list(together), set(flags)
    users.evidence.spans += [(80, 85), (90, 95)]
    return draft


#: What texts say of users: a line of their block or none, and what is left over.
USER_CASES: tuple[tuple[Draft, str, list[tuple[int, int]]], ...] = (
    (of_users(DraftField("username", flags={"unique", "required"})), "username: text required unique", []),
    (of_users(bounded("1", "5000")), "number: integer unique min 1 max 5000", []),
    (of_users(bounded("1", "50")), "number: integer min 1 max 50", [(0, 5)]),
    (of_users(DraftField("size", "enum", {"unique"}, [DraftValue("enum", "small"), DraftValue("enum", "large")])), "size: enum(small, large)", [(0, 5)]),
    (of_users(DraftField("phone"), DraftField("favourite", "ref", target="team")), "phone: text", [(10, 15)]),
    (between("user", "team", "belongs"), "phone: text", [(60, 64)]),
    (between("user", "team", "many"), "phone: text", [(60, 64)]),
    (between("team", "user", "many"), "phone: text", [(40, 45)]),
    (told_of_users(together=[("team", "number")]), "team: enum(red, blue)\n  number: integer\n  unique (team, number)", []),
    (told_of_users(together=[("team", "vip")]), "team: enum(red, blue)\n  number: integer", [(0, 5)]),
    (told_of_users(DraftField("vip", "bool"), together=[("team", "vip")]), "team: enum(red, blue)\n  number: integer\n  vip: boolean", [(0, 5), (20, 25)]),
    (told_of_users(DraftField("pin"), together=[("number", "pin")]), "team: enum(red, blue)\n  number: integer\n  pin: text hashed", [(10, 15), (20, 25)]),
    (told_of_users(DraftField("badge", flags={"unique"}), together=[("team", "badge")]), "team: enum(red, blue)\n  number: integer\n  badge: text unique", []),
    (told_of_users(DraftField("nickname", flags={"search"})), "team: enum(red, blue)\n  number: integer\n  nickname: text", [(20, 25)]),
    (told_of_users(DraftField("email", "email", {"search", "unique"})), "team: enum(red, blue)\n  number: integer", [(20, 25)]),
    (told_of_users(DraftField("role", "enum", values=[value("enum", "boss", (70, 74)), value("enum", "clerk", (75, 80))])), "team: enum(red, blue)\n  number: integer", [(70, 74), (75, 80)]),
    (told_of_users(DraftField("token")), "team: enum(red, blue)\n  number: integer", [(20, 25)]),
    (told_of_users(flags={"softdelete"}), "team: enum(red, blue)\n  number: integer", [(80, 85)]),
    (told_of_users(flags={"read-public"}), "team: enum(red, blue)\n  number: integer", [(80, 85)]),
    (told_of_users(flags={"own"}), "team: enum(red, blue)\n  number: integer", []),
    (told_of_users(DraftField("level", "int", {"read_only", "unique"}, [DraftValue("def", "1")])), "team: enum(red, blue)\n  number: integer\n  level: integer", []),
)
USERS = tuple(draft for draft, _, _ in USER_CASES)


@pytest.mark.parametrize(("draft", "line", "left"), USER_CASES)
def test_what_cannot_be_said_of_users_is_left_over(draft: Draft, line: str, left: list[tuple[int, int]]) -> None:
    blueprint, found = compile_draft(draft)
    assert blueprint is not None
    assert not [p for p in check(blueprint) if p.severity == "error"]
    assert format_blueprint(blueprint).split("users {\n  ")[1].split("\n}")[0] == line
    assert found == left


def test_rows_that_belong_to_users_are_understood() -> None:
    blueprint, found = compile_draft(between("team", "user", "belongs"))
    assert blueprint is not None
    assert [r.target for r in blueprint.entities[0].references] == ["user"]
    assert found == []
