"""Phrasings: how people say each construct, as marked text. Every function takes the generator's
random source first and returns text with marks in the corpus format."""

from __future__ import annotations

import random

from clodo.training.generator.spec import EntitySpec, FieldSpec

Rng = random.Random


def mark(words: str, code: str) -> str:
    """Words with a mark."""
    return f"[{words}|{code}]"


def joined(rng: Rng, items: list[str], word: str = "and") -> str:
    """A list in running text."""
    if len(items) == 1:
        return items[0]
    comma = rng.choice(["", "", ","]) if len(items) > 2 else ""
    return f"{', '.join(items[:-1])}{comma} {word} {items[-1]}"


def a(words: str) -> str:
    """The words behind their article (marks are looked through)."""
    first = words.lstrip("[")[:1].lower()
    return f"{'an' if first in 'aeio' else 'a'} {words}"


def field(f: FieldSpec, *attrs: str, words: str = "") -> str:
    """A mention of a field; its type stands at the first one."""
    shown = words or f.words
    extra = " ".join(x for x in attrs if x)
    return mark(shown, f"{f.path}{' ' + extra if extra else ''}")


def value(f: FieldSpec, words: object, role: str) -> str:
    """A value of a field."""
    return mark(str(words), f"{f.path} ={role}")


def number(rng: Rng, n: int | float) -> str:
    """A number as typed."""
    small = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    if isinstance(n, int) and 0 <= n <= 12 and rng.random() < 0.3:
        return small[n]
    if isinstance(n, int) and n >= 1000 and rng.random() < 0.4:
        return f"{n:,}"
    return str(n)


def choices(rng: Rng, f: FieldSpec, *, with_default: bool = False) -> str:
    """The allowed values of an enum, listed."""
    shown = []
    for v in f.values:
        role = "enumdef" if with_default and v == f.default else "enum"
        quote = '"' if f.quoted else ""
        text = f"{quote}{value(f, v, role)}{quote}"
        shown.append(text + (rng.choice([" (default)", " (the default)"]) if role == "enumdef" else ""))
    if with_default:
        return joined(rng, shown, "or")
    shape = rng.randrange(6)
    if shape == 0:
        return "/".join(shown)
    if shape == 1:
        return ", ".join(shown)
    if shape == 2:
        return " / ".join(shown)
    return joined(rng, shown, rng.choice(["or", "or", "and"]))


def enum_note(rng: Rng, f: FieldSpec) -> str:
    """What may stand behind the name of an enum."""
    listed = choices(rng, f)
    lead = rng.choice(["", "", "one of ", "either ", "can be ", "one of: ", "values ", "i.e. "])
    return rng.choice([f"({lead}{listed})", f"({listed})", f", which is {listed},", f": {listed}"])


def default_note(rng: Rng, f: FieldSpec) -> str:
    """The default in a few words behind the field."""
    d = value(f, f.default_words(rng), "def")
    return rng.choice([
        f"default {d}", f"{d} by default", f"defaults to {d}", f"starts as {d}", f"initially {d}",
        f"{d} unless told otherwise", f"default: {d}", f"{d} if nothing is given", f"starting at {d}",
        f"{d} at first", f"default is {d}", f"default={d}", f"begins as {d}",
    ])  # fmt: skip


def default_sentence(rng: Rng, e: EntitySpec, f: FieldSpec) -> str:
    """The default in a sentence of its own."""
    d, m = value(f, f.default_words(rng), "def"), field(f)
    one = mark(e.words, e.name)
    return rng.choice([
        f"The {m} is {d} by default.", f"A new {one} has the {m} {d}.", f"{m.capitalize()} defaults to {d}.",
        f"If nobody says otherwise the {m} is {d}.", f"The {m} of a new {one} is {d}.",
        f"Every {one} starts with {m} {d}.", f"By default, {m} is {d}.", f"The {m} begins as {d}.",
        f"When no {m} is given, use {d}.", f"Without a {m} we assume {d}.",
    ])  # fmt: skip


def bounds(rng: Rng, f: FieldSpec) -> tuple[str, str]:
    """A bound or range, and its shape: ``note`` (stands in brackets or behind a comma) or ``tail``
    (continues "a price …")."""
    lo = None if f.low is None else number(rng, f.low)
    hi = None if f.high is None else number(rng, f.high)
    x_lo, x_hi = ("xmin" if f.open_low else "min"), ("xmax" if f.open_high else "max")
    if lo is not None and hi is not None:
        p, q = value(f, lo, "min"), value(f, hi, "max")
        return rng.choice([
            (f"between {p} and {q}", "tail"), (f"from {p} to {q}", "tail"), (f"{p}-{q}", "note"),
            (f"{p} to {q}", "note"), (f"{p}..{q}", "note"), (f"min {p}, max {q}", "note"),
            (f"at least {p} and at most {q}", "tail"), (f"must be between {p} and {q}", "note"),
            (f"in the range {p} to {q}", "tail"), (f">= {p} and <= {q}", "note"),
            (f"not under {p} and not over {q}", "tail"), (f"range {p}–{q}", "note"),
            (f"{p} through {q}", "note"), (f"minimum {p}, maximum {q}", "note"),
        ])  # fmt: skip
    if lo is not None:
        p = value(f, lo, x_lo)
        if f.open_low:
            zero = [
                (f"must be {mark('positive', f'{f.path} =xmin:0')}", "note"),
                (mark("positive", f"{f.path} =xmin:0"), "note"),
            ] if f.low == 0 else []  # fmt: skip
            return rng.choice([
                (f"more than {p}", "tail"), (f"greater than {p}", "tail"), (f"above {p}", "tail"),
                (f"> {p}", "note"), (f"must be greater than {p}", "note"), (f"over {p}", "tail"),
                (f"must exceed {p}", "note"), (f"strictly more than {p}", "tail"), *zero,
            ])  # fmt: skip
        zero = [
            (f"never {mark('negative', f'{f.path} =min:0')}", "note"), (f"can't be {mark('negative', f'{f.path} =min:0')}", "note"),
            (mark("non-negative", f"{f.path} =min:0"), "note"), (f"must not go below {p}", "note"),
            (f"not {mark('negative', f'{f.path} =min:0')}", "note"), (f"never below {p}", "note"),
            (f"never less than {p}", "note"), (f"no {mark('negative', f'{f.path} =min:0')} values", "note"),
        ] if f.low == 0 else []  # fmt: skip
        return rng.choice([
            (f"at least {p}", "tail"), (f"of at least {p}", "tail"), (f"min {p}", "note"), (f">= {p}", "note"),
            (f"{p} or more", "tail"), (f"not less than {p}", "tail"), (f"minimum {p}", "note"),
            (f"must be at least {p}", "note"), (f"{p}+", "note"), (f"from {p} up", "note"), (f"no lower than {p}", "tail"), *zero,
        ])  # fmt: skip
    q = value(f, hi, x_hi)
    if f.open_high:
        return rng.choice([
            (f"under {q}", "tail"), (f"less than {q}", "tail"), (f"below {q}", "tail"), (f"< {q}", "note"),
            (f"must be less than {q}", "note"), (f"smaller than {q}", "tail"),
        ])  # fmt: skip
    return rng.choice([
        (f"at most {q}", "tail"), (f"of at most {q}", "tail"), (f"max {q}", "note"), (f"<= {q}", "note"),
        (f"up to {q}", "tail"), (f"no more than {q}", "tail"), (f"maximum {q}", "note"), (f"not over {q}", "tail"),
        (f"out of {q}", "tail"), (f"can't exceed {q}", "note"), (f"never more than {q}", "tail"), (f"capped at {q}", "note"),
    ])  # fmt: skip


def bounds_sentence(rng: Rng, e: EntitySpec, f: FieldSpec) -> str:
    """A bound in a sentence of its own."""
    text, shape = bounds(rng, f)
    m, one = field(f), mark(e.words, e.name)
    text = text.removeprefix("of ").removeprefix("must be ")
    if text.startswith(("must", "can", "never", "no ", "not ")):
        return f"The {m} {text}." if text.startswith(("must", "can")) else f"{m.capitalize()}: {text}."
    return rng.choice([
        f"The {m} must be {text}.", f"{m.capitalize()} has to be {text}.", f"The {m} of {a(one)} is always {text}.",
        f"{m.capitalize()}: {text}.", f"Reject any {m} that isn't {text}.", f"Only accept {m} {text}.",
    ]) if shape == "tail" else f"The {m} is {text}."  # fmt: skip


def length_note(rng: Rng, f: FieldSpec) -> str:
    """The length of a text."""
    unit = rng.choice(["characters", "chars", "letters", "signs", "characters long"])
    lo, hi = f.min_length, f.max_length
    if lo and hi and lo == hi:
        n = value(f, hi, "len")
        return rng.choice([f"exactly {n} {unit}", f"always {n} {unit}", f"{n} {unit} exactly", f"of {n} {unit}"])
    if lo and hi:
        p, q = value(f, lo, "minlen"), value(f, hi, "maxlen")
        return rng.choice([f"{p} to {q} {unit}", f"between {p} and {q} {unit}", f"{p}-{q} {unit}", f"at least {p} and at most {q} {unit}"])
    if lo:
        p = value(f, lo, "minlen")
        return rng.choice([f"at least {p} {unit}", f"min length {p}", f"minimum {p} {unit}", f"{p} {unit} or more"])
    q = value(f, hi, "maxlen")
    return rng.choice([
        f"max {q} {unit}", f"at most {q} {unit}", f"up to {q} {unit}", f"max length {q}", f"no longer than {q} {unit}",
        f"{q} {unit} max", f"<= {q} {unit}", f"limited to {q} {unit}", f"maximum {q} {unit}",
    ])  # fmt: skip


REQUIRED = ["required", "mandatory", "must be given", "compulsory", "not null", "can't be empty", "must not be blank", "has to be there", "obligatory", "must be filled in", "always present", "needed", "non-empty", "can't be missing"]  # fmt: skip
UNIQUE = ["unique", "must be unique", "no duplicates", "has to be unique", "never the same twice", "different for each", "can't repeat", "no two the same", "uniq", "must not repeat", "used only once", "always different"]  # fmt: skip
OPTIONAL = ["optional", "not required", "can be left empty", "may be missing", "if known", "nullable", "not mandatory"]  # fmt: skip


def required_sentence(rng: Rng, e: EntitySpec, fields: list[FieldSpec]) -> str:
    """That fields must be given, in a sentence of its own."""
    names = joined(rng, [field(f, "!") for f in fields])
    one = mark(e.words, e.name)
    many = len(fields) > 1
    return rng.choice([
        f"{names.capitalize()} {'are' if many else 'is'} {rng.choice(['required', 'mandatory', 'compulsory', 'obligatory'])}.",
        f"The {names} must not be {rng.choice(['empty', 'blank', 'missing'])}.", f"{a(one).capitalize()} without {names} makes no sense.",
        f"Every {one} must have {'its' if many else a(names).split(' ')[0]} {names}.", f"Please insist on the {names}.",
        f"You can't save {a(one)} without {names}.", f"{'Both ' if len(fields) == 2 else ''}{names} {'have' if many else 'has'} to be filled in.",
        f"The {names} can't be left out.", f"{names.capitalize()} must always be there.", f"No {one} without {names}.",
    ])  # fmt: skip


def unique_sentence(rng: Rng, e: EntitySpec, f: FieldSpec) -> str:
    """That a field is unique, in a sentence of its own."""
    m = field(f, "u")
    one, many = mark(e.words, e.name), mark(e.plural, e.name)
    two = f"{rng.choice(['two', 'Two', '2']).lower()} {many}"
    return rng.choice([
        f"No {two} may have the same {m}.", f"{two.capitalize()} never share {a(m)}.", f"The {m} must be unique.",
        f"{two.capitalize()} can't have the same {m}.", f"Each {m} may only be used once.", f"The same {m} can't occur twice.",
        f"{m.capitalize()} has to be unique.", f"There must never be {two} with the same {m}.", f"A {one} is identified by its {m}, so no duplicates.",
        f"Make sure the {m} isn't taken already.", f"Nobody may reuse {a(m)}.", f"Don't allow duplicate {m}.",
    ])  # fmt: skip
