"""``custom code`` in the service, with lines of cron for scheduled work."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lark import Tree

from clodo.blueprint.clashes import duplicates
from clodo.blueprint.constructs import Construct, path_of
from clodo.blueprint.cron import times
from clodo.blueprint.problems import Problem
from clodo.blueprint.text import quote
from clodo.blueprint.values import Blueprint

_PART = r"(?:\*|\w{1,3}(?:-\w{1,3})?)(?:/\d{1,2})?"
_CRON = re.compile(rf"{_PART}(?:,{_PART})*(?: {_PART}(?:,{_PART})*){{4}}")


@dataclass(frozen=True, slots=True)
class CustomCode:
    """The service has code of its user's own; ``times`` are lines of cron at which it is called."""

    times: tuple[str, ...] = ()


def _problems(b: Blueprint, owner: None, code: CustomCode) -> Iterator[Problem]:
    path = path_of(owner, code)
    yield from duplicates(code.times, "The line 'custom code'", path)
    for line in code.times:
        if not _CRON.fullmatch(line):
            yield Problem(f"{line!r} is no line of cron.", 'Write five parts, such as "0 3 * * *" for every night at three.', path)
            continue
        try:
            times(line)
        except ValueError as error:
            yield Problem(f"Cloudflare refuses {line!r}: {error}", 'Write "0 3 * * MON", say: names of days mean the same everywhere.', path)


def _line(code: CustomCode) -> str:
    return "custom code" + (f" at {', '.join(map(quote, code.times))}" if code.times else "")


def _build(tree: Tree[Any]) -> CustomCode:
    return CustomCode(tuple(json.loads(str(token)) for token in tree.children))


CONSTRUCTS = (
    Construct(
        name="custom_code",
        place="service",
        value=CustomCode,
        grammar='custom_code: "custom" "code" ("at" STRING ("," STRING)*)? _NL',
        build=_build,
        lines=lambda code: [_line(code)],
        check=_problems,
        once=True,
    ),
)
