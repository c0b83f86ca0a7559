"""From a cue to lines of the language: what a wish for more than stored rows comes to in this service.

Each kind of cue has one function. It raises :class:`Unsaid` where the text left open what the line would need;
whether the line holds up is for the checks of the language to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from clodo.blueprint.formulas import PERIODS
from clodo.blueprint.text import number, quote
from clodo.blueprint.values import Entity, Field, FieldType
from clodo.understand.ages import Age
from clodo.understand.cue_conditions import SERVICE, USERS, Lines, amount
from clodo.understand.cue_names import Names, Unsaid, only, only_number
from clodo.understand.draft import DraftCue, Filler
from clodo.understand.naming import plural, words
from clodo.understand.nearby import behind
from clodo.understand.numbers import number as number_in
from clodo.understand.periods import LENGTHS, period_of
from clodo.understand.rates import rate, writes_of
from clodo.understand.receivers import receivers
from clodo.understand.reminders import reminded
from clodo.understand.schedules import KEPT, Run, in_days, now_of, passed, running, unticked
from clodo.understand.states import is_true
from clodo.understand.step_lines import StepWriter, spoken
from clodo.understand.times import PART_OF_DAY, times, usual_time
from clodo.understand.uploads import is_upload, with_uploads

_TEMPORAL = (FieldType.DATE, FieldType.DATETIME)


def lines_of(cue: DraftCue, names: Names, *, apart: bool = False, runs: Sequence[Run] = (), age: Callable[[], Age | None] | None = None) -> Lines:
    """What a cue comes to. ``apart``: it is a step that its outcome tells from another of the same verb; ``runs``: the actions that are
    run where it is a schedule; ``age``: the length of time that it speaks of, where more than its slots may tell it.

    Raises:
        Unsaid: the text leaves open what a line would need.
    """
    return Lines() if is_upload(cue, names) else _Writer(with_uploads(cue, names), names, apart=apart, runs=runs, age=age).written()


class _Writer(StepWriter):
    def written(self) -> Lines:
        _WRITERS[self.cue.kind](self)
        return self.out

    # Rules that rows keep.

    def overlap(self) -> None:
        e = self.entity()
        ends = [self.names.field(f)[1].name for name in ("from", "to") for f in self.slot(name)]
        if len(ends) != 2:
            ends = _range(e)
        per = [self._counted_by(e, f) for f in self.slot("per")]
        by = f" per {', '.join(dict.fromkeys(per))}" if per else ""
        self.say(e.name, f"no overlap ({ends[0]}, {ends[1]}){by}{self.where(e)}")

    def at_most(self) -> None:
        e, most = self.entity(), allowed(self.cue)
        per = list(dict.fromkeys(self._counted_by(e, f) for f in self.slot("per") if f.entity or f.role))
        periods = [_period(e, f) for f in self.slot("per") if not f.entity and not f.role]
        limits = [f for f in self.slot("n") if f.field]
        if most is None and limits and per and not periods and "owner" not in per:
            # As many as a field of what they belong to says.
            alike = [*(f"{way} = this.{way}" for way in per), *filter(None, [self.condition(e)])]
            self.say(e.name, f"check count({e.name} where {' and '.join(alike)}) <= {self.names.seen_from(e, limits[0])}")
            return
        if most is None or not (per or periods):
            raise Unsaid
        whose = [", ".join(per)] if per else []
        for by in [[*whose, f"{unit} of {moment}"] for unit, moment in periods] or [whose]:
            self.say(e.name, f"at most {number(most)} per {' per '.join(by)}{self.where(e)}")

    def _counted_by(self, e: Entity, filler: Filler) -> str:
        """A field or a reference of an entity, or whoever made the row."""
        if filler.role:
            return "owner"
        path = self.names.seen_from(e, filler) if filler.field else self.names.way(e, self.names.target(filler))
        if "." in path:
            raise Unsaid
        return path

    def compared(self) -> None:
        if (own := self._itself()) is not None:
            self.say(own[0].name, f"check {own[1]} != this")
            return
        ends = [f for name in ("from", "to") for f in self.slot(name) if f.field]
        if len(ends) != 2:
            raise Unsaid
        # One that has both, or refers to the other, or to both.
        for e in [*(self.names.entity(f) for f in ends), *self.names.blueprint.entities]:
            try:
                greater, lesser = (self.names.seen_from(e, f) for f in ends)
            except Unsaid:
                continue
            order = self._order(ends)
            # What refers to nothing is not the same.
            free = f"{greater} is empty or " if order == "!=" and {greater, lesser} <= {r.name for r in e.references if not r.required} else ""
            self.say(e.name, f"check {free}{greater} {order} {lesser}")
            return
        raise Unsaid

    def _itself(self) -> tuple[Entity, str] | None:
        """The reference of an entity to its own kind that is not to name the row itself; ``None`` where the cue says no such thing."""
        ends = [*self.slot("from"), *self.slot("to")]
        if self.cue.kind != "above" or len(ends) != 2 or not ends[0].entity or ends[0].entity != ends[1].entity or all(f.field for f in ends):
            return None
        e = self.names.entity(ends[0])
        named = [self.names.reference(f) for f in ends if f.field]
        way = named[0][1] if named and named[0] is not None else self.names.way(e, e.name) if not named else ""
        if not any((r.name, r.target) == (way, e.name) for r in e.references):
            raise Unsaid
        return e, way

    def _order(self, ends: list[Filler]) -> str:
        """How two fields are compared: of rows that are referred to none is the greater, so they are to be others."""
        if self.cue.kind != "above":
            return ">="
        return "!=" if all(self.names.reference(f) for f in ends) else ">"

    def every(self) -> None:
        e, age = self.entity(), self.age()
        effects = [] if self.runs else self._outcome(e)
        if not (effects or self.runs) or any("." in effect.partition(" ")[0] for effect in effects):
            raise Unsaid
        conditions = [self.condition(e), *passed(e, [self.names.own(e, f) for f in self.slot("from")], age)]
        # What has the outcome already is left alone.
        conditions += [effect.replace(" = ", " != ", 1) for effect in effects if '"' in effect]
        where = " and ".join(dict.fromkeys(c for c in conditions if c))
        if not where:
            # So are yes/no fields, where nothing else tells which rows are meant.
            where = " and ".join(unticked((name, value) for name, _, value in (effect.partition(" = ") for effect in effects)))
        if not (where or self.runs):
            raise Unsaid
        work = [f"update {e.name} set {', '.join(effects)} where {where}"] if effects else [running(e, run, where) for run in self.runs]
        for time in times(self._times(age), self.cue.words):
            self.say(SERVICE, "\n".join([f"every {time} {{", *(f"  {one}" for one in work), "}"]))

    def _times(self, age: Age | None) -> list[str]:
        """The words for times at which something is done: the numbers and times that are of no age."""
        told = [*self.slot("per"), *(f for f in self.slot("n") if number_in(f.words) is not None)]
        return [self._with_part(f) for f in told if f.words and not f.entity and not any(f is one for one in (age.fillers if age is not None else ()))]

    def _with_part(self, f: Filler) -> str:
        """The words for a time with the part of the day that stands right behind them: "Sunday evening"."""
        part = re.match(PART_OF_DAY, behind(self.names.text, f.at)) if f.at is not None else None
        return f.words + (part[0] if part is not None else "")

    def expire(self) -> None:
        e, age = self.entity(), self.age()
        fillers = [f for f in self.slot("from") if self.names.field_name(f.field) != "created_at"]
        ends = [(self.names.seen_from(e, f), self.names.field(f)[1]) for f in fillers[:1]]
        if (not ends and (age is None or not e.timestamps)) or (re.search(KEPT, self.cue.words.lower()) and not e.soft_delete):
            raise Unsaid
        name, moment = (ends[0][0], now_of(ends[0][1])) if ends else ("created_at", "now")
        if age is not None:
            many, unit = in_days(age.many, age.unit, ends[0][1]) if ends else (age.many, age.unit)
            if unit not in LENGTHS:
                raise Unsaid
            moment = f"{moment} - {unit}s({number(many)})"
        condition = " and ".join(c for c in (f"{name} < {moment}", self.condition(e)) if c)
        if told := self._times(age):
            often = times(told, self.cue.words)
        else:
            often = [usual_time(("hour" if age.unit in ("minute", "hour") else "day") if age is not None else period_of(self.cue.words) or "day")]
        for time in often:
            self.say(SERVICE, f"every {time} {{\n  delete {e.name} where {condition}\n}}")

    def notify(self) -> None:
        e = self.entity()
        to = receivers(self.cue, self.names, e).to
        condition, when = self.condition(e), reminded(self.cue, self.names, e, self.age)
        for one in to:
            if when:
                self.say(e.name, f"remind {one} {when}{f' when {condition}' if condition else ''}")
            else:
                self.say(e.name, f"notify {one} {f'when {condition}' if condition else 'on created'}")

    # Figures.

    def report(self) -> None:
        """Of the rows from which all that it names can be reached."""
        slots = ("of", "from", "when", "unless", "below", "over", "per")
        told = [self.names.entity(f) for name in slots for f in self.slot(name) if f.entity and (f.field or name != "per" or self.slot("of"))]
        for e in dict.fromkeys(told):
            try:
                return self._report(e)
            except Unsaid:
                continue
        raise Unsaid

    def _report(self, e: Entity) -> None:
        show, name = "count", f"number_of_{plural(e.name)}"
        if self.cue.kind != "count":
            measured = [f for f in self.slot("from") if f.field]
            path = self.names.seen_from(e, measured[0]) if measured else only_number(e)
            function = {"sum": "sum", "average": "avg", "highest": "max", "lowest": "min"}[self.cue.kind]
            label = {"sum": "total", "average": "average", "highest": "highest", "lowest": "lowest"}[self.cue.kind]
            show, name = f"{function}({path})", f"{label}_{path.replace('.', '_')}"
        groups, labels = [], []
        for filler in self.slot("per"):
            group, label = self._group(e, filler)
            if label not in labels:
                groups.append(group)
                labels.append(label)
        name = "_".join([name, *self._which()])
        if labels:
            name += f"_by_{'_and_'.join(labels)}"
        lines = [f"report {name[:60].rstrip('_')} {{", f"  from {e.name}{self.where(e)}"]
        if groups:
            lines.append(f"  group by {', '.join(groups)}")
        self.say(SERVICE, "\n".join([*lines, f"  show {show}", "}"]))

    def _which(self) -> Iterator[str]:
        """What a figure's rows are called by its conditions: ``not_paid``, ``open``, ``over_100``."""
        told = [(filler, wanted) for name, wanted in (("when", True), ("unless", False)) for filler in sorted(self.slot(name), key=self._place)]
        for filler, wanted in told:
            f = self.names.field(filler)[1]
            said = spoken(f, filler)
            meant = wanted if f.type is not FieldType.BOOLEAN else is_true(filler) is wanted
            yield "_".join(said if meant else ["not", *said])
        for name, word in (("below", "under"), ("over", "over")):
            most = self.amount()
            for filler in self.slot(name):
                yield f"{self.names.field_name(filler.field)}_{word}" + (f"_{int(most)}" if most is not None and most == int(most) and most >= 0 else "")

    def _place(self, filler: Filler) -> int:
        """Where a field stands in its entity."""
        e, f = self.names.field(filler)
        return e.fields.index(f)

    def _group(self, e: Entity, filler: Filler) -> tuple[str, str]:
        """A column to group by, and what it is called."""
        if filler.field:
            path = self.names.seen_from(e, filler)
        elif filler.entity:
            path = self.names.way(e, self.names.target(filler))
        else:
            period, moment = _period(e, filler)
            return f"{period}({moment}) as {period}", period
        label = path.rpartition(".")[2]
        return (f"{path} as {label}" if "." in path else path), label

    # Fields that follow from others.

    def computed(self) -> None:
        e, f = self._result()
        terms = [self.names.seen_from(e, x) for name in ("from", "to") for x in self.slot(name) if x.field]
        if len(terms) < 2 or f.name in terms or (self.cue.kind == "less" and len(terms) != 2):
            raise Unsaid
        sign = {"times": " * ", "added": " + ", "less": " - "}[self.cue.kind]
        if self.cue.kind != "less":
            # In the order of the fields, whichever the text named first.
            own = [x.name for x in e.fields]
            terms.sort(key=lambda t: (own.index(t) if t in own else len(own), t))
        self.out.computed[e.name, f.name] = sign.join(dict.fromkeys(terms))

    def gathered(self) -> None:
        told = [self.names.entity(x) for name in ("of", "from", "when", "unless") for x in self.slot(name) if x.entity]
        if self.cue.kind == "number-of" and not self.slot("set"):
            self._counted(told)
            return
        e, f = self._result()
        other = next((x for x in told if x.name != e.name), None)
        if other is None:
            raise Unsaid
        condition = f"{self.names.back(other, e)} = this" + (f" and {more}" if (more := self.condition(other)) else "")
        summed = next((self.names.field(x)[1].name for x in self.slot("from") if x.field and self.names.entity(x).name == other.name), "")
        if self.cue.kind == "total-of" and not summed:
            raise Unsaid
        what = f"sum({other.name}.{summed}" if self.cue.kind == "total-of" else f"count({other.name}"
        self.out.computed[e.name, f.name] = f"{what} where {condition})"

    def _counted(self, told: list[Entity]) -> None:
        """How many rows there are for each row of ``per``, where no word of the text is the name of that field."""
        whose = [self.names.entity(x) for x in self.slot("per") if x.entity and not x.field]
        if not told or not whose:
            raise Unsaid
        other, e = told[0], whose[0]
        name = f"{other.name}_count"
        if e.field(name) is not None:
            raise Unsaid
        condition = f"{self.names.back(other, e)} = this" + (f" and {more}" if (more := self.condition(other)) else "")
        self.say(e.name, f"{name}: integer = count({other.name} where {condition})")

    def _result(self) -> tuple[Entity, Field]:
        for filler in self.slot("set"):
            if filler.field and not filler.words:
                return self.names.field(filler)
        raise Unsaid

    # What entities can do besides.

    def plain(self) -> None:
        line = _PLAIN[self.cue.kind]
        for e in self.entities():
            self.say(e.name, line)

    def transferred(self) -> None:
        said = self.cue.words.lower()
        formats = [name for name, sign in (("csv", r"csv|excel|spreadsheet"), ("ndjson", r"ndjson|json ?l")) if re.search(sign, said)]
        for e in self.entities():
            self.say(e.name, f"{self.cue.kind} {', '.join(formats or ['csv'])}")

    def bulk(self) -> None:
        for e in self.entities():
            self.say(e.name, f"bulk create {number(self.amount() or Decimal(100))}")

    def audit(self) -> None:
        who = ", ".join(dict.fromkeys(f.role for f in self.slot("by") if f.role))
        for e in self.entities():
            # Of users only it is known whose tenant they belong to.
            self.say(e.name, f"audit read role {who}" if who else "audit read user" if self.names.apart else "audit")

    def from_field(self) -> None:
        fields = [self.names.field(f) for f in self.slot("from") if f.field]
        if self.cue.kind == "slug":
            about = [e for e, _ in fields] or [self.entity()]
            self.out.brought |= {(e.name, "slug") for e in about}
            fields = [(e, f) for e, f in fields if f.name != "slug"]
        for e, f in fields:
            self.say(e.name, f"slug from {f.name}" if self.cue.kind == "slug" else f"markdown {f.name}")
        if not fields:
            texts = (FieldType.LONG_TEXT,) if self.cue.kind == "markdown" else (FieldType.TEXT,)
            e = self.entity()
            first = next((f.name for f in e.fields if f.type in texts and f.name != "slug"), None)
            if first is None:
                raise Unsaid
            self.say(e.name, f"slug from {first}" if self.cue.kind == "slug" else f"markdown {first}")

    def _of_all(self) -> None:
        """Raises where a wish is of single paths, which gateways alone have."""
        if self.slot("from"):
            raise Unsaid

    def cache(self) -> None:
        self._of_all()
        many, unit = self.amount() or Decimal(1), self.unit() or "minute"
        if unit not in ("second", "minute", "hour"):
            raise Unsaid
        for e in self.entities():
            self.say(e.name, f"cache {number(many)} {unit}{'s' if many != 1 else ''}")

    def webhook(self) -> None:
        kind = self.cue.kind.partition("-")[2]
        events = kind or "created, updated, deleted"
        watched = " and ".join(f"{e.name} {events}" for e in self.entities())
        self.say(SERVICE, f"webhook {f'{kind}_events' if kind else 'changes'} on {watched}")

    def summary(self) -> None:
        told = [self.names.field(f) for f in self.slot("from") if f.field]
        for e, f in told or [self._longest_text(self.entity())]:
            self.say(e.name, f"assistant summary of {f.name}")

    def classify(self) -> None:
        e = self.entity()
        told = [self.names.field(f) for f in self.slot("set") if f.field and not f.words]
        _, target = told[0] if told else (e, only(e, FieldType.ENUM))
        read = [self.names.field(f) for f in self.slot("from") if f.field]
        source = next((f for owner, f in read if owner.name == e.name), None) or self._longest_text(e)[1]
        self.say(e.name, f"assistant classify {source.name} as {target.name}")

    def _longest_text(self, e: Entity) -> tuple[Entity, Field]:
        """The text that a model reads where none is named: the first long one, else the first."""
        for kind in (FieldType.LONG_TEXT, FieldType.TEXT):
            found = next((f for f in e.fields if f.type is kind and not f.write_only), None)
            if found is not None:
                return e, found
        raise Unsaid

    # The service as a whole.

    def limit(self) -> None:
        self._of_all()
        line = f"{rate(self.amount(), self.unit() or 'minute')} per {self.cue.kind.partition('-')[2]}"
        told = [self.names.entity(f) for f in self.slot("of") if f.entity]
        named = [e for e in self.names.blueprint.entities if e in told]
        kinds = writes_of(self.cue.words)
        counted = named or self.entities() if kinds else named
        if kinds and len(counted) > 1:
            # One count for the rows of all of them.
            self.say(SERVICE, f"limit {', '.join(kinds)} {line}{' on ' if named else ''}{', '.join(e.name for e in named)}")
            return
        for e in counted:
            self.say(e.name, f"limit {', '.join(kinds or ('create',))} {line}")
        if not counted:
            self.say(SERVICE, f"limit {line}")

    def login_limit(self) -> None:
        tries = [n for f in self.slot("n") if (n := number_in(f.words)) is not None]
        unit = self.unit() if self.unit() in ("minute", "hour") else "minute"
        many = number(tries[1]) if len(tries) > 1 else "15" if unit == "minute" else "1"
        window = f"{many} {unit}s" if many != "1" else unit
        self.say(USERS, f"login limit {number(tries[0]) if tries else '5'} per {window}")

    def cors(self) -> None:
        origins = [f.words.strip("\"'“”‘’ .,/") for f in self.slot("n")]
        origins = [o if "://" in o else f"https://{o}" for o in origins if "." in o or "localhost" in o]
        self.say(SERVICE, f"cors {', '.join(quote(o) for o in dict.fromkeys(origins)) or 'any'}")

    def sessions(self) -> None:
        many, unit = self.amount(), self.unit()
        days = {"day": 1, "week": 7, "month": 30}.get(unit)
        self.say(USERS, f"sessions {number(many * days)} days" if many is not None and days else "sessions")

    def tenants(self) -> None:
        self.say(SERVICE, f"tenants {self.entity().name}")

    def incoming(self) -> None:
        sender = self.cue.kind.partition("-")[2]
        header = next((f.words.strip("\"'“”‘’ ") for f in self.slot("n") if "-" in f.words), "X-Signature")
        self.say(SERVICE, f"incoming {sender if sender != 'hmac' else 'events'} from {sender}" + (f" in {quote(header)}" if sender == "hmac" else ""))

    def once(self) -> None:
        where, line = _ONCE[self.cue.kind]
        self.say(where, line)


def _period(e: Entity, filler: Filler) -> tuple[str, str]:
    """A period of the text, and the field that tells in which one a row lies."""
    period = period_of(filler.words)
    kinds = _TEMPORAL if period != "hour" else (FieldType.DATETIME,)
    moment = next((f.name for f in e.fields if f.type in kinds), "created_at" if e.timestamps else "")
    if period not in PERIODS or not moment:
        raise Unsaid
    return period, moment


def allowed(cue: DraftCue) -> Decimal | None:
    """How many rows a rule allows, where that is a number: one where it names none (once, not twice, only one)."""
    most = amount(cue)
    if most is None and not any(f.field for f in cue.slots.get("n", [])) and not _BOUNDS & set(words(cue.words)):
        return Decimal(1)
    return most


def is_unique(cue: DraftCue) -> bool:
    """Whether a rule for so many rows allows one, at any time and in whatever state: things that are unique together."""
    per = cue.slots.get("per", [])
    always = not cue.slots.get("when") and not cue.slots.get("unless") and all(f.entity for f in per)
    return cue.kind == "at-most" and always and len(per) > 1 and allowed(cue) == 1


def _range(e: Entity) -> list[str]:
    """The two fields that a row's range lies between, where the text does not name them."""
    for kinds in ((FieldType.DATETIME,), (FieldType.DATE,), (FieldType.TIME,)):
        found = [f.name for f in e.fields if f.type in kinds and f.computed is None]
        if len(found) == 2:
            return found
    raise Unsaid


#: Words that want a number: where the text has none, it is no one that was meant.
_BOUNDS = frozenset(["most", "max", "maximum", "up", "more", "limit", "limited", "exceed", "fewer", "less", "least", "over", "above", "cap"])


_PLAIN = {"live": "live", "room": "room", "versions": "versions", "restore": "restore", "publish": "publish", "ask": "assistant search"}
_ONCE = {
    "request-log": (SERVICE, "request log"), "metrics": (SERVICE, "metrics"), "idempotency": (SERVICE, "idempotency keys"),
    "cookies": (USERS, "cookies"), "user-keys": (USERS, "api keys"), "confirm-email": (USERS, "confirm email"), "reset-password": (USERS, "reset password"),
    "jwks": (USERS, "jwks"), "change-password": (USERS, "change password"), "manage-roles": (USERS, "manage roles"), "custom-code": (SERVICE, "custom code"),
}  # fmt: skip
_WRITERS: dict[str, Callable[[_Writer], None]] = {
    "overlap": _Writer.overlap, "at-most": _Writer.at_most, "above": _Writer.compared, "at-least": _Writer.compared,
    "notify": _Writer.notify, "action": _Writer.action, "job": _Writer.action, "every": _Writer.every, "expire": _Writer.expire,
    **dict.fromkeys(("count", "sum", "average", "highest", "lowest"), _Writer.report),
    **dict.fromkeys(("times", "added", "less"), _Writer.computed),
    **dict.fromkeys(("total-of", "number-of"), _Writer.gathered),
    **dict.fromkeys(("export", "import"), _Writer.transferred), "bulk": _Writer.bulk, "audit": _Writer.audit,
    **dict.fromkeys(_PLAIN, _Writer.plain), **dict.fromkeys(_ONCE, _Writer.once),
    "summary": _Writer.summary, "classify": _Writer.classify, "slug": _Writer.from_field, "markdown": _Writer.from_field, "cache": _Writer.cache,
    **dict.fromkeys(("webhook", "webhook-created", "webhook-updated", "webhook-deleted"), _Writer.webhook),
    **dict.fromkeys(("limit-user", "limit-address", "limit-key"), _Writer.limit), "login-limit": _Writer.login_limit,
    "cors": _Writer.cors, "sessions": _Writer.sessions, "tenants": _Writer.tenants,
    **dict.fromkeys(("incoming-stripe", "incoming-github", "incoming-hmac"), _Writer.incoming),
}  # fmt: skip
