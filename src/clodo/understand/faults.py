"""A blueprint without what the checks object to."""

from __future__ import annotations

from dataclasses import replace

from clodo.blueprint.checks import check
from clodo.blueprint.values import Blueprint, Entity, Field


def without_faults(b: Blueprint) -> tuple[Blueprint | None, frozenset[str]]:
    """The blueprint without the field rules that the checks object to, or ``None`` where they still object: asked about, never
    guessed. Beside it the fields that lost their rules, as ``entity.field``."""
    lost: set[str] = set()
    for _ in range(2):
        faulty = {p.path for p in check(b) if p.severity == "error"}
        if not faulty:
            return b, frozenset(lost)
        lost |= faulty
        b = replace(b, entities=tuple(_relaxed(e, faulty) for e in b.entities))
        if b.users is not None:
            fields = tuple(_plain(f) if f"user.{f.name}" in faulty else f for f in b.users.fields)
            b = replace(b, users=replace(b.users, fields=fields))
    return None, frozenset(lost)


def _relaxed(e: Entity, faulty: set[str]) -> Entity:
    fields = tuple(_plain(f) if f"{e.name}.{f.name}" in faulty else f for f in e.fields)
    return replace(e, fields=fields)


def _plain(f: Field) -> Field:
    return Field(f.name, f.type, f.values, required=f.required and not f.read_only, write_only=f.write_only and not f.read_only, hashed=f.hashed)
