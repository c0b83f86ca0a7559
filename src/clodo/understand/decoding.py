"""From the model's scores to a draft. Pure array work: the scores come from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clodo.understand import labels as L
from clodo.understand.ages import with_ages
from clodo.understand.clusters import (
    LEAST_SHORT,
    LEAST_SHORT_FIELD,
    cliques,
    likely,
    settled,
    shortened,
    singulars,
)
from clodo.understand.cue_labels import BEYOND_DOUBT, OF_ONE, OFTEN_SEVERAL
from clodo.understand.draft import (
    Draft,
    DraftCue,
    DraftEntity,
    DraftField,
    DraftRelation,
    DraftValue,
    Evidence,
    Filler,
    Span,
)
from clodo.understand.jobs import STEPS
from clodo.understand.naming import entity_name, field_name, figure_name, moment_name, state_name
from clodo.understand.nominals import LIGHT, NEAR, follows, thing_name
from clodo.understand.numbers import CARDINALS
from clodo.understand.reading import Reading, pair_features
from clodo.understand.spelling import Spell

Array = NDArray[np.float32]

_INDEX = {label: i for i, label in enumerate(L.PAIRS)}
_REF = _INDEX["ref-required"]
_VALUE = _INDEX["value-enum"]


#: How sure the tagger must be of some mention of an entity, and of a field, for it to count (0 to 1). Set on validation texts.
LEAST_ENTITY = 0.65
LEAST_FIELD = 0.5
#: How sure it must be of a value for it to need an explanation (0 to 1). Set on validation texts.
LEAST_HEARD = 0.65


class TextScores(NamedTuple):
    """Scores over a text: ``tags [words, tags]``, one row each for the whole, and how much each word
    speaks for the access rule ``[words]``."""

    tags: Array
    access: Array
    verdict: Array
    service: Array
    access_words: Array


class LinkScores(NamedTuple):
    """Scores over ``n`` mentions: ``pairs [n, n, labels]``, the others ``[n, labels]``."""

    pairs: Array
    types: Array
    field_flags: Array
    entity_flags: Array


@dataclass(frozen=True)
class Mention:
    """A marked span of words (both included) and how sure the tagger is of it."""

    kind: str
    first: int
    last: int
    confidence: float


#: Scores mentions: spans in words, kinds as numbers of ``labels.KINDS``, pair features.
LinkScorer = Callable[[list[tuple[int, int]], list[int], "NDArray[np.int64]"], LinkScores]


def decode(
    reading: Reading, scores: TextScores, link: LinkScorer, spell: Spell = lambda phrase: phrase
) -> Draft:
    """The draft that the scores amount to; ``spell`` mends the words of names."""
    verdict = _softmax(scores.verdict)
    judged = 0 if verdict[0] >= L.LEAST_CLEAR else 1 + int(verdict[1:].argmax())
    access = _softmax(scores.access)
    draft = Draft(
        access=L.ACCESS[int(access.argmax())],
        service_type=L.SERVICE_TYPES[int(scores.service.argmax())],
        verdict=L.VERDICTS[judged],
        verdict_confidence=float(verdict[judged]),
        text=reading.text,
    )
    draft.access_evidence.add(float(access.max()))
    if draft.access != "unstated":
        draft.access_evidence.spans.append(_loudest_sentence(reading, scores.access_words))
    mentions = joined_values(mentions_of(scores.tags), reading)
    chatter = np.exp(_log_softmax(scores.tags)[:, 0])
    draft.chatter = [(span, float(p)) for span, p in zip(reading.words, chatter, strict=True)]
    draft.heard = [
        (reading.words[m.first][0], reading.words[m.last][1]) for m in mentions if m.kind == "value" and m.confidence > LEAST_HEARD
    ]
    if mentions:
        _Decoder(reading, mentions, link, draft, spell).run()
    return draft


def _loudest_sentence(reading: Reading, weights: Array) -> Span:
    """The sentence whose words weigh most."""
    sentences = np.array(reading.sentences)
    best = int(np.bincount(sentences, weights=np.clip(weights, 0, None)).argmax())
    inside = np.flatnonzero(sentences == best)
    return reading.words[int(inside[0])][0], reading.words[int(inside[-1])][1]


def mentions_of(tags: Array) -> list[Mention]:
    """The best well-formed sequence of tags (Viterbi: an inside tag follows its own kind)."""
    logp = _log_softmax(tags)
    allowed = _transitions()
    score, back = logp[0] + allowed[0], []
    every = np.arange(len(L.TAGS))
    for row in logp[1:]:
        options = score[:, None] + allowed
        best = options.argmax(0)
        back.append(best)
        score = options[best, every] + row
    path = [int(score.argmax())]
    for pointers in reversed(back):
        path.append(int(pointers[path[-1]]))
    path.reverse()
    return _spans(path, np.exp(logp))


def joined_values(mentions: list[Mention], reading: Reading) -> list[Mention]:
    """The mentions, two values that stand side by side with nothing between them made one (``bank transfer``).
    Three or more are a list that lacks its commas (``small medium large``); a number and what it counts
    (``ten days``) stay as they are, and so do the columns of a table, which more than a space sets apart."""
    out: list[Mention] = []
    for at, m in enumerate(mentions):
        last = out[-1] if out else None
        if last is not None and _follows(last, m) and not _in_row(mentions, at):
            counted = reading.surface(last.first, last.last).lower() in CARDINALS
            between = reading.text[reading.words[last.last][1] : reading.words[m.first][0]]
            digits = any(c.isdigit() for c in reading.surface(last.first, m.last))
            if len(between) < 2 and between != "\n" and not counted and not digits:
                out[-1] = Mention("value", last.first, m.last, min(last.confidence, m.confidence))
                continue
        out.append(m)
    return out


def _follows(one: Mention, other: Mention) -> bool:
    return one.kind == other.kind == "value" and other.first == one.last + 1


def _in_row(mentions: list[Mention], at: int) -> bool:
    """Whether the value at a place and the one before it have a third beside them."""
    before = at > 1 and _follows(mentions[at - 2], mentions[at - 1])
    return before or (at + 1 < len(mentions) and _follows(mentions[at], mentions[at + 1]))


@cache
def _transitions() -> Array:
    """``[from, to]``: 0 or minus a lot."""
    size = len(L.TAGS)
    out = np.zeros((size, size), dtype=np.float32)
    for kind in range(len(L.KINDS)):
        begin, inside = 1 + 2 * kind, 2 + 2 * kind
        out[:, inside] = -1e9
        out[[begin, inside], inside] = 0
    return out


def _spans(path: list[int], probabilities: Array) -> list[Mention]:
    found: list[Mention] = []
    at = 0
    while at < len(path):
        if path[at] == 0:
            at += 1
            continue
        end = at
        while end + 1 < len(path) and path[end + 1] == path[at] + 1 and path[at] % 2:
            end += 1
        sure = float(min(probabilities[i, path[i]] for i in range(at, end + 1)))
        found.append(Mention(L.KINDS[(path[at] - 1) // 2], at, end, sure))
        at = end + 1
    return found


class _Decoder:
    """Joins mentions to things, and decides what is said of each thing."""

    def __init__(
        self, reading: Reading, mentions: list[Mention], link: LinkScorer, draft: Draft, spell: Spell
    ) -> None:
        self.spell = spell
        self.reading, self.mentions, self.draft = reading, mentions, draft
        spans = [(m.first, m.last) for m in mentions]
        features = pair_features(reading, spans, [m.kind == "entity" for m in mentions])
        self.scores = link(spans, [L.KINDS.index(m.kind) for m in mentions], features)
        self.powers = np.exp(np.clip(self.scores.pairs, -25, 25))
        self.names: list[str] = []
        self.groups: list[list[int]] = []
        self.fields: list[DraftField] = []
        self.field_owner: list[int] = []
        self.field_mentions: list[list[int]] = []
        self.figures: set[int] = set()  # numbers of fields that only their bounds name
        self.value_fields: dict[int, list[int]] = {}  # mention of a value → numbers of its fields

    def run(self) -> None:
        self._plain()
        self._entities()
        if self.groups:
            self._fields()
            self._values()
            self._same_figures()
            self._relations()
            self._entity_flags()
        else:
            self.draft.loose = [self._chars(i) for i in self._of("field") if self.mentions[i].confidence >= LEAST_FIELD]
        self._roles()
        self._together()
        self._steps()
        self._cues()
        with_ages(self.draft)

    def _of(self, kind: str) -> list[int]:
        return [i for i, m in enumerate(self.mentions) if m.kind == kind]

    def _chars(self, i: int) -> Span:
        m = self.mentions[i]
        return self.reading.words[m.first][0], self.reading.words[m.last][1]

    def _surface(self, i: int) -> str:
        return self.reading.surface(self.mentions[i].first, self.mentions[i].last)

    def _pooled(self, rows: list[int], columns: list[int], label: int) -> float:
        """Log-sum-exp of one label over all pairs of two groups of mentions."""
        if len(rows) == len(columns) == 1:  # as most groups are: the same number without arrays
            return float(np.log(self.powers[rows[0], columns[0], label] + 1e-12))
        # ``np.ix_`` takes longer than all the rest, and groups are small.
        return float(np.log(self.powers[np.array(rows, dtype=np.intp)[:, None], columns, label].sum() + 1e-12))

    def _pooled_all(self, rows: list[int], columns: list[int], first: int, count: int) -> Array:
        """The same for ``count`` labels from ``first``."""
        found = self.powers[np.array(rows, dtype=np.intp)[:, None], columns, first : first + count]
        return np.asarray(np.log(found.sum((0, 1)) + 1e-12))

    def _plain(self) -> None:
        self.draft.unsupported = [self._chars(i) for i in self._of("unsupported")]
        named = self._of("name")
        if named:
            self.draft.name = self._surface(max(named, key=lambda i: self.mentions[i].confidence))

    def _entities(self) -> None:
        surfaces: dict[str, list[int]] = {}
        mentions = self._of("entity")
        for i, behind in zip(mentions, [*mentions[1:], None], strict=False):
            if behind is not None and self._is_light(i, behind):
                continue
            m = self.mentions[i]
            name = thing_name(self.spell(self._surface(i)), self.reading.before(m.first), self.reading.behind(m.last))
            if name:
                surfaces.setdefault(name, []).append(i)
        surest = {name: max(self.mentions[i].confidence for i in group) for name, group in surfaces.items()}
        if any(sure >= LEAST_ENTITY for sure in surest.values()):
            surfaces = {name: group for name, group in surfaces.items() if surest[name] >= LEAST_ENTITY}
        joined = self._aliases(surfaces)
        for name, canonical in joined.items():
            if name == canonical:
                self.names.append(name)
                self.groups.append(list(surfaces[name]))
        for name, canonical in joined.items():
            if name != canonical:
                self.groups[self.names.index(canonical)] += surfaces[name]
        for name, group in zip(self.names, self.groups, strict=True):
            # One sure mention is enough for an entity: the strongest counts.
            evidence = Evidence(max(self.mentions[i].confidence for i in group))
            evidence.spans = [self._chars(i) for i in group]
            self.draft.entities[name] = DraftEntity(name, evidence=evidence)

    def _is_light(self, i: int, behind: int) -> bool:
        """Whether a mention is but the verb of the thing that follows it: ``leave a review``."""
        m, other, reading = self.mentions[i], self.mentions[behind], self.reading
        near = other.first - m.last <= NEAR and reading.sentences[m.last] == reading.sentences[other.first]
        return near and self._surface(i).lower() in LIGHT and follows(reading.before(m.first))

    def _aliases(self, surfaces: dict[str, list[int]]) -> dict[str, str]:
        """Each surface name → the name of the entity that it means."""
        names = list(surfaces)
        means = {n: n for n in names}
        for name in names:
            others = [n for n in names if n != name]
            scored = [(self._pooled(surfaces[name], surfaces[o], _INDEX["alias"]), o) for o in others]
            if scored and max(scored)[0] > 0 and means[max(scored)[1]] == max(scored)[1]:
                if not any(means[n] == name for n in others):
                    means[name] = max(scored)[1]
        for name in names:
            longer = [n for n in names if n.endswith(f"_{name}") and means[n] == n]
            if means[name] == name and len(longer) == 1 and self._is_short_for(surfaces[name], surfaces[longer[0]]):
                means = {n: longer[0] if meant == name else meant for n, meant in means.items()}
        return means

    def _is_short_for(self, short: list[int], longer: list[int]) -> bool:
        """Whether a name that is the last word of another is short for it: "an accident report … the report". Where the
        longer one comes first it is, unless the model is sure that it is not."""
        least = LEAST_SHORT if min(longer) < min(short) else LEAST_SHORT / 2
        return self._pooled(short, longer, _INDEX["alias"]) > least

    def _fields(self) -> None:
        owners: dict[int, Array] = {}
        named: dict[str, list[int]] = {}
        for i in self._of("field"):
            name = field_name(self.spell(self._surface(i)))
            if name:
                scores = np.array([self._pooled([i], g, _INDEX["owner"]) for g in self.groups])
                owners[i] = _log_softmax(scores)
                named.setdefault(name, []).append(i)
        clusters: dict[tuple[int, str], list[int]] = {}
        for name, mentions in self._affirmed(named).items():
            for owner, group in settled({i: owners[i] for i in mentions}).items():
                clusters[owner, name] = group
        sure = {i: float(np.exp(scores[likely(scores)]).sum()) for i, scores in owners.items()}
        for (owner, name), group in self._same_fields(singulars(clusters)).items():
            self._field(owner, name, group, sure)

    def _type_scores(self, mentions: list[int]) -> Array:
        """How much some mentions speak for each type together."""
        return np.asarray(self.scores.types[mentions, : len(L.TYPES)].mean(0))

    def _affirmed(self, named: dict[str, list[int]]) -> dict[str, list[int]]:
        """The mentions by name, ``unpaid`` being one of the yes/no field ``paid`` where that is named too."""
        out: dict[str, list[int]] = {}
        for name, mentions in named.items():
            denied = name.startswith("un") and name[2:] in named and L.TYPES[int(self._type_scores(mentions).argmax())] == "bool"
            out.setdefault(name[2:] if denied else name, []).extend(mentions)
        return {name: sorted(mentions) for name, mentions in out.items()}

    def _same_fields(self, clusters: dict[tuple[int, str], list[int]]) -> dict[tuple[int, str], list[int]]:
        """The clusters, those that are another word for a field of their entity joined to it: ``name`` for
        ``customer name``. The surest come first, and what is an alias has none."""
        short = shortened(clusters)
        pairs = [
            (score, a, b)
            for a in clusters
            for b in clusters
            if a != b and a[0] == b[0]
            and (score := self._pooled(clusters[a], clusters[b], _INDEX["alias"])) > (LEAST_SHORT_FIELD if short.get(a) == b else 0)
        ]  # fmt: skip
        means: dict[tuple[int, str], tuple[int, str]] = {}
        for _, a, b in sorted(pairs, reverse=True):
            if a not in means and b not in means and a not in means.values():
                means[a] = b
        joined = {key: list(group) for key, group in clusters.items() if key not in means}
        for a, b in means.items():
            joined[b] += clusters[a]
        return {key: sorted(group) for key, group in joined.items()}

    def _field(self, owner: int, name: str, group: list[int], sure: dict[int, float]) -> None:
        if max(self.mentions[i].confidence for i in group) < LEAST_FIELD:
            return
        types = _softmax(self._type_scores(group))
        made = DraftField(name, L.TYPES[int(types.argmax())])
        # Asserted by any one mention; the confidence is that of the strongest.
        made.evidence.add(max(min(self.mentions[i].confidence, sure[i]) for i in group))
        made.evidence.add(float(types.max()), *(self._chars(i) for i in group))
        flags = _sigmoid(np.log(np.exp(np.clip(self.scores.field_flags[group], -25, 25)).sum(0)))
        for flag, p in zip(L.FIELD_FLAGS, flags, strict=True):
            if p > 0.5:
                made.flags.add(flag)
            if flag not in ("elliptic", "moment"):
                made.evidence.add(float(max(p, 1 - p)))
        if made.type == "ref":
            self._target(made, group)
        if made.type == "enum":
            made.name = state_name(name)
        if made.type in ("int", "dec"):
            made.name = figure_name(name)
        if "moment" in made.flags and made.type in ("date", "dt", "time"):
            made.name = moment_name(name, day=made.type == "date")
        if "elliptic" in made.flags:
            made.name = self._completed(name, group[0])
        fields = self.draft.entities[self.names[owner]].fields
        if made.name not in fields:
            if made.type in ("int", "dec") and made.name != name and made.name == figure_name(name):
                self.figures.add(len(self.fields))
            fields[made.name] = made
            self.fields.append(made)
            self.field_owner.append(owner)
            self.field_mentions.append(group)

    def _completed(self, name: str, mention: int) -> str:
        """``first`` before ``last name`` → ``first_name``."""
        for i in self._of("field"):
            words = field_name(self.spell(self._surface(i))).split("_")
            if i > mention and len(words) > 1:
                return f"{name}_{words[-1]}"
        return name

    def _target(self, made: DraftField, group: list[int]) -> None:
        scores = np.array([self._pooled(group, g, _INDEX["target"]) for g in self.groups])
        best = int(scores.argmax())
        made.target = self.names[best]
        made.evidence.add(float(_softmax(scores)[best]))
        made.reference_flags |= self._reference_flags(group, self.groups[best])

    def _reference_flags(self, rows: list[int], columns: list[int]) -> set[str]:
        pooled = self._pooled_all(rows, columns, _REF, len(L.REFERENCE_FLAGS))
        return {flag for flag, score in zip(L.REFERENCE_FLAGS, pooled, strict=True) if score > 0}

    def _values(self) -> None:
        for i in self._of("value"):
            for number, (made, group) in enumerate(zip(self.fields, self.field_mentions, strict=True)):
                pooled = self._pooled_all([i], group, _VALUE, len(L.VALUE_ROLES))
                p = _softmax(np.concatenate([[0.0], pooled]))
                role = int(p.argmax())
                if role:
                    self.value_fields.setdefault(i, []).append(number)
                    evidence = Evidence(min(float(p[role]), self.mentions[i].confidence))
                    evidence.spans.append(self._chars(i))
                    made.values.append(
                        DraftValue(L.VALUE_ROLES[role - 1], self._surface(i), evidence)
                    )

    def _same_figures(self) -> None:
        """A figure that only its bounds name is no second one where a field of the same thing has these bounds: "rate it from 1 to 5 stars"."""
        told = [{s for v in made.values for s in v.evidence.spans} for made in self.fields]
        for number in self.figures:
            owner = self.field_owner[number]
            others = (n for n in range(len(self.fields)) if n not in self.figures and self.field_owner[n] == owner)
            if told[number] and any(told[number] <= told[n] and self.fields[n].type in ("int", "dec") for n in others):
                del self.draft.entities[self.names[owner]].fields[self.fields[number].name]

    def _relations(self) -> None:
        for a in range(len(self.groups)):
            for b in range(a, len(self.groups)):
                self._relation(a, b)

    def _relation(self, a: int, b: int) -> None:
        ga, gb = self.groups[a], self.groups[b]
        many = self._pooled(ga, gb, _INDEX["many"]) + self._pooled(gb, ga, _INDEX["many"])
        forward = _softmax(np.array([0.0, self._pooled(ga, gb, _INDEX["belongs"]), many / 2]))
        backward = _softmax(np.array([0.0, self._pooled(gb, ga, _INDEX["belongs"]), many / 2]))
        options = [(float(forward[1]), a, b, "belongs"), (float(backward[1]), b, a, "belongs")]
        options.append((float(forward[2] + backward[2]) / 2, a, b, "many"))
        best, source, target, kind = max(options)
        nothing = max(float(forward[0]), float(backward[0])) if a == b else float(
            min(forward[0], backward[0])
        )
        if best <= nothing:
            return
        relation = DraftRelation(self.names[source], self.names[target], kind)
        relation.evidence.add(best, *self._telling_pair(source, target, kind))
        if kind == "belongs":
            relation.flags |= self._reference_flags(self.groups[source], self.groups[target])
        self.draft.relations.append(relation)

    def _telling_pair(self, source: int, target: int, kind: str) -> tuple[Span, Span]:
        """The two mentions that say most clearly that two entities are related."""
        rows, columns = self.groups[source], self.groups[target]
        scores = self.powers[np.ix_(rows, columns)][..., _INDEX[kind]]
        i, j = np.unravel_index(int(scores.argmax()), scores.shape)
        return self._chars(rows[int(i)]), self._chars(columns[int(j)])

    def _entity_flags(self) -> None:
        powers = np.exp(np.clip(self.scores.entity_flags, -25, 25))
        for name, group in zip(self.names, self.groups, strict=True):
            entity = self.draft.entities[name]
            totals = dict(zip(L.ENTITY_FLAGS, powers[group].sum(0), strict=True))
            for flag, total in totals.items():
                p = float(total / (1 + total))
                if p > 0.5 and all(total >= totals[rival] for rival in _rivals(flag)):
                    entity.flags.add(flag)
                entity.evidence.add(max(p, 1 - p))

    def _roles(self) -> None:
        """Who may read and write what: said at any one mention of a role."""
        named: dict[str, list[int]] = {}
        for i in self._of("role"):
            named.setdefault(entity_name(self.spell(self._surface(i))), []).append(i)
            self.draft.roles.append(self._chars(i))
        for role, mentions in named.items():
            for name, group in zip(self.names, self.groups, strict=True):
                entity = self.draft.entities[name]
                if self._pooled(mentions, group, _INDEX["role-read"]) > 0:
                    entity.read_roles.append(role)
                if self._pooled(mentions, group, _INDEX["role-write"]) > 0:
                    entity.write_roles.append(role)

    def _together(self) -> None:
        for owner, name in enumerate(self.names):
            members = [
                (f.name, g)
                for f, g, o in zip(self.fields, self.field_mentions, self.field_owner, strict=True)
                if o == owner
            ]
            members += [
                (r.target, self.groups[self.names.index(r.target)])
                for r in self.draft.relations
                if r.source == name and r.kind == "belongs" and r.target != name
            ]
            pairs = [
                (a, b)
                for i, (a, ga) in enumerate(members)
                for b, gb in members[i + 1 :]
                if self._pooled(ga, gb, _INDEX["together"]) + self._pooled(gb, ga, _INDEX["together"]) > 0
            ]
            self.draft.entities[name].together = cliques(pairs)


    def _steps(self) -> None:
        """Pairs of states of one field of which the second may follow the first."""
        for number, made in enumerate(self.fields):
            states: dict[str, list[int]] = {}
            for i in self._of("value"):
                if number in self.value_fields.get(i, ()):
                    states.setdefault(self._surface(i).lower(), []).append(i)
            allowed = {v.words.lower() for v in made.values if v.role in ("enum", "enumdef")}
            states = {words: group for words, group in states.items() if words in allowed}
            for before, rows in states.items():
                for after, columns in states.items():
                    if before != after and self._pooled(rows, columns, _INDEX["next"]) > 0:
                        made.steps.append((before, after))

    def _cues(self) -> None:
        """What each cue stands for, and what fills the slots that its kind has."""
        for i in self._of("cue"):
            kinds = _softmax(self.scores.types[i, len(L.TYPES) :])
            cue = DraftCue(L.CLASSES[len(L.TYPES) + int(kinds.argmax())], self._surface(i))
            cue.evidence.add(min(float(kinds.max()), self.mentions[i].confidence), self._chars(i))
            for slot in L.CUES[cue.kind]:
                fillers = self._fillers(i, _INDEX[f"cue-{slot}"])
                if slot == "set":
                    fillers = _surest(fillers)
                if slot not in OFTEN_SEVERAL and len(fillers) > 1:
                    # What is given with a step stands beside its outcome.
                    given = [slot == "set" and cue.kind in STEPS and self._is_given(filler) for _, filler, _ in fillers]
                    best = max((p for (p, _, _), beside in zip(fillers, given, strict=True) if not beside), default=0)
                    least = best if slot == "of" and cue.kind in OF_ONE else min(best, BEYOND_DOUBT)
                    fillers = [one for one, beside in zip(fillers, given, strict=True) if beside or one[0] >= least]
                if fillers:
                    cue.slots[slot] = [filler for _, filler, _ in fillers]
                    spans = [span for _, _, found in fillers for span in found]
                    cue.evidence.add(min(p for p, _, _ in fillers), *spans)
            self.draft.cues.append(cue)

    def _is_given(self, filler: Filler) -> bool:
        """Whether a field is named without a value, and is no yes/no."""
        made = self.draft.entities[filler.entity].fields.get(filler.field) if filler.entity else None
        return made is not None and not filler.words and made.type != "bool"

    def _fillers(self, cue: int, label: int) -> list[tuple[float, Filler, list[Span]]]:
        """All that fills a slot of a cue: how sure, what, and its words where they are not those of an entity or field."""
        groups: list[tuple[list[int], Filler]] = [
            (group, Filler(name)) for name, group in zip(self.names, self.groups, strict=True)
        ]
        for made, owner, group in zip(self.fields, self.field_owner, self.field_mentions, strict=True):
            groups.append((group, Filler(self.names[owner], made.name)))
        for i in self._of("value"):
            groups += [([i], filler) for filler in self._values_of(i)]
        groups += [([i], Filler(role=entity_name(self.spell(self._surface(i))), at=self._chars(i))) for i in self._of("role")]
        found = []
        for group, filler in groups:
            score = self._pooled([cue], group, label)
            if score > 0:
                spans = [self._chars(i) for i in group] if filler.words or filler.role else []
                found.append((float(1 / (1 + np.exp(-score))), filler, spans))
        return found

    def _values_of(self, i: int) -> list[Filler]:
        """What a mention of a value may be for a cue: a value of its fields, else one that stands alone."""
        words = self._surface(i)
        numbers = self.value_fields.get(i, [])
        if not numbers:
            return [Filler(words=words, at=self._chars(i))]
        return [Filler(self.names[self.field_owner[n]], self.fields[n].name, words, at=self._chars(i)) for n in numbers]


def _surest(fillers: list[tuple[float, Filler, list[Span]]]) -> list[tuple[float, Filler, list[Span]]]:
    """One filler for each field: a step sets it once."""
    out: dict[tuple[str, str], tuple[float, Filler, list[Span]]] = {}
    for one in fillers:
        key = (one[1].entity, one[1].field)
        if key not in out or one[0] > out[key][0]:
            out[key] = one
    return list(out.values())


def _log_softmax(x: Array) -> Array:
    shifted = x - x.max(-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)), dtype=x.dtype)


def _softmax(x: Array) -> Array:
    return np.asarray(np.exp(_log_softmax(x)), dtype=x.dtype)


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)), dtype=x.dtype)


def _rivals(flag: str) -> tuple[str, ...]:
    """Who else may read, or write, where one flag says who does: the surest is meant."""
    verb = flag.partition("-")[0]
    return tuple(f for f in L.ENTITY_FLAGS if f.startswith(f"{verb}-")) if verb in ("read", "write") else ()
