"""The description as a person sees it: nothing hides what was not understood."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clodo.cli.output import description, passed_over
from clodo.understand.port import SPAN_ROLES, Span

TEXT = "Only admins may write books, at most 5 per day."


def at(words: str, role: str) -> Span:
    return Span(TEXT.index(words), TEXT.index(words) + len(words), role)


def styles(*spans: Span) -> list[tuple[str, str]]:
    made = description(TEXT, spans)
    return [(made.plain[s.start : s.end], str(s.style)) for s in made.spans]


def test_what_was_not_understood_lies_above_all_else() -> None:
    made = description(TEXT, [Span(0, len(TEXT), "access"), at("books, at most 5", "cue"), at("5", "unexplained"), at("5", "value")]).plain
    assert made == TEXT.replace("5", "[not understood: 5]")


def test_the_words_within_a_sentence_on_access_keep_their_colours() -> None:
    found = styles(Span(0, len(TEXT), "access"), at("admins", "role"), at("books", "entity"))
    assert [words for words, style in found if style == "bold cyan"] == ["books"]
    assert found[0][0] == "Only "


def test_remarks_that_overlap_are_one() -> None:
    assert description(TEXT, [at("at most 5", "unexplained"), at("5", "unexplained"), at("5 per", "unexplained")]).plain == TEXT.replace(
        "at most 5 per", "[not understood: at most 5 per]"
    )


def test_words_passed_over_are_told_one_after_the_other() -> None:
    spans = [at("per day", "unexplained"), at("5", "unexplained"), at("books", "entity"), at("Only", "unexplained"), Span(44, 46, "unexplained")]
    assert passed_over(TEXT, spans) == "not understood: Only, 5 per day"
    assert passed_over(TEXT, [at("books", "entity")]) == ""


SPANS = st.builds(
    lambda a, b, role: Span(min(a, b), max(a, b), role), st.integers(0, len(TEXT)), st.integers(0, len(TEXT)), st.sampled_from(SPAN_ROLES)
)


@given(st.lists(SPANS, max_size=8))
def test_no_word_is_lost_and_every_remark_is_seen(spans: list[Span]) -> None:
    made = description(TEXT, spans)
    plain = made.plain.replace("[not understood: ", "").replace("[not built by this model: ", "").replace("]", "")
    assert plain == TEXT
    red = "".join(made.plain[s.start : s.end] for s in made.spans if s.style == "bold red").replace("[not understood: ", "").replace("]", "")
    assert red == "".join(c for i, c in enumerate(TEXT) if any(s.start <= i < s.end for s in spans if s.role == "unexplained"))
