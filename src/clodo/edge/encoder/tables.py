"""Everything that the Python side keeps as a table or a pattern, as JSON for the Worker, so that there is one source.

What depends on libraries (the tokenizer's idea of characters, plurals, the spelling dictionary) is asked of the libraries
themselves and carried as their answers: just what one lower-case English word can meet.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from clodo.blueprint import clashes, constants, keywords, people, ranges, secrecy
from clodo.blueprint.constructs import construct_of, constructs
from clodo.blueprint.formulas import PERIODS
from clodo.blueprint.syntax import read
from clodo.blueprint.values import FieldType
from clodo.bricks.gateway import problems as gateway_problems
from clodo.bricks.static_site import problems as site_problems
from clodo.understand import (
    addresses,
    ages,
    blocks,
    clusters,
    compiler,
    confidence,
    contradiction,
    coverage,
    cue_lines,
    cues,
    decoding,
    file_rules,
    gateways,
    givens,
    irregular_verbs,
    jobs,
    labels,
    lengths,
    mail_notes,
    mail_reports,
    naming,
    nearby,
    nominals,
    numbers,
    periods,
    questions,
    quoting,
    reading,
    reminders,
    schedules,
    sites,
    spelling,
    standing,
    states,
    step_numbers,
    steps,
    storeless,
    takers,
    times,
    transfers,
    upload_notes,
    verbs,
    whose,
)
from clodo.understand.cue_labels import BEYOND_DOUBT, CUES, OF_ONE, OFTEN_SEVERAL

_SURROGATES = range(0xD800, 0xE000)
_HANGUL = range(0xAC00, 0xD7A4)
_BLOCK = 256


def tables(manifest: Mapping[str, Any], tokenizer: Any) -> dict[str, Any]:
    """The tables for a model's manifest and its tokenizer (``tokenizers.Tokenizer``); plain JSON values."""
    return {
        "model": f"{manifest['name']} {manifest['version']}",
        "curves": _curves(manifest),
        "labels": _labels(),
        "tokenizer": _tokenizer(tokenizer),
        "characters": _characters(),
        "decoding": {
            "leastEntity": decoding.LEAST_ENTITY, "leastField": decoding.LEAST_FIELD, "asWell": clusters.AS_WELL,
            "shared": clusters.SHARED, "leastShort": clusters.LEAST_SHORT, "leastShortField": clusters.LEAST_SHORT_FIELD,
            "mostPieces": reading.MAX_PIECES, "leastHeard": decoding.LEAST_HEARD,
            "mostRead": contradiction.MOST_READ,
        },
        "naming": _naming(),
        "plurals": _plurals(),
        "spelling": _spelling(),
        "numbers": {
            "words": {word: int(value) for word, value in numbers._WORDS.items()},
            "scales": numbers._SCALES,
            "cardinals": sorted(numbers.CARDINALS),
        },
        "verbs": _verbs(),
        "nominals": {
            "verbs": nominals.VERBS, "both": nominals.BOTH, "before": sorted(nominals.BEFORE), "doers": sorted(nominals.DOERS),
            "phrasal": nominals.PHRASAL, "light": sorted(nominals.LIGHT), "near": nominals.NEAR,
        },
        "compiler": _compiler(),
        "checks": _checks(),
        "secrecy": {
            "bearing": [str(t) for t in secrecy.BEARING],
            "password": secrecy.PASSWORD,
            "secret": secrecy.SECRET,
            "postal": secrecy.POSTAL,
            "address": secrecy.ADDRESS,
        },
        "coverage": {
            "figure": coverage._FIGURE.pattern,
            "quoted": coverage._QUOTED.pattern,
            "leastChatter": coverage.LEAST_CHATTER,
            "leastQuoted": coverage.LEAST_QUOTED,
            "worded": coverage._WORDED.pattern,
            "sentenceEnd": coverage._SENTENCE_END.pattern,
            "cues": coverage._CUES,
            "bounds": sorted(coverage._BOUNDS),
            "flags": coverage._FLAGS,
            "deletion": sorted(coverage._DELETION),
            "everyday": coverage._EVERYDAY.pattern,
        },
        "quoting": {"odd": quoting.ODD, "quotes": quoting.QUOTES, "ends": quoting.ENDS, "word": quoting.WORD},
        "questions": {
            "general": questions._QUESTIONS, "quoting": questions._QUOTING, "words": questions._WORDS, "nameWords": questions._NAME_WORDS,
            "names": questions._NAMES, "most": questions._MOST,
        },
        "uploadNotes": {"told": upload_notes.TOLD, "nameWords": upload_notes.NAME_WORDS, "most": upload_notes.MOST},
        "mailNotes": {"told": mail_notes.TOLD, "nameWords": mail_notes.NAME_WORDS, "words": mail_notes.WORDS, "most": mail_notes.MOST},
    }  # fmt: skip


def to_json(value: Any) -> bytes:
    """The same bytes for the same tables. ASCII alone, for a text with any other letter takes two bytes for each in V8, until it collects."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def front_coded(words: Iterable[str]) -> bytes:
    """Sorted lower-case ASCII words: of each, how many letters it shares with the one before it, then the others, the last
    with its high bit set. Every 32nd word shares nothing, so that a search may begin there."""
    out, before = bytearray(), ""
    for number, word in enumerate(sorted(set(words))):
        shared = 0
        if number % 32:
            while shared < min(len(before), len(word) - 1) and before[shared] == word[shared]:
                shared += 1
        out.append(shared)
        out += word[shared:-1].encode()
        out.append(ord(word[-1]) | 0x80)
        before = word
    return bytes(out)


def known_words(tokenizer: Any) -> list[str]:
    """Every word that the speller takes for one, sorted."""
    spoken = reading.known_words(tokenizer)
    speller = spelling.Speller(spoken)
    asked = {*spelling._dictionary().keys(), *spoken, *spelling.name_words(), *naming.ABBREVIATIONS}
    return sorted(w for w in asked if re.fullmatch("[a-z]+", w) and speller._known(w))


def _curves(manifest: Mapping[str, Any]) -> dict[str, list[float]]:
    found = confidence.curves(manifest.get("calibration", {}))
    return {kind: [c.slope, c.offset, c.company, c.wishes] for kind, c in found.items()}


def _labels() -> dict[str, Any]:
    names = ("KINDS", "TAGS", "TYPES", "CLASSES", "FIELD_FLAGS", "ENTITY_FLAGS", "VALUE_ROLES", "REFERENCE_FLAGS", "PAIRS", "ACCESS", "VERDICTS", "SERVICE_TYPES")
    return {
        **{name.lower(): list(getattr(labels, name)) for name in names},
        "cues": {kind: list(slots) for kind, slots in CUES.items()},
        "of_one": sorted(OF_ONE), "often_several": sorted(OFTEN_SEVERAL), "beyond_doubt": BEYOND_DOUBT, "steps": list(jobs.STEPS), "least_clear": labels.LEAST_CLEAR,
    }  # fmt: skip


def _tokenizer(tokenizer: Any) -> dict[str, Any]:
    """The vocabulary in the order of its ids, and what the normaliser makes of single characters; the pieces of Hangul are
    those of Unicode, which JavaScript knows too."""
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    if [number for _, number in vocabulary] != list(range(len(vocabulary))):
        raise ValueError("The ids of the vocabulary have gaps.")
    settings = json.loads(tokenizer.to_str())
    model = settings["model"]
    spaced, removed, mapped = _normalised(tokenizer.normalizer.normalize_str)
    return {
        "vocabulary": "".join(f"{piece}\n" for piece, _ in vocabulary),
        "special": [t["content"] for t in settings["added_tokens"]],
        "unknown": model["unk_token"],
        "prefix": model["continuing_subword_prefix"],
        "longest": model["max_input_chars_per_word"],
        "spaced": _runs(spaced),
        "removed": _runs(removed),
        "mapped": mapped,
        "punctuation": _runs(_punctuation(tokenizer)),
    }


def _normalised(normal: Callable[[str], str]) -> tuple[list[int], list[int], dict[str, str]]:
    """The characters that become words of their own, those that go, and what others become that do not stay."""
    spaced: list[int] = []
    removed: list[int] = []
    mapped: dict[str, str] = {}
    for start in range(0, sys.maxunicode + 1, _BLOCK):
        codes = [c for c in range(start, start + _BLOCK) if c not in _SURROGATES and c not in _HANGUL]
        whole = "".join(map(chr, codes))
        found = normal(whole)
        # Mostly a whole block is of one kind.
        if found == "".join(f" {c} " for c in whole):
            spaced += codes
        elif found == "":
            removed += codes
        elif found != whole:
            for char in whole:
                made = normal(char)
                if made == f" {char} ":
                    spaced.append(ord(char))
                elif made == "":
                    removed.append(ord(char))
                elif made != char:
                    mapped[char] = made
    return spaced, removed, mapped


def _punctuation(tokenizer: Any) -> list[int]:
    """The characters that stand alone: between two letters they part the word in three. (What is a mark to one version of
    Unicode was a sign to another.)"""
    signs = [c for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c))[0] in "PSM"]
    parts = tokenizer.pre_tokenizer.pre_tokenize_str("".join(f"a{chr(c)}" for c in signs))
    return [ord(part) for part, (start, end) in parts if end == start + 1 and start % 2]


def _runs(codes: Iterable[int]) -> list[int]:
    """Ascending numbers as runs: first, last, first, last …"""
    out: list[int] = []
    for code in codes:
        if out and code == out[-1] + 1:
            out[-1] = code
        else:
            out += [code, code]
    return out


def _characters() -> dict[str, list[int]]:
    """Classes of characters as Python has them. (A word's characters, ``\\w``, are letters and numbers in both languages.)"""
    codes = [c for c in range(sys.maxunicode + 1) if c not in _SURROGATES]
    return {
        "space": [c for c in codes if chr(c).isspace()],
        "digit": _runs(c for c in codes if chr(c).isdigit()),
        "zeros": [c for c in codes if unicodedata.decimal(chr(c), None) == 0],
    }


def _naming() -> dict[str, Any]:
    return {
        "word": naming._WORD.pattern,
        "lettered": naming._LETTERED.pattern,
        "fillers": sorted(naming.FILLERS),
        "carriers": sorted(naming.CARRIERS),
        "scales": sorted(naming.SCALES),
        "heads": sorted(naming.HEADS),
        "cycles": sorted(naming.CYCLES),
        "notPlural": naming._NOT_PLURAL.pattern,
        "irregular": naming._IRREGULAR,
        "abbreviations": naming.ABBREVIATIONS,
        "letters": naming.LETTERS,
    }


def _plurals() -> dict[str, Any]:
    """The tables of ``inflect`` that a single lower-case word can meet on its way to the singular."""
    import inflect

    def lower(words: Iterable[str]) -> list[str]:
        return sorted(w for w in words if w == w.lower() and " " not in w and "-" not in w)

    def ends(by_size: Mapping[int, Iterable[str]]) -> list[str]:
        return lower(w for words in by_size.values() for w in words)

    engine = inflect.engine()
    pronouns = {w for case in ("nom", "acc") for w in inflect.si_pron[case]}
    return {
        "same": lower(inflect.pl_sb_uninflected_complete),
        "sameEnds": ends(inflect.pl_sb_uninflected_bysize),
        "singular": lower(inflect.pl_sb_C_us_us),
        "pronouns": {w: engine.singular_noun(w) for w in sorted(pronouns)},
        "irregular": {w: one for w, one in inflect.si_sb_irregular.items() if w in lower([w])},
        "manEnds": ends(inflect.si_sb_U_man_mans_bysize),
        "lice": ends(inflect.si_sb_U_louse_lice_bysize),
        # Last letter, endings, how many letters go, what comes instead.
        "families": [
            ["s", ends(inflect.si_sb_U_ch_chs_bysize), 1, ""],
            ["s", ends(inflect.si_sb_U_ex_ices_bysize), 4, "ex"],
            ["s", ends(inflect.si_sb_U_ix_ices_bysize), 4, "ix"],
            ["a", ends(inflect.si_sb_U_um_a_bysize), 1, "um"],
            ["i", ends(inflect.si_sb_U_us_i_bysize), 1, "us"],
            ["a", ends(inflect.si_sb_U_on_a_bysize), 1, "on"],
            ["e", ends(inflect.si_sb_U_a_ae_bysize), 1, ""],
        ],
        "uses": lower(inflect.si_sb_uses_use),
        "ies": lower(inflect.si_sb_ies_ie),
        "oes": lower(inflect.si_sb_oes_oe),
        "sses": lower(inflect.si_sb_sses_sse),
        "singularS": lower(inflect.si_sb_singular_s_complete),
        "singularSEnds": ends(inflect.si_sb_singular_s_bysize),
        "zes": lower(inflect.si_sb_z_zes),
        "zzes": lower(inflect.si_sb_zzes_zz),
        "ches": lower(inflect.si_sb_ches_che),
        "xes": lower(inflect.si_sb_xes_xe),
        "ves": lower(inflect.si_sb_ves_ve),
        "os": lower(inflect.si_sb_U_o_os_complete),
        "osEnds": ends(inflect.si_sb_U_o_os_bysize),
        "esIs": lower(inflect.si_sb_es_is),
    }  # fmt: skip


def _spelling() -> dict[str, Any]:
    return {
        "names": "".join(f"{word}\n" for word in spelling.name_words()),
        "counts": list(spelling.name_words().values()),
        "alike": sorted("".join(sorted(pair)) for pair in spelling._ALIKE),
        "vowels": "".join(sorted(spelling._VOWELS)),
        "least": spelling._LEAST,
        "muchUsed": spelling._MUCH_USED,
    }


def _compiler() -> dict[str, Any]:
    return {
        "types": {short: str(type_) for short, type_ in compiler._TYPES.items()},
        "access": {said: [str(read), str(write)] for said, (read, write) in compiler._ACCESS.items()},
        "who": {said: str(access) for said, access in compiler._WHO.items()},
        "narrowness": {who.value: n for who, n in compiler._NARROWNESS.items()},
        "true": sorted(compiler._TRUE),
        "false": sorted(compiler._FALSE),
        "opposites": compiler._OPPOSITES,
        "held": {thing: list(field) for thing, field in compiler.HELD.items()},
        "cues": _cues(),
        "needUsers": sorted(cues.NEED_USERS),
        "files": list(file_rules.FILES),
        "pictures": list(cues.PICTURES),
        "picture": cues.PICTURE,
        "lengths": {unit: list(many) for unit, many in standing.UNITS.items()},
        "cueAccess": cues.ACCESS,
        "routesAccess": cues.ROUTES_ACCESS,
        "storeless": {
            "typeOf": {kind: type_.value for kind, type_ in storeless.TYPE_OF.items()},
            "called": {type_.value: name for type_, name in storeless.CALLED.items()},
        },
    }


def _cues() -> dict[str, Any]:
    """What lines of cues are made of. The names of their constructs are found by parsing a line of each."""
    figures = {"sum": ("sum", "total"), "average": ("avg", "average"), "highest": ("max", "highest"), "lowest": ("min", "lowest")}
    known = constructs()
    return {
        "order": list(CUES),
        "units": periods.UNITS,
        "milliseconds": sorted(periods.MILLISECONDS),
        "false": states.FALSE.pattern,
        "periods": list(PERIODS),
        "makers": sorted(takers.MAKERS),
        "bounds": sorted(cue_lines._BOUNDS),
        "lengthUnits": list(periods.LENGTHS),
        "lengths": {
            "kinds": list(ages.KINDS), "shared": list(ages.SHARED), "long": lengths.LONG, "halves": lengths.HALVES, "words": list(lengths.WORDS),
            "unit": lengths.UNIT, "last": lengths.LAST, "half": lengths.HALF, "count": lengths.COUNT, "again": lengths.AGAIN, "once": lengths.ONCE, "single": lengths.SINGLE, "lastDay": lengths.LAST_DAY, "clock": ages.CLOCK,
            "more": list(lengths.MORE), "one": list(lengths.ONE), "untold": list(lengths.UNTOLD), "sides": [*map(list, reminders.SIDES.items())], "kept": schedules.KEPT,
        },
        "smaller": reminders.SMALLER,
        "plain": {kind: [line, _construct(line, "entity")] for kind, line in cue_lines._PLAIN.items()},
        "once": {kind: [where, line, _construct(line, "users" if where else "service")] for kind, (where, line) in cue_lines._ONCE.items()},
        "figures": figures,
        "single": sorted(c.name for c in known if c.once),
        "steps": list(jobs.STEPS),
        "later": jobs.LATER,
        "aside": sorted(steps.ASIDE),
        "brief": sites.BRIEF, "folders": sorted(sites.FOLDERS),
        **_blocks(),
        "sentence": nearby.END, "reach": nearby.REACH,
        "comparisons": {"front": [*map(list, step_numbers.FRONT.items())], "back": [*map(list, step_numbers.BACK.items())], "between": step_numbers.BETWEEN, "negated": step_numbers.NEGATED},
        "givens": {"figure": givens.FIGURE, "taken": list(givens.TAKEN), "name": givens.NAME},
        "takers": {
            "maker": takers.MAKER, "user": takers.USER, "owning": takers.OWNING, "theirs": whose.THEIRS, "doubtful": takers.DOUBTFUL, "called": takers.CALLED, "possessive": takers.POSSESSIVE, "possessed": takers.POSSESSED,
            "belonging": takers.BELONGING, "definite": takers.DEFINITE, "it": list(takers.IT), "own": sorted(takers.OWN), "disowning": takers.DISOWNING,
        },
        "transfers": {
            "kinds": list(transfers.KINDS), "format": transfers.FORMAT, "goesOn": transfers.GOES_ON, "leadsTo": transfers.LEADS_TO,
            "followed": transfers.FOLLOWED, "before": transfers.BEFORE, "ended": transfers.ENDED,
        },
        "times": {
            "steps": list(times.STEPS), "usual": times.USUAL, "named": times.NAMED, "hours": list(times.HOURS), "hour": times.HOUR, "clock": times.CLOCK,
            "parts": times.PARTS, "spans": times.SPANS, "ordinal": times.ORDINAL, "odd": times.ODD, "month": times.MONTH, "first": times.FIRST, "several": times.SEVERAL, "afternoon": times.AFTERNOON, "partOfDay": times.PART_OF_DAY, "night": times.NIGHT,
        },
    }


def _blocks() -> dict[str, Any]:
    """What blocks of the service, files and figures by mail are made of."""
    return {
        "blocks": {
            "kinds": list(blocks.KINDS), "order": list(blocks.ORDER), "usual": ["timeout 10 s", "retry 0 times"],
            "ownPaths": list(gateway_problems._OWN_PATHS), "routeHeaders": sorted(gateway_problems._OWN_HEADERS),
            "siteOwnPaths": list(site_problems._OWN_PATHS), "siteHeaders": list(site_problems._OWN_HEADERS),
            "siteFolders": list(site_problems.OWN_FOLDERS),
        },
        "addresses": {"signs": addresses.SIGNS, "all": sorted(addresses.ALL), "fillers": sorted(addresses.FILLERS), "plainHosts": sorted(addresses.PLAIN_HOSTS), "beside": sorted(addresses.BESIDE), "unknown": addresses.UNKNOWN},
        "gateways": {
            "methods": list(gateways.METHODS), "methodWords": {word: list(m) for word, m in gateways.METHOD_WORDS.items()},
            "ofAnswers": sorted(gateways.OF_ANSWERS), "ofAnswersBegin": list(gateways.OF_ANSWERS_BEGIN), "seconds": gateways.SECONDS,
            "usualRetries": int(gateways.USUAL_RETRIES),
        },
        "media": {"types": {word: list(types) for word, types in file_rules.MEDIA_TYPES.items()}, "imageTypes": list(file_rules.IMAGE_TYPES)},
        "mailed": {"figures": list(mail_reports.FIGURES), "units": list(mail_reports.UNITS)},
    }  # fmt: skip


def _construct(line: str, place: str) -> str:
    """The construct that a line without names is of."""
    blocks = {"service": line, "users": f"users {{\n  {line}\n}}", "entity": f"entity thing {{\n  {line}\n}}"}
    b, _ = read(f"service s\n{blocks[place]}\n")
    parts = [*b.parts, *(b.users.parts if b.users is not None else ()), *(p for e in b.entities for p in e.parts)]
    return construct_of(parts[0]).name


def _verbs() -> dict[str, Any]:
    """What the spelling of verbs does not tell: the bases of some forms, and which double their last letter; and which names have plurals of
    their own."""
    forms = {w: verbs._base(w) for w in sorted(spelling._dictionary().keys()) if re.fullmatch("[a-z]{3,}(?:ed|ing)", w) and w not in verbs._PAST}
    bases = {w: base for w, base in forms.items() if base != verbs._guessed(w, _stem(w))}
    told = {w: verbs._behind(w, partial(_known_there, bases)) for w in forms if w not in bases}
    bases |= {w: forms[w] for w, base in told.items() if base not in ("", forms[w])}
    doubled = [w for w, base in forms.items() if w.endswith("ed") and base == _stem(w)[:-1] and spelling.usage(w) > spelling.RARE]
    said = [w for w in sorted(spelling._dictionary().keys()) if re.fullmatch("[a-z]+ed", w)]
    plain = {w for w in {*spelling._dictionary().keys(), *spelling.name_words()} if re.fullmatch("[a-z]{4,}", w) and not verbs._is_slip(w)}
    plurals = {word: naming.plural(word) for word in spelling.name_words() if naming.singular(word) == word}
    return {
        "past": verbs._PAST,
        "changes": verbs.CHANGES,
        "mild": verbs.MILD,
        "locked": sorted(verbs.LOCKED),
        "adding": sorted(verbs.ADDING),
        "attaching": sorted(verbs.ATTACHING),
        "joined": verbs._JOINED.pattern,
        "participles": irregular_verbs.PARTICIPLES,
        "fronts": irregular_verbs.FRONTS,
        "fronted": verbs._FRONTED.pattern,
        "third": verbs._THIRD,
        "hissing": verbs._HISSING.pattern,
        "short": verbs._SHORT.pattern,
        "rules": sorted(verbs._RULES),
        "refusals": sorted(verbs._REFUSALS),
        # Pasts that people say, without their "ed".
        "said": " ".join(w.removesuffix("ed") for w in said),
        "forms": verbs._forms(),
        "alike": verbs._ALIKE,
        # Words that are next to one of these forms, and mean themselves.
        "meant": " ".join(sorted(w for w in plain if verbs._near(w) is not None)),
        "particles": sorted(verbs._PARTICLES),
        "objects": sorted(verbs._OBJECTS),
        "noun": verbs._NOUN.pattern,
        "bases": bases,
        "doubled": " ".join(doubled),
        "tiny": verbs._TINY,
        "spelt": verbs._SPELT,
        "plurals": {word: made for word, made in plurals.items() if made != _usual_plural(word)},
    }


def _stem(form: str) -> str:
    return re.sub("(?:ed|ing)$", "", form)


def _known_there(bases: dict[str, str], form: str, stem: str) -> str:
    """A form that stands behind something, as the Worker knows it: without a dictionary."""
    found = verbs._match(verbs._TINY, form) or bases.get(form, "")
    return found or (stem if stem in verbs._PAST else f"{stem}e" if verbs._SHORT.fullmatch(stem) else "")


def _usual_plural(word: str) -> str:
    if re.search("[^aeiou]y$", word):
        return f"{word[:-1]}ies"
    return word + ("es" if re.search("(?:s|x|z|ch|sh)$", word) else "s")


def _checks() -> dict[str, Any]:
    """What the checks of a blueprint go by, and the traits of the types of fields."""
    return {
        "rowKeys": sorted(keywords.ROW_KEYS),
        "routeNames": sorted(keywords.ROUTE_NAMES),
        "tableNames": sorted(keywords.TABLE_NAMES),
        "objectKeys": sorted(keywords.OBJECT_KEYS),
        "listParameters": sorted(keywords.LIST_PARAMETERS),
        "userKeys": sorted(clashes._USER_KEYS),
        "mostColumns": clashes.MOST_COLUMNS,
        "many": people.MANY,
        "types": {
            str(t): {"number": t.is_number, "temporal": t.is_temporal, "textual": t.is_textual} for t in FieldType
        },
        "lengths": {str(t): n for t, n in constants.LENGTHS.items()},
        "shortest": {str(t): n for t, n in ranges._SHORTEST.items()},
        "safeInteger": constants.SAFE_INTEGER,
        "mostMoney": constants.MOST_MONEY,
        "mostDigits": constants._MOST_DIGITS,
        "email": constants.EMAIL,
        "url": constants._URL.pattern,
        "uuid": constants._UUID.pattern,
        "date": constants._DATE.pattern,
        "time": constants._TIME.pattern,
        "moment": constants._MOMENT.pattern,
    }
