"""The noun for a thing that a text says only by a verb: ``people can book rooms`` → ``booking``.

That the verb stands for a thing which is stored is the model's decision; this is only its name.
"""

from __future__ import annotations

from clodo.understand.naming import entity_name, singular, words
from clodo.understand.verbs import base_form

#: Verbs that are no nouns, in any of their forms.
VERBS = {
    "adopt": "adoption", "apply": "application", "assess": "assessment", "attend": "attendance", "borrow": "loan", "buy": "purchase", "complain": "complaint",
    "consult": "consultation", "contribute": "contribution", "deliver": "delivery", "donate": "donation", "endorse": "endorsement", "enrol": "enrolment",
    "enroll": "enrollment", "evaluate": "evaluation", "inspect": "inspection", "lend": "loan", "nominate": "nomination", "observe": "observation",
    "participate": "participation", "propose": "proposal", "react": "reaction", "recommend": "recommendation", "refer": "referral", "sell": "sale",
    "submit": "submission", "subscribe": "subscription", "suggest": "suggestion", "withdraw": "withdrawal",
}  # fmt: skip
#: Verbs that are nouns of another thing too ("books", "a rate", "the rent"): only where a verb can stand.
BOTH = {"book": "booking", "invite": "invitation", "pay": "payment", "rate": "rating", "register": "registration", "rent": "rental", "reserve": "reservation"}
#: Words that a verb follows. So it does a plural: "customers book rooms".
BEFORE = frozenset([
    "can", "could", "may", "might", "must", "shall", "should", "will", "would", "to", "and", "or", "then", "also", "not", "only", "never", "cannot",
    "i", "you", "we", "they", "people", "who", "let", "lets", "us", "them", "everybody", "everyone", "anybody", "anyone",
])  # fmt: skip


def thing_name(surface: str, before: str) -> str:
    """The name of an entity from one of its mentions and the word in front of that (empty at the start of a text): that of
    ``naming.entity_name``, or of the noun that belongs to a verb."""
    name = entity_name(surface)
    found = words(surface)
    if len(found) != 1:
        return name
    word = found[0]
    if word in BOTH and follows(before):
        return BOTH[word]
    return VERBS.get(base_form(word), name)


def follows(before: str) -> bool:
    """Whether a verb can stand behind a word."""
    word = before.lower()
    return word in BEFORE or (word.isascii() and word.isalpha() and singular(word) != word)
