"""Whole descriptions: the sentences and lists of a service in the order and layout of a style."""

from __future__ import annotations

import random

from clodo.training.generator import phrases as p
from clodo.training.generator import sentences as s
from clodo.training.generator.spec import EntitySpec, FieldSpec, ServiceSpec, service
from clodo.training.variation import slips

Rng = random.Random


def generate(rng: Rng, split: str = "train") -> str:
    """The text of one record in the corpus format; the same for the same state of ``rng``."""
    spec = service(rng, split)
    name = f"=== gen-{rng.randrange(10**9)}"
    if rng.random() < 0.05:
        kind = rng.choices(["vague", "not-a-service", "contradictory"], [4, 4, 2])[0]
        text = s.unclear(rng, kind, spec.domain, spec.entities[0])
        return f"{name} | style=oneliner | domain={spec.domain}\n{text}\n---\nverdict {kind}\n"
    style = rng.choices(["chatty", "terse", "bullets", "story"], [50, 22, 20, 8])[0]
    text, facts = _Document(rng, spec, style).write()
    if rng.random() < 0.15:
        text = slips(text, rng)
    if rng.random() < 0.12:
        text = text.replace(". ", rng.choice([" . ", ", ", "; ", ".. ", "\n"]))
    body = "\n".join(dict.fromkeys(facts))
    return f"{name} | style={style} | domain={spec.domain}\n{text}\n---\n{body}\n"


class _Document:
    def __init__(self, rng: Rng, spec: ServiceSpec, style: str) -> None:
        self.rng, self.spec, self.style = rng, spec, style
        self.facts: list[str] = []
        self.later: list[str] = []
        self.inline = [r for r in spec.relations if r.kind == ">" and rng.random() < 0.3]

    def write(self) -> tuple[str, list[str]]:
        """The marked text and its facts."""
        r = self.rng
        body = [self._entity(e) for e in self.spec.entities]
        body = self._mentioned(body)
        own = [self._said(x) for x in self._relations()]
        tail = own + self.later
        if r.random() < 0.4:
            r.shuffle(tail)
        if r.random() < 0.2 and self.style == "chatty":
            body, tail = own + body, self.later
        tail += self._around()
        opening = [x for x in [self._opening()] if x]
        return self._laid_out(opening, body, tail), self.facts

    def _said(self, said: s.Said) -> str:
        text, facts = said
        self.facts += facts
        return text

    def _relations(self) -> list[s.Said]:
        rest = [x for x in self.spec.relations if x not in self.inline]
        return [s.belongs(self.rng, x) if x.kind == ">" else s.many(self.rng, x) for x in rest]

    def _mentioned(self, body: list[str]) -> list[str]:
        """Entities without a word of their own must still be mentioned by some relation."""
        said = [x for x in self.spec.relations if x not in self.inline]
        related = {x.source.name for x in said} | {x.target.name for x in said}
        out = []
        for e, text in zip(self.spec.entities, body, strict=True):
            if e.fields or e.name not in related or self.rng.random() < 0.5:
                out.append(text)
        return out

    def _around(self) -> list[str]:
        r, out = self.rng, []
        e = r.choice(self.spec.entities)
        if r.random() < 0.17:
            out.append(self._said(s.owned(r, e)))
        elif r.random() < 0.5:
            text, facts = s.access(r, self.spec.entities)
            if facts:
                self.facts += facts
                out.append(text)
        if r.random() < 0.07:
            out.append(self._said(s.extra(r, e)))
        asides = [(0.2, s.wish(r, e)), (0.28, self._chatter()), (0.1, r.choice(s.ACTORS))]
        for share, text in asides:
            if r.random() < share:
                out.insert(r.randrange(len(out) + 1), text)
        while r.random() < 0.12:
            out.append(self._chatter())
        return out

    def _chatter(self) -> str:
        return self.rng.choice(s.CHATTER).format(n=self.rng.randrange(3, 400), year=self.rng.randrange(1950, 2024))

    def _opening(self) -> str:
        if self.rng.random() < 0.4:
            return ""
        domain = self.rng.choice([f"our {self.spec.domain}", f"a {self.spec.domain}", self.spec.domain])
        text = self.rng.choice(s.OPENINGS).format(domain=domain)
        return text if self.rng.random() < 0.8 else text.lower()

    # -- one entity -------------------------------------------------------------------------

    def _entity(self, e: EntitySpec) -> str:
        if self.style == "bullets":
            return self._bullets(e)
        items = [self._item(e, f) for f in e.fields]
        items += [self._said(s.belongs_item(self.rng, x)) for x in self.inline if x.source is e]
        one, many = p.mark(e.words, e.name), p.mark(e.plural, e.name)
        if not items:
            return self.rng.choice([f"There are {many}.", f"We have {many}.", f"We also keep {many}.", f"{many.capitalize()} too."])
        self.rng.shuffle(items)
        if self.style == "terse":
            head = self.rng.choice([one, many, one.capitalize(), many.capitalize()])
            inner = self.rng.choice([", ", ", ", "; ", " / "]).join(items)
            return self.rng.choice([f"{head}: {inner}", f"{head} ({inner})", f"{head} with {inner}", f"{head} - {inner}", f"{head} = {inner}", f"{head} has {inner}"]) + self.rng.choice([".", "", ";"])
        listed = p.joined(self.rng, items)
        if self.style == "story":
            who = self.rng.choice(["librarian", "teacher", "manager", "member", "clerk", "user", "nurse", "planner", "visitor", "owner"])
            return self.rng.choice([
                f"As a {who} I want to {self.rng.choice(['register', 'add', 'manage', 'keep', 'record', 'create'])} {many} with {listed}.",
                f"As a {who} I want to store {listed} for every {one} so that nothing gets lost.",
                f"As a {who}, I can create {p.a(one)} with {listed}.",
            ])  # fmt: skip
        singular, plural = p.a(one), many
        return self.rng.choice([
            f"{plural.capitalize()} have {listed}.", f"{singular.capitalize()} has {listed}.", f"Each {one} has {listed}.",
            f"For every {one} we store {listed}.", f"Every {one} comes with {listed}.", f"We keep {plural} with {listed}.",
            f"There are {plural}, each with {listed}.", f"{plural.capitalize()}: {listed}.", f"We need to know {listed} of each {one}.",
            f"{plural.capitalize()} hold {listed}.", f"{singular.capitalize()} consists of {listed}.", f"I want to record {plural}: {listed}.",
            f"For {singular} please save {listed}.", f"What matters about {singular} is {listed}.", f"{plural.capitalize()} ({listed}).",
            f"{singular.capitalize()} is described by {listed}.", f"Then there are {plural}, which carry {listed}.", f"Store {plural} with {listed}.",
            f"{singular.capitalize()} needs {listed}.", f"Of each {one} we note {listed}.", f"The {one} stores {listed}.", f"{listed.capitalize()} are kept for every {one}.",
            f"Also {plural} with {listed}.", f"{plural.capitalize()} get {listed}.", f"A single {one} is made up of {listed}.",
        ])  # fmt: skip

    def _item(self, e: EntitySpec, f: FieldSpec) -> str:
        """A field in running text, its rules beside it or in later sentences."""
        r = self.rng
        notes: list[str] = []
        tail = ""
        attrs = [] if f.type == "text" else [f.type]
        prose = self.style in ("chatty", "story")
        late = prose and r.random() < 0.45
        if f.type == "enum":
            tail = p.enum_note(r, f)
        if f.low is not None or f.high is not None:
            if late and r.random() < 0.6:
                self.later.append(p.bounds_sentence(r, e, f))
            else:
                text, shape = p.bounds(r, f)
                if shape == "tail" and not tail:
                    tail = (" of " if r.random() < 0.3 and not text.startswith("of ") else " ") + text
                else:
                    notes.append(text)
        if f.min_length or f.max_length:
            notes.append(p.length_note(r, f))
        if f.required:
            if late:
                self.later.append(p.required_sentence(r, e, [f]))
            else:
                attrs.append("!")
                notes.append(r.choice(p.REQUIRED))
        if f.optional:
            attrs.append("?")
            notes.append(r.choice(p.OPTIONAL))
        if f.unique:
            if late or (prose and r.random() < 0.3):
                self.later.append(p.unique_sentence(r, e, f))
            else:
                attrs.append("u")
                notes.append(r.choice(p.UNIQUE))
        if f.default is not None:
            if late:
                self.later.append(p.default_sentence(r, e, f))
            else:
                notes.append(p.default_note(r, f))
        if f.search:
            self.later.append(self._search(e, f))
        r.shuffle(notes)
        text = self._noun(f, attrs) + (tail if tail.startswith((" ", ":", ",")) or not tail else f" {tail}")
        if f.optional and prose and r.random() < 0.4 and len(notes) == 1:
            return f"an optional {p.mark(f.words, ' '.join([f.path, *attrs]))}{tail}"
        if f.unique and "u" in attrs and len(notes) == 1 and not tail and r.random() < 0.25:
            return f"a unique {p.mark(f.words, ' '.join([f.path, *attrs]))}"
        if not notes:
            return text
        return text + r.choice([f" ({', '.join(notes)})", f" ({'; '.join(notes)})", f", {' and '.join(notes)},", f" - {', '.join(notes)}"][: 3 if prose else 4])

    def _noun(self, f: FieldSpec, attrs: list[str]) -> str:
        r = self.rng
        m = p.mark(f.words, " ".join([f.path, *attrs]))
        if f.type == "bool":
            return r.choice([f"whether it is {m}", f"a {m} flag", f"{m} (yes/no)", f"if it is {m}", f"{m}", f"{m} yes/no", f"{m} (true or false)", f"a boolean {m}", f"whether or not it's {m}", f"{m}?"])
        if f.type == "int" and f.words.endswith("s"):
            return r.choice([m, m, f"the number of {m}", f"how many {m}", f"number of {m}"])
        if f.type == "int" and f.words in ("duration", "length", "runtime", "minutes"):
            return f"{r.choice(['the ', ''])}{m} in {r.choice(['minutes', 'seconds', 'hours'])}"
        if f.type in ("dec", "int") and r.random() < 0.15:
            return f"{m} in {r.choice(['kilos', 'metres', 'percent', 'degrees', 'km', 'cm', 'points'])}"
        if self.style in ("chatty", "story"):
            return r.choice([p.a(m), p.a(m), f"the {m}", f"its {m}", m])
        return m

    def _search(self, e: EntitySpec, f: FieldSpec) -> str:
        m = p.field(f, "s")
        many = p.mark(e.plural, e.name)
        return self.rng.choice([f"It should be possible to search {many} by {m}.", f"I want to search the {m}.", f"Full text search over the {m} of {many}.", f"{many.capitalize()} can be searched by {m}.", f"We need a search on {m}."])

    def _bullets(self, e: EntitySpec) -> str:
        r = self.rng
        head = r.choice([p.mark(e.words, e.name), p.mark(e.plural, e.name)])
        head = head if r.random() < 0.4 else "[" + head[1:2].upper() + head[2:]
        items = [self._item(e, f) for f in e.fields]
        items += [self._said(s.belongs_item(r, x)) for x in self.inline if x.source is e]
        dash = r.choice(["- ", "* ", "• ", "– "])
        if r.random() < 0.5 or not items:
            return f"{dash}{head}{r.choice([': ', ' - ', ': ', ' – '])}{', '.join(items) or 'just a list'}"
        return "\n".join([r.choice([f"{head}:", f"{head}", f"## {head}", f"{dash}{head}"])] + [f"  {dash}{i}" for i in items])

    def _laid_out(self, opening: list[str], body: list[str], tail: list[str]) -> str:
        r = self.rng
        if self.style == "bullets":
            dash = r.choice(["- ", "* ", "", ""])
            return "\n".join(opening + body + [f"{dash}{t}" for t in tail])
        glue = " " if r.random() < 0.8 else "\n"
        if self.style == "terse" and r.random() < 0.4:
            glue = "\n"
        return glue.join(opening + body + tail)
