"""Checks of the assistant: what a model is shown, what becomes of what it says, and what of a model that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity, FieldType, Who
from clodo.bricks.assistant import hostile
from clodo.bricks.assistant.bench import BOUND, KEY, MODEL, PROVIDERS, Bench, Reply, Seen
from clodo.bricks.assistant.brick import PER_MINUTE, assisted, chosen_parameters
from clodo.bricks.assistant.language import Assistant, path_of_assistant
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Headers, Row, Session, TooFewValues, expect, expect_path
from clodo.proof.transport import RawAnswer

_NOWHERE = "01890000-0000-7000-8000-000000000000"
_FREE = "-100000000"
_OPEN_AFTER = 3
#: Unless they are told what to say, the providers before the last say nothing that holds up.
_IN_VAIN = tuple((provider, "invalid-answer", None) for provider in PROVIDERS[:-1])


@dataclass(frozen=True)
class Desk:
    """One thing that a model does, with the model beside."""

    bench: Bench
    entity: Entity
    assistant: Assistant
    #: Whether it is the first of its kind: on it, code that all share is tried at length.
    leads: bool

    def some(self, hostile: Iterable[Any]) -> list[Any]:
        """All of it for the first of a kind, every seventh for the others."""
        found = list(hostile)
        return found if self.leads else found[::7]

    async def headers(self, s: Session, user: str = "admin") -> Headers:
        """Credentials that may read the rows, and no more."""
        return await s.headers(s.blueprint.read_access(self.entity), user=user)

    async def send(self, s: Session, id: str, body: Row | None, headers: Headers | None = None) -> Answer:
        """Asks, for the row of that id where it is one of a row."""
        path = path_of_assistant(s.plan, self.entity, self.assistant).replace("{id}", id)
        given = await self.headers(s) if headers is None else headers
        return await s.client.send("POST", path, body, headers=given)

    async def question(self, s: Session, *replies: Reply, user: str = "admin") -> tuple[Answer, list[Seen]]:
        """A question of its own, to which the model says that."""
        text = f"Which ones, please? Number {s.number()}"
        seen = self.bench.expect(text, *replies)
        return await self.send(s, "", {"question": text}, await self.headers(s, user)), seen

    async def text(self, s: Session, *replies: Reply) -> tuple[Answer, list[Seen], Row]:
        """The same of a row of its own."""
        row = await self.row(s)
        seen = self.bench.expect(str(row[self.assistant.source]), *replies)
        return await self.send(s, row["id"], None), seen, row

    async def each(self, s: Session, replies: Mapping[str, Reply], words: str = "") -> tuple[Answer, Mapping[str, list[Seen]]]:
        """Asks, where every provider says what ``replies`` have for it, or else nothing that holds up. ``words`` are what it is about."""
        row: Row = {"id": ""}
        if self.assistant.kind == "search":
            row[self.assistant.source] = words or f"Which ones, please? Number {s.number()}"
        else:
            row = await self.row(s, words)
        text = str(row[self.assistant.source])
        seen = {p: self.bench.expect(text, replies.get(p, Reply()), provider=p) for p in PROVIDERS}
        return await self.send(s, row["id"], {"question": text} if self.assistant.kind == "search" else None), seen

    async def row(self, s: Session, words: str = "") -> Row:
        """A row with a text to show: ``words``, where they are given."""
        source = self.entity.field(self.assistant.source)
        assert source is not None
        if words:
            roomy = source.maximum is None or Decimal(source.maximum.value) >= len(words)
            settable = source.computed is None and not source.read_only and source.pattern is None and source.name not in s.tied(self.entity)
            row = await s.create(self.entity, {source.name: words}) if roomy and settable else {}
            if row.get(source.name) != words:
                raise TooFewValues(f"no row of {self.entity.name} with a text of the proof's own in {source.name} could be made")
            return row
        free = source.pattern is None and source.maximum is None and not source.read_only and source.computed is None
        changes: Row = {}
        if free and source.name not in s.tied(self.entity):
            changes = {source.name: f"It rained all day, and we were glad of the fire. Number {s.number()}."}
        elif source.computed is None and not source.read_only:
            changes = {source.name: s.sample(self.entity, source.name)}
        row = await s.create(self.entity, changes)
        if not isinstance(row[source.name], str) or not row[source.name].strip() or row[source.name] in self.bench.told:
            raise TooFewValues(f"no row of {self.entity.name} with a text of its own in {source.name} could be made")
        return row

    async def asked(self, s: Session, *replies: Reply) -> tuple[Answer, list[Seen]]:
        """A question or a text, whichever this is about."""
        if self.assistant.kind == "search":
            return await self.question(s, *replies)
        answer, seen, _ = await self.text(s, *replies)
        return answer, seen

    @property
    def good(self) -> Reply:
        """What a model says that does its work."""
        if self.assistant.kind == "search":
            return Reply({})
        return Reply("They were glad of the fire." if self.assistant.kind == "summary" else self.values[0])

    def said(self, number: int, *chances: float, **more: Any) -> Reply:
        """What a model may say, another for each number where there are so many, with the probabilities of its tokens."""
        if self.assistant.kind == "search":
            return Reply({"limit": number}, chances=chances, **more)
        text = f"Summary {number}." if self.assistant.kind == "summary" else self.values[number % len(self.values)]
        return Reply(text, chances=chances, **more)

    def heard(self, answer: Answer) -> Any:
        """What an answer of the service has of what a model said: ``Reply.content``."""
        if self.assistant.kind == "search":
            limit = parse_qs(urlsplit(str(answer.body["list"])).query).get("limit", ["0"])
            return {"limit": int(limit[0])}
        return answer.body["summary" if self.assistant.kind == "summary" else "value"]

    @property
    def values(self) -> tuple[str, ...]:
        """What can be chosen of."""
        target = self.entity.field(self.assistant.target)
        return target.values if target is not None else ()


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    bench = Bench()
    beside: Callable[[], AbstractContextManager[Any]] | None = bench.running
    for check in _checks(plan, bench):
        # The first brings the models for all of them, and sees to it that none is held up by the limit.
        yield replace(check, beside=beside, bound=BOUND if beside is not None else {}, prepare=_unhindered if beside is not None else None)
        beside = None


def _checks(plan: Plan, bench: Bench) -> Iterator[Check]:
    every = list(assisted(plan))
    kinds = [a.kind for _, a in every]
    desks = [Desk(bench, e, a, kinds.index(a.kind) == n) for n, (e, a) in enumerate(every)]
    for d in desks:
        e, kind = d.entity, d.assistant.kind

        def check(id: str, rule: str, run: Callable[..., Awaitable[None]], d: Desk = d) -> Check:
            return Check(f"assistant.{id}", f"{d.entity.name}: {rule}", partial(run, d))

        if kind == "search":
            yield check("search", "a question finds what the model's filters say, and the list is told", _search)
            yield check("filters", "a model may choose filters of the list, and nothing else", _filters)
            yield check("injection", "what a model says is a value, never SQL", _injection)
            yield check("question", "a question that is none is refused", _question)
            if plan.blueprint.read_access(e).who is Who.OWNER or e.soft_delete:
                yield check("hidden", "no question finds rows that the caller may not know of", _hidden)
        elif kind == "summary":
            yield check("summary", f"the model sums up {d.assistant.source}, and is shown nothing else", _summary)
        else:
            yield check("classify", f"the model proposes a value of {d.assistant.target}; nothing is stored", _classify)
        if kind != "search":
            yield check("row", "only of rows that the caller may read", _row)
        yield check("unsure", f"where a model is not sure of its {kind}, the next is asked; the best answer counts", _unsure)
        yield check("unfit", f"what does not fit a model goes to the next ({kind})", _unfit)
        yield check("private", f"models elsewhere are shown no secrets ({kind})", _private)
        yield check("unsound", f"an answer to {kind} that does not hold up is 502", _unsound)
        if plan.blueprint.read_access(e).who is not Who.PUBLIC:
            yield check("access", f"{kind} needs '{plan.blueprint.read_access(e)}'", _access)
    first = desks[0]
    yield Check("assistant.limit", f"each caller may ask {PER_MINUTE} times a minute", partial(_limit, first), alone=True)
    yield Check("assistant.slow", "a model that does not answer in time is 504", partial(_slow, first), alone=True)
    yield Check("assistant.failure", "a model that fails is 502, once more is tried, and nothing of it is told", partial(_failure, first), alone=True)
    # The last of all: it leaves the model alone for half a minute.
    yield Check("assistant.break", f"a model is left alone after {_OPEN_AFTER} failures in a row", partial(_break, first), alone=True)


def _unhindered(s: Session) -> None:
    """Other checks ask more than the limit admits: where one is refused, the counts are set free in the database, and it is
    sent again. (Where the blueprint has limits of its own, their checks do the same.)"""

    async def again(raw: RawAnswer) -> bool:
        if raw.status != 429 or '"assistant";r=0;' not in raw.headers.get("ratelimit", ""):
            return False
        await s.query(f'UPDATE "rate-limit" SET "count" = {_FREE} WHERE "policy" = \'assistant\'')
        return True

    if s.client.again is None:
        s.client.again = again


def _shown_by(answer: Answer, provider: str = "openai", confidence: float | None = None, tried: Iterable[tuple[Any, ...]] = _IN_VAIN) -> None:
    told = {k: answer.body.get(k, "nothing") for k in ("model", "provider", "confidence", "tried")}
    before = [dict(zip(("provider", "reason", "confidence"), t, strict=True)) for t in tried]
    if told != {"model": MODEL, "provider": provider, "confidence": confidence, "tried": before}:
        raise Fault(f"the answer does not say who gave it: {provider}, {confidence}, after {before}", answer)


def _refused(answer: Answer, why: str, status: int = 502) -> None:
    expect(answer, status, why)
    if "hack" in answer.text or "127.0.0.1" in answer.text or KEY in answer.text:
        raise Fault("the refusal tells what the model said, or where it is", answer)


async def _search(d: Desk, s: Session) -> None:
    e = d.entity
    row = expect(await s.get(e, (await s.create(e))["id"]), 200).body
    other = await s.create(e)
    # Where nothing tells two rows apart (long texts are no filters), all are asked for.
    told = {name: row[name] for name in _telling(s, d, row, other)[:3]}
    answer, seen = await d.question(s, Reply({**told, "limit": 100, "sort": "-id"}))
    expect(answer, 200)
    _shown_by(answer)
    found = {item["id"]: item for item in answer.body["items"]}
    if found.get(row["id"]) != row:
        raise Fault("the row that the filters are of is not found, or not as it is", answer)
    if told and other["id"] in found:
        raise Fault("a row that the filters are not of is found", answer)
    [request] = seen
    if request.headers.get("authorization") != f"Bearer {KEY}" or request.body.get("model") != MODEL:
        raise Fault("the model was not asked with its key and its name", answer)
    if str(row["id"]) in str(request.body):
        raise Fault("the model was shown a row", answer)
    path = str(answer.body["list"])
    listed = expect(await s.client.send("GET", path, headers=await s.reader(e)), 200, "the list that is told")
    ids = [i["id"] for i in listed.body["items"]]
    # (Other checks make rows meanwhile; they are not of these filters.)
    if row["id"] not in ids or (told and ids != list(found)):
        raise Fault("the list that is told is another one", listed)
    fenced, _ = await d.question(s, Reply('```json\n{"limit": 1}\n```'))
    if len(expect(fenced, 200, "JSON in a fence").body["items"]) != 1:
        raise Fault("the limit that the model chose does not hold", fenced)


def _telling(s: Session, d: Desk, row: Row, other: Row) -> list[str]:
    """Filters that tell the rows apart."""
    names = [n for n in chosen_parameters(s.plan, d.entity) if row.get(n) not in (None, "") and row[n] != other.get(n)]
    # Rows made at one moment have one time.
    return [n for n in names if d.entity.field(n) is not None and len(str(row[n])) <= 200]


async def _filters(d: Desk, s: Session) -> None:
    for said in d.some(hostile.filters(d.entity, chosen_parameters(s.plan, d.entity))):
        answer, _ = await d.question(s, Reply(said))
        _refused(answer, f"the model says {str(said)[:80]}")


async def _injection(d: Desk, s: Session) -> None:
    await s.create(d.entity)
    texts = [n for n, p in chosen_parameters(s.plan, d.entity).items() if n == "q" or _is_text(d.entity, n) and p == {"type": "string"}]
    for name in texts:
        for said in hostile.VALUES:
            answer, _ = await d.question(s, Reply({name: said}))
            if expect(answer, 200, f"{name} is {said!r}").body["items"]:
                raise Fault("the model's value is open to injection", answer)


def _is_text(e: Entity, name: str) -> bool:
    f = e.field(name)
    return f is not None and f.type is FieldType.TEXT


async def _question(d: Desk, s: Session) -> None:
    for body, path in (
        ({}, "question"), ({"question": ""}, "question"), ({"question": "  "}, "question"), ({"question": 5}, "question"), ({"question": None}, "question"),
        ({"question": "x" * 501}, "question"), ({"question": "a\0b"}, "question"), ({"question": "Which?", "filters": {}}, "filters"), ({"question": ["a"]}, "question"),
    ):  # fmt: skip
        expect_path(expect(await d.send(s, "", body), 422, str(body)[:60]), path)
    path, headers = path_of_assistant(s.plan, d.entity, d.assistant), await d.headers(s)
    for content, kind, status in ((b"{", "application/json", 400), (b"{}", "text/plain", 415), (b"[]", "application/json", 422)):
        typed = {**headers, "content-type": kind}
        expect(await s.client.send("POST", path, content=content, headers=typed), status, "a broken body")
    expect(await s.client.send("GET", f"{path}?question=x", headers=headers), 405, "only POST asks")


async def _hidden(d: Desk, s: Session) -> None:
    e = d.entity
    if s.blueprint.read_access(e).who is Who.OWNER:
        row = await s.create(e, user="ann")
        answer, _ = await d.question(s, Reply({"limit": 100, "sort": "-id"}), user="bob")
        if any(item["id"] == row["id"] for item in expect(answer, 200).body["items"]):
            raise Fault("a question finds the row of another", answer)
    if e.soft_delete:
        row = await s.create(e)
        if (await s.delete(e, row["id"])).status == 204:
            answer, _ = await d.question(s, Reply({"limit": 100, "sort": "-id"}))
            if any(item["id"] == row["id"] for item in expect(answer, 200).body["items"]):
                raise Fault("a question finds a deleted row", answer)


async def _summary(d: Desk, s: Session) -> None:
    answer, seen, row = await d.text(s, Reply("  They were\nglad. "))
    expect(answer, 200)
    _shown_by(answer)
    if answer.body["summary"] != "They were\nglad." or answer.body["field"] != d.assistant.source:
        raise Fault("the summary is not the model's", answer)
    _shown_once(d, seen, row, answer)


async def _classify(d: Desk, s: Session) -> None:
    for n, value in enumerate(d.values):
        answer, seen, row = await d.text(s, Reply(value if n else f'"{value}".'))
        expect(answer, 200)
        _shown_by(answer)
        if answer.body["value"] != value or answer.body["field"] != d.assistant.target:
            raise Fault("the value is not the one that the model chose", answer)
        _shown_once(d, seen, row, answer)
        read = expect(await s.get(d.entity, row["id"]), 200)
        if read.body != row:
            raise Fault("a classification changed the row", read)


def _shown_once(d: Desk, seen: list[Seen], row: Row, answer: Answer) -> None:
    [request] = seen
    others = [str(v) for k, v in row.items() if k != d.assistant.source and isinstance(v, str) and len(v) > 12]
    if request.says("user") != row[d.assistant.source] or any(v in str(request.body) for v in others):
        raise Fault("the model was shown more than the text, or less", answer)


async def _unsure(d: Desk, s: Session) -> None:
    no, ai = ("workers-ai", "invalid-answer", None), ("openai", "refused", None)
    none = Reply(status=400, body=b"{}")
    # What the models say, whose answer counts and how sure it is, and who is said to have been tried.
    cases: list[tuple[dict[str, Reply], str, float | None, list[tuple[Any, ...]]]] = [
        ({"edge": d.said(1, 0.9, 0.4)}, "edge", 0.6, []),
        # (Their mean is .55, but .9 and .2 together are no more than .18.)
        ({"edge": d.said(1, 0.9, 0.2), "workers-ai": d.said(2)}, "workers-ai", None, [("edge", "low-confidence", 0.424)]),
        ({"edge": d.said(1, 0.3), "openai": d.said(3, 0.8)}, "openai", 0.8, [("edge", "low-confidence", 0.3), no]),
        ({"edge": d.said(1, 0.3), "openai": d.said(3, 0.4)}, "openai", 0.4, [("edge", "low-confidence", 0.3), no]),
        ({"edge": d.said(1, 0.4), "openai": d.said(3, 0.3)}, "edge", 0.4, [("edge", "low-confidence", 0.4), no, ("openai", "low-confidence", 0.3)]),
        ({"edge": d.said(1, 0.3), "openai": none}, "edge", 0.3, [("edge", "low-confidence", 0.3), no, ai]),
        ({"edge": d.said(1, 0.7, cut=True), "openai": d.said(3, 0.2)}, "openai", 0.2, [("edge", "cut-off", 0.7), no]),
        ({"edge": d.said(1, 0.7, cut=True), "openai": none}, "edge", 0.7, [("edge", "cut-off", 0.7), no, ai]),
        *(({"edge": d.said(1, logprobs=said)}, "edge", None, []) for said in hostile.LOGPROBS),
        *(({"edge": d.said(1, logprobs=said)}, "edge", 1, []) for said in hostile.SURE),
    ]
    for replies, provider, confidence, tried in d.some(cases):
        answer, seen = await d.each(s, replies)
        expect(answer, 200, f"where they say {replies}"[:200])
        _shown_by(answer, provider, confidence, tried)
        if d.heard(answer) != replies[provider].content:
            raise Fault("the answer is not that of the provider that it names", answer)
        asked = [p for p in PROVIDERS if seen[p]]
        if asked != list(PROVIDERS[: max(len(tried), PROVIDERS.index(provider) + 1)]):
            raise Fault(f"{', '.join(asked)} were asked", answer)


async def _unfit(d: Desk, s: Session) -> None:
    too_long = (b'{"error": {"message": "hacked", "code": "context_length_exceeded"}}', b'{"detail": "hacked: the maximum context length is 8 tokens"}')
    cases = [(413, b"{}"), (400, too_long[0]), (400, too_long[1]), (422, too_long[1])]
    for status, body in d.some(cases):
        answer, _ = await d.each(s, {"edge": Reply(status=status, body=body), "workers-ai": d.said(2)})
        expect(answer, 200, f"the text is too long for the first ({status})")
        _shown_by(answer, "workers-ai", None, [("edge", "too-long", None)])
    # How sure a model is of what does not hold up counts for nothing.
    sure = Reply("{}" if d.assistant.kind == "classify" else "", chances=(1.0,))
    answer, _ = await d.each(s, {"edge": sure, "workers-ai": d.said(2)})
    expect(answer, 200, "the answer of the first does not hold up")
    _shown_by(answer, "workers-ai", None, _IN_VAIN[:1])


async def _private(d: Desk, s: Session) -> None:
    number = s.number()
    words, shown = (text.format(n=number) for text in (hostile.SECRET_TEXT, hostile.SHOWN_TEXT))
    said, whole = _with_placeholder(s, d)
    answer, seen = await d.each(s, {"workers-ai": said}, words)
    expect(answer, 200)
    _shown_by(answer, "workers-ai", None, _IN_VAIN[:1])
    if [r.says("user") for r in seen["edge"]] != [words]:
        raise Fault("the service's own model was not shown the text as it is", answer)
    if [r.says("user") for r in seen["workers-ai"]] != [shown]:
        raise Fault("a model elsewhere was not shown the text without its secrets", answer)
    if not whole(answer):
        raise Fault("what a model said about a placeholder does not come back with the words", answer)
    answer, seen = await d.each(s, {"openai": d.said(3)}, words.replace(f"Remark {number}", f"Remark {s.number()}"))
    expect(answer, 200)
    _shown_by(answer)
    if len(seen["openai"]) != 1:
        raise Fault("the model on this machine was not shown the text as it is", answer)


def _with_placeholder(s: Session, d: Desk) -> tuple[Reply, Callable[[Answer], bool]]:
    """An answer about a placeholder, and whether the service puts the words in its place."""
    if d.assistant.kind == "summary":
        return Reply("[NAME_1] has EMAIL_1."), lambda answer: answer.body["summary"] == "Okonkwo has ann.lindqvist@example.com."
    chosen = chosen_parameters(s.plan, d.entity)
    texts = [n for n, schema in chosen.items() if schema == {"type": "string"}]
    if d.assistant.kind == "search" and texts:
        return Reply({texts[0]: "[NAME_1]"}), lambda answer: str(answer.body["list"]).endswith(f"?{texts[0]}=Okonkwo")
    return d.good, lambda answer: True


async def _row(d: Desk, s: Session) -> None:
    expect(await d.send(s, _NOWHERE, None), 404, "there is no such row")
    source = d.entity.field(d.assistant.source)
    assert source is not None
    if s.blueprint.read_access(d.entity).who is Who.OWNER:
        row = await s.create(d.entity, user="ann")
        expect(await d.send(s, row["id"], None, await d.headers(s, "bob")), 404, "the row of another")
    if not source.required and source.default is None and source.computed is None and source.name not in s.tied(d.entity):
        row = await s.create(d.entity, {source.name: None})
        if row[source.name] is None:
            expect(await d.send(s, row["id"], None), 422, "there is no text")
    if source.type is FieldType.LONG_TEXT and source.maximum is None and source.pattern is None and source.name not in s.tied(d.entity):
        row = await s.create(d.entity, {source.name: "long " * 2500})
        expect(await d.send(s, row["id"], None), 422, "the text is longer than any that a model is shown")


async def _unsound(d: Desk, s: Session) -> None:
    own = [Reply(content) for content in hostile.answers(d.assistant.kind, d.values)]
    any_kind = [Reply(body=body) for body in hostile.BODIES]
    row = await d.row(s) if d.assistant.kind != "search" else {"id": "", d.assistant.source: f"Which ones? Number {s.number()}"}
    text = row[d.assistant.source]
    body = {"question": text} if d.assistant.kind == "search" else None
    for reply in [*own, *d.some(any_kind)]:
        d.bench.expect(text, reply)
        answer = await d.send(s, row["id"], body)
        _refused(answer, f"the model says {(reply.body or str(reply.content))[:80]!r}")


async def _access(d: Desk, s: Session) -> None:
    body = {"question": "Which?"} if d.assistant.kind == "search" else None
    expect(await d.send(s, _NOWHERE, body, {}), 401, "without a credential")
    rule = s.blueprint.read_access(d.entity)
    if rule.who is Who.ROLE and "user" not in rule.roles:
        stranger = await s.account("stranger")
        expect(await d.send(s, _NOWHERE, body, stranger.headers), 403, "another role")


async def _limit(d: Desk, s: Session) -> None:
    again, s.client.again = s.client.again, None
    await s.query('DELETE FROM "rate-limit"')
    try:
        # These are counted, but no model is asked.
        body = {"question": ""} if d.assistant.kind == "search" else None
        answers = await asyncio.gather(*(d.send(s, _NOWHERE, body) for _ in range(PER_MINUTE + 2)))
        refused = [a for a in answers if a.status == 429]
        if len(refused) != 2:
            raise Fault(f"of {PER_MINUTE + 2} requests at once {len(refused)} were refused", answers[-1])
        if not 1 <= int(refused[0].headers.get("retry-after", "0")) <= 60:
            raise Fault("the refusal does not say when to try again", refused[0])
    finally:
        await s.query('DELETE FROM "rate-limit"')
        s.client.again = again


async def _slow(d: Desk, s: Session) -> None:
    answer, _ = await d.asked(s, Reply(silent=True))
    _refused(answer, "the model is silent", 504)
    await _whole(d, s)


async def _whole(d: Desk, s: Session) -> None:
    """One answer ends a row of failures."""
    answer, _ = await d.asked(s, d.good)
    expect(answer, 200, "the model is whole again")


async def _failure(d: Desk, s: Session) -> None:
    broken = Reply(status=503, body=b'{"error": {"message": "hacked"}}')
    answer, seen = await d.asked(s, broken)
    _refused(answer, "the model fails")
    if len(seen) != 2:
        raise Fault(f"a model that fails was asked {len(seen)} times", answer)
    answer, _ = await d.asked(s, broken, d.good)
    expect(answer, 200, "the second try goes well")
    for status in (400, 401, 404):
        answer, seen = await d.asked(s, Reply(status=status, body=b'{"error": {"message": "hacked"}}'))
        _refused(answer, f"the model answers {status}")
        if len(seen) != 1:
            raise Fault(f"a model that refuses was asked {len(seen)} times", answer)
    answer, seen = await d.asked(s, Reply(status=307, headers=(("location", "/elsewhere"),)), d.good)
    _refused(answer, "the model redirects")
    too_long = Reply(status=400, body=b'{"error": {"message": "hacked", "code": "context_length_exceeded"}}')
    answer, _ = await d.asked(s, too_long)
    _refused(answer, "the text is too long for the model", 422)
    await _whole(d, s)


async def _break(d: Desk, s: Session) -> None:
    await _whole(d, s)
    for _ in range(_OPEN_AFTER):
        answer, _ = await d.asked(s, Reply(status=500, body=b"{}"))
        _refused(answer, "the model fails")
    answer, seen = await d.asked(s, d.good)
    _refused(answer, "the model failed several times in a row", 503)
    if seen or not 1 <= int(answer.headers.get("retry-after", "0")) <= 30:
        raise Fault("the model was asked all the same, or Retry-After is not right", answer)
