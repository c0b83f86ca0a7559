r"""The patterns of secrets and names: one table for Python and for the services that Clodo makes.

They keep to what both engines read alike: in classes ``( ) [ ] { } / - |`` have a backslash wherever they stand for themselves, groups have no names,
``\Z`` is the end of a text, flags stand beside the pattern. ``\w``, ``\d``, ``\s`` and ``\b`` mean what Python means by them: all scripts."""

from __future__ import annotations

from dataclasses import dataclass

_CAPITAL = r"[^\W\d_a-zß-öø-ÿ][^\W\d_]*(?:['’\-][^\W\d_]+)*"
_NAME = rf"{_CAPITAL}(?: (?:(?:van|von|de|der|den|del|da|di|dos|bin|ibn|al|el|la|le) ){{0,2}}{_CAPITAL}){{0,2}}"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression. ``any_case``: capitals and small letters are one. ``kind`` and ``group`` are what is found and where,
    for those that find something by themselves."""

    source: str
    any_case: bool = False
    kind: str = ""
    group: int = 0


#: What is found by its form alone.
FORMS = (
    Pattern(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", kind="KEY"),
    Pattern(r"\beyJ[\w\-]{8,}\.[\w\-]{4,}(?:\.[\w\-]*)?", kind="KEY"),
    Pattern(r"\b(?:sk|pk|rk)[\-_][\w\-]{16,}", kind="KEY"),
    Pattern(
        r"\b(?:gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|hf_|npm_|pypi-|whsec_|dop_v1_|shpat_|SG\.|ya29\.|AIza)[\w.\-]{12,}",
        kind="KEY",
    ),
    Pattern(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", kind="KEY"),
    Pattern(r"\b(?:bearer|basic) +((?=\S*\d)[\w.~+\/\-]{12,}=*)", any_case=True, kind="KEY", group=1),
    Pattern(r"\b[a-z][a-z0-9+.\-]{0,30}:\/\/[^\s\/:@]*:([^\s\/@]+)@", kind="PASSWORD", group=1),
    Pattern(r"(?<![\w.+%'\-])[\w.+%'\-]+@[^\W_]+(?:[.\-]+[^\W_]+)*\.[^\W\d_]{2,}", kind="EMAIL"),
    Pattern(r"(?<![\d\-])\d{3}-\d{2}-\d{4}(?![\d\-])", kind="ID"),
)
#: Words before a secret (1), the sign ``=`` (2), and the secret: in quotes (3 to 6), or bare (7).
SECRET = Pattern(
    r"(?<![\w\-])((?:[\w\-]{0,40}[_\-])?(?:api[ _\-]?keys?|access[ _\-]?keys?|(?:auth[ _\-]?)?tokens?|secrets?|credentials?"
    r"|pass(?:word|wd|phrase|code)s?|pwd|pin))(?:\s(?:for|of)\s\w+)?\s*(?:(=)|:|\bis\b|\bwas\b)\s*"
    r"""(?:"([^"\n]+)"|'([^'\n]+)'|‘([^’\n]+)’|“([^”\n]+)”|([^\s,;"'“‘]+))""",
    any_case=True,
)
LONG = Pattern(r"(?<![\w\/+=\-])[A-Za-z0-9+\/_=\-]{20,}(?![\w\/+=\-])")
UUID = Pattern(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", any_case=True)
DIGITS = Pattern(r"(?<![\w.,\-])\(?\+?\(?\d(?:[ \(\).\/\-]{0,2}\d){5,18}(?![\w\-]|[.,]\d)")
AMERICAN = Pattern(r"\(?\d{3}\)?[ .\-]{1,2}\d{3}[ .\-]\d{4}")
CALLED = Pattern(r"\b(?:phone|telephone|tel|mobile|cell|call|fax|whatsapp|text|ring|reach)\b[^\d\n]{0,24}\n?\Z", any_case=True)
BOOKS = Pattern(r"\b(?:isbn|issn|ean|gtin|sku|doi)\b[^\d\n]{0,12}\n?\Z", any_case=True)
DATE = Pattern(r"\d{4}[\-\/.]\d{1,2}[\-\/.]\d{1,2}|\d{1,2}[\-\/.]\d{1,2}[\-\/.]\d{4}|\d{4}[\-\/ ]\d{4}")
IBAN = Pattern(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
#: What stands before a name, and the name (1).
NAME_CUES = tuple(
    Pattern(source, kind="NAME", group=1)
    for source in (
        rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Sir|Dame|Herr|Frau|Señora?|Mme|Madame|Monsieur)\b\.? ({_NAME})",
        rf"\b(?:[Mm]y|[Hh]is|[Hh]er|[Tt]heir) name(?: is|'s|:) ({_NAME})",
        rf"\b(?:I am|I'm|I’m|[Tt]his is|[Ss]igned(?: by)?,?|[Rr]egards,?|[Cc]ontact|[Aa]sk) ({_CAPITAL} {_NAME})",
        rf"\b(?:Dear|Hi|Hello|Hey) ({_NAME})",
        rf"(?:[Rr]egards|[Cc]heers|[Tt]hanks|[Yy]ours|[Bb]est|[Ss]incerely|[Ff]aithfully|[Ww]ishes|[Ll]ove)[,!.]?\s+({_NAME})[.!]?\s*\Z",
        # Initials; not the last of some letters that end a sentence: "class A, B or C. Repairs …".
        rf"(?<![\w.])(?<![,;\/] )(?<!\bor )(?<!\band )((?:[A-Z]\. ?){{1,2}}{_CAPITAL}[a-z])",
    )
)
CAPITALISED = Pattern(rf"(?<![\w@.\-])({_NAME})")
#: One word of a name.
WORD = Pattern(r"[^\W_]+(?:['’\-][^\W\d_]+)*")
