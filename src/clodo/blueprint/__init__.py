"""The blueprint: what a service is, as a value, as text, and what is wrong with it."""

from __future__ import annotations

from clodo.blueprint.checks import check
from clodo.blueprint.problems import InvalidBlueprint, Problem
from clodo.blueprint.syntax import read
from clodo.blueprint.text import format_blueprint
from clodo.blueprint.values import Blueprint


def parse(text: str) -> Blueprint:
    """The blueprint of a text, checked.

    Raises:
        InvalidBlueprint: with every problem found, each with line, column and a suggestion.
    """
    blueprint, positions = read(text)
    errors = tuple(p for p in check(blueprint, positions) if p.severity == "error")
    if errors:
        raise InvalidBlueprint(errors)
    return blueprint


__all__ = ["Blueprint", "InvalidBlueprint", "Problem", "check", "format_blueprint", "parse"]
