"""The pointer candidate: the same pretrained encoder, and a small decoder that writes the meaning.

Symbols say what comes (an entity, a field of a type, a bound, …), and two pointers into the words of the text say
which words it is (Vinyals et al. 2015). The same drafts come out as from the product's encoder, so the same
compiler and the same measures judge it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clodo.corpus.format import Record
from clodo.evaluation.measure import Answer
from clodo.evaluation.scoring import meaning
from clodo.training.base import load_base
from clodo.training.data import Mixture
from clodo.training.examples import Example, example
from clodo.training.plan import Plan
from clodo.understand import labels as L
from clodo.understand.compiler import compile_draft
from clodo.understand.draft import Draft, DraftEntity, DraftField, DraftRelation, DraftValue
from clodo.understand.naming import entity_name, field_name
from clodo.understand.reading import Reading, known_words, read
from clodo.understand.spelling import Spell, Speller

SYMBOLS = (
    "<start>", "<end>", "entity", "field", "together",
    *(f"type-{t}" for t in L.TYPES), *(f"is-{f}" for f in L.FIELD_FLAGS if f not in ("elliptic", "moment")),
    *(f"entity-{f}" for f in L.ENTITY_FLAGS), *(f"value-{r}" for r in L.VALUE_ROLES),
    "role-read", "role-write", "belongs", "many", *(f"ref-{f}" for f in L.REFERENCE_FLAGS),
    *(f"access-{a}" for a in L.ACCESS), *(f"verdict-{v}" for v in L.VERDICTS),
)  # fmt: skip
_AT = {s: i for i, s in enumerate(SYMBOLS)}
_LONGEST = 260
_BATCH = 16

#: A step: a symbol (its number), or a word (its place, behind the symbols).
Steps = list[int]


def steps_of(e: Example) -> Steps:
    """An example as the sequence that the decoder writes; a word ``i`` is ``len(SYMBOLS) + i``."""
    out = [_AT[f"verdict-{L.VERDICTS[int(e.whole[1])]}"], _AT[f"access-{L.ACCESS[int(e.whole[0])]}"]]

    def words(mention: int) -> None:
        first, last = e.spans[mention]
        out.extend((len(SYMBOLS) + first, len(SYMBOLS) + last))

    def members(matrix: Any, row: int) -> list[int]:
        return [i for i in range(len(e.spans)) if matrix[row, i]]

    named = {a: members(e.in_entity, a)[0] for a in range(e.in_entity.shape[0]) if members(e.in_entity, a)}
    for a, mention in sorted(named.items(), key=lambda item: item[1]):
        out.append(_AT["entity"])
        words(mention)
        out.extend(_AT[f"entity-{f}"] for k, f in enumerate(L.ENTITY_FLAGS) if e.entity_flags[a, k])
        mine = [(members(e.in_field, f)[0], f) for f in range(e.in_field.shape[0]) if members(e.in_field, f)]
        mine = [(m, f) for m, f in sorted(mine) if e.owners[m, a]]
        for at, f in mine:
            out.append(_AT["field"])
            words(at)
            out.append(_AT[f"type-{L.TYPES[int(e.types[f])]}"])
            out.extend(_AT[f"is-{n}"] for k, n in enumerate(L.FIELD_FLAGS) if e.field_flags[f, k] and f"is-{n}" in _AT)
            if e.targets[f] in named:
                words(named[int(e.targets[f])])
                out.extend(_AT[f"ref-{n}"] for k, n in enumerate(L.REFERENCE_FLAGS) if e.target_flags[f, k])
            for i in range(len(e.spans)):
                if e.values[i, f]:
                    out.append(_AT[f"value-{L.VALUE_ROLES[int(e.values[i, f]) - 1]}"])
                    words(i)
        for b, other in named.items():
            kind = int(e.relations[a, b])
            if kind == 1 or (kind == 2 and a <= b):
                out.append(_AT["belongs" if kind == 1 else "many"])
                words(other)
                out.extend(_AT[f"ref-{n}"] for k, n in enumerate(L.REFERENCE_FLAGS) if kind == 1 and e.relation_flags[a, b, k])
        for group in _groups(e, a, [f for _, f in mine], named):
            out.append(_AT["together"])
            for mention in group:
                words(mention)
        for i in range(len(e.spans)):
            for k, verb in enumerate(("role-read", "role-write")):
                if e.roles[i, a, k]:
                    out.append(_AT[verb])
                    words(i)
    return [*out, _AT["<end>"]]


def _groups(e: Example, entity: int, fields: list[int], named: dict[int, int]) -> list[list[int]]:
    """The mentions of what is unique together in an entity: its fields, and entities that it refers to."""
    count = e.in_field.shape[0]
    places = {f: next(i for i in range(len(e.spans)) if e.in_field[f, i]) for f in fields}
    places |= {count + b: m for b, m in named.items() if e.relations[entity, b] == 1}
    left, found = set(places), []
    for a in sorted(places):
        group = [a, *(b for b in sorted(places) if b > a and e.together[a, b])]
        if a in left and len(group) > 1:
            left -= set(group)
            found.append([places[m] for m in group])
    return found


class PointerNetwork(nn.Module):
    """The encoder, and a decoder over symbols and words."""

    def __init__(self, encoder: Any, layers: int = 3) -> None:
        super().__init__()
        width = encoder.config.hidden_size
        self.encoder = encoder
        self.symbols = nn.Embedding(len(SYMBOLS), width)
        self.places = nn.Embedding(_LONGEST + 1, width)
        layer = nn.TransformerDecoderLayer(width, 8, 2 * width, 0.1, batch_first=True, norm_first=True)
        self.decoder = nn.TransformerDecoder(layer, layers, nn.LayerNorm(width))
        self.say = nn.Linear(width, len(SYMBOLS))
        self.point = nn.Linear(width, width)
        self.scale = width**-0.5

    def words(self, readings: list[Reading]) -> tuple[Tensor, Tensor]:
        """The state of each word ``[batch, words, width]`` and which of them are padding."""
        pieces = [torch.tensor(r.pieces) for r in readings]
        ids = nn.utils.rnn.pad_sequence(pieces, batch_first=True)
        mask = nn.utils.rnn.pad_sequence([torch.ones_like(p) for p in pieces], batch_first=True)
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        rows = [(states[i, torch.tensor(r.first)] + states[i, torch.tensor(r.last)]) / 2 for i, r in enumerate(readings)]
        memory = nn.utils.rnn.pad_sequence(rows, batch_first=True)
        padding = torch.stack([torch.arange(memory.shape[1]) >= len(r.words) for r in readings])
        return memory, padding

    def forward(self, memory: Tensor, padding: Tensor, steps: Tensor) -> Tensor:
        """``steps [batch, n]`` → scores of the next step ``[batch, n, symbols + words]``."""
        known = torch.cat([self.symbols.weight[None].expand(len(memory), -1, -1), memory], 1)
        x = known.gather(1, steps[..., None].expand(-1, -1, known.shape[-1]))
        x = x + self.places(torch.arange(steps.shape[1]))
        later = torch.ones(steps.shape[1], steps.shape[1], dtype=torch.bool).triu(1)
        h = self.decoder(x, memory, tgt_mask=later, memory_key_padding_mask=padding)
        pointed = torch.einsum("bnd,bwd->bnw", self.point(h), memory) * self.scale
        return torch.cat([self.say(h), pointed.masked_fill(padding[:, None], -1e9)], -1)


def batches(records: Iterator[Record], tokenizer: Any) -> Iterator[tuple[list[Reading], list[Steps]]]:
    """Batches of texts of like length."""
    window: list[tuple[Reading, Steps]] = []
    for record in records:
        made = example(record, tokenizer)
        steps = steps_of(made)
        if made.reading.words and len(steps) <= _LONGEST:
            window.append((made.reading, steps))
        if len(window) == 8 * _BATCH:
            window.sort(key=lambda t: len(t[1]))
            for i in range(0, len(window), _BATCH):
                readings, steps_list = zip(*window[i : i + _BATCH], strict=True)
                yield list(readings), list(steps_list)
            window = []


def train(base: Path, plan: Plan, progress: Callable[[str], None]) -> tuple[PointerNetwork, Any, int]:
    """Trains from the bare base for the minutes of the plan; returns the network, its tokenizer and the examples seen."""
    torch.manual_seed(plan.seed)
    encoder, tokenizer = load_base(base)
    network, minutes, threads = PointerNetwork(encoder), plan.minutes, torch.get_num_threads()
    own = [p for n, p in network.named_parameters() if not n.startswith("encoder")]
    groups = [{"params": [p for p in encoder.parameters() if p.requires_grad]}, {"params": own}]
    optimizer = torch.optim.AdamW(groups, lr=1e-4, weight_decay=0.01)
    started, seen, told = plan.clock(threads), 0, 0.0
    for readings, sequences in batches(Mixture(random.Random(plan.seed), plan.written_share).records(), tokenizer):
        spent = plan.clock(threads) - started
        if spent > minutes * 60:
            break
        for group, rate in zip(optimizer.param_groups, (plan.encoder_rate, plan.head_rate), strict=True):
            group["lr"] = rate * plan.rate(spent / minutes / 60)
        network.train()
        steps = nn.utils.rnn.pad_sequence([torch.tensor([_AT["<start>"], *s]) for s in sequences], batch_first=True, padding_value=-100)
        scores = network(*network.words(readings), steps[:, :-1].clamp_min(0))
        loss = F.cross_entropy(scores.flatten(0, 1), steps[:, 1:].flatten(), ignore_index=-100)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimizer.step()
        seen += len(readings)
        if spent - told > 30:
            told = spent
            progress(f"pointer: {seen} examples, loss {float(loss):.2f}, {minutes - spent / 60:.0f} min left")
    return network, tokenizer, seen


@torch.no_grad()
def answer(network: PointerNetwork, tokenizer: Any, text: str) -> Answer:
    """What the network makes of a text, step by step, the likeliest each time."""
    network.eval()
    started = time.perf_counter()
    reading = read(text, tokenizer)
    memory, padding = network.words([reading])
    steps = [_AT["<start>"]]
    while len(steps) < _LONGEST and steps[-1] != _AT["<end>"]:
        scores = network(memory, padding, torch.tensor([steps]))[0, -1]
        steps.append(int(scores.argmax()))
    draft = draft_of(steps[1:], reading, Speller(known_words(tokenizer)))
    blueprint, _ = compile_draft(draft)
    ms = (time.perf_counter() - started) * 1000
    said = meaning(blueprint) if blueprint is not None and draft.verdict == "clear" else None
    return Answer(said, ms=ms)


def draft_of(steps: Steps, reading: Reading, spell: Spell = lambda phrase: phrase) -> Draft:
    """The draft that a sequence of steps writes; what makes no sense where it stands is passed over."""
    draft, at = Draft(), 0
    entity: DraftEntity | None = None
    made: DraftField | None = None
    relation: DraftRelation | None = None

    def surface(from_step: int) -> str | None:
        pair = steps[from_step : from_step + 2]
        places = [s - len(SYMBOLS) for s in pair]
        fits = len(pair) == 2 and 0 <= places[0] <= places[1] < len(reading.words)
        return reading.surface(*places) if fits else None

    while at < len(steps) and steps[at] != _AT["<end>"]:
        symbol = SYMBOLS[steps[at]] if steps[at] < len(SYMBOLS) else ""
        word = surface(at + 1)
        kind, _, what = symbol.partition("-")
        if kind == "verdict":
            draft.verdict = what
        elif kind == "access":
            draft.access = what
        elif symbol == "entity" and word:
            made = relation = None
            entity = draft.entities.setdefault(entity_name(spell(word)), DraftEntity(entity_name(spell(word))))
        elif kind == "entity" and entity:
            entity.flags.add(what)
        elif symbol == "field" and word and entity:
            relation, made = None, DraftField(field_name(spell(word)))
            made = entity.fields.setdefault(made.name, made)
        elif kind == "type" and made:
            made.type = what
            if what == "ref" and word:
                made.target = entity_name(spell(word))
        elif kind == "is" and made:
            made.flags.add(what)
        elif kind == "value" and made and word:
            made.values.append(DraftValue(what, word))
        elif symbol == "together" and entity:
            names, next_word = [], at + 1
            while (said := surface(next_word)) is not None:
                names.append(field_name(spell(said)) if field_name(spell(said)) in entity.fields else entity_name(spell(said)))
                next_word += 2
            entity.together.append(tuple(names))
        elif kind == "role" and word and entity:
            (entity.read_roles if what == "read" else entity.write_roles).append(entity_name(spell(word)))
        elif symbol in ("belongs", "many") and word and entity:
            made, relation = None, DraftRelation(entity.name, entity_name(spell(word)), symbol)
            draft.relations.append(relation)
        elif kind == "ref":
            (relation.flags if relation else made.reference_flags if made else set()).add(what)
        at += 1
    known = set(draft.entities)
    draft.relations = [r for r in draft.relations if {r.source, r.target} <= known]
    for e in draft.entities.values():
        e.fields = {n: f for n, f in e.fields.items() if f.type != "ref" or f.target in known}
    return draft
