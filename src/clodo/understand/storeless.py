"""Services that can do without anything stored: gateways, sites, and services of accounts alone."""

from __future__ import annotations

from clodo.blueprint.values import ServiceType
from clodo.understand.draft import Draft, DraftCue

#: Kinds of cue that only services of one type have, where nothing is stored; paths that lead somewhere make a gateway, a folder that
#: is served a site.
TYPE_OF = {
    "route": ServiceType.GATEWAY,
    **dict.fromkeys(("spa", "redirect"), ServiceType.STATIC),
    **dict.fromkeys(("jwks", "change-password", "manage-roles"), ServiceType.AUTH),
}
#: What a service of a type is called of which the text tells no name.
CALLED = {ServiceType.GATEWAY: "gateway", ServiceType.STATIC: "site", ServiceType.AUTH: "accounts"}


def is_folder(cue: DraftCue) -> bool:
    """Whether a cue says which folder a site is served from: what leads somewhere has a path, which a folder has not."""
    return cue.kind == "route" and bool(cue.slots.get("to")) and not cue.slots.get("from")


def type_of(draft: Draft, *, stores: bool) -> ServiceType:
    """The type of a service: what the text says, in as far as its words bear it out; where nothing is stored, what its cues are
    of. ``stores``: whether it has entities."""
    stated = next((t for t in CALLED if t.value == draft.service_type), None)
    kinds = [cue.kind for cue in draft.cues]
    if stated is not None and not (stated is ServiceType.GATEWAY and stores and "route" not in kinds):
        return stated
    found = [ServiceType.STATIC if is_folder(cue) else TYPE_OF[cue.kind] for cue in draft.cues if cue.kind in TYPE_OF]
    return next((t for t in CALLED if t in found), ServiceType.DATA) if not stores else ServiceType.DATA


def is_storeless(draft: Draft) -> bool:
    """Whether a text that tells nothing of what it names can be of a service that stores nothing."""
    if any(e.fields for e in draft.entities.values()):
        return False
    stated = draft.service_type in {t.value for t in CALLED} or any(cue.kind == "route" for cue in draft.cues)
    return stated or (not draft.entities.keys() - {"user"} and type_of(draft, stores=False) is not ServiceType.DATA)


def is_gateway(draft: Draft) -> bool:
    """Whether the service is a gateway and nothing besides."""
    return is_storeless(draft) and type_of(draft, stores=False) is ServiceType.GATEWAY
