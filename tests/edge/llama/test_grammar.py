"""Answers under a grammar: what is admitted, what a model with random weights makes of it, and llama.cpp beside it."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from lark import UnexpectedInput

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.blueprint.gbnf import gbnf
from clodo.blueprint.plan import make_plan
from clodo.blueprint.syntax import parser
from clodo.bricks.assistant.brick import chosen_parameters
from clodo.edge.llama import bundle
from clodo.edge.llama.tokens import _LETTERS
from clodo.edge.platform.serving import served_bundle
from clodo.toolchain import Toolchain
from tests.edge.llama.native import Native
from tests.edge.llama.serving import Caller, with_probe
from tests.edge.llama.tiny import tiny_gguf, vocabulary

pytestmark = pytest.mark.workerd

END = 2  # <|im_end|>


@pytest.fixture(scope="module")
def served(gguf: Path, toolchain: Toolchain) -> Iterator[Caller]:
    with served_bundle(with_probe(bundle(gguf, 48, 512, layer_workers=0, slots=3)), toolchain) as running:
        yield Caller.of(running)


def error_of(served: Caller, body: dict[str, Any], path: str = "/v1/completions") -> dict[str, Any]:
    answer = served.http.post(path, json={"prompt": "a", "max_tokens": 4, **body})
    assert answer.status_code == 400, answer.text
    return dict(answer.json()["error"])


@pytest.mark.parametrize(
    ("grammar", "whole", "begun", "refused"),
    [
        ('root ::= "yes" | "no"', ["yes", "no"], ["", "y"], ["maybe", "yess", "YES"]),
        ('root ::= "a" |', ["", "a"], [], ["aa"]),
        ('root ::= ""', [""], [], ["a"]),
        ('root::="ab"{2} # twice\n\n# the end', ["abab"], ["aba"], ["ababab", "abb"]),
        ('root ::=\n  ("a" |\n  "b")+ c?\nc ::= [0-9]', ["a", "ab7"], [""], ["7", "ab77"]),
        ('root ::= "a"{0,2} "b"{2,} "c"{0}', ["bb", "aabbb"], ["ab"], ["aaabb", "bbc"]),
        (r'root ::= "\x41\u00e9\U0001F600\t\n\r\\\"\[\]\-"', ['Aé😀\t\n\r\\"[]-'], ["Aé"], ["Ae"]),
        (r"root ::= [a-c\]\-x]+ [^a-c\n] [-z]", ["]-xd-", "cxz"], ["a"], ["a\nz", "d"]),
        ("root ::= [а-я]+ . [^é]", ["да!e", "я😀è"], ["д"], ["да!é", "aa"]),
        ('root ::= item (", " item)*\nitem ::= [a-z] [a-z0-9]* | "(" root ")"', ["a, (b, (c1))"], ["(a"], ["a,b", "(a))", ","]),
        ('root ::= ("a"?)* (("b"*)* "c"?){0,2}', ["", "aaab", "bcbbc"], [], ["bcbcb" "c", "ba"]),
        ('root ::= "("+ x ")"\nx ::= x1 x1 x1\nx1 ::= "" | "y"', ["((yy)", "()"], ["((yyy"], ["(yyyy)", ")"]),
        ('root ::= "b"\nroot ::= "a"', ["a"], [], ["b"]),
        ('root ::= e\ne ::= t "+" e | t "-" e | t "=" t | t\nt ::= "(" e ")" | "(" e "]" | [0-9]', ["((((((1+2))))))", "1-(2]"], ["(" * 60], ["1)", "(1}"]),
    ],
)  # fmt: skip
def test_a_grammar_admits_what_it_says(served: Caller, grammar: str, whole: list[str], begun: list[str], refused: list[str]) -> None:
    found = served.follow([t.encode() for t in (*whole, *begun, *refused)], grammar=grammar)
    for text, one in zip((*whole, *begun), found, strict=False):
        assert (one["taken"], one["ends"]) == (len(text.encode()), text in whole), text
    for text, one in zip(refused, found[len(whole) + len(begun) :], strict=True):
        assert one["taken"] < len(text.encode()), text


def test_the_end_is_known_where_nothing_can_follow(served: Caller) -> None:
    found = served.follow([b"", b"a", b"ab"], grammar='root ::= "a" "b"? ""')
    assert [(f["ends"], f["over"]) for f in found] == [(False, False), (True, False), (True, True)]


@pytest.mark.parametrize(
    ("grammar", "raw", "taken"),
    [
        ("root ::= .+", b"\xc3\xa9", 2),
        ("root ::= .+", b"\xa9", 0),
        ("root ::= .+", b"\xc0\xaf", 0),  # a slash, in more bytes than it needs
        ("root ::= .+", b"\xe0\x80\xaf", 1),
        ("root ::= .+", b"\xed\xa0\x80", 1),  # half of a pair
        ("root ::= .+", b"\xf4\x90\x80\x80", 1),  # behind the last character
        ("root ::= .+", b"\xc3a", 1),
        ("root ::= .+", b"\x00", 0),
        ("root ::= [à-ö]", b"\xc3\xb6", 2),
        ("root ::= [à-ö]", b"\xc3\xb8", 1),
        ("root ::= [à-ö]", b"\xc4\x80", 0),
        ("root ::= [^à-ö]", b"\xc3\xb8", 2),
        ("root ::= [^\\x00-\\uffff]", b"\xef\xbf\xbd", 0),
        ("root ::= [^\\x00-\\uffff]", b"\xf0\x9f\x98\x80", 4),
        ("root ::= [^\\x00-\\uffff]", b"\xf0\x8f\x98\x80", 1),
    ],
)
def test_tokens_may_end_within_a_character_but_never_make_one_that_is_none(served: Caller, grammar: str, raw: bytes, taken: int) -> None:
    [found] = served.follow([raw], grammar=grammar)
    assert found["taken"] == taken and (taken < len(raw) or found["ends"])
    assert not served.follow([raw[:1]], grammar=grammar)[0]["ends"], "no answer ends within a character"


def test_tokens_that_show_nothing_are_never_admitted(served: Caller) -> None:
    assert [f["taken"] for f in served.follow([[0], [1], [END]], grammar='root ::= "the" | "<|im_start|>" | "<|endoftext|>"')] == [0, 0, 0]
    assert served.follow([b"the"], grammar='root ::= "the" | "<|im_start|>"')[0]["over"]


@pytest.mark.parametrize(
    ("grammar", "words"),
    [
        ("# nothing", "no rule root"),
        ('x ::= "a"', "no rule root"),
        ('root ::= "a"\nroot2 ::= x "b"', "line 2, column 11: there is no rule x"),
        ('root ::= "a', "line 1, column 10: a text in quotes has no end"),
        ("root ::= [a", "line 1, column 10: a class"),
        ("root ::= []", "line 1, column 10: a class"),
        ("root ::= [z-a]", "line 1, column 13: a range"),
        ('root ::= ("a"', "line 1, column 14: a bracket"),
        ('root ::= "a")', "line 1, column 13: a rule must end"),
        ('root = "a"', "line 1, column 6: ::="),
        ('root ::= "a"\n  | "b"', "line 2, column 3: the name of a rule"),
        ("root ::= *", "line 1, column 10: there is nothing before it"),
        ('root ::= "a"{,3}', "line 1, column 13: repetitions"),
        ('root ::= "a"{3,2}', "line 1, column 13: 2 repetitions"),
        ('root ::= "a"{2001}', "line 1, column 13: 2000 repetitions"),
        ('root ::= ("a"{2000}){2000}', None),
        ('root ::= "ab" ("a" "b" "c" "d"){1000,2000}\n' * 20, "elements"),
        (r'root ::= "\q"', "line 1, column 11"),
        (r'root ::= "\x4"', "line 1, column 11"),
        (r'root ::= "\ud83d"', "line 1, column 11: this is no character"),
        ('root ::= "é😀" <x>', "line 1, column 15: a rule must end"),
        ('root ::= root "a" | "a"', "line 1, column 1: the rule root begins with itself"),
        ('root ::= "a" | x\nx ::= y? z\ny ::= "y"\nz ::= (x "b")', "the rule x begins with itself"),
        ("root ::= " + "(" * 200 + '"a"' + ")" * 200, "deep"),
        ("root ::= " + "(" * 60_000, "deep"),
        ("# " + "x" * 70_000, "characters"),
    ],
)  # fmt: skip
def test_a_grammar_that_cannot_be_is_refused_and_told_where(served: Caller, grammar: str, words: str | None) -> None:
    if words is None:  # large, and yet small: what repeats is there once
        assert served.follow([b"a" * 9], grammar=grammar)[0]["taken"] == 9
        return
    error = error_of(served, {"grammar": grammar})
    assert words in error["message"]
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", "grammar", "invalid_grammar")


def test_other_wrong_forms_are_refused_by_name(served: Caller) -> None:
    assert error_of(served, {"grammar": 5})["param"] == "grammar"
    assert error_of(served, {"grammar": 'root ::= "a"', "response_format": {"type": "json_object"}})["param"] == "grammar"
    for form in ("json", {"type": "yaml"}, {}, {"type": "json_schema"}, {"type": "json_schema", "json_schema": {"name": "x"}}):
        assert error_of(served, {"response_format": form})["param"] == "response_format"


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        ({"type": "string", "pattern": "a+"}, "schema.pattern"),
        ({"type": "number", "minimum": 1}, "schema.minimum"),
        ({"type": "string", "format": "ipv6"}, "schema.format"),
        ({"type": "object", "properties": {"a": {"oneOf": []}}}, "schema.properties.a.oneOf"),
        ({"type": "object", "properties": {}, "additionalProperties": True}, "schema.additionalProperties"),
        ({"type": "object", "properties": {}, "required": ["b"]}, "schema.required"),
        ({"type": "array", "items": {"type": "list"}}, "schema.items.type"),
        ({"type": "array", "prefixItems": []}, "schema.prefixItems"),
        ({"type": "array", "minItems": 3, "maxItems": 2}, "schema.minItems"),
        ({"type": "integer", "minimum": 3.2, "maximum": 3.8}, "schema admits no number"),
        ({"anyOf": [{"type": "null"}], "minimum": 3}, "schema.minimum"),
        ({"enum": ["a"], "type": "integer"}, "schema.enum"),
        ({"properties": {}}, "schema.properties"),
        ({"$ref": "#/$defs/none"}, "schema.$ref"),
        ({"$ref": "https://example.com/schema"}, "schema.$ref"),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}, "begins with itself"),
        (False, "schema must be"),
    ],
)  # fmt: skip
def test_what_of_a_schema_cannot_be_kept_is_named(served: Caller, schema: Any, named: str) -> None:
    error = error_of(served, {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}})
    assert named in error["message"] and error["param"] == "response_format"


SCHEMAS: list[Any] = [
    {"type": "object", "properties": {"a": {"type": "integer", "minimum": -17, "maximum": 233}, "b": {"enum": ["x", 'q"\\é', None, 4]}, "c": {"type": "boolean"}}, "required": ["b"], "additionalProperties": False},
    {"type": "array", "items": {"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 6}, {"type": "array", "items": {"type": "number"}, "maxItems": 2}]}, "minItems": 2, "maxItems": 4},
    {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}, "day": {"type": "string", "format": "date"}, "id": {"type": "string", "format": "uuid"}, "to": {"type": ["string", "null"], "format": "email"}}, "required": ["at", "day", "id"]},
    {"$defs": {"tree": {"type": "object", "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 3}, "next": {"$ref": "#/$defs/tree"}}, "required": ["name"], "additionalProperties": False}}, "$ref": "#/$defs/tree"},
    {"type": "object", "properties": {"kind": {"const": "a b"}, "n": {"type": "integer", "exclusiveMinimum": 9, "exclusiveMaximum": 1001}}, "required": ["kind", "n"]},
]  # fmt: skip


@pytest.mark.parametrize(("lowest", "highest"), [(0, 0), (1, 100), (-17, 233), (-300, -25), (7, 12345), (90, 110), (-1, 1)])
def test_whole_numbers_within_bounds_are_admitted_and_no_others(served: Caller, lowest: int, highest: int) -> None:
    near = sorted({n + d for n in (lowest, highest, 0, 9, 10, 99, 100, 999, 1000, -10, -100, 55) for d in (-2, -1, 0, 1, 2)})
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "integer", "minimum": lowest, "maximum": highest}}}
    found = served.follow([str(n).encode() for n in near], response_format=form)
    assert [n for n, f in zip(near, found, strict=True) if f["taken"] == len(str(n)) and f["ends"]] == [n for n in near if lowest <= n <= highest]


def test_json_of_others_is_admitted(served: Caller) -> None:
    values = [{}, {"a": [1, -0.5, 1e-7, "é\n\"\\", None, True, {"b": []}]}, {"x": {"y": {"z": "🙂"}}}]
    texts = [json.dumps(v, indent=i) for v in values for i in (None, 2)] + [json.dumps(values[1], ensure_ascii=False, separators=(",", ":"))]
    assert all(f["ends"] for f in served.follow([t.encode() for t in texts], response_format={"type": "json_object"}))
    for text in ("[]", '{"a":01}', '{"a" 1}', '{"a":1,}', '{"a":"\n"}', '{"a":"\\ud800"}', "{} "):
        [found] = served.follow([text.encode()], response_format={"type": "json_object"})
        assert found["taken"] < len(text), text


SEEDS: list[dict[str, Any]] = [{"temperature": 0}, *({"temperature": 0.6 + 0.2 * i, "seed": i, "top_k": (40, 0, 5)[i % 3], "top_p": (1, 0.9)[i % 2]} for i in range(6))]


@pytest.mark.parametrize("schema", [None, *SCHEMAS], ids=lambda s: "any" if s is None else str(s)[:40])
def test_whatever_a_random_model_writes_under_a_schema_is_valid(served: Caller, schema: Any) -> None:
    form = {"type": "json_object"} if schema is None else {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    ended = 0
    for seed in SEEDS:
        choice = served.chat("the sea", max_tokens=160, response_format=form, **seed)["choices"][0]
        text = choice["message"]["content"]
        if choice["finish_reason"] == "stop":
            ended += 1
            jsonschema.validate(json.loads(text), schema or {"type": "object"}, format_checker=jsonschema.FormatChecker(["date", "uuid"]))
    assert ended > 1, "nothing was seen to its end"


def is_beginning(text: str) -> bool:
    """Whether Clodo's own parser has nothing against a blueprint but that it is not over. The last line, which may be cut
    anywhere, is left out."""
    reading = parser().parse_interactive(text.rpartition("\n")[0] + "\n")
    try:
        reading.exhaust_lexer()
    except UnexpectedInput:
        return False
    return True


def test_whatever_a_random_model_writes_under_the_blueprint_grammar_is_one_or_begins_one(served: Caller) -> None:
    assert not is_beginning("service x\nentity y (\n"), "the checker can refuse"
    for seed in SEEDS:
        choice = served.chat("the sea", max_tokens=300, grammar=gbnf(), **seed)["choices"][0]
        text = choice["message"]["content"]
        assert is_beginning(text), text
        if choice["finish_reason"] == "stop":
            parser().parse(text)


def test_blueprints_of_people_are_admitted(served: Caller, example: Path) -> None:
    text = format_blueprint(parse(example.read_text("utf-8"))).encode()
    assert served.follow([text], grammar=gbnf()) == [{"taken": len(text), "ends": True, "over": False}]
    with pytest.raises(InvalidBlueprint):
        parse("service X\n")
    assert served.follow([b"service X\n"], grammar=gbnf())[0]["taken"] == len("service ")


def test_the_schema_of_the_assistant_s_filters_can_be_kept(served: Caller) -> None:
    fields = "title: text\n  mood: enum(good, bad)\n  mail: email\n  site: url\n  price: money\n  stars: integer min 1\n  day: date\n  on: boolean\n  assistant search"
    plan = make_plan(parse(f"service s\n\nentity note {{\n  {fields}\n}}\n"))
    schema = {"type": "object", "properties": chosen_parameters(plan, plan.blueprint.entities[0]), "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    written = {"limit": 100, "sort": "-stars", "mood": "bad", "price_max": 9.5, "created_at_min": "2026-02-28T23:59:59Z"}
    # In the order of the list's parameters.
    ordered = json.dumps({name: written[name] for name in chosen_parameters(plan, plan.blueprint.entities[0]) if name in written})
    found = served.follow([ordered.encode(), b'{"limit": 101', b'{"owner_id"', b"SELECT"], response_format=form)
    assert found[0]["ends"] and [f["taken"] for f in found[1:]] == [12, 3, 0]


def test_two_grammars_at_once_never_mix(served: Caller) -> None:
    grammars = {letter: f'root ::= ("{letter}" | "{letter}{letter}-")+' for letter in "abcdef"}
    with ThreadPoolExecutor(6) as pool:
        texts = dict(zip(grammars, pool.map(lambda g: served.complete("the sea", max_tokens=60, grammar=g, temperature=1, seed=3)["choices"][0]["text"], grammars.values()), strict=True))
    for letter, text in texts.items():
        assert text and set(text) <= {letter, "-"}, text
    free = served.complete("the sea", max_tokens=40)["choices"][0]["text"]
    assert served.complete("the sea", max_tokens=40, grammar=None)["choices"][0]["text"] == free


def test_the_end_comes_only_where_the_grammar_ends(served: Caller) -> None:
    answer = served.complete("the sea", grammar='root ::= "the" " sky"{2}')
    assert (answer["choices"][0]["text"], answer["choices"][0]["finish_reason"]) == ("the sky sky", "stop")
    for more in ({}, {"ignore_eos": True}):
        assert served.complete("the sea", grammar='root ::= ""', **more)["choices"][0] == {"index": 0, "text": "", "logprobs": None, "finish_reason": "stop"}
    endless = served.complete("the sea", grammar='root ::= "a"*', ignore_eos=True, max_tokens=30)
    assert endless["choices"][0]["text"] == "a" * 30 and endless["choices"][0]["finish_reason"] == "length"
    events = served.events("/v1/completions", {"prompt": "the sea", "grammar": 'root ::= "one" " two"'})
    assert "".join(e["choices"][0]["text"] for e in events[:-1]) == "one two" and events[-1] == "[DONE]"


def test_where_no_token_goes_on_there_is_an_error_and_no_text(served: Caller) -> None:
    answer = served.http.post("/v1/completions", json={"prompt": "the sea", "grammar": r'root ::= "a" "\x00"', "max_tokens": 8})
    assert answer.status_code == 422 and answer.json()["error"]["code"] == "no_token_allowed" and "choices" not in answer.json()
    streamed = served.events("/v1/completions", {"prompt": "the sea", "grammar": r'root ::= "a" "\x00"'})
    assert streamed[-1]["error"]["code"] == "no_token_allowed"


def test_log_probabilities_are_those_of_the_model_and_not_of_the_grammar(served: Caller) -> None:
    chosen = served.chat("the sea", max_tokens=1, logprobs=True, grammar='root ::= "a"')["choices"][0]["logprobs"]["content"]
    prompt = served.http.post("/chat", json=[{"role": "user", "content": "the sea"}]).json()
    scores = served.scores(prompt, len(prompt) - 1)[0].astype(np.float64)
    assert chosen[0]["id"] == 3 + ord("a")
    assert chosen[0]["logprob"] == pytest.approx(scores[3 + ord("a")] - np.log(np.exp(scores - scores.max()).sum()) - scores.max(), abs=1e-4)


def is_utf8(tokens: list[int]) -> bool:
    """Whether what the tokens of the tiny model show is UTF-8, the end of it perhaps to come."""
    names = vocabulary()["tokenizer.ggml.tokens"]
    try:
        codecs.getincrementaldecoder("utf-8")().decode(bytes(_LETTERS[letter] for t in tokens for letter in names[t]))
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.llama
def test_greedy_answers_under_a_grammar_are_those_of_llama_cpp(tmp_path: Path, toolchain: Toolchain) -> None:
    """Where they part, it is the scores that differ, and not what is allowed: both round activations to 8 bits, each in its own way,
    and each took the token that it gives more. Had one of them refused the other's token, it would rate it higher than its own."""
    gguf = tiny_gguf(tmp_path / "tiny.gguf", kinds=["Q8_0"])
    native, same, asked = Native(gguf), 0, 0
    grammars = [gbnf(), 'root ::= [a-zà-ÿ ]{4,40} "."', r'root ::= "{" ("\"" [^"\\\x00-\x1f]* "\"" ", "?)+ "}"', 'root ::= ("the" | " sea" | " sky" | [0-9]+)+']
    with served_bundle(with_probe(bundle(gguf, 48, 512, layer_workers=0)), toolchain) as running:
        served = Caller.of(running)
        for grammar in grammars:
            for prompt in ("the sea", "a blue sky and two", "red"):
                begun = served.http.post("/chat", json=[{"role": "user", "content": prompt}]).json()
                ours = [t["id"] for t in served.chat(prompt, max_tokens=40, logprobs=True, grammar=grammar)["choices"][0]["logprobs"]["content"]]
                theirs = [t for t in native.constrained(begun, 40, grammar) if t != END]
                taken = served.follow([theirs], grammar=grammar)[0]["taken"]
                assert is_utf8(theirs[:taken]) and (taken == len(theirs) or not is_utf8(theirs[: taken + 1])), "what llama.cpp admits is admitted"
                parted = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)
                if parted is None:
                    same += ours == theirs
                if parted is None or parted == taken:
                    continue
                a, b, before = ours[parted], theirs[parted], [*begun, *ours[:parted]]
                here = served.scores(before, len(before) - 1)[0]
                there = native.log_probabilities(before, len(here))
                assert here[a] >= here[b], (grammar[:40], prompt, parted)
                if there:
                    asked += 1
                    assert there[b] >= there[a] - 0.01, (grammar[:40], prompt, parted)
    assert same >= len(grammars) and asked > 0, "and often they do not part at all"
