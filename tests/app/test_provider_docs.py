"""The page of providers holds: its references open, and every code, variable and reason is on it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clodo.app.models import open_understander
from clodo.lm import limits
from clodo.lm.privacy import Privacy

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "providers.md").read_text("utf-8")


@pytest.mark.parametrize("reference", sorted(set(re.findall(r"--model (\S+)", "\n".join(re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL))))))
def test_every_reference_opens(reference: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "a")
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "t")
    open_understander(reference, privacy=Privacy.REDACT)


def test_every_code_variable_and_policy_is_explained() -> None:
    sources = "".join(
        p.read_text("utf-8") for room in ("lm", "runtime", "app", "understand") for p in (ROOT / "src" / "clodo" / room).glob("*.py")
    )
    codes = set(re.findall(r'code="([a-z-]+)"', sources)) | set(re.findall(r'Doubt\("([a-z-]+)"', sources))
    variables = set(re.findall(r'"((?:CLODO|CLOUDFLARE)_[A-Z_]+)"', sources)) - {"CLOUDFLARE_API_BASE_URL"}
    words = codes | variables | set(limits._NAMES) | {p.value for p in Privacy}
    assert len(codes) > 9 and len(variables) > 6
    assert sorted(w for w in words if f"`{w}`" not in PAGE and f"`--privacy` (or `{w}`)" not in PAGE and f"(or `{w}`)" not in PAGE) == []


def test_the_page_says_how_long_things_take() -> None:
    d = limits.Limits()
    for figure in (f"| {d.call_seconds:g} | {limits.LOCAL.call_seconds:g} |", f"{d.call_tokens:,}", f"| {d.day_requests} |", f"{d.day_tokens:,}"):
        assert figure in PAGE
