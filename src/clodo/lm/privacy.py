"""What may leave this machine. The policy is enforced where a connection is made, not promised."""

from __future__ import annotations

import ipaddress
from enum import StrEnum

from clodo.errors import ModelError, UsageError


class Privacy(StrEnum):
    """What may leave: nothing, what is left once secrets and names are replaced, or everything."""

    LOCAL_ONLY = "local-only"
    REDACT = "redact"
    OPEN = "open"


def privacy_named(name: str) -> Privacy:
    """The policy of that name.

    Raises:
        UsageError: there is none.
    """
    try:
        return Privacy(name)
    except ValueError:
        known = ", ".join(Privacy)
        raise UsageError(f"{name!r} is no privacy policy.", hint=f"Use one of {known}.") from None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself: ``localhost`` or a loopback address in its usual writing. Names that
    merely resolve to such an address are not: who answers for a name can change between two questions."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def permit(host: str, privacy: Privacy) -> None:
    """Lets a connection to a host be made, or not.

    Raises:
        ModelError: the policy keeps everything on this machine, and the host is another.
    """
    if privacy is Privacy.LOCAL_ONLY and not is_loopback(host):
        raise ModelError(
            f"The privacy policy local-only lets nothing leave this machine, and {host!r} is another.",
            hint="Use a local model, or allow it with --privacy redact (without secrets and names) or --privacy open.",
            code="privacy",
        )
