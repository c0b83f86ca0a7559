"""Single steps in workerd, held against Python on many odd texts: tokens, sentences, names, spelling, numbers; and on what the
corpus means: blueprints of drafts, with all that cues add to them."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from evals.edge_agreement import MODEL

from clodo.blueprint import format_blueprint
from clodo.blueprint.text import number as plain
from clodo.corpus.gold import gold_draft
from clodo.corpus.splits import load_split
from clodo.edge.bundle import Bundle
from clodo.edge.platform.serving import served_bundle
from clodo.toolchain import Toolchain
from clodo.understand import naming, nominals, numbers, verbs
from clodo.understand.ages import with_ages
from clodo.understand.compiler import compile_draft
from clodo.understand.coverage import unexplained
from clodo.understand.cue_labels import CUES
from clodo.understand.draft import Draft, DraftCue, DraftValue, Evidence, Filler
from clodo.understand.irregular_verbs import FRONTS
from clodo.understand.labels import VALUE_ROLES
from clodo.understand.questions import notes_on, questions_for
from clodo.understand.reading import known_words, load_tokenizer, read
from clodo.understand.spelling import Speller, name_words
from clodo.understand.standing import standing, taken
from tests.understand.services import LIMIT_RECORDS, MAIL_RECORDS, RECORDS, STEP_RECORDS
from tests.understand.test_ages import CLASSES, HEARD, LENGTHS, heard
from tests.understand.test_ages import SAID as AGES
from tests.understand.test_compiler import CROSSED, SECRETS, USERS
from tests.understand.test_creators import ADDED, CREATORS, OTHERS
from tests.understand.test_cues import CASES, DELETERS, ORDER, STEPS, TIMES, record_of, timed
from tests.understand.test_given_and_others import CARD, FACTS, GIVEN_STEPS, OWN_USES, OWNERS
from tests.understand.test_locks import ORDERS as LOCKED
from tests.understand.test_locks import SAID as LOCKS
from tests.understand.test_questions import ABSTAINING, odd_words
from tests.understand.test_rates import SAID as RATES
from tests.understand.test_rates import TASK
from tests.understand.test_receivers import FACTS as VISIT_FACTS
from tests.understand.test_receivers import SAID as MAILS
from tests.understand.test_receivers import VISIT, evident
from tests.understand.test_runs import ORDERS
from tests.understand.test_runs import SAID as RUNS
from tests.understand.test_standing import spread
from tests.understand.test_uploads import DROP, UPLOADED
from tests.understand.test_uploads import SAID as UPLOADS
from tests.understand.test_uploads import TOLD as UPLOADERS
from tests.understand.test_verbs import FORMS, WRITTEN
from tests.understand.test_who_takes import CLAIM, KEPT, OF_ITEM, STAFF, THEMSELVES
from tests.understand.test_who_takes import SAID as WHO_TAKES

pytestmark = pytest.mark.workerd

PROBE = Path(__file__).with_name("probe.ts")


@pytest.fixture(scope="module")
def probe(made: Bundle, toolchain: Toolchain) -> Iterator[httpx.Client]:
    """A Worker that answers what single steps make of texts."""
    front = made.workers[0]
    front = replace(front, sources={**front.sources, "src/index.ts": PROBE.read_text("utf-8")})
    with served_bundle(replace(made, workers=(front,)), toolchain) as running, httpx.Client(base_url=running.url, timeout=120) as client:
        yield client


def asked(probe: httpx.Client, texts: list[str]) -> list[dict[str, Any]]:
    answer = probe.post("/", json=texts)
    assert answer.status_code == 200, answer.text
    return list(answer.json())


def odd_texts(count: int) -> list[str]:
    """Texts of words, signs and characters of all scripts, the same each time."""
    dice = random.Random(5)
    words = [*name_words()]
    scripts = [(0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x5FF), (0x600, 0x6FF), (0x900, 0xDFF), (0x1E00, 0x206F), (0x20A0, 0x2BFF),
               (0x3000, 0x3029), (0x3030, 0x30FF), (0x4E00, 0x4FFF), (0xAC00, 0xADFF), (0xF900, 0xFAFF), (0xFE00, 0xFFFD), (0x1D400, 0x1D7FF), (0x1F300, 0x1FAFF), (0, 0x1F)]  # fmt: skip

    def piece() -> str:
        kind = dice.random()
        if kind < 0.45:
            return dice.choice(words)
        if kind < 0.55:
            return dice.choice(["[MASK]", "[CLS]", "don't", "e-mail", "author's", "pH", "orderId", "1,000.50", "new→paid", "→ok", "x" * 120, "\n", "¶", "...", "!?"])
        low, high = dice.choice(scripts)
        return "".join(chr(dice.randint(low, high)) for _ in range(dice.randint(1, 4)))

    return ["".join(piece() + dice.choice([" ", " ", "", ". ", ", "]) for _ in range(dice.randint(1, 30))) for _ in range(count)]


def test_texts_are_read_alike(probe: httpx.Client) -> None:
    tokenizer = load_tokenizer(MODEL)
    texts = odd_texts(400)
    for text, found in zip(texts, asked(probe, texts), strict=True):
        here = read(text, tokenizer)
        # JavaScript counts in UTF-16 units.
        at = [len(text[:i].encode("utf-16-le")) // 2 for i in range(len(text) + 1)]
        assert found["pieces"] == here.pieces, text
        assert [tuple(w) for w in found["words"]] == [(at[a], at[b]) for a, b in here.words], text
        assert (found["first"], found["last"], found["sentences"]) == (here.first, here.last, here.sentences), text
        assert found["end"] == at[here.end]


def test_names_are_made_alike(probe: httpx.Client) -> None:
    dice = random.Random(7)
    words = [*name_words()]
    ends = ["s", "es", "ies", "ves", "men", "mice", "ices", "oes", "a", "i", "ae", "us", "xes", "zzes", "ches", "people", ""]
    texts = [f"{dice.choice(words)}{dice.choice(ends)}" for _ in range(500)]
    texts += [f"{verb}{end}" for verb in (*nominals.VERBS, *nominals.BOTH, *nominals.PHRASAL) for end in ("", "s", "d", "ed", "ing")]
    texts += [f"{dice.choice(words)} {dice.choice(['of the', chr(39) + 's', 'no', '-', '2'])} {dice.choice(words).title()}s" for _ in range(100)]
    texts += ["score a", "a", "Team A", "co2", "CO2 level", "10x15", "A2", "orderId2", "out of order", "senseis", "alias", "DJs", "mechanics", "work_mail email", "Cafés", "Größe", "naïve Façades", "Smørrebrød", "Øre no", "łódź", "ﬁle m²", "Ǆungla", "ΑΒΓ", "crème brûlées"]
    for text, found in zip(texts, asked(probe, texts), strict=True):
        assert found["entity"] == naming.entity_name(text), text
        assert found["field"] == naming.field_name(text), text
        assert found["things"] == [nominals.thing_name(text, before, behind) for before in ("can", "customers", "the", "") for behind in ("", "up", "in")], text
        if text.isalpha():
            assert found["singular"] == naming.singular(text), text


def test_steps_are_named_alike(probe: httpx.Client) -> None:
    texts = [form for forms in FORMS for form in forms] + [said for said, _ in WRITTEN] + ["misused", "reused", "untied", "retying", "bussed", "gassed", "founded"]
    fronted = [front + form for front in FRONTS for form in ("coded", "rating", "tagged", "moved", "listed", "added", "carried", "focused", "panicked", "felled")]
    for text, found in zip(texts + fronted, asked(probe, texts + fronted), strict=True):
        assert found["verb"] == [verbs.base_form(text), verbs.step_name(text), verbs.participle(text)], text


def test_slips_are_mended_alike(probe: httpx.Client) -> None:
    dice = random.Random(9)
    words = [*name_words()]
    known = known_words(load_tokenizer(MODEL))

    def slipped(word: str) -> str:
        at = dice.randrange(len(word))
        kind = dice.randrange(4)
        if kind == 0:
            return word[:at] + word[at + 1 :] or word
        if kind == 1:
            return word[:at] + word[at] + word[at:]
        if kind == 2:
            return word[:at] + dice.choice("abcdefghijklmnopqrstuvwxyz") + word[at + 1 :]
        return word[:at] + word[at : at + 2][::-1] + word[at + 2 :]

    texts = [" ".join(slipped(dice.choice(words)) for _ in range(2)) for _ in range(40)]
    for text, found in zip(texts, asked(probe, texts), strict=True):
        assert found["mended"] == Speller(known)(text), text


def test_numbers_are_read_alike(probe: httpx.Client) -> None:
    dice = random.Random(11)
    words = ["one", "a", "an", "dozen", "hundred", "thousand", "million", "twenty", "five", "zero", "minus", "non", "negative", "and", "k", "m", "-"]
    texts = [" ".join(dice.choice(words) for _ in range(dice.randint(1, 5))) for _ in range(800)]
    signs = "0123456789.,' -k٣५１"
    texts += ["".join(dice.choice(signs) for _ in range(dice.randint(1, 12))) for _ in range(800)]
    texts += ["9" * 40 + ".5", "minus 0", "-.50", "12345678901234567890123456785 thousand"]
    for text, found in zip(texts, asked(probe, texts), strict=True):
        here = numbers.number(text)
        assert found["number"] == (None if here is None else plain(here)), text


def told(draft: Draft) -> dict[str, Any]:
    """A draft as the probe takes it."""
    entities = [
        {
            "name": e.name, "flags": sorted(e.flags), "readRoles": e.read_roles, "writeRoles": e.write_roles, "together": e.together, "spans": e.evidence.spans, "confidence": e.evidence.confidence,
            "fields": [
                (key, {
                    "name": f.name, "type": f.type, "flags": sorted(f.flags), "target": f.target, "referenceFlags": sorted(f.reference_flags),
                    "steps": f.steps, "spans": f.evidence.spans,
                    "values": [{"role": v.role, "words": v.words, "spans": v.evidence.spans} for v in f.values],
                })
                for key, f in e.fields.items()
            ],
        }
        for e in draft.entities.values()
    ]  # fmt: skip
    return {
        "entities": entities,
        "relations": [{"source": r.source, "target": r.target, "kind": r.kind, "flags": sorted(r.flags), "spans": r.evidence.spans} for r in draft.relations],
        "cues": [
            {"kind": c.kind, "words": c.words, "slots": [(slot, [asdict(f) for f in found]) for slot, found in c.slots.items()], "spans": c.evidence.spans}
            for c in draft.cues
        ],
        "access": draft.access, "serviceType": draft.service_type, "name": draft.name, "verdict": draft.verdict, "loose": draft.loose, "clash": draft.clash, "unsupported": draft.unsupported, "roles": draft.roles, "heard": draft.heard, "chatter": draft.chatter,
        # Places are told in characters, of which JavaScript takes some for two.
        "text": re.sub("[^\u0000-\uffff]", "?", draft.text),
    }  # fmt: skip


def test_drafts_become_the_same_blueprints(probe: httpx.Client) -> None:
    """Each kind of cue is among them, several times where the corpus has it."""
    drafts = [gold_draft(r) for r in load_split("valid")]
    seen: Counter[str] = Counter()
    chosen = []
    for draft in drafts:
        if any(seen[cue.kind] < 2 for cue in draft.cues):
            seen.update(cue.kind for cue in draft.cues)
            chosen.append(draft)
    chosen += [d for d in drafts if not d.cues][:20]
    chosen += [gold_draft(record_of(text, *facts)) for text, facts, _ in CASES]
    chosen += [gold_draft(record_of(ORDER + text, "order > customer", *facts)) for text, facts, *_ in (*DELETERS, *CREATORS)]
    said = "[clerks|ROLE:clerk] [{}|@action of=order by=role:clerk] [orders|order]"
    chosen += [gold_draft(record_of(ORDER + said.format(words), "order > customer", "write order role:boss")) for words in (*ADDED, *OTHERS)]
    chosen += [gold_draft(record_of(timed(said, slots), "order > customer")) for said, slots, _ in TIMES]
    chosen += [gold_draft(record_of(ORDER + text, "order > customer", *facts)) for text, facts, *_ in STEPS]
    hold_alike(probe, chosen)


def test_what_stands_of_drafts_and_what_is_shown_is_the_same(probe: httpx.Client) -> None:
    """Each part rests on words of its own; some words are chatter, and some values are heard."""
    dice = random.Random(19)
    chosen = [spread(gold_draft(r)) for r in load_split("valid")[::60]]
    for draft in chosen:
        words = [m.span() for m in re.finditer(r"\w+|[^\w\s]", draft.text)]
        draft.chatter = [(word, dice.choice([0.1, 0.6, 0.95])) for word in words]
        draft.roles = [m.span() for m in re.finditer("[a-z]+ers", draft.text)]
        draft.heard = dice.sample(words, min(3, len(words)))
        for e in draft.entities.values():
            for f in e.fields.values():
                f.values += [DraftValue(dice.choice(VALUE_ROLES), dice.choice(["5", "7", "open", "no"]), Evidence(spans=[(9, 10)]))] if dice.random() < 0.3 else []
    hold_alike(probe, chosen)


def test_secrets_and_users_become_the_same_blueprints(probe: httpx.Client) -> None:
    hold_alike(probe, [*SECRETS, *USERS, CROSSED])


def test_questions_on_what_was_heard_are_the_same(probe: httpx.Client) -> None:
    hold_alike(probe, [*ABSTAINING, *(replace(d, text=d.text.replace("send", w)) for d in ABSTAINING for w in odd_words(60) if len(w) == 4)])


def test_services_without_entities_become_the_same_blueprints(probe: httpx.Client) -> None:
    hold_alike(probe, [gold_draft(r) for r in RECORDS])


def test_mails_go_to_the_same_and_the_same_is_told_of_them(probe: httpx.Client) -> None:
    marked = [*MAIL_RECORDS, *(record_of(VISIT + said, *VISIT_FACTS, *facts) for said, facts, *_ in MAILS)]
    long = "[Tell|@notify of=visit] all {}the [guests|guest] of one, [say|@notify of=visit to=guest] it to each [guest|guest] and {}to all."
    marked += [record_of(VISIT + long.format(*["in so many words " * n] * 2), *VISIT_FACTS) for n in (0, 1, 40)]
    hold_alike(probe, [draft for r in marked for draft in (gold_draft(r), evident(r))])


def test_how_often_something_may_be_done_becomes_the_same_blueprints(probe: httpx.Client) -> None:
    chosen = [gold_draft(r) for r in LIMIT_RECORDS]
    chosen += [gold_draft(record_of(TASK + said, "task > team", *facts)) for said, facts, *_ in RATES]
    hold_alike(probe, [*chosen, *odd_rates(200)])


def test_files_that_are_given_with_steps_become_the_same_guards(probe: httpx.Client) -> None:
    # A file that is too large for any is none, and what asks for it is left out.
    texts = [DROP + said for said, *_ in UPLOADS] + [f"{DROP}{said}, up to [{size}|delivery.photo =max] MB" for said, *_ in UPLOADS[:3] for size in (5, 900)]
    uploaded = [record_of(UPLOADED.format(role) + "There are [bosses|ROLE:boss].", *facts) for role, facts, _ in UPLOADERS]
    hold_alike(probe, [gold_draft(r) for r in [*(record_of(text, "delivery > shop", "stop > delivery") for text in texts), *uploaded]])


def odd_rates(count: int) -> list[Draft]:
    """Drafts with limits of all kinds, some of which count the same, the same each time."""
    dice = random.Random(29)
    words = ["edits", "deletes", "writes", "edit or delete", "max", "shut", "close", "open", "locked"]

    def draft() -> Draft:
        made = gold_draft(record_of(TASK, "task > team", *dice.choice([(), ("access login",), ("access key",), ("access login-write",), ("own task",), ("access login", "write task role:boss")])))
        for at in range(dice.randint(1, 4)):
            kind = dice.choice(["action", "action", "job", "limit-user", "limit-address", "limit-key"])
            slots = {"of": [Filler(name) for name in dice.choice([["task"], ["task"], ["team"], ["team", "task"]])], "n": [Filler(words=dice.choice(["3", "twice", "9", "some", "2.5"])) for _ in range(dice.choice([1, 1, 2]))]}
            slots |= {"per": [Filler(words=dice.choice(["hour", "day", "second", "week", "minutes"]))]} if dice.random() < 0.9 else {}
            if kind in ("action", "job"):
                slots |= {"by": [Filler(role=dice.choice(["boss", "clerk", "user", "owner"]))]} if dice.random() < 0.4 else {}
                slots |= {"plus": [Filler("task", "points")]} if dice.random() < 0.2 else {}
                slots |= {"when": [Filler("task", "done")]} if dice.random() < 0.3 else {}
            elif dice.random() < 0.2:
                del slots["of"]
            made.cues.append(DraftCue(kind, dice.choice(words), slots, Evidence(spans=[(2 + at, 3 + at)])))
        return made

    return [draft() for _ in range(count)]


def test_what_is_given_with_steps_and_conditions_on_other_rows_become_the_same_blueprints(probe: httpx.Client) -> None:
    chosen = [gold_draft(r) for r in STEP_RECORDS]
    chosen += [gold_draft(record_of(CARD + said, *FACTS)) for said, *_ in GIVEN_STEPS]
    chosen += [gold_draft(record_of(OWN_USES.format("any"), *facts)) for facts in OWNERS]
    hold_alike(probe, [*chosen, *odd_steps(400)])


def test_steps_that_are_taken_at_times_become_the_same_schedules(probe: httpx.Client) -> None:
    chosen = [gold_draft(record_of(ORDERS + said, "note > order", *facts)) for said, *_ in RUNS for facts in ((), ("own note",))]
    made = "They are [noted|@action of=order makes=note]. [Every|@every of=order n=#noted per=#night] [night|#] they are [noted|#]"
    chosen += [gold_draft(record_of(ORDERS + made, "note > order", *facts)) for facts in ((), ("own note",))]
    hold_alike(probe, chosen)


def test_ages_of_rows_become_the_same_lines(probe: httpx.Client) -> None:
    hold_alike(probe, [gold_draft(record_of(f"{CLASSES}{said}.")) for said, *_ in AGES])
    hold_alike(probe, [heard(said, words) for said, words, _ in HEARD], "/aged")
    units = [(said[said.index("[") + 1 : said.index("]")], said.replace("]", "|#]")) for said, _ in LENGTHS]
    hold_alike(probe, [gold_draft(record_of(f"{CLASSES}[delete|@expire of=class from=class.start per=#{unit}] those {said}")) for unit, said in units])


def test_locks_that_name_people_become_the_same_blueprints(probe: httpx.Client) -> None:
    hold_alike(probe, [gold_draft(record_of(LOCKED + said, *facts)) for said, facts, *_ in LOCKS])


def test_who_takes_steps_and_when_become_the_same_blueprints(probe: httpx.Client) -> None:
    chosen = [gold_draft(record_of(CLAIM + said, OF_ITEM, *facts)) for said, facts, *_ in WHO_TAKES]
    chosen += [gold_draft(record_of(STAFF + said)) for said, *_ in THEMSELVES] + [gold_draft(record_of(f"{CLAIM}There is a [boss|ROLE:boss]. They are {said}.", OF_ITEM)) for said, _ in KEPT]
    hold_alike(probe, [*chosen, *odd_takers(600)])


def odd_takers(count: int) -> list[Draft]:
    """Drafts with steps of which several cues speak, who may take them and when, the same each time."""
    dice = random.Random(31)
    people = [Filler(role=role) for role in ("boss", "chief", "admin", "owner", "own", "user")]
    states = [Filler("claim", "paid"), Filler("claim", "state", "shut"), Filler("claim", "state", "new"), Filler("item", "kind", "trip"), Filler("item")]
    outcomes = [*[Filler("claim", "state", "fine")] * 9, Filler("claim", "paid")]
    figures = [*[Filler("claim", "amount")] * 6, Filler("item", "cost"), Filler("item", "kind", "meal"), Filler("item")]
    facts = [(), (), (), ("own claim",), ("own-write claim",), ("own-write claim",), ("own claim", "read claim role:boss"), ("write claim role:boss",), ("access key",), ("access login",)]

    def draft() -> Draft:
        made = gold_draft(record_of(CLAIM + "over [5|#], under [9|#], at most [two|#]", OF_ITEM, *dice.choice(facts)))
        numbers = [Filler(words=words, at=(at := made.text.rindex(words), at + len(words))) for words in ("5", "9", "two")]
        for at in range(dice.randint(1, 4)):
            slots = {"of": [Filler("claim")]} if dice.random() < 0.95 else {}
            for slot, some, often in (("by", people, 0.6), ("unless", people[4:5], 0.2), ("unless", states, 0.1), ("when", states, 0.2), ("below", figures, 0.3), ("over", figures, 0.3), ("set", outcomes, 0.3)):
                slots |= {slot: dice.sample(some, dice.choice([1, 1, 1, 2]) if slot == "by" else 1)} if dice.random() < often else {}
            slots |= {"n": dice.sample(numbers, dice.choice([1, 1, 2]))} if slots.keys() & {"below", "over"} else {}
            words = dice.choice([*["approve", "approve", "approved", "need", "never", "does"] * 2, "shut", "edit"])
            made.cues.append(DraftCue(dice.choice(["action"] * 15 + ["job"]), words, slots, Evidence(spans=[(20 + at, 21 + at)])))
        dice.shuffle(made.cues)
        return made

    return [draft() for _ in range(count)]


def odd_steps(count: int) -> list[Draft]:
    """Drafts with steps whose slots hold anything, the same each time."""
    dice = random.Random(23)
    fields = {"card": ["code", "balance", "limit", "seats", "state", "holder"], "holder": ["name", "credit"], "use": ["cost", "paid", "kind", "pin", "used_at"]}
    values = {"state": "shut", "kind": "meal"}

    def filler(slot: str) -> Filler:
        entity = dice.choice([*fields])
        field = dice.choice(fields[entity])
        if slot in ("plus", "minus", "below", "over") and dice.random() < 0.8:
            entity, field = dice.choice([("card", "balance"), ("card", "limit"), ("holder", "credit"), ("use", "cost")])
        if slot in ("to", "unset") and dice.random() < 0.8:
            entity, field = "use", {"to": "used_at", "unset": "paid"}[slot]
        if slot in ("of", "makes") or (slot not in ("plus", "minus", "to") and dice.random() < 0.15):
            return Filler(entity)
        if slot == "n" and dice.random() < 0.7:
            return Filler(words=dice.choice(["5", "some", "any amount", "how many"]))
        return Filler(entity, field, values.get(field, "") if dice.random() < 0.7 else "")

    def draft() -> Draft:
        made = gold_draft(record_of(CARD, *FACTS))
        for at in range(dice.randint(1, 2)):
            some = dice.sample([s for s in CUES["action"] if s not in ("by", "per", "of", "from")], dice.randint(1, 4))
            slots = {s: [filler(s) for _ in range(dice.choice([1, 1, 1, 2]))] for s in some}
            kind, words = dice.choice(["action", "action", "job"]), dice.choice(["close", "mark", "deleted", "locked"])
            made.cues.append(DraftCue(kind, words, {"of": [Filler("card") if dice.random() < 0.7 else filler("of")], **slots}, Evidence(spans=[(2 + at, 3 + at)])))
        return made

    return [draft() for _ in range(count)]


def test_odd_paths_addresses_and_rules_come_to_the_same(probe: httpx.Client) -> None:
    hold_alike(probe, [*odd_gateways(300), *odd_sites(150)])


SAID = {
    "from": ["/a", "/orders", "/orders/*", "/orders/{id}", "GET /b", "orders", "the orders", "/", "*", "everything else", "`/A/b`", "https://x.example/c?d", "/Ä", "/health", "/docs/x", "/a/../b",
             "//a", "/api/v1/x", "/orders…", "/x.y", "/auth,", "/api/auth/x", "/metrics", "/old-*", "X-Api-Version", "Host", "Server:",
             "/a/search", "/first/of/all", "404", "What is not found", "unknown paths", "/missing"],
    "to": ["https://a.example", "https://api.b.example/v1/", "a.example", "localhost:3000", "10.0.0.5:80", "orders:8080", "https://u:p@a.example", "the shop", "https://a.example:99999", "HTTPS://A.example",
           "print-server.example", "/new", "/new/*", "/", "https://shop.example/x", "about.html", "2", "no-store", "“x”", "ü", "404.html", "/lost.htm", "index.html", "our own page 404", "dist", "`./public/`", "the folder www", "web/out",
           "src/pages", "two folders here", "Migrations", "html", "the page"],
    "n": ["GET", "post and put", "reading", "writes", "twice", "3", "0", "9", "10", "1.5", "60", "500", "100000", "any", "X-A", "Server", "get, post, put, patch, delete", "ETag", "x-a", "X Powered"],
    "per": ["second", "seconds", "minute", "hour", "day", "week", "ms", "milliseconds", "minuets"],
}  # fmt: skip


def odd_gateways(count: int) -> list[Draft]:
    """Drafts of gateways, some of nonsense, the same each time."""
    dice = random.Random(13)
    kinds = ["route", "route", "route", "retry", "timeout", "header-set", "header-remove", "limit-address", "limit-key", "limit-user", "cache", "metrics", "manage-roles", "redirect", "spa", "custom-code"]
    return [
        Draft(
            cues=[DraftCue("route", "to", {"from": [Filler(words="/first")], "to": [Filler(words="https://first.example")]}, Evidence(spans=[(0, 1)])), *odd_cues(dice, kinds)],
            access=dice.choice(["unstated", "none", "key", "key-write", "login", "login-write"]), service_type=dice.choice(["api-gateway", "unstated", "static-site"]),
        )
        for _ in range(count)
    ]  # fmt: skip


def odd_sites(count: int) -> list[Draft]:
    dice = random.Random(17)
    return [Draft(cues=odd_cues(dice, ["redirect", "redirect", "route", "spa", "header-set", "header-remove", "header-remove", "cache"]), service_type="static-site") for _ in range(count)]


def odd_cues(dice: random.Random, kinds: list[str]) -> list[DraftCue]:
    cues = []
    for at in range(dice.randint(1, 5)):
        kind = dice.choice(kinds)
        slots = {s: [Filler(words=dice.choice(SAID[s])) for _ in range(dice.choice([1, 1, 1, 2]))] for s in CUES[kind] if s in SAID and dice.random() < (0.4 if kind == "route" and s == "n" else 0.6 if s == "from" else 0.9)}
        if "by" in CUES[kind] and dice.random() < 0.2:
            slots["by"] = [Filler(role=dice.choice(["clerk", "user", "admin"]))]
        cues.append(DraftCue(kind, dice.choice(["goes to", "temporarily leads to", "for a minute"]), slots, Evidence(spans=[(2 + at, 3 + at)])))
    return cues


def hold_alike(probe: httpx.Client, chosen: list[Draft], path: str = "/drafts") -> None:
    """The blueprints of drafts here and in workerd, with what is left over and what is told. At ``/aged`` they get the ages that are heard."""
    answer = probe.post(path, json=[told(d) for d in chosen])
    assert answer.status_code == 200, answer.text
    for draft, found in zip(chosen, answer.json(), strict=True):
        if path == "/aged":
            with_ages(draft)
        blueprint, left = compile_draft(draft)
        assert found["text"] == (None if blueprint is None else format_blueprint(blueprint))
        assert sorted(map(tuple, found["left"])) == sorted(left)
        said = replace(draft, text=told(draft)["text"])
        assert tuple(found["questions"]) == questions_for(said, blueprint)
        stands = standing(said, blueprint, left)
        assert tuple(found["notes"]) == notes_on(replace(said, mended={}), blueprint, stands)
        assert sorted(map(tuple, found["taken"])) == sorted((s.start, s.end, s.role) for s in taken(stands))
        assert sorted(map(tuple, found["unexplained"])) == sorted(unexplained(stands, said.text, taken(stands), len(said.text)))
