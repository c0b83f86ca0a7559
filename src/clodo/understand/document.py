"""An understanding as a JSON document: what ``clodo blueprint --json`` prints and an edge Worker's ``POST /v1/blueprint``
answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.errors import ModelError
from clodo.lm import Tried
from clodo.understand.port import SPAN_ROLES, Part, Span, Understanding

_TIMINGS = ("prefill", "decode", "model", "build", "verify", "total")


def document(u: Understanding, timings: Mapping[str, float]) -> dict[str, Any]:
    """What ``--json`` tells of an understanding; ``timings`` (ms) are those of further steps."""
    all_timings = {**dict.fromkeys(_TIMINGS, 0.0), **u.timings_ms, **timings}
    return {
        "blueprint": format_blueprint(u.blueprint) if u.blueprint else None,
        "model": u.model,
        "provider": u.provider,
        "tried": [{"model": t.model, "provider": t.provider, "reason": t.reason, "detail": t.detail} for t in u.tried],
        "confidence": u.confidence,
        "questions": list(u.questions),
        "notes": list(u.notes),
        "parts": [_told(p) for p in u.parts],
        "not_understood": [_told(p) for p in u.not_understood],
        "spans": [{"start": s.start, "end": s.end, "role": s.role} for s in u.spans],
        "timings_ms": {k: round(v, 1) for k, v in all_timings.items()},
    }


def understanding_of(found: Mapping[str, Any], description: str, provider: str) -> Understanding:
    """The understanding in a document about a description. It comes from elsewhere, so all of it is checked; ``provider``
    says where from.

    Raises:
        ModelError: it holds neither a valid blueprint nor questions, or is not of this shape (``invalid-answer``).
    """
    try:
        text = found["blueprint"]
        questions = _texts(found.get("questions"))
        if not (isinstance(text, str) or (text is None and questions)):
            raise ValueError("it holds neither a blueprint nor questions")
        timings = found.get("timings_ms") or {}
        return Understanding(
            blueprint=None if text is None else parse(text),
            confidence=_chance(found["confidence"]),
            model=str(found["model"]),
            provider=provider,
            parts=tuple(_part(p, len(description)) for p in found.get("parts") or ()),
            # Workers of before have what was not understood among the parts.
            not_understood=tuple(_part(p, len(description)) for p in found.get("not_understood") or ()),
            questions=questions if text is None else (),
            notes=_texts(found.get("notes")),
            spans=tuple(_span(s, len(description)) for s in found.get("spans") or ()),
            timings_ms={k: _milliseconds(timings.get(k)) for k in _TIMINGS[:3]},
            tried=tuple(_tried(t) for t in found.get("tried") or ()),
        )
    except InvalidBlueprint as error:
        reason = f"its blueprint is not valid: {error.problems[0]}"
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
    raise ModelError(f"The {provider} gave an answer that does not hold up ({reason}).", code="invalid-answer")


def _told(p: Part) -> dict[str, Any]:
    return {"path": p.path, "kind": p.kind, "confidence": round(p.confidence, 4), "spans": [{"start": a, "end": b} for a, b in p.spans]}


def _texts(value: object) -> tuple[str, ...]:
    if value is not None and not (isinstance(value, list) and all(isinstance(v, str) for v in value)):
        raise ValueError("questions and notes are lists of sentences")
    return tuple(value or ())


def _part(value: Mapping[str, Any], length: int) -> Part:
    path = str(value["path"])
    # Workers of before 1.5 do not tell what a part is, those of before 1.12 not which words it comes from.
    kind = str(value.get("kind") or ("field" if "." in path else "entity"))
    return Part(path, _chance(value["confidence"]), tuple(_stretch(s, length) for s in value.get("spans") or ()), kind)


def _chance(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"{value!r} is no confidence")
    return float(value)


def _milliseconds(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) and value >= 0 else 0.0


def _span(value: Mapping[str, Any], length: int) -> Span:
    start, end = _stretch(value, length)
    if value["role"] not in SPAN_ROLES:
        raise ValueError(f"{value['role']!r} is nothing that words are taken for")
    return Span(start, end, value["role"])


def _stretch(value: Mapping[str, Any], length: int) -> tuple[int, int]:
    start, end = value["start"], value["end"]
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start <= end <= length):
        raise ValueError(f"{dict(value)!r} is no stretch of the description")
    return start, end


def _tried(value: Mapping[str, Any]) -> Tried:
    return Tried(str(value["model"]), str(value["provider"]), str(value["reason"]), str(value.get("detail", "")))
