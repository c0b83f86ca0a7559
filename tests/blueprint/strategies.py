"""Random blueprints: well-formed values, not necessarily sensible ones."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from clodo.blueprint import values as v

names = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
numbers = st.decimals(-10**6, 10**6, allow_nan=False, places=3).map(lambda d: d.normalize() + 0)
positive = st.integers(0, 10**6).map(Decimal)
constants = st.one_of(numbers, st.booleans(), texts)
bounds = st.builds(v.Bound, st.one_of(numbers, texts), st.booleans())
accesses = st.one_of(
    st.sampled_from([v.PUBLIC, v.KEY, v.USER, v.OWNER]),
    st.builds(lambda r: v.Access(v.Who.ROLE, tuple(r)), st.lists(names, min_size=1, max_size=3)),
    st.builds(lambda r: v.Access(v.Who.OWNER, tuple(r)), st.lists(names, min_size=1, max_size=3)),
)

operands = st.one_of(
    st.builds(v.Operand, st.one_of(positive, texts)),
    st.builds(lambda n: v.Operand(n, is_field=True), names),
)
paths = st.lists(names, min_size=2, max_size=3).map(lambda found: v.Path(tuple(found)))
expressions = st.recursive(
    st.one_of(operands, paths, st.booleans().map(v.Operand)),
    lambda inner: st.one_of(
        st.builds(v.Operation, st.sampled_from(["+", "-", "*", "/", "&", "=", "!=", "<", "<=", ">", ">=", "and", "or"]), inner, inner),
        st.builds(v.Call, names, inner, st.none() | inner),
        st.builds(v.Not, inner),
        st.builds(v.IsEmpty, inner, st.booleans()),
        st.builds(v.IsIn, inner, st.lists(constants, min_size=1, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)


#: What defaults are worked out of, where they are no constants.
worked_out = expressions.filter(lambda e: not isinstance(e, v.Operand) or e.is_field)


def _is_constant(e: v.Expression, type_: v.FieldType, values: tuple[str, ...]) -> bool:
    """Whether a bare word is a value of its field."""
    return isinstance(e, v.Operand) and (e.value in values or (e.value == "now" and type_.is_temporal))


@st.composite
def fields(draw: st.DrawFn) -> v.Field:
    type_ = draw(st.sampled_from(list(v.FieldType)))
    values: tuple[str, ...] = ()
    if type_ is v.FieldType.ENUM:
        values = tuple(draw(st.lists(texts, min_size=1, max_size=4)))
    return v.Field(
        draw(names),
        type_,
        values,
        required=draw(st.booleans()),
        unique=draw(st.booleans()),
        default=draw(st.none() | constants | worked_out.filter(lambda e: not _is_constant(e, type_, values))),
        minimum=draw(st.none() | bounds),
        maximum=draw(st.none() | bounds),
        pattern=draw(st.none() | texts),
        read_only=draw(st.booleans()),
        write_only=draw(st.booleans()),
        computed=draw(st.none() | expressions),
        hashed=draw(st.booleans()),
    )


references = st.builds(
    v.Reference, names, names, st.booleans(), st.booleans(), st.sampled_from(list(v.OnDelete))
)


@st.composite
def entities(draw: st.DrawFn, name: str) -> v.Entity:
    def distinct(items: list) -> tuple:  # type: ignore[type-arg]
        return tuple({i.name: i for i in items}.values())

    members = {"fields": distinct(draw(st.lists(fields(), max_size=4)))}
    taken = {f.name for f in members["fields"]}
    found = distinct(draw(st.lists(references, max_size=3)))
    members["references"] = tuple(r for r in found if r.name not in taken)
    taken |= {r.name for r in members["references"]}
    links = distinct(draw(st.lists(st.builds(v.Link, names, names), max_size=2)))
    return v.Entity(
        name,
        members["fields"],
        members["references"],
        tuple(k for k in links if k.name not in taken),
        unique=tuple(
            tuple(g) for g in draw(st.lists(st.lists(names, min_size=2, max_size=3), max_size=2))
        ),
        search=tuple(draw(st.lists(names, max_size=2))),
        read=draw(st.none() | accesses),
        write=draw(st.none() | accesses),
        create=draw(st.none() | accesses),
        delete=draw(st.none() | accesses),
        soft_delete=draw(st.booleans()),
        timestamps=draw(st.booleans()),
    )


@st.composite
def blueprints(draw: st.DrawFn) -> v.Blueprint:
    found = draw(st.lists(names, unique=True, max_size=3))
    users = None
    if draw(st.booleans()):
        own = tuple({f.name: f for f in draw(st.lists(fields(), max_size=2))}.values())
        groups = draw(st.lists(st.lists(names, min_size=2, max_size=3).map(tuple), max_size=2))
        users = v.Users(own, tuple(draw(st.lists(names, max_size=2))), unique=tuple(groups), search=tuple(draw(st.lists(names, max_size=2))))
    return v.Blueprint(
        draw(names),
        draw(st.sampled_from(list(v.ServiceType))),
        draw(texts),
        draw(accesses),
        draw(accesses),
        users,
        tuple(draw(entities(n)) for n in found),
    )
