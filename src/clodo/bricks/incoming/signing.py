"""Senders of events, for the proof: what each puts into the headers of a request."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

from clodo.bricks.incoming.language import HEADER, Incoming


def _mark(secret: str | bytes, message: bytes, kind: str = "sha256") -> bytes:
    return hmac.new(secret.encode() if isinstance(secret, str) else secret, message, kind).digest()


def signed(hook: Incoming, secret: str, body: bytes, id: str, *, late: int = 0) -> dict[str, str]:
    """The headers that the sender of a hook gives a body; ``late`` seconds ago."""
    moment = str(int(time.time()) - late)
    headers = {"content-type": "application/json"}
    if hook.sender == "stripe":
        mark = _mark(secret, f"{moment}.".encode() + body).hex()
        return {**headers, "stripe-signature": f"t={moment},v1={'0' * 64},v1={mark},v0={mark}"}
    if hook.sender == "github":
        mark = _mark(secret, body).hex()
        return {**headers, "x-hub-signature-256": f"sha256={mark}", "x-github-delivery": id, "x-github-event": "proof"}
    if hook.sender == "standard":
        mark = base64.b64encode(_mark(secret, f"{id}.{moment}.".encode() + body)).decode()
        return {**headers, "webhook-id": id, "webhook-timestamp": moment, "webhook-signature": f"v1a,x v1,{mark}"}
    headers |= {hook.id_header.lower(): id} if hook.id_header else {}
    return {**headers, (hook.header or HEADER).lower(): f"sha256={_mark(secret, body).hex()}"}


def has_time(hook: Incoming) -> bool:
    """Whether its sender signs the time of sending."""
    return hook.sender in ("stripe", "standard")


def event_id(hook: Incoming, body: bytes, id: str) -> str:
    """What an event of a hook is known by; ``id`` is the one that its sender gave it."""
    return hashlib.sha256(body).hexdigest() if by_body(hook) else id


def by_body(hook: Incoming) -> bool:
    """Whether the events of a hook are known by the whole body."""
    return hook.sender == "hmac" and not (hook.field or hook.id_header)


def id_field(hook: Incoming) -> str:
    """The field of the body that the events of a hook are known by; empty where that is something else."""
    return "id" if hook.sender == "stripe" else hook.field


def forgeries(hook: Incoming, secret: str, body: bytes, id: str) -> dict[str, tuple[dict[str, str], bytes]]:
    """Requests that the sender never made, by what is wrong with them: headers and body."""
    good = signed(hook, secret, body, id)
    name = mark_header(hook)
    mark = good[name]
    out = {
        "no signature": ({k: v for k, v in good.items() if k != name}, body),
        "an empty signature": ({**good, name: ""}, body),
        "another secret": (signed(hook, f"{secret}x", body, id), body),
        "an empty secret": (signed(hook, "", body, id), body),
        "another body": (good, body.replace(b"proof", b"forge")),
        "half a signature": ({**good, name: mark[: len(mark) // 2]}, body),
        "a hash without a key": ({**good, name: _hashed(hook, good, body)}, body),
        "words": ({**good, name: "t=1,v1=true sha256=undefined v1,null"}, body),
    }
    if has_time(hook):
        for what, late in (("an old time", 3600), ("a time to come", -3600)):
            out[what] = (signed(hook, secret, body, id, late=late), body)
        fresh = str(int(time.time()) + 1)
        old = signed(hook, secret, body, id, late=3600)
        renewed = {**old, name: old[name].replace(f"t={int(time.time()) - 3600}", f"t={fresh}")}
        out["an old signature with a new time"] = (renewed | ({"webhook-timestamp": fresh} if hook.sender == "standard" else {}), body)
    if hook.sender == "standard":
        out["another id"] = ({**good, "webhook-id": f"{id}-2"}, body)
    if hook.sender == "github":
        weak = _mark(secret, body, "sha1").hex()
        out["sha1"] = ({**{k: v for k, v in good.items() if k != name}, "x-hub-signature": f"sha1={weak}"}, body)
    return out


def mark_header(hook: Incoming) -> str:
    """The header of the signature, in lower case."""
    own = {"stripe": "stripe-signature", "github": "x-hub-signature-256", "standard": "webhook-signature"}
    return own.get(hook.sender, (hook.header or HEADER).lower())


def _hashed(hook: Incoming, good: dict[str, str], body: bytes) -> str:
    plain = hashlib.sha256(body).digest()
    if hook.sender == "stripe":
        return f"{good['stripe-signature'].split(',')[0]},v1={plain.hex()}"
    return f"v1,{base64.b64encode(plain).decode()}" if hook.sender == "standard" else f"sha256={plain.hex()}"
