"""Fields whose names say that they hold a secret, and what is wrong where callers can read it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from clodo.blueprint.problems import Problem
from clodo.blueprint.values import Field, FieldType

#: Names of what people prove themselves by: nobody has to read it, so that a hash is enough.
PASSWORD = r"(?:^|_)(?:pass_?words?|pass_?codes?|pass_?phrases?|passwd|pwd|pin_?codes?|pin_?numbers?|pin)$"
#: Names of keys and tokens: whoever can read one can use it.
SECRET = (
    r"(?:^|_)(?:secrets?|pass(?:word)?_hash|credentials?|cvv|cvc|secret_(?:answer|code|phrase|word)"
    r"|(?:api|access|auth|authentication|bearer|client|encryption|login|private|refresh|reset|secret|security|session|signing)"
    r"_?(?:keys?|tokens?))$"
)
#: In an address a PIN code is a postal code, which is no secret.
POSTAL = r"(?:^|_)pin_?codes?$"
ADDRESS = r"(?:^|_)(?:address|street|city|town|village|district|state|country)(?:_|$)"
#: Types that can hold one; a date or a choice of that name is about a secret.
BEARING = (FieldType.TEXT, FieldType.LONG_TEXT, FieldType.UUID, FieldType.INTEGER, FieldType.DECIMAL, FieldType.LIST, FieldType.JSON)


def is_password(name: str, type_: FieldType, beside: Iterable[str] = ()) -> bool:
    """Whether a field of that name and type holds a password; ``beside`` are the names around it."""
    if type_ not in BEARING or not re.search(PASSWORD, name):
        return False
    return not (re.search(POSTAL, name) and any(re.search(ADDRESS, other) for other in beside))


def is_secret(name: str, type_: FieldType, beside: Iterable[str] = ()) -> bool:
    """Whether it holds a password, or another secret."""
    return is_password(name, type_, beside) or (type_ in BEARING and re.search(SECRET, name) is not None)


def secrecy_problems(f: Field, path: str, beside: Iterable[str]) -> Iterator[Problem]:
    """What is wrong with a field that its name calls a secret."""
    if f.hashed or f.made or f.computed is not None or not is_secret(f.name, f.type, beside):
        return
    password = is_password(f.name, f.type, beside)
    mend = "Say 'hashed', so that only a salted hash of it is stored" + ("." if f.type is FieldType.TEXT else "; it has to be a text.")
    if not f.write_only and password:
        yield Problem(f"Whoever may read a row could read its {f.name!r}.", mend, path)
    elif not f.write_only:
        yield Problem(
            f"Whoever may read a row can read its {f.name!r}.",
            "Say 'write-only', so that it is never answered; or 'hashed', where only its hash is needed.",
            path,
            severity="warning",
        )
    elif password:
        yield Problem(f"{f.name!r} is stored as it is given.", f"{mend} Leave it where the service itself has to use it.", path, severity="warning")
