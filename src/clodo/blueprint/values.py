"""What a service is: frozen values, equal by content, free of ids, clocks and paths.

The service contract gives these values their meaning over HTTP. Names are snake_case; entity
names are singular. Every sequence is a tuple in the order in which it was written.
"""

from __future__ import annotations

import builtins
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Literal, TypeVar

Part = TypeVar("Part")


class ServiceType(StrEnum):
    """The kind of a service, in the words that users of the framework know."""

    DATA = "data-service"
    AUTH = "auth-service"
    CONTENT = "content-service"
    GATEWAY = "api-gateway"
    STATIC = "static-site"
    GENERIC = "generic"


class FieldType(StrEnum):
    """The type of a field as written in a blueprint."""

    TEXT = "text"
    LONG_TEXT = "longtext"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    EMAIL = "email"
    URL = "url"
    UUID = "uuid"
    JSON = "json"
    ENUM = "enum"
    LIST = "list"

    @property
    def is_number(self) -> bool:
        """Bounds are numbers."""
        return self in (FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY)

    @property
    def is_temporal(self) -> bool:
        """Bounds are dates, date-times or times of day."""
        return self in (FieldType.DATE, FieldType.DATETIME, FieldType.TIME)

    @property
    def is_textual(self) -> bool:
        """Bounds are lengths in characters (of a list: the number of its items)."""
        return self in (
            FieldType.TEXT,
            FieldType.LONG_TEXT,
            FieldType.EMAIL,
            FieldType.URL,
            FieldType.LIST,
        )


class OnDelete(StrEnum):
    """What becomes of a row when the row it refers to is deleted."""

    RESTRICT = "restrict"
    CASCADE = "cascade"
    SET_NULL = "set null"


class Who(StrEnum):
    """The kinds of caller an access rule can name."""

    PUBLIC = "public"
    KEY = "key"
    USER = "user"
    OWNER = "owner"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class Access:
    """Who may do something. ``Who.ROLE`` has ``roles``, any of which may; ``Who.OWNER`` may have some that
    may beside the owner."""

    who: Who
    roles: tuple[str, ...] = ()

    def __str__(self) -> str:
        named = f"role {', '.join(self.roles)}"
        if self.who is Who.ROLE:
            return named
        return f"{self.who.value} or {named}" if self.roles else self.who.value

    def is_like(self, other: Access) -> bool:
        """Whether both let in the same people; an administrator may do what any role may."""
        ours, theirs = ({*a.roles, "admin"} if a.roles else set() for a in (self, other))
        return self.who is other.who and ours == theirs

    def is_within(self, other: Access) -> bool:
        """Whether ``other`` lets in all whom this lets in: to rows of anybody, or both to rows of their own."""
        if self.is_like(other) or other.who is Who.PUBLIC:
            return True
        if other.who is Who.USER:
            return self.who in (Who.USER, Who.OWNER, Who.ROLE)
        return self.who is Who.ROLE and bool(other.roles) and {*self.roles} <= {"admin", *other.roles}


PUBLIC = Access(Who.PUBLIC)
KEY = Access(Who.KEY)
USER = Access(Who.USER)
OWNER = Access(Who.OWNER)

#: A constant of the language: a number, a boolean or a text (dates and times are texts).
Constant = Decimal | bool | str


@dataclass(frozen=True, slots=True)
class Bound:
    """A minimum or maximum. For numbers and times the value itself, for texts the length."""

    value: Decimal | str
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class Operand:
    """A leaf of a computed expression: the name of a sibling field, or a constant."""

    value: Constant
    is_field: bool = False


Operator = Literal["+", "-", "*", "/", "&", "=", "!=", "<", "<=", ">", ">=", "and", "or"]


@dataclass(frozen=True, slots=True)
class Operation:
    """``left operator right``; numbers for ``+ - * /``, texts for ``&`` (concatenation), what is alike for
    comparisons, conditions for ``and`` and ``or``."""

    operator: Operator
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Path:
    """A name with names behind it: ``book.copies`` is a field of the row that a reference names, ``this.member`` a
    member of the row that the expression is of, seen from within a ``where``."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """``function(argument where condition)``: ``count(loan where book = this)``, ``days(14)``."""

    function: str
    argument: Expression
    where: Expression | None = None


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition."""

    inner: Expression


@dataclass(frozen=True, slots=True)
class IsEmpty:
    """Whether a value is null; ``negated``: whether it is not."""

    inner: Expression
    negated: bool = False


@dataclass(frozen=True, slots=True)
class IsIn:
    """Whether a value is one of some constants."""

    inner: Expression
    values: tuple[Constant, ...]


Expression = Operand | Operation | Path | Call | Not | IsEmpty | IsIn


@dataclass(frozen=True, slots=True)
class Field:
    """One column. ``values`` is non-empty exactly for enums. ``default`` is a constant, the
    text ``now`` for dates and times, or an expression over the row that is worked out when the row is made. ``computed``
    fields are read-only and are never stored; of ``hashed`` ones only a
    salted hash is, and they are write-only."""

    name: str
    type: FieldType = FieldType.TEXT
    values: tuple[str, ...] = ()
    required: bool = False
    unique: bool = False
    default: Constant | Expression | None = None
    minimum: Bound | None = None
    maximum: Bound | None = None
    pattern: str | None = None
    read_only: bool = False
    write_only: bool = False
    computed: Expression | None = None
    #: The service itself gives it a value where a body has none, or works it out of others (fields that bricks bring).
    made: bool = False
    hashed: bool = False

    def __post_init__(self) -> None:
        if self.hashed:
            object.__setattr__(self, "write_only", True)

    @property
    def constant_default(self) -> Constant | None:
        """The default, where it is a constant (or the text ``now``)."""
        return self.default if isinstance(self.default, Decimal | bool | str) else None

    @property
    def worked_out(self) -> Expression | None:
        """The default, where it is worked out for each row."""
        return (
            None
            if self.default is None or isinstance(self.default, Decimal | bool | str)
            else self.default
        )


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference ``name: -> target``; the JSON key is ``{name}_id``. ``unique`` makes it
    one-to-one. A target of ``user`` means the service's users where it has them."""

    name: str
    target: str
    required: bool = False
    unique: bool = False
    on_delete: OnDelete = OnDelete.RESTRICT


@dataclass(frozen=True, slots=True)
class Link:
    """Many-to-many: ``name: <-> target``, declared on one of the two sides only. The sub-path
    is the plural of the target on this side, the plural of the entity on the other."""

    name: str
    target: str


def _of_kind(parts: tuple[Any, ...], kind: type[Part]) -> tuple[Part, ...]:
    return tuple(p for p in parts if isinstance(p, kind))


@dataclass(frozen=True, slots=True)
class Entity:
    """A stored thing. ``read`` and ``write`` are ``None`` where the service's rule holds, ``create`` and ``delete`` where whoever may
    write creates and deletes.
    ``unique`` lists groups of names of fields or references that are unique together; ``parts`` are
    the values of what bricks add to the language (``clodo.blueprint.constructs``)."""

    name: str
    fields: tuple[Field, ...] = ()
    references: tuple[Reference, ...] = ()
    links: tuple[Link, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    search: tuple[str, ...] = ()
    read: Access | None = None
    write: Access | None = None
    create: Access | None = None
    delete: Access | None = None
    soft_delete: bool = False
    timestamps: bool = True
    parts: tuple[Any, ...] = ()
    #: Columns within which every uniqueness of the entity holds; bricks set them.
    unique_within: tuple[str, ...] = ()

    def field(self, name: str) -> Field | None:
        """The field of that name, or ``None``."""
        return next((f for f in self.fields if f.name == name), None)

    def parts_of(self, kind: type[Part]) -> tuple[Part, ...]:
        """The parts of one kind that a brick brought."""
        return _of_kind(self.parts, kind)


@dataclass(frozen=True, slots=True)
class Users:
    """Accounts: e-mail and password are always there; ``fields`` are further profile fields,
    ``roles`` the roles beside ``user`` (the address in ``ADMIN_EMAIL`` is ``admin``), ``unique`` groups of names
    of fields that are unique together, ``search`` the fields (or ``email``) that the list of users is searched in."""

    fields: tuple[Field, ...] = ()
    roles: tuple[str, ...] = ()
    parts: tuple[Any, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    search: tuple[str, ...] = ()

    #: The field of an expanded blueprint that tells whether an address was confirmed, where addresses are.
    CONFIRMED: ClassVar[str] = "email_confirmed"

    @property
    def confirms(self) -> bool:
        """Whether addresses are confirmed, and count only then; of an expanded blueprint."""
        return any(f.name == self.CONFIRMED and f.read_only for f in self.fields)

    def parts_of(self, kind: type[Part]) -> tuple[Part, ...]:
        """The parts of one kind that a brick brought."""
        return _of_kind(self.parts, kind)


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A whole service."""

    name: str
    type: ServiceType = ServiceType.DATA
    title: str = ""
    read: Access = PUBLIC
    write: Access = PUBLIC
    users: Users | None = None
    entities: tuple[Entity, ...] = field(default=())
    parts: tuple[Any, ...] = ()

    def parts_of(self, kind: builtins.type[Part]) -> tuple[Part, ...]:
        """The parts of one kind that a brick brought to the service itself."""
        return _of_kind(self.parts, kind)

    def entity(self, name: str) -> Entity | None:
        """The entity of that name, or ``None``."""
        return next((e for e in self.entities if e.name == name), None)

    def read_access(self, entity: Entity) -> Access:
        """Who may read rows of ``entity``."""
        return entity.read or self.read

    def write_access(self, entity: Entity) -> Access:
        """Who may change rows of ``entity``."""
        return entity.write or self.write

    def create_access(self, entity: Entity) -> Access:
        """Who may create rows of ``entity``, one by one."""
        return entity.create or self.write_access(entity)

    def delete_access(self, entity: Entity) -> Access:
        """Who may delete rows of ``entity``."""
        return entity.delete or self.write_access(entity)

    def is_owned(self, entity: Entity) -> bool:
        """Whether a rule of ``entity`` speaks of the owner of a row, so that rows have one."""
        return Who.OWNER in (self.read_access(entity).who, self.write_access(entity).who, self.delete_access(entity).who)

    @property
    def accesses(self) -> tuple[Access, ...]:
        """Every rule in force, of each entity, reading first; then those of parts that have an ``access``."""
        own = [rule(e) for e in self.entities for rule in (self.read_access, self.write_access, self.create_access, self.delete_access)]
        parts = [*self.parts, *(p for e in self.entities for p in e.parts)]
        return (*own, *(p.access for p in parts if isinstance(getattr(p, "access", None), Access)))
