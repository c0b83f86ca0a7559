"""``audit`` and ``audit read role admin`` in an entity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lark import Tree

from clodo.blueprint.checks import access_problems
from clodo.blueprint.constructs import Construct, construct_of, path_of
from clodo.blueprint.problems import Problem
from clodo.blueprint.syntax import access_of
from clodo.blueprint.values import KEY, Access, Blueprint, Entity, Who
from clodo.bricks.tenants.language import tenant_column, tenant_entity

#: From the widest to the narrowest: who may read rows, and who may then read what became of them.
_NARROW = 2
_WIDTH = {Who.PUBLIC: 0, Who.USER: 1, Who.OWNER: _NARROW, Who.ROLE: _NARROW, Who.KEY: _NARROW}


@dataclass(frozen=True, slots=True)
class Audit:
    """Every change of a row is written down; ``access`` says who may read that."""

    access: Access = KEY


def _audit(tree: Tree[Any]) -> Audit:
    return Audit(access_of(tree.children[0].children[0])) if tree.children else Audit()


def _lines(audit: Audit) -> list[str]:
    return ["audit" if audit.access == KEY else f"audit read {audit.access}"]


def _problems(b: Blueprint, owner: Entity, audit: Audit) -> Iterator[Problem]:
    access, read, path = audit.access, b.read_access(owner), path_of(owner, audit)
    mend = "Say 'audit read role …', or 'audit' alone for the API key."
    hidden = any(construct_of(part).shown_by for part in owner.parts)
    if access.who is Who.OWNER:
        yield Problem("An audit has no owner.", mend, path)
        return
    if _WIDTH[access.who] < (_NARROW if hidden else _WIDTH[read.who]):
        what = "is hidden from" if hidden else f"only '{read}' may read, to"
        yield Problem(f"The audit of {owner.name} would show what {what} '{access}'.", mend, path)
    elif owner is tenant_entity(b):
        yield Problem(f"A {owner.name} is known to its members only, who are gone with it.", f"Remove 'audit' from {owner.name}.", path)
    elif tenant_column(b, owner) and access.who not in (Who.USER, Who.ROLE):
        what = f"Whoever may read the audit of {owner.name} must be a member of its tenant, and '{access}' lets in others."
        yield Problem(what, "Say 'audit read user', or 'audit read role …'.", path)
    yield from access_problems(b, access, path)


CONSTRUCTS = (
    Construct(
        name="audit",
        place="entity",
        value=Audit,
        grammar='audit: "audit" audit_read? _NL\naudit_read: "read" access',
        build=_audit,
        lines=_lines,
        check=_problems,
        once=True,
        claims=lambda plan, owner, value: ["/api/audit", "{id}/audit"],
    ),
)
