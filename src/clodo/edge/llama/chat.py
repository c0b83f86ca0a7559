"""How a conversation is written down for a model: families of chat templates, recognised by what GGUF's metadata hold."""

from __future__ import annotations

import re
from dataclasses import dataclass

from clodo.edge.llama.tokens import Vocabulary

#: A token, or text in which ``{content}`` stands for what was said.
Piece = int | str

_ROLES = ("system", "user", "assistant")

#: A first turn as a string of the template's language, whose other kind of quotation mark may stand in it, and as its plain text.
_LITERAL = re.compile(r"""(?P<q>['"])<\|im_start\|>system(?:\\n|\n)(?P<said>(?:(?!(?P=q))[^<{}\\]|\\.)+)<\|im_end\|>""")
_PLAIN = re.compile(r"<\|im_start\|>system(?:\\n|\n)(?P<said>[^<{}']+)<\|im_end\|>")


@dataclass(frozen=True)
class ChatTemplate:
    """Pieces that begin a conversation, make a turn of each role and open the answer. ``default_system`` is said where nobody
    says something as system; ``trim``: white space around what is said goes away."""

    family: str
    begin: tuple[Piece, ...]
    turns: dict[str, tuple[Piece, ...]]
    reply: tuple[Piece, ...]
    default_system: str | None = None
    trim: bool = False


def read_template(source: str | None, vocabulary: Vocabulary) -> ChatTemplate | None:
    """The template that a model's metadata hold; None where they hold none, or one of a family that is not known here."""
    if source is None:
        return None
    if "<|im_start|>" in source:
        return _chatml(source, vocabulary)
    if "<|start_header_id|>" in source:
        return _llama3(source, vocabulary)
    if "<|user|>" in source and "<|assistant|>" in source:
        return _zephyr(source, vocabulary)
    return None


def no_chat(source: str | None) -> str:
    """Why a model answers no chats, as a sentence; ``source`` is what its metadata hold, of which no template was made."""
    if source is None:
        return "This model has no chat template."
    return "This model's chat template is of a family that is not known here; known are ChatML, Llama 3 and Zephyr."


def _chatml(source: str, vocabulary: Vocabulary) -> ChatTemplate:
    # A first turn that stands in the template itself is what is said where nobody says something as system.
    said = _LITERAL.search(source) or _PLAIN.search(source)
    default = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], said["said"]) if said else None
    return _template("chatml", source, vocabulary, "<|im_start|>{role}\n{content}<|im_end|>\n", "<|im_start|>assistant\n", default)


def _llama3(source: str, vocabulary: Vocabulary) -> ChatTemplate:
    turn = "<|start_header_id|>{role}<|end_header_id|>\n\n{content}<|eot_id|>"
    reply = "<|start_header_id|>assistant<|end_header_id|>\n\n"
    return _template("llama3", source, vocabulary, turn, reply, trim=True)


def _zephyr(source: str, vocabulary: Vocabulary) -> ChatTemplate:
    end = "</s>" if vocabulary.eos is None else vocabulary.names[vocabulary.eos]
    return _template("zephyr", source, vocabulary, "<|{role}|>\n{content}" + end + "\n", "<|assistant|>\n")


def _template(
    family: str, source: str, vocabulary: Vocabulary, turn: str, reply: str, default: str | None = None, *, trim: bool = False
) -> ChatTemplate:
    numbers = {vocabulary.names[i]: i for i in (*vocabulary.control, *vocabulary.user_defined)}
    first = vocabulary.begin
    if first is None and ("bos_token" in source or "<|begin_of_text|>" in source):
        first = vocabulary.bos
    turns = {role: _pieces(turn.replace("{role}", role), numbers) for role in _ROLES}
    return ChatTemplate(family, () if first is None else (first,), turns, _pieces(reply, numbers), default, trim)


def _pieces(text: str, numbers: dict[str, int]) -> tuple[Piece, ...]:
    """Names of control tokens become their numbers; one that the vocabulary lacks stays text, as models without it were trained."""
    joined: list[Piece] = []
    for part in re.split(r"(<\|[^|{}]+\|>|</s>)", text):
        last = joined[-1] if joined else None
        if part in numbers:
            joined.append(numbers[part])
        elif part and isinstance(last, str):
            joined[-1] = last + part
        elif part:
            joined.append(part)
    return tuple(joined)
