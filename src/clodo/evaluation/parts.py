"""Whether one part of an understanding is right."""

from __future__ import annotations

from clodo.evaluation.scoring import Fact, Meaning, bounds, key, same_type
from clodo.understand.port import Part

#: Roles of values → the constraints that they make.
_MADE = {
    "enum": ("values",), "enumdef": ("values", "default"), "def": ("default",),
    "min": ("minimum", "minimumlength"), "xmin": ("minimum", "minimumlength"), "minlen": ("minimumlength",),
    "max": ("maximum", "maximumlength"), "xmax": ("maximum", "maximumlength"), "maxlen": ("maximumlength",),
    "len": ("minimumlength", "maximumlength"),
}  # fmt: skip
#: Kinds of cue → the constructs that their lines are of, where these are not called like the kind.
_LINES = {
    "overlap": {"no_overlap"}, "at-most": {"at_most", "check_rule"}, **dict.fromkeys(("above", "at-least"), {"check_rule"}),
    "every": {"schedule"}, "expire": {"schedule"}, "notify": {"notice", "reminder"},
    **dict.fromkeys(("count", "sum", "average", "highest", "lowest"), {"report"}),
    **dict.fromkeys(("times", "added", "less", "total-of", "number-of"), {"computed"}),
    "live": {"live_line"}, "room": {"room_line"}, "publish": {"publish_line"}, "slug": {"slug_line"}, "markdown": {"markdown_line"},
    **dict.fromkeys(("webhook-created", "webhook-updated", "webhook-deleted"), {"webhook"}),
    **dict.fromkeys(("limit-user", "limit-address", "limit-key"), {"limit", "write_limit", "joint_limit", "route"}), "cache": {"cache", "route"},
    "route": {"upstream", "route", "site"}, **dict.fromkeys(("retry", "timeout"), {"upstream"}), **dict.fromkeys(("header-set", "header-remove"), {"route", "site"}),
    **dict.fromkeys(("spa", "redirect"), {"site"}), "jwks": {"jwks_line"}, "private": {"private file"}, "file-types": {"file types"},
    "job": {"action"}, "mail-report": {"schedule"},
    **dict.fromkeys(("ask", "summary", "classify"), {"assistant"}),
    "idempotency": {"idempotency_keys"}, "user-keys": {"api_keys"},
    **dict.fromkeys(("incoming-stripe", "incoming-github", "incoming-hmac"), {"incoming"}),
}  # fmt: skip
_FLAGS = ("required", "unique", "search")


def judge(part: Part, said: Meaning, wanted: Meaning, *, exact: bool) -> bool | None:
    """Whether the part is what the text states; ``None`` where the set says nothing on it."""
    names = [key(n) for n in part.path.split(".")]
    if part.kind == "access":
        return said.access == wanted.access if wanted.access else None
    if part.kind == "cue":
        # Several cues may come to one line, so that those of a kind are right or wrong together.
        kind = part.path.strip("()")
        made = _LINES.get(kind, {kind.replace("-", "_")})
        ours, theirs = ({p for p in m.parts if p[1] in made} | _rights(m, kind) for m in (said, wanted))
        return bool(ours) and ours == theirs if exact else None
    if part.kind == "entity":
        return names[0] in wanted.entities
    if part.kind == "field":
        return _field(names[0], names[1], said, wanted)
    if part.kind == "relation":
        return _relation(names[0], names[1], part.path.rpartition(".")[2], said, wanted)
    role = part.path.rpartition(".")[2]
    kinds = _MADE.get(role, ())
    ours = _facts(said, names[0], names[1], kinds, exact)
    return bool(ours) and ours == _facts(wanted, names[0], names[1], kinds, exact)


def _rights(m: Meaning, kind: str) -> set[Fact]:
    """The rights that a step on rows can come to: who adds and who deletes them."""
    return {rule for rule in m.rules if kind == "action" and rule[1] in ("create", "delete")}


def _field(entity: str, name: str, said: Meaning, wanted: Meaning) -> bool:
    where = entity, name
    if where not in wanted.fields:
        # A named reference is a field of the text and a reference of the blueprint.
        return where not in said.fields and any(r[0] == entity for r in wanted.references & said.references)
    if where not in said.fields or not same_type(wanted.fields[where], said.fields[where]):
        return False
    return _facts(said, entity, name, _FLAGS, False) == _facts(wanted, entity, name, _FLAGS, False)


def _relation(source: str, target: str, kind: str, said: Meaning, wanted: Meaning) -> bool:
    def between(m: Meaning) -> set[Fact]:
        if kind == "many":
            return {r for r in m.references if r == ("*", *sorted((source, target)))}
        return {r for r in m.references if r[0] == source and r[2] == target}

    return bool(between(said)) and between(said) == between(wanted)


def _facts(m: Meaning, entity: str, name: str, kinds: tuple[str, ...], exact: bool) -> set[Fact]:
    found = {c for c in m.constraints if c[:2] == (entity, name) and c[2] in kinds}
    return found if exact else bounds(found)
