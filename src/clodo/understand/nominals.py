"""The noun for a thing that a text says only by a verb: ``people can book rooms`` → ``booking``.

That the verb stands for a thing which is stored is the model's decision; this is only its name.
"""

from __future__ import annotations

from clodo.understand.naming import entity_name, singular, words
from clodo.understand.verbs import base_form

#: Verbs that are no nouns of another thing, in any of their forms.
VERBS = {
    "adopt": "adoption", "apply": "application", "ask": "question", "assess": "assessment", "attend": "attendance", "borrow": "loan", "buy": "purchase",
    "complain": "complaint", "confirm": "confirmation", "consult": "consultation", "contribute": "contribution", "deliver": "delivery", "donate": "donation",
    "endorse": "endorsement", "enquire": "enquiry", "enrol": "enrolment", "enroll": "enrollment", "enter": "entry", "evaluate": "evaluation", "inquire": "inquiry",
    "inspect": "inspection", "join": "participation", "lend": "loan", "nominate": "nomination", "observe": "observation", "participate": "participation",
    "pray": "prayer", "predict": "prediction", "propose": "proposal", "react": "reaction", "recommend": "recommendation", "redeem": "redemption", "refer": "referral",
    "respond": "response", "sell": "sale", "submit": "submission", "subscribe": "subscription", "suggest": "suggestion", "thank": "thanks", "withdraw": "withdrawal",
    **{verb: verb for verb in ("answer", "bookmark", "comment", "follow", "like", "message", "order", "reply", "review", "upvote", "vote")},
}  # fmt: skip
#: Verbs that are nouns of another thing too ("books", "a rate", "the rent"): only where a verb can stand.
BOTH = {
    "book": "booking", "clean": "cleaning", "invite": "invitation", "pay": "payment", "rate": "rating", "register": "registration", "rent": "rental",
    "reserve": "reservation", "sign": "signature", "sponsor": "sponsorship", "taste": "tasting", "water": "watering",
}  # fmt: skip
#: Verbs that are another one with the word behind them, which is a thing then, too ("sign up for a shift" → ``sign_up``).
PHRASAL = {"call": ("out",), "check": ("in", "out"), "drop": ("off",), "hand": ("over",), "pick": ("up",), "sign": ("off", "up"), "top": ("up",), "write": ("off",)}
#: Words that a verb follows. So it does a plural: "customers book rooms".
BEFORE = frozenset([
    "can", "could", "may", "might", "must", "shall", "should", "will", "would", "to", "and", "or", "then", "also", "not", "only", "never", "cannot",
    "i", "you", "we", "they", "people", "ppl", "who", "let", "lets", "us", "them",
])  # fmt: skip
#: Words for one of those who do something: "a customer books a room".
DOERS = frozenset([
    "anybody", "anyone", "buyer", "client", "colleague", "customer", "donor", "employee", "everybody", "everyone", "guest", "he", "member", "passenger", "patient",
    "person", "player", "reader", "she", "somebody", "someone", "student", "tenant", "tourist", "user", "viewer", "visitor", "who",
])  # fmt: skip

#: Verbs that say nothing by themselves: what is stored is their object ("leave a review", "make a booking").
LIGHT = frozenset(["leave", "leaves", "make", "makes", "give", "gives", "write", "writes", "place", "places", "put", "puts", "take", "takes", "send", "sends", "file", "files"])
#: Words up to which an object follows its verb.
NEAR = 4


def thing_name(surface: str, before: str, behind: str = "") -> str:
    """The name of an entity from one of its mentions and the words in front of it and behind it (empty at the ends of a text):
    that of ``naming.entity_name``, or of the noun that belongs to a verb."""
    name = entity_name(surface)
    found = words(surface)
    if len(found) != 1:
        return name
    word, base = found[0], base_form(found[0])
    if behind.lower() in PHRASAL.get(base, ()):
        return f"{base}_{behind.lower()}"
    by_verb = word == base and follows(before) and singular(before.lower()) != word
    if base in BOTH and (by_verb or word.endswith("ed") or (word == f"{base}s" and before.lower() in DOERS)):
        return BOTH[base]
    return VERBS.get(base, name)


def follows(before: str) -> bool:
    """Whether a verb can stand behind a word."""
    word = before.lower()
    return word in BEFORE or word in DOERS or (word.isascii() and word.isalpha() and singular(word) != word)
