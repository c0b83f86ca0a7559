"""What a model may say that a service must not fall for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from clodo.blueprint.values import Entity

#: Values of filters that are texts; none may find anything.
VALUES = ("' OR 1=1 --", '" OR "1"="1', "x'; DROP TABLE d1_migrations; --", "%zzqx%", "zzqx_")

#: What is no object in JSON.
CONTENTS: tuple[Any, ...] = ("", "hacked", "null", "[]", "[{}]", '"hacked"', "5", '{"', "{} {}", "Sure! Here you are: {}", {"hacked": 1}, {"__proto__": {"a": 1}}, {"constructor": "hacked"})

#: It would be fine for a search, if anybody read so far.
_ENDLESS = b'{"choices": [{"message": {"content": "{}"}}], "more": "' + b"hack " * 70_000 + b'"}'
#: A lone half of a character, as JSON can have it.
_HALF = b'{"choices": [{"message": {"content": "hacked \\ud800"}}]}'
#: Whole bodies that are no answers of a model.
BODIES = (
    b"", b"hacked", b"[]", b"null", b"{}", b'{"choices": []}', b'{"choices": [null]}', b'{"choices": {}}', b'{"choices": [{"message": null}]}',
    b'{"choices": [{"message": {"content": null}}]}', b'{"choices": [{"message": {"content": {"q": "hacked"}}}]}', b"\xff\xfe", _HALF, _ENDLESS,
)  # fmt: skip

#: What a model may say in the place of probabilities: none of it is one.
LOGPROBS: tuple[Any, ...] = (
    "hacked", [], {"content": "hacked"}, {"content": {}}, {"content": [None]}, {"content": ["hacked"]}, {"content": [{"logprob": "hacked"}]},
    {"content": [{"logprob": True}]}, {"content": [{"logprob": [-9]}]}, {"content": [{"logprob": -9}, {"logprob": {}}]},
)  # fmt: skip
#: What is more than sure is sure.
SURE: tuple[Any, ...] = ({"content": [{"logprob": 5}, {"logprob": 700}]}, {"content": [{"logprob": 0}, {"logprob": None}, {}]})

#: A text with a secret of each kind, and what of it may be shown to whoever is elsewhere.
SECRET_TEXT = (
    "Remark {n}: write to ann.lindqvist@example.com or call +49 170 1234567. Our key is sk-proof-4f9a2c7e1b8d6053; password=Xy7kQ2w9. Card 4111 1111 1111 1111, "
    "account DE89 3704 0044 0532 0130 00, token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln; Dr. Okonkwo paid, and Okonkwo left."
)
SHOWN_TEXT = (
    "Remark {n}: write to [EMAIL_1] or call [PHONE_1]. Our key is [KEY_1]; password=[PASSWORD_1]. Card [CARD_1], account [IBAN_1], token [KEY_2]; "
    "Dr. [NAME_1] paid, and [NAME_1] left."
)

#: Formats that filters insist on; of addresses any text will do, and finds nothing.
_STRICT = ("date", "date-time", "time", "uuid")


def filters(e: Entity, parameters: Mapping[str, Mapping[str, Any]]) -> Iterator[Any]:
    """Filters that no model may choose."""
    for name in ("no_such_field", "id", "owner_id", "deleted_at", "cursor", "rowid", "hasOwnProperty", 'id" OR 1=1 --', "1) OR (1=1", "", " "):
        yield {name: "hacked"}
    for r in e.references:
        yield {f"{r.name}_id": "hacked"}
    for f in e.fields:
        if f.write_only:
            yield {f.name: "hacked"}
    for name, schema in parameters.items():
        if "enum" in schema or schema.get("format") in _STRICT or schema["type"] in ("integer", "number", "boolean"):
            yield {name: "hacked"}
    for said in ({"$ne": "hacked"}, ["hacked"], "x" * 201):
        yield {list(parameters)[-1]: said}
    yield {"sort": "id; hacked"}
    yield {"sort": "-no_such_field"}
    for limit in (0, -1, 101, 1e9, "all", True):
        yield {"limit": limit}
    if "q" in parameters:
        yield {"q": "a b c d e f g h i"}
        yield {"q": "a\0b"}
    yield {f"{name}": 1 for name in [*parameters, *(f"more_{n}" for n in range(13))]}
    # The last of two keys of one name counts for JSON; it must not slip past for that.
    yield '{"sort": "id", "sort": "hacked"}'


def answers(kind: str, values: tuple[str, ...]) -> Iterator[Any]:
    """Answers to a question or a text that do not hold up."""
    if kind == "search":
        yield from CONTENTS
        return
    yield from ("", "  ", "\n", "a\0b", "a\u001b[31mhacked", "hacked " * 400)
    if kind == "classify":
        first = values[0]
        said = (f"{first} hacked", ", ".join([*values, "hacked"]), f"not {first}", f"{first}\n{first}", f'"{first}" hacked', "0", "null", "{}")
        yield from (s for s in said if s not in values)
        yield from ({"value": first}, [first])
