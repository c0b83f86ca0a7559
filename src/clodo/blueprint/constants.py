"""Which constants are values of a type: exactly those that the Worker takes, in the form that it stores."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from ipaddress import IPv4Address

from clodo.blueprint.values import Constant, Field, FieldType

#: Integers beyond this are not exact in JSON.
SAFE_INTEGER = 2**53 - 1
#: Money is kept in hundredths, which must be safe integers themselves.
MOST_MONEY = 9_000_000_000_000
#: The greatest length where the blueprint says none: characters, for lists items.
LENGTHS = {
    FieldType.TEXT: 1000,
    FieldType.LONG_TEXT: 100_000,
    FieldType.EMAIL: 254,
    FieldType.URL: 2000,
    FieldType.LIST: 1000,
}
#: The form of an e-mail address; the Worker's ``lib/fields.ts`` has the same.
EMAIL = (
    r"^(?=[^@]{1,64}@)[A-Za-z0-9_'+%&-]+(\.[A-Za-z0-9_'+%&-]+)*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+"
    r"[A-Za-z]{2,63}$"
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)",
    re.ASCII | re.IGNORECASE,
)
_HOST = r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_URL = re.compile(rf"https?://(?P<host>{_HOST})(?::(?P<port>\d{{1,5}}))?(?:[/?#]\S*)?", re.IGNORECASE | re.ASCII)
_LARGEST = Decimal("1e300")
_MOST_DIGITS = 40


def valid_constant(f: Field, value: Constant) -> bool:
    """Whether a constant is of the type of the field; ``now`` is one for dates and times."""
    if value == "now" and f.type.is_temporal:
        return True
    return normal(f.type, value) is not None


def normal(type_: FieldType, value: Constant) -> Constant | None:
    """The value as it is stored and answered, or ``None`` where it is not of the type."""
    if isinstance(value, bool):
        return value if type_ is FieldType.BOOLEAN else None
    if isinstance(value, Decimal):
        return value if _number(type_, value) else None
    if not _storable(value):
        return None
    if type_ is FieldType.DATE:
        return value if _DATE.fullmatch(value) and _date(value) else None
    if type_ is FieldType.TIME:
        return (value if len(value) == 8 else f"{value}:00") if _TIME.fullmatch(value) else None
    if type_ is FieldType.DATETIME:
        return utc(value)
    if type_ is FieldType.UUID:
        return value.lower() if _UUID.fullmatch(value) else None
    if type_ is FieldType.EMAIL:
        return value if re.search(EMAIL, value) and "\n" not in value else None
    if type_ is FieldType.URL:
        return value if _web_address(value) else None
    return value if type_ in (FieldType.TEXT, FieldType.LONG_TEXT, FieldType.ENUM) else None


def length(value: str) -> int:
    """The length of a text as JavaScript counts it, in UTF-16 units."""
    return len(value.encode("utf-16-le", "surrogatepass")) // 2


def utc(value: str) -> str | None:
    """A moment with any offset as it is stored: UTC with milliseconds; ``None`` where it is no moment."""
    if not _MOMENT.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + f".{moment.microsecond // 1000:03d}Z"


def _number(type_: FieldType, value: Decimal) -> bool:
    if len(value.as_tuple().digits) > _MOST_DIGITS:
        return False
    if type_ is FieldType.INTEGER:
        return abs(value) <= SAFE_INTEGER and value == value.to_integral_value()
    if type_ is FieldType.MONEY:
        return abs(value) <= MOST_MONEY and value * 100 == (value * 100).to_integral_value()
    return type_ is FieldType.DECIMAL and abs(value) <= _LARGEST


def _storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def _date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _web_address(value: str) -> bool:
    found = _URL.fullmatch(value)
    if found is None or int(found["port"] or 0) > 65535:
        return False
    # A host whose last part is a number has to be an IPv4 address as a whole.
    if not found["host"].rpartition(".")[2].isdigit():
        return True
    try:
        IPv4Address(found["host"])
    except ValueError:
        return False
    return True
