"""What the network is taught: one loss for each kind of decision of an example."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from clodo.training.examples import Example
from clodo.understand import labels as L

_BELONGS, _MANY, _ALIAS = (L.PAIRS.index(r) for r in L.RELATIONS)
_OWNER, _TARGET = L.PAIRS.index("owner"), L.PAIRS.index("target")
_REF = slice(L.PAIRS.index("ref-required"), L.PAIRS.index("ref-required") + len(L.REFERENCE_FLAGS))
_VALUE = slice(L.PAIRS.index("value-enum"), L.PAIRS.index("value-enum") + len(L.VALUE_ROLES))
_ROLE = slice(L.PAIRS.index("role-read"), L.PAIRS.index("role-read") + 2)
_TOGETHER = L.PAIRS.index("together")
_NEXT = L.PAIRS.index("next")
_SLOTS = slice(L.PAIRS.index("cue-of"), L.PAIRS.index("cue-of") + len(L.SLOTS))


def pooled(rows: Tensor, pairs: Tensor, columns: Tensor) -> Tensor:
    """Log-sum-exp of the scores of all pairs of members: ``rows [a, n]``, ``pairs [n, n, k]``,
    ``columns [b, n]`` (0/1 memberships) → ``[a, b, k]``."""
    powers = pairs.clamp(-25, 25).exp()
    return torch.einsum("ai,ijk,bj->abk", rows, powers, columns).clamp_min(1e-12).log()


def _softmax(scores: Tensor, gold: Tensor) -> Tensor:
    """Cross entropy where label 0 is "none" and has the fixed score 0."""
    full = torch.cat([torch.zeros_like(scores[..., :1]), scores], -1)
    return F.cross_entropy(full.reshape(-1, full.shape[-1]), gold.reshape(-1), reduction="none")


def link_losses(
    e: Example, pairs: Tensor, types: Tensor, field_flags: Tensor, entity_flags: Tensor
) -> dict[str, Tensor]:
    """The losses of one example over its mentions, each a scalar."""
    device = pairs.device
    t = _tensors(e, device)
    out: dict[str, Tensor] = {}
    single = torch.eye(len(e.spans), device=device)
    is_field = t["owners"].sum(1) > 0
    if is_field.any() and e.in_entity.shape[0] > 0:
        owner = pooled(single[is_field], pairs[..., [_OWNER]], t["in_entity"])[..., 0]
        wanted = t["owners"][is_field]
        out["owner"] = F.cross_entropy(owner, wanted / wanted.sum(1, keepdim=True)) * 2
    if e.in_field.shape[0]:
        out |= _field_losses(t, pairs, types, field_flags)
    if e.in_entity.shape[0]:
        out |= _entity_losses(t, pairs, entity_flags)
    if (e.cues >= 0).any():
        out |= _cue_losses(t, pairs, types)
    if e.states.shape[0] > 1:
        scores = pooled(t["states"], pairs[..., [_NEXT]], t["states"])[..., 0]
        judged = t["steps"] >= 0
        if judged.any():
            loss = F.binary_cross_entropy_with_logits(scores[judged], t["steps"][judged], reduction="sum")
            out["steps"] = loss / scores.shape[0]
    if e.field_surfaces.shape[0] > 1:
        scores = pooled(t["field_surfaces"], pairs[..., [_ALIAS]], t["field_surfaces"])[..., 0]
        judged = (t["field_alias"] >= 0) & ~torch.eye(scores.shape[0], dtype=torch.bool, device=device)
        if judged.any():
            loss = F.binary_cross_entropy_with_logits(scores[judged], t["field_alias"][judged], reduction="sum")
            out["field_alias"] = loss / scores.shape[0]
    if e.surfaces.shape[0] > 1:
        scores = pooled(t["surfaces"], pairs[..., [_ALIAS]], t["surfaces"])[..., 0]
        off = ~torch.eye(scores.shape[0], dtype=torch.bool, device=device)
        out["alias"] = F.binary_cross_entropy_with_logits(scores[off], t["alias"][off])
    return out


def _tensors(e: Example, device: torch.device) -> dict[str, Tensor]:
    whole = ("types", "targets", "relations", "values", "kinds", "cues")
    out = {name: torch.as_tensor(getattr(e, name), dtype=torch.long, device=device) for name in whole}
    rest = ["owners", "in_entity", "in_field", "surfaces", "alias", "field_surfaces", "field_alias", "field_flags", "target_flags", "entity_flags", "relation_flags", "in_role", "roles", "together", "slots", "states", "steps"]  # fmt: skip
    return out | {name: torch.as_tensor(getattr(e, name), dtype=torch.float32, device=device) for name in rest}


def _field_losses(
    t: dict[str, Tensor], pairs: Tensor, types: Tensor, flags: Tensor
) -> dict[str, Tensor]:
    member = t["in_field"]
    mean = member / member.sum(1, keepdim=True).clamp_min(1)
    out = {"type": F.cross_entropy(mean @ types, t["types"])}
    strongest = torch.einsum("fn,nk->fk", member, flags.clamp(-25, 25).exp()).clamp_min(1e-12).log()
    out["field_flags"] = (
        F.binary_cross_entropy_with_logits(strongest, t["field_flags"], reduction="none").sum(-1).mean()
    )
    is_value = t["kinds"] == L.KINDS.index("value")
    if is_value.any():
        single = torch.eye(member.shape[1], device=member.device)[is_value]
        scores = pooled(single, pairs[..., _VALUE], member)
        loss = _softmax(scores, t["values"][is_value])
        out["values"] = loss.sum() / is_value.sum() * 1.5
    named = t["targets"] >= 0
    if named.any():
        scores = pooled(member[named], pairs[..., [_TARGET]], t["in_entity"])[..., 0]
        out["target"] = F.cross_entropy(scores, t["targets"][named])
        flags = pooled(member[named], pairs[..., _REF], t["in_entity"])
        flags = flags[torch.arange(len(flags), device=flags.device), t["targets"][named]]
        out["target_flags"] = F.binary_cross_entropy_with_logits(flags, t["target_flags"][named], reduction="none").sum(-1).mean()
    return out


def _cue_losses(t: dict[str, Tensor], pairs: Tensor, types: Tensor) -> dict[str, Tensor]:
    is_cue = t["cues"] >= 0
    single = torch.eye(types.shape[0], device=types.device)
    out = {"cue": F.cross_entropy(types[is_cue], t["cues"][is_cue])}
    scores = pooled(single[is_cue], pairs[..., _SLOTS], torch.cat([t["in_entity"], t["in_field"], single]))
    gold = t["slots"][is_cue]
    judged = gold >= 0
    loss = F.binary_cross_entropy_with_logits(scores[judged], gold[judged], reduction="sum")
    return out | {"slots": loss / is_cue.sum() * 1.5}


def _entity_losses(t: dict[str, Tensor], pairs: Tensor, flags: Tensor) -> dict[str, Tensor]:
    member = t["in_entity"]
    strongest = torch.einsum("en,nk->ek", member, flags.clamp(-25, 25).exp()).clamp_min(1e-12).log()
    out = {
        "entity_flags": F.binary_cross_entropy_with_logits(
            strongest, t["entity_flags"], reduction="none"
        ).sum(-1).mean()
    }  # fmt: skip
    score = pooled(member, pairs, member)
    many = (score[..., _MANY] + score[..., _MANY].transpose(0, 1)) / 2
    related = torch.stack([score[..., _BELONGS], many], -1)
    loss = _softmax(related, t["relations"])
    out["relations"] = loss.sum() / member.shape[0] * 1.5
    belongs = t["relations"] == 1
    if belongs.any():
        out["relation_flags"] = F.binary_cross_entropy_with_logits(
            score[..., _REF][belongs], t["relation_flags"][belongs], reduction="none"
        ).sum(-1).mean()  # fmt: skip
    if len(t["in_role"]):
        scores = pooled(t["in_role"], pairs[..., _ROLE], member)
        out["roles"] = F.binary_cross_entropy_with_logits(scores, t["roles"])
    both = torch.cat([t["in_field"], member])
    scores = pooled(both, pairs[..., [_TOGETHER]], both)[..., 0]
    out["together"] = F.binary_cross_entropy_with_logits(
        (scores + scores.T) / 2, t["together"], reduction="none"
    ).sum() / max(1, both.shape[0])  # fmt: skip
    return out
