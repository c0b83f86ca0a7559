"""The understander over any text model: it writes the blueprint itself, under the grammar, with names of the text's own words.

The loop is a generator that yields conversations and receives completions, so that it has no I/O of
its own. What the parser or the checks reject goes back with the faults marked, a bounded number of
times.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator

from clodo.blueprint import Blueprint, InvalidBlueprint, parse
from clodo.errors import ModelError
from clodo.lm import Completion, Constraint, Message, TextModel
from clodo.understand.coverage import unexplained
from clodo.understand.port import Part, Span, Understanding
from clodo.understand.wording import grammar_of

_ROUNDS = 3
#: Characters of a faulty answer that are shown to the model again.
_SHOWN = 3000

_INSTRUCTIONS = """You turn descriptions of services into blueprints. Write the blueprint only.
State what the text states: entities, their fields with type, required, unique, default, min, max, \
references (-> other entity), many-to-many (<-> other entity), who may read and write; where the text states them also \
rules (check, at most, no overlap), states (transitions), actions with guards and effects, reports, schedules (every), \
files (photo: image, scan: file). Passwords and PINs are hashed, other secrets write-only.
Types: text longtext integer decimal money boolean date datetime time email url uuid json list enum(a, b).
If the text does not describe a service that keeps data, answer with an entity named unclear."""

_EXAMPLES = (
    (
        "We lend out tents. A tent has a label (unique, required), a number of places from 1 to 8 and is "
        "clean or dirty, clean at first. Trips use a tent and have a start date. API key for everything.",
        """service tent_service
read key
write key

entity tent {
  label: text required unique
  places: integer min 1 max 8
  state: enum(clean, dirty) default clean
}

entity trip {
  start_date: date
  tent: -> tent required
}
""",
    ),
    (
        "Users log in and keep private diaries. An entry belongs to a diary (goes away with it), has a text "
        "that must be there and can carry many labels; labels have a name.",
        """service diary_service
read user
write user

users {
}

entity diary {
  read owner
  write owner
}

entity entry {
  text: longtext required
  diary: -> diary required on delete cascade
  labels: <-> label
}

entity label {
  name: text
}
""",
    ),
    (
        "Members ride our bikes; a bike has a code. A ride is open until it is ended, which only works once, and nobody may "
        "have more than two open rides. I want to see the rides of each month, and every night old ended rides should go.",
        """service bike_service

entity bike {
  code: text required unique
}

entity member {
  name: text required
}

entity ride {
  status: enum(open, ended)
  ended_at: datetime
  bike: -> bike required
  member: -> member required
  transitions status: open -> ended
  at most 2 per member where status = "open" "Two rides at most."
  action end {
    when status = "open" "It has ended already."
    set status = "ended", ended_at = now
  }
}

report rides_by_month {
  from ride
  group by month(created_at) as month
  show count
}

every day at "03:00" {
  delete ride where status = "ended" and ended_at < now - days(365)
}
""",
    ),
)

#: What a model writes where it cannot tell what is wanted.
UNCLEAR = "service unclear\n\nentity unclear {\n}\n"

Rounds = Generator[tuple[Message, ...], Completion, tuple[Blueprint, Completion]]


def conversation(description: str) -> tuple[Message, ...]:
    """The opening of the conversation: instructions, examples, the description."""
    turns = [Message("system", _INSTRUCTIONS)]
    for text, blueprint in _EXAMPLES:
        turns += [Message("user", text), Message("assistant", blueprint)]
    return (*turns, Message("user", description))


#: How a conversation about a description begins.
Opening = Callable[[str], tuple[Message, ...]]


def trained_conversation(description: str) -> tuple[Message, ...]:
    """The opening for a model that was trained to write blueprints, which needs neither rules nor examples."""
    return (Message("system", "Write the blueprint."), Message("user", description))


def budget(description: str) -> int:
    """How many tokens the blueprint of a description may have: four for each word, and the frame. Small models
    that lose the thread repeat themselves without end, and each token costs the user time."""
    return min(1600, 160 + 4 * len(description.split()))


def rounds(description: str, opening: Opening = conversation) -> Rounds:
    """Yields conversations, receives completions, returns the blueprint and the last completion.

    Raises:
        ModelError: no answer was a valid blueprint, or one had no end.
    """
    messages = opening(description)
    fault = ""
    for _ in range(_ROUNDS):
        completion = yield messages
        if not completion.finished:
            raise ModelError(
                f"The model did not come to the end of a blueprint within {budget(description)} tokens.",
                hint="Use the built-in model, a larger one with --model, or write the blueprint by hand.",
                code="invalid-answer",
            )
        try:
            return parse(_plain(completion.text)), completion
        except InvalidBlueprint as error:
            fault = str(error.problems[0])
            notes = "\n".join(f"- {p}" for p in error.problems[:5])
            messages = (
                *opening(description),
                Message("assistant", _beginning(completion.text)),
                Message("user", f"That blueprint is not valid:\n{notes}\nWrite the whole blueprint again."),
            )
    raise ModelError(
        f"The model gave no valid blueprint in {_ROUNDS} tries (the last fault: {fault})",
        hint="Use the built-in model, a larger one with --model, or write the blueprint by hand.",
        code="invalid-answer",
    )


def _beginning(text: str) -> str:
    """The first lines of an answer, each of them whole: half of a name or a secret is not recognised as one any more."""
    return text if len(text) <= _SHOWN else text[:_SHOWN].rpartition("\n")[0]


def _plain(text: str) -> str:
    """The answer without a code fence that a model may have put around it."""
    fenced = re.search(r"```\w*\n(.*?)```", text, re.DOTALL)
    lines = (fenced[1] if fenced else text).strip().split("\n")
    return "\n".join(line.rstrip() for line in lines) + "\n"


class GenerativeUnderstander:
    """Understands with any text model; ``opening`` says how a conversation with it begins."""

    def __init__(self, model: TextModel, opening: Opening = conversation) -> None:
        self._model, self._opening = model, opening

    def understand(self, description: str) -> Understanding:
        """What the description means; see ``clodo.understand.port``."""
        profile = self._model.profile
        prefill = decode = 0.0
        steps = rounds(description, self._opening)
        messages, tokens = next(steps), budget(description)
        constraint = Constraint(grammar_of(description), description, grammar_of)
        while True:
            completion = self._model.complete(messages, constraint, tokens)
            prefill, decode = prefill + completion.prefill_ms, decode + completion.decode_ms
            try:
                messages = steps.send(completion)
            except StopIteration as done:
                blueprint, last = done.value
                break
        confidence = last.confidence if last.confidence is not None else 0.5
        spans = tuple(_mentions(description, blueprint))
        left = unexplained(None, description, spans, len(description))
        unclear = any(e.name == "unclear" for e in blueprint.entities)
        return Understanding(
            blueprint=None if unclear else blueprint,
            confidence=round(confidence, 4),
            model=last.model or profile.name,
            provider=last.provider or profile.provider,
            parts=tuple(Part(e.name, confidence, kind="entity") for e in blueprint.entities),
            questions=("What things should the service keep, and what do you want to know of each?",)
            if unclear
            else (),
            spans=(*spans, *(Span(a, b, "unexplained") for a, b in left)),
            timings_ms={"prefill": prefill, "decode": decode, "model": prefill + decode},
            tried=last.tried,
        )


def _mentions(text: str, blueprint: Blueprint) -> list[Span]:
    """Where the text names entities and fields, word for word: shown, not decided upon."""
    found = []
    for e in blueprint.entities:
        for role, names in (("entity", [e.name]), ("field", [f.name for f in e.fields])):
            for name in names:
                pattern = r"\b" + r"[\s_-]+".join(map(re.escape, name.split("_"))) + r"(?:e?s)?\b"
                found += [Span(m.start(), m.end(), role) for m in re.finditer(pattern, text, re.IGNORECASE)]
        for f in e.fields:
            for value in (*f.values, *(str(b.value) for b in (f.minimum, f.maximum) if b)):
                pattern = r"\b" + re.escape(value).replace("_", r"[\s_-]") + r"\b"
                found += [Span(m.start(), m.end(), "value") for m in re.finditer(pattern, text, re.IGNORECASE)]
    return found
