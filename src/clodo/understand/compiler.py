"""Draft → blueprint: what the text left unsaid is completed, what cannot stand is set aside.

The choices made for an author who said nothing: fields are optional; a reference is required unless
it is said to be optional, points at its own kind, is emptied on deletion or would close a cycle;
rows that have an owner make a service with users who log in; nothing said on access is public.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from difflib import SequenceMatcher
from functools import lru_cache

from clodo.blueprint.constructs import construct_of
from clodo.blueprint.fields import valid_constant
from clodo.blueprint.keywords import LIST_PARAMETERS, OBJECT_KEYS, ROUTE_NAMES, ROW_KEYS
from clodo.blueprint.people import MANY
from clodo.blueprint.secrecy import is_password, is_secret
from clodo.blueprint.values import (
    KEY,
    PUBLIC,
    USER,
    Access,
    Blueprint,
    Bound,
    Constant,
    Entity,
    Field,
    FieldType,
    Link,
    OnDelete,
    Reference,
    ServiceType,
    Users,
    Who,
)
from clodo.understand.choices import choices, chosen, listed
from clodo.understand.creators import creation, creators_of, lets_add, says_who_creates
from clodo.understand.cue_lines import is_unique
from clodo.understand.cues import NEED_USERS, completed, roles_of, with_wishes
from clodo.understand.draft import (
    Draft,
    DraftCue,
    DraftEntity,
    DraftField,
    DraftRelation,
    DraftValue,
    Span,
)
from clodo.understand.faults import without_faults
from clodo.understand.file_rules import FILES
from clodo.understand.naming import singular, words
from clodo.understand.numbers import number
from clodo.understand.storeless import CALLED, is_storeless, type_of

_TYPES = {
    "long": FieldType.LONG_TEXT,
    "int": FieldType.INTEGER,
    "dec": FieldType.DECIMAL,
    "bool": FieldType.BOOLEAN,
    "dt": FieldType.DATETIME,
}
_ACCESS = {
    "none": (PUBLIC, PUBLIC),
    "key": (KEY, KEY),
    "key-write": (PUBLIC, KEY),
    "login": (USER, USER),
    "login-write": (PUBLIC, USER),
}
_WHO = {"public": PUBLIC, "key": KEY, "login": USER}
#: The higher, the fewer a rule lets in.
_NARROWNESS = {Who.PUBLIC: 0, Who.KEY: 1, Who.USER: 1, Who.ROLE: 2, Who.OWNER: 2}
_TRUE = frozenset(
    ["true", "yes", "yep", "on", "active", "enabled", "open", "published", "y", "t", "visible", "done", "is", "ticked", "checked", "set", "1"]
)
_FALSE = frozenset(
    ["false", "no", "nope", "off", "inactive", "disabled", "closed", "unpublished", "n", "f", "hidden", "not", "never", "none", "nothing",
     "unpaid", "unread", "undone", "unticked", "unchecked", "empty", "blank", "unless", "0"]
)  # fmt: skip
#: What a thing that refers to another holds where the text names no field of it: it is nothing without.
HELD = {
    **dict.fromkeys(("answer", "comment", "complaint", "feedback", "message", "note", "question", "remark", "reply", "review", "suggestion"), ("text", "longtext")),
    "rating": ("score", "integer"),
}
_OPPOSITES = {"open": "closed", "closed": "open", "visible": "hidden", "hidden": "visible", "free": "taken", "taken": "free"}


_DEFAULTS = ("def", "enumdef")
_AMOUNTS = ("min", "max", "xmin", "xmax")


class Leftovers:
    """What the draft held and the blueprint does not: spans of text to show as not understood."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def leave(self, value: DraftValue) -> None:
        """Sets a value aside."""
        self.spans += value.evidence.spans


def compile_draft(draft: Draft) -> tuple[Blueprint | None, list[Span]]:
    """The blueprint (``None`` where nothing was understood to store) and the spans left over."""
    left = Leftovers()
    draft = completed(draft)
    kept = {n: e for n, e in draft.entities.items() if n[:1].isalpha()}
    bare = bare_entities(draft)
    kept = {n: e for n, e in kept.items() if n not in bare}
    if is_storeless(draft):
        # Users of whom nothing is told are users all the same, and what else the text names is in other services.
        kept = {}
    if not kept and type_of(draft, stores=False) is ServiceType.DATA:
        return None, left.spans
    compiled = _Compiler(draft, kept, left)
    blueprint, relaxed = without_faults(compiled.blueprint())
    left.spans += [span for span in compiled.rules_of(relaxed) if span not in left.spans]
    if blueprint is not None:
        rest = replace(draft, cues=[cue for cue in draft.cues if cue not in compiled.said])
        blueprint, spans = with_wishes(blueprint, rest, compiled.entity_of, field_called)
        left.spans += spans
        if blueprint.type is ServiceType.GATEWAY and not blueprint.entities and not any(construct_of(p).name == "route" for p in blueprint.parts):
            return None, left.spans
    return blueprint, left.spans


def bare_entities(draft: Draft) -> frozenset[str]:
    """Entities of which the text says nothing to store, beside others of which it does: mostly people
    who use the service."""
    told = {n for n, e in draft.entities.items() if e.fields}
    if not told and is_storeless(draft):
        return frozenset(draft.entities.keys() - {"user"})
    if not told:
        return frozenset()
    for r in draft.relations:
        if r.source != r.target:
            told |= {r.source, r.target}
    told |= {f.entity for cue in draft.cues for f in cue.slots.get("of", []) if cue.kind == "tenants"}
    told |= {f.target for e in draft.entities.values() for f in e.fields.values() if f.target}
    return frozenset(draft.entities.keys() - told - {"user"})


def held_by(e: DraftEntity) -> Field | None:
    """The field that is taken for granted of a thing of which the text names none."""
    if e.fields or e.name not in HELD:
        return None
    name, type_ = HELD[e.name]
    return Field(name, FieldType(type_), required=True)


class _Compiler:
    def __init__(self, draft: Draft, kept: dict[str, DraftEntity], left: Leftovers) -> None:
        self.draft, self.left = draft, left
        self.said: list[DraftCue] = []
        self.users = self._needs_users(kept)
        self.names = {n: entity_called(n) for n in kept}
        self.kept = {n: e for n, e in kept.items() if not (n == "user" and self.users)}
        self.profile = kept.get("user") if self.users else None
        self.creators = creators_of(draft)

    def _needs_users(self, kept: dict[str, DraftEntity]) -> bool:
        login = self.draft.access in ("login", "login-write")
        login |= self.draft.service_type == "auth-service"
        login |= bool(roles_of(self.draft)) or any(cue.kind in NEED_USERS for cue in self.draft.cues)
        for e in kept.values():
            owned = e.flags & {"own", "own-write", "read-login", "write-login"}
            login |= bool(owned or e.read_roles or e.write_roles)
        return login

    def entity_of(self, name: str) -> str:
        """What an entity of the draft is called in the blueprint."""
        return self.names.get(name, name)

    def rules_of(self, paths: frozenset[str]) -> list[Span]:
        """The words of the rules of fields, given as ``entity.field`` of the blueprint."""
        fields = [(f"{self.entity_of(e.name)}.{field_called(f.name)}", f) for e in self.kept.values() for f in e.fields.values()]
        fields += [(f"user.{field_called(f.name)}", f) for f in (self.profile.fields.values() if self.profile else ())]
        return [span for path, f in fields if path in paths for v in f.values if v.role != "enum" for span in v.evidence.spans]

    def blueprint(self) -> Blueprint:
        type_ = type_of(self.draft, stores=bool(self.kept))
        read, write = _ACCESS.get(self.draft.access, (PUBLIC, PUBLIC))
        if not self.kept and type_ in (ServiceType.GATEWAY, ServiceType.STATIC):
            # Routes say themselves whom they let in, and pages are open to all.
            read, write = PUBLIC, PUBLIC
            if type_ is ServiceType.STATIC and self.draft.access not in ("none", "unstated"):
                self.left.spans += self.draft.access_evidence.spans
        if self.draft.access == "unstated" and any("own" in e.flags for e in self.kept.values()):
            read, write = USER, USER
        entities = tuple(self._entity(e, (read, write)) for e in self.kept.values())
        made = Blueprint(
            name=self._name(type_),
            type=type_,
            title=self.draft.name,
            read=read,
            write=write,
            users=self._users(entities) if self.users else None,
            entities=_without_cycles(entities),
        )
        self._hear_creators(made)
        return made

    def _hear_creators(self, b: Blueprint) -> None:
        """Cues that say who adds rows are said by the entities; the words of those whom no rule lets add them are left over."""
        for cue in filter(says_who_creates, self.draft.cues):
            self.said.append(cue)
            rules = [b.create_access(e) if (e := b.entity(self.entity_of(f.entity))) else None for f in cue.slots["of"]]
            if not all(rule and lets_add(rule, f.role) for rule in rules for f in cue.slots["by"] if f.role):
                self.left.spans += cue.evidence.spans[:1]

    def _name(self, type_: ServiceType) -> str:
        if self.draft.name and re.search("[a-zA-Z]", self.draft.name):
            name = "_".join(words(self.draft.name))
        elif not self.kept and self.profile is None and type_ in CALLED:
            name = CALLED[type_]
        else:
            name = f"{next(iter(self.kept or self.draft.entities))}_service"
        return re.sub(r"^[^a-z]+", "", name)[:40].strip("_") or "service"

    def _users(self, entities: tuple[Entity, ...]) -> Users:
        roles = [r for r in roles_of(self.draft) if r not in ("admin", "user")]
        for e in entities:
            for access in (e.read, e.write, e.create):
                roles += [r for r in (access.roles if access else ()) if r not in ("admin", "user")]
        taken = {"email", "password", "role", "token", "user", *ROW_KEYS}
        fields: list[Field] = []
        for d in self.profile.fields.values() if self.profile else ():
            made = self._field(d, self.profile) if self.profile and not self._refers(d) else None
            short = made is not None and made.unique and not _is_plentiful(made)
            # Users refer to nothing.
            if short or self._refers(d):
                self.left.spans += d.evidence.spans
            if made is not None and made.name in ("token", "user"):
                self.left.spans += d.evidence.spans
            elif made is not None and made.name == "role":
                for value in d.values:
                    self.left.leave(value)
            if made is not None and made.name not in taken:
                fields.append(replace(made, unique=made.unique and not short))
        self._leave_relations()
        unique = self._together(self.profile, fields) if self.profile else ()
        if self.profile:
            self._leave_lines(self.profile)
        return Users(tuple(fields), tuple(dict.fromkeys(roles)), unique=unique)

    def _together(self, e: DraftEntity, fields: list[Field]) -> tuple[tuple[str, ...], ...]:
        """What is unique together of users; the words of other groups are not understood, unless they say what holds anyway."""
        alone = {f.name for f in fields if f.unique} | {"email"}
        known = {f.name: f for f in fields if _joins(f)}
        groups = [g for g in self._groups(e, set(known)) if any(_is_plentiful(known[n]) for n in g)]
        said = {frozenset(g) for g in groups}
        for group in e.together:
            names = frozenset(field_called(m) for m in group)
            if names not in said and not names & alone:
                self.left.spans += [s for m in group if m in e.fields for s in e.fields[m].evidence.spans]
        return tuple(groups)

    def _leave_lines(self, e: DraftEntity) -> None:
        """Users are searched only where they are listed, which no description says; they are not deleted, and no rule says who reads
        or changes them: the words for it are not understood."""
        self.left.spans += [s for f in e.fields.values() if "search" in f.flags for s in f.evidence.spans]
        if "softdelete" in e.flags or e.read_roles or e.write_roles or any(f"{verb}-{n}" in e.flags for verb in ("read", "write") for n in _WHO):
            self.left.spans += e.evidence.spans[:1]

    def _refers(self, f: DraftField) -> bool:
        return f.type == "ref" and f.target in self.names

    def _leave_relations(self) -> None:
        """Users belong to nothing and are linked with nothing: the words for the other side are not understood."""
        for r in self.draft.relations:
            if r.source == "user":
                self.left.spans += r.evidence.spans[-1:]
            elif r.target == "user" and r.kind == "many":
                self.left.spans += r.evidence.spans[:1]

    def _entity(self, e: DraftEntity, service: tuple[Access, Access]) -> Entity:
        references, links = self._relations(e)
        keys = {r.name for r in references} | {f"{r.name}_id" for r in references}
        fields: dict[str, Field] = {}
        for draft_field in e.fields.values():
            if self._refers(draft_field):
                continue
            made = self._field(draft_field, e)
            if made is not None and made.name not in keys | {k.name for k in links}:
                fields.setdefault(made.name, made)
        if references and (held := held_by(e)) is not None:
            fields[held.name] = held
        names = {field_called(n): n for n in e.fields}
        search = [n for n, raw in names.items() if n in fields and _searchable(e.fields[raw], fields[n])]
        known = {n for n, f in fields.items() if not f.hashed} | {r.name for r in references}
        read, write, create = self._access(e, service)
        create = creation(self.creators.get(e.name, ()), read or service[0], write or service[1], create)
        return Entity(
            name=self.names[e.name],
            fields=tuple(fields.values()),
            references=tuple(references),
            links=tuple(links),
            unique=self._groups(e, known),
            search=tuple(search),
            read=read,
            write=write,
            create=create,
            soft_delete="softdelete" in e.flags,
        )

    def _groups(self, e: DraftEntity, known: set[str]) -> tuple[tuple[str, ...], ...]:
        """What is unique together of the ``known`` fields and references, each group once."""
        groups = [tuple(dict.fromkeys(field_called(m) for m in g)) for g in e.together]
        unique: dict[frozenset[str], tuple[str, ...]] = {}
        for group in [*groups, *self._once(e, known)]:
            if len(group) > 1 and known.issuperset(group):
                unique.setdefault(frozenset(group), group)
        return tuple(unique.values())

    def _once(self, e: DraftEntity, known: set[str]) -> Iterator[tuple[str, ...]]:
        """What is unique together since only one row is allowed for each: "one rating per film and critic"."""
        for cue in filter(is_unique, self.draft.cues):
            if [f.entity for f in cue.slots.get("of", [])] == [e.name]:
                per = [field_called(f.field or f.entity) for f in cue.slots["per"] if not f.field or f.entity == e.name]
                if len(per) == len(cue.slots["per"]) and known.issuperset(per):
                    self.said.append(cue)
                    yield tuple(dict.fromkeys(per))

    def _access(self, e: DraftEntity, service: tuple[Access, Access]) -> tuple[Access | None, Access | None, Access | None]:
        """Who reads, writes and creates rows, where it is not the rule of the ``service``, which has one for reading and one for writing."""
        readers, writers = tuple(dict.fromkeys(e.read_roles)), tuple(dict.fromkeys(e.write_roles))
        if "own" in e.flags:
            # Whoever changes a row of somebody else must see it.
            return Access(Who.OWNER, readers), Access(Who.OWNER, tuple(r for r in writers if r in readers)), None
        read = Access(Who.ROLE, readers) if readers else next((a for n, a in _WHO.items() if f"read-{n}" in e.flags), None)
        if "own-write" in e.flags:
            return read, Access(Who.OWNER, writers), None
        write = Access(Who.ROLE, writers) if writers else None
        adds = next((a for n, a in _WHO.items() if f"write-{n}" in e.flags), None)
        if adds is None:
            return read, write, None
        # Whom the text lets write one thing beside a narrower rule adds rows; those change them whom that rule lets.
        rest = write or max(service[1], read or service[0], key=lambda a: _NARROWNESS[a.who])
        if _NARROWNESS[rest.who] <= _NARROWNESS[adds.who]:
            return read, adds, None
        return read, None if rest == service[1] else rest, adds

    def _relations(self, e: DraftEntity) -> tuple[list[Reference], list[Link]]:
        references: dict[str, Reference] = {}
        links: dict[str, Link] = {}
        owned = bool(e.flags & {"own", "own-write"})
        for f in e.fields.values():
            if f.type == "ref" and f.target in self.names:
                flags = f.reference_flags | (f.flags & {"required", "optional"})
                flags |= {"one"} if "unique" in f.flags else set()
                name = reference_called(f.name, owned=owned)
                references[name] = self._reference(name, f.target, flags, same=f.target == e.name)
        for r in self.draft.relations:
            known = r.target in self.names and (r.target in self.kept or r.target == "user")
            if r.source != e.name or not known or r.source not in self.kept:
                continue
            same = r.target == r.source
            if r.kind == "belongs":
                self._add_reference(references, r, same)
            elif r.target in self.kept and not same:
                name = self.names[r.target]
                links[name] = Link(name, name)
            elif r.target in self.kept:
                links["related"] = Link("related", self.names[r.target])
        for f in e.fields.values():
            # "Payments (amount, tenant)", where tenants are an entity: a row of it is meant, not a text.
            if f.type == "text" and f.name in self.kept and f.name != e.name and not f.values:
                told = DraftRelation(e.name, f.name, "belongs", f.flags & {"required", "optional"})
                self._add_reference(references, told, same=False)
        for name in set(references) & set(links):
            del links[name]
        return list(references.values()), list(links.values())

    def _add_reference(
        self, references: dict[str, Reference], r: DraftRelation, same: bool
    ) -> None:
        target = self.names[r.target]
        if any(x.target == target for x in references.values()):
            return  # a named reference says it already
        owned = bool(self.kept[r.source].flags & {"own", "own-write"})
        name = "parent" if same else reference_called(target, owned=owned)
        references.setdefault(name, self._reference(name, r.target, r.flags, same=same))

    def _reference(self, name: str, target: str, flags: set[str], *, same: bool) -> Reference:
        rule = OnDelete.RESTRICT
        if "cascade" in flags:
            rule = OnDelete.CASCADE
        elif "setnull" in flags and "required" not in flags:
            rule = OnDelete.SET_NULL
        required = not same and "optional" not in flags and rule is not OnDelete.SET_NULL
        return Reference(name, self.names[target], required, "one" in flags, rule)

    def _field(self, d: DraftField, e: DraftEntity) -> Field | None:
        name = field_called(d.name)
        if name in ROW_KEYS or (name == "password" and self.users) or not name or d.type in FILES:
            return None
        allowed = [v for v in d.values if v.role in ("enum", "enumdef")]
        values = choices(v.words for v in listed(allowed))
        type_ = FieldType(_TYPES.get(d.type, d.type)) if d.type != "ref" else FieldType.TEXT
        if type_ is FieldType.ENUM and len(values) < 2:
            type_ = FieldType.TEXT
        if type_ is not FieldType.ENUM and len(values) >= 2:
            type_ = FieldType.ENUM
        # Whatever a text says of secrets, it hardly ever means that everybody is to read them.
        beside = [field_called(n) for n in e.fields]
        secret = is_secret(name, type_, beside)
        hashed = is_password(name, type_, beside) and type_ not in (FieldType.LIST, FieldType.JSON)
        numeric = hashed and type_.is_number
        made = Field(
            name,
            FieldType.TEXT if hashed else type_,
            values if type_ is FieldType.ENUM else (),
            required="required" in d.flags,
            unique="unique" in d.flags
            and type_ not in (FieldType.BOOLEAN, FieldType.JSON, FieldType.LIST)
            and not hashed,
            hashed=hashed,
        )
        if secret or ("write_only" in d.flags and "read_only" not in d.flags):
            made = replace(made, write_only=True)
        elif "read_only" in d.flags:
            made = replace(made, read_only=True, required=False)
        for value in d.values:
            # A secret that everybody gets is none, and bounds of a number are no lengths.
            if secret and value.role in _DEFAULTS or numeric and value.role in _AMOUNTS:
                self.left.leave(value)
            else:
                made = self._with_value(made, value)
        return made

    def _with_value(self, f: Field, value: DraftValue) -> Field:
        changed = applied(f, value)
        if changed is None:
            self.left.leave(value)
            return f
        return changed


def applied(f: Field, value: DraftValue) -> Field | None:
    """The field with one more value, or ``None`` where the value does not fit it."""
    if value.role in _DEFAULTS:
        default = _default(f, value.words)
        return None if default is None else replace(f, default=default)
    if value.role == "enum":
        return f if f.type is FieldType.ENUM else None
    amount = number(value.words)
    if amount is None:
        return None
    if f.type.is_number:
        bound = Bound(amount, exclusive=value.role.startswith("x"))
    elif f.type.is_textual and amount == int(amount) and amount >= 0:
        # "under 80 characters" is at most 79 of them.
        step = {"xmin": 1, "xmax": -1}.get(value.role, 0)
        bound = Bound(max(Decimal(0), amount + step))
    else:
        return None
    low = value.role in ("min", "xmin", "minlen", "len")
    high = value.role in ("max", "xmax", "maxlen", "len")
    made = replace(f, minimum=bound if low else f.minimum, maximum=bound if high else f.maximum)
    ends = made.minimum, made.maximum
    if ends[0] and ends[1] and Decimal(str(ends[0].value)) > Decimal(str(ends[1].value)):
        return None
    return made


def _default(f: Field, surface: str) -> Constant | None:
    if f.type is FieldType.ENUM:
        return chosen(f.values, surface)
    found: Constant | None = surface.strip("\"'“”‘’ ")
    if f.type.is_number:
        found = number(surface)
    elif f.type is FieldType.BOOLEAN:
        found = _truth(surface, f.name)
    elif f.type.is_temporal:
        found = "now" if set(words(surface)) & {"now", "today", "current", "creation"} else found
    if found is None or not valid_constant(f, found):
        return None
    return found


def _truth(surface: str, name: str) -> bool | None:
    """Whether a yes/no field is said to be true: by yes or no, by the field's own word, by its opposite."""
    said = set(words(surface)) | set(re.findall("[a-z0-9]+", surface.lower()))
    own = {w for w in name.split("_") if len(w) > 2}
    if said & (_FALSE - own) or re.search(r"n[’']t\b", surface.lower()):
        return False
    if said & own:
        return True
    if said & {_OPPOSITES.get(w) for w in own} or any(w.startswith("un") and w[2:] in own for w in said):
        return False
    if said & _TRUE:
        return True
    return False if any(SequenceMatcher(None, w, "false").ratio() > 0.74 for w in said) else None


def _joins(f: Field) -> bool:
    """Whether a field of users can be unique with others."""
    return not (f.hashed or f.unique or f.read_only) and f.type not in (FieldType.JSON, FieldType.LIST)


def _is_plentiful(f: Field) -> bool:
    """Whether many users can each have a value of their own."""
    if f.type.is_number and f.minimum is not None and f.maximum is not None:
        return Decimal(f.maximum.value) - Decimal(f.minimum.value) > MANY
    return f.type not in (FieldType.ENUM, FieldType.BOOLEAN)


def _searchable(d: DraftField, f: Field) -> bool:
    texts = (FieldType.TEXT, FieldType.LONG_TEXT, FieldType.EMAIL, FieldType.URL)
    return "search" in d.flags and not f.write_only and f.type in (*texts, FieldType.ENUM, FieldType.LIST)


@lru_cache(maxsize=2**13)
def entity_called(name: str) -> str:
    """What an entity of a draft is called in its blueprint."""
    safe = re.sub(r"[^a-z0-9_]", "", name)[:60]
    return f"{safe}_entry" if safe in ROUTE_NAMES | OBJECT_KEYS else safe


@lru_cache(maxsize=2**13)
def field_called(name: str) -> str:
    """What a field of a draft is called in its blueprint."""
    safe = re.sub(r"^[^a-z]+", "", re.sub(r"[^a-z0-9_]", "", name))[:60]
    return f"{safe}_value" if safe in OBJECT_KEYS | LIST_PARAMETERS else safe


def reference_called(name: str, *, owned: bool) -> str:
    """What a reference is called that a draft names so; ``owned``: rows belong to a user."""
    *front, last = field_called(name.removesuffix("_id")).split("_")
    made = "_".join([*front, singular(last)])
    # Rows that belong to a user have an ``owner_id`` of their own.
    return "owner_record" if owned and made == "owner" else made


def _without_cycles(entities: tuple[Entity, ...]) -> tuple[Entity, ...]:
    """Each required reference that would close a cycle becomes optional."""
    needs: dict[str, set[str]] = {e.name: set() for e in entities}
    made: list[Entity] = []
    for e in entities:
        references = []
        for r in e.references:
            if r.required and _reaches(needs, r.target, e.name):
                r = replace(r, required=False)
            if r.required:
                needs[e.name].add(r.target)
            references.append(r)
        made.append(replace(e, references=tuple(references)))
    return tuple(made)


def _reaches(needs: dict[str, set[str]], start: str, goal: str) -> bool:
    seen, todo = set(), [start]
    while todo:
        name = todo.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            todo += needs.get(name, ())
    return False

