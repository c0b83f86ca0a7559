"""Sentences on relations, access, wishes and everything around: marked text and its facts."""

from __future__ import annotations

import random

from clodo.training.generator.phrases import a, joined, mark
from clodo.training.generator.spec import EntitySpec, RelationSpec

Rng = random.Random
Said = tuple[str, list[str]]


def belongs(rng: Rng, r: RelationSpec) -> Said:
    """A reference, with what becomes of the rows, and the facts it makes."""
    c, p = r.source, r.target
    one, many = mark(c.words, c.name), mark(c.plural, c.name)
    up, ups = mark(p.words, p.name), mark(p.plural, p.name)
    text = rng.choice([
        f"Each {one} belongs to {a(up)}.", f"Every {one} is for one {up}.", f"{many.capitalize()} belong to {a(up)}.",
        f"{a(up).capitalize()} has many {many}.", f"{ups.capitalize()} have {many}.", f"A {up} can have several {many}.",
        f"{a(one).capitalize()} always refers to {a(up)}.", f"{many.capitalize()} are attached to {a(up)}.",
        f"A {one} is assigned to {a(up)}.", f"Every {one} is linked to exactly one {up}.", f"{many.capitalize()} reference {a(up)}.",
        f"A {one} is made for {a(up)}.", f"Each {up} comes with any number of {many}.", f"{many.capitalize()} go under {a(up)}.",
        f"We file each {one} under one {up}.", f"Every {one} has one {up}, and {a(up)} has many {many}.",
        f"{a(one).capitalize()} is part of {a(up)}.", f"{many.capitalize()} come from {a(up)}.", f"A {one} is tied to one {up}.",
        f"For each {up} we keep its {many}.", f"{ups.capitalize()} own {many}.", f"Several {many} can hang off one {up}.",
        f"{a(one).capitalize()} is in one {up}.", f"{one} -> {up}", f"{many.capitalize()} are always recorded against {a(up)}.",
        f"The {one} knows its {up}.", f"A {one} points at the {up} it is about.", f"Every {one} needs {a(up)}.",
    ])  # fmt: skip
    options: list[str] = []
    if text.startswith("Every") and "needs" in text:
        options.append("required")
    roll = rng.random()
    if roll < 0.14:
        text += " " + rng.choice([
            f"Deleting {a(up)} deletes its {many}.", f"If {a(up)} is deleted, its {many} go as well.",
            f"When {a(up)} is removed, all of its {many} are removed too.", f"Removing {a(up)} must remove the {many}.",
            f"The {many} disappear together with the {up}.", f"Once {a(up)} is gone so are its {many}.", "They are deleted together.",
            f"Delete the {many} along with the {up}.",
        ])  # fmt: skip
        options.append("cascade")
    elif roll < 0.21:
        text += " " + rng.choice([
            f"{a(up).capitalize()} that still has {many} can't be deleted.", f"Don't allow deleting {a(up)} while it has {many}.",
            f"It must not be possible to delete {a(up)} with {many}.", f"Refuse to remove {a(up)} as long as there are {many}.",
        ])  # fmt: skip
        options.append("restrict")
    elif roll < 0.26:
        text += " " + rng.choice([
            f"If {a(up)} is deleted the {many} stay, just without {a(up)}.", f"When {a(up)} goes, keep its {many} but unlink them.",
            f"Deleting {a(up)} leaves the {many} without one.",
        ])  # fmt: skip
        options.append("setnull")
    elif roll < 0.34:
        text += " " + rng.choice([f"The {up} is optional.", f"It may also have no {up}.", f"Not every {one} has {a(up)} though.", f"The {up} can be left empty."])
        options.append("optional")
    elif roll < 0.4:
        text += " " + rng.choice([f"The {up} is required.", f"A {one} without {a(up)} is not allowed.", f"The {up} must be given."])
        options.append("required")
    return text, [" ".join([c.name, ">", p.name, *options])]


def belongs_item(rng: Rng, r: RelationSpec) -> Said:
    """A reference as an item of a list of fields."""
    up = mark(r.target.words, r.target.name)
    text = rng.choice([
        f"the {up} it belongs to", f"its {up}", f"the {up}", f"the {up} it is for", f"which {up} it is for", f"the {up} concerned",
        f"a link to its {up}", f"reference to {up}", f"one {up}", f"the {up} who is responsible", f"belongs to {up}", f"{up} (reference)",
    ])  # fmt: skip
    return text, [f"{r.source.name} > {r.target.name}"]


def many(rng: Rng, r: RelationSpec) -> Said:
    """A many-to-many relation."""
    x, y = (r.source, r.target) if rng.random() < 0.5 else (r.target, r.source)
    one, two = mark(x.words, x.name), mark(y.words, y.name)
    ones, twos = mark(x.plural, x.name), mark(y.plural, y.name)
    text = rng.choice([
        f"{a(one).capitalize()} can have many {twos} and {a(two)} can have many {ones}.", f"{ones.capitalize()} and {twos} are many-to-many.",
        f"Each {one} can have several {twos}, and the same {two} can be on several {ones}.", f"There is a many to many relation between {ones} and {twos}.",
        f"{ones.capitalize()} have many {twos} and vice versa.", f"A {one} may be connected to any number of {twos} and the other way round.",
        f"{a(one).capitalize()} has multiple {twos}; {a(two)} may have multiple {ones}.", f"Any {two} can go with any number of {ones}, and any {one} with several {twos}.",
        f"{ones.capitalize()} can be linked with lots of {twos}, {twos} with lots of {ones}.", f"{ones} <-> {twos} (many to many)",
        f"One {one}, many {twos}; one {two}, many {ones}.", f"{ones.capitalize()} take part in many {twos}, and {twos} have many {ones}.",
    ])  # fmt: skip
    return text, [f"{r.source.name} * {r.target.name}"]


def access(rng: Rng, entities: list[EntitySpec]) -> Said:
    """Who may call the service, or whose rows they are."""
    e = rng.choice(entities)
    one, ones = mark(e.words, e.name), mark(e.plural, e.name)
    kind = rng.choices(["none", "key", "key-write", "login", "login-write", "own", "own-write", "role"], [14, 14, 12, 14, 9, 14, 8, 9])[0]
    if kind == "own":
        return rng.choice([
            (f"Everyone logs in and only sees their own {ones}.", "login"), (f"Users sign in and can only touch the {ones} they created.", "login"),
            (f"Each user only sees their own {ones}.", ""), (f"{ones.capitalize()} are private to the user who made them.", ""),
            (f"People have accounts, and nobody can see the {ones} of somebody else.", ""), (f"A {one} belongs to the person who created it and nobody else can read it.", ""),
            (f"login required, {ones} are private", "login"), (f"Every user manages just their own {ones} after logging in.", "login"),
            (f"Nobody but its creator may see or change {a(one)}.", ""),
        ])[0:1][0][0], []  # fmt: skip
    if kind == "own-write":
        text = rng.choice([
            f"Anyone may read {ones}, but only the author of {a(one)} can change or delete it.", f"Only the creator of {a(one)} may edit it; everybody can read.",
            f"{ones.capitalize()} can be edited only by whoever wrote them, reading is open.", f"You can change your own {ones} but not those of others, which you may read.",
            f"All users see all {ones} but may only modify the ones they created.",
        ])  # fmt: skip
        return text, [f"own-write {e.name}"]
    if kind == "role":
        role = rng.choice(["admin", "admin", "manager", "editor", "librarian", "moderator", "teacher", "supervisor", "operator"])
        who = mark(f"{role}s", f"ROLE:{role}")
        single = mark(role, f"ROLE:{role}")
        text = rng.choice([
            f"Only {who} may create or change {ones}.", f"{ones.capitalize()} can be edited by {who} only.", f"You have to be {a(single)} to add {ones}.",
            f"Just the {who} can write {ones}, everyone else reads.", f"Changing {ones} is reserved for {who}.",
        ])  # fmt: skip
        return text, [f"write {e.name} role:{role}"]
    texts = {
        "none": ["No login needed.", "No authentication.", "Everything is public.", "It's open to everybody.", "no auth", "No password or anything.", "Anyone can use it, without an account.", "There are no users, everything is open.", "Skip the security, it's internal.", "No accounts please."],
        "key": ["Protect everything with an API key.", "All requests need an API key.", "API key required.", "api key for everything", "Only callers with an API key get in.", "Access only with an API key.", "Clients authenticate with an API key.", "Nobody gets in without the API key.", "key auth on all routes", "Reading and writing need an API key."],
        "key-write": ["Reading is public, writing needs an API key.", "Anyone can read but changes need an API key.", "Everyone may look; to create or change something you need the API key.", "GET is open, everything else wants an API key.", "public read, api key for writes", "Only with an API key can you modify data; reads are free for all.", "Creating, updating and deleting require an API key, viewing doesn't."],
        "login": ["Users must log in.", "People have to log in first.", "Login required for everything.", "You need an account to use it.", "Only logged-in users get access.", "Everyone signs in with email and password.", "users log in", "Nothing is visible without signing in.", "Our staff log in to use it.", "Authentication with accounts is needed."],
        "login-write": ["Anyone can read, but you must be logged in to write.", "Reading is open; changes need a login.", "Visitors can look around, only registered users can add or edit.", "Logged-in users may write, everyone may read.", "To create or change something you must sign in, viewing is free.", "public read, login to write"],
    }  # fmt: skip
    return rng.choice(texts[kind]), [f"access {kind}"]


def owned(rng: Rng, e: EntitySpec) -> Said:
    """Private rows, with the facts that the wording makes."""
    one, ones = mark(e.words, e.name), mark(e.plural, e.name)
    text, login = rng.choice([
        (f"Everyone logs in and only sees their own {ones}.", True), (f"Users sign in and can only touch the {ones} they created.", True),
        (f"Each user only sees their own {ones}.", False), (f"{ones.capitalize()} are private to the user who made them.", False),
        (f"Nobody can see the {ones} of somebody else.", False), (f"A {one} is visible to the person who created it and no one else.", False),
        (f"Login required, and {ones} are private.", True), (f"Every user manages just their own {ones} after logging in.", True),
        (f"Nobody but its creator may see or change {a(one)}.", False), (f"People log in and work with their own {ones} only.", True),
        (f"each user has his own {ones}, not visible for others", False), (f"My {ones} must not be seen by other users.", False),
    ])  # fmt: skip
    return text, [f"own {e.name}"] + (["access login"] if login else [])


def extra(rng: Rng, e: EntitySpec) -> Said:
    """Soft deletion or time stamps."""
    one, ones = mark(e.words, e.name), mark(e.plural, e.name)
    if rng.random() < 0.6:
        text = rng.choice([
            f"Deleted {ones} should be kept but hidden.", f"{ones.capitalize()} are never really deleted, only hidden.", f"Use soft delete for {ones}.",
            f"When {a(one)} is deleted just mark it as deleted.", f"Archive {ones} instead of deleting them.", f"Keep deleted {ones} in the database.",
        ])  # fmt: skip
        return text, [f"softdelete {e.name}"]
    text = rng.choice([
        f"Keep track of when {a(one)} was created and updated.", f"{ones.capitalize()} need created and updated timestamps.",
        f"Record when each {one} was made and last changed.",
    ])  # fmt: skip
    return text, [f"timestamps {e.name}"]


_WISHES = """send an email to {who} when {a one} is {done}|notify {who} by SMS|show a monthly report of {many} per {thing}|a {who} may have at most three {many} at the same time
{many} can only be {done} before noon|export all {many} as CSV|import {many} from a spreadsheet|take payments with Stripe|every night delete {many} older than a year
the total is calculated from quantity and price|upload a photo for each {one}|two {many} must not overlap|once it is {done} it can no longer be changed|a {who} can approve or reject {a one}
generate a PDF for each {one}|sync with Google Calendar|limit clients to 100 requests a minute|a dashboard with the number of {many} by {thing}|remind {who} two days before
when the stock falls below 10 order more|lock the {one} after it is {done}|we want a mobile app too|print labels for {many}|a chat between {who}s|suggest similar {many}
post every new {one} to Slack|the average per {thing} should be shown|only {who}s with a licence may get {a one}|a {one} moves from new to {done} and then to closed|compute the late fee automatically
a webhook when {a one} is {done}|show {many} on a map|a live feed of {many}|keep a history of changes|each {who} may vote only once|{many} should expire after 30 days|translate the text into French
log in with Google|QR codes for every {one}|the first 5 are free|weekly statistics by {thing}|{many} are cancelled automatically if not {done} in 24 hours|undo the last change""".replace("\n", "|").split("|")  # fmt: skip


def wish(rng: Rng, e: EntitySpec) -> str:
    """A wish that the blueprint cannot say, marked as a whole."""
    who = rng.choice(["customer", "member", "manager", "user", "owner", "teacher", "parent", "guest", "driver", "admin"])
    filled = rng.choice(_WISHES).format_map({
        "who": who, "a one": a(e.words), "one": e.words, "many": e.plural, "done": rng.choice(["approved", "paid", "shipped", "finished", "confirmed", "sold"]),
        "thing": rng.choice(["month", "region", "category", "person", "week", "status"]),
    })  # fmt: skip
    return rng.choice([
        f"{mark(filled[:1].upper() + filled[1:], 'X')}.", f"We also want to {mark(filled, 'X')}." if filled.split()[0] in ("send", "show", "export", "import", "take", "upload", "generate", "sync", "limit", "print", "suggest", "post", "compute", "keep", "translate", "remind", "notify", "lock", "undo") else f"{mark(filled[:1].upper() + filled[1:], 'X')}.",
        f"Also, {mark(filled, 'X')}.", f"Nice to have: {mark(filled, 'X')}.", f"And {mark(filled, 'X')}, please.",
    ])  # fmt: skip


OPENINGS = """Hi!|Hello,|Hey there,|Good morning,|I need a small backend for {domain}.|Please build an API for {domain}.|We need a service for {domain}.|Build me a {domain} service.|Could you make an API for {domain}?
We're a small team doing {domain} and our spreadsheet has become a mess.|I'm working on a {domain} project.|Simple {domain} backend.|Make a REST API for {domain}.|This is for {domain}.|{domain} app|Need: {domain}|{domain} api.
Our company has been in {domain} for 12 years.|Looking for someone to set up the data side of {domain}.|Task: implement a backend for {domain}.|As discussed, here is what we need for {domain}.|We want to track everything about {domain}.""".replace("\n", "|").split("|")  # fmt: skip
CHATTER = """We are a team of {n}.|Right now everything lives in a spreadsheet.|We started in {year}.|Nothing fancy.|It should be fast.|We expect about {n} users.|Thanks!|Cheers|Many thanks in advance.|Please keep it simple.|The office is at 14 Mill Lane.
Budget is tight.|The old system crashed twice last week.|We'd like to go live before summer.|My boss wants it by Friday.|That's all.|That's it for now.|We use a Mac.|There are {n} of us.|Call me at 555-0142 if something is unclear.
Hosting on Cloudflare would be good.|I tried to write it myself and gave up.|Deadline is the 3rd of May.|Version 2 can come later.|The front end is already there.|It doesn't need a user interface.|We handle about {n} a month.|JSON please.|TypeScript is fine.|I hope this makes sense.|Let me know if you have questions.|People keep asking for it.""".replace("\n", "|").split("|")  # fmt: skip
ACTORS = ["Our customers will love it.", "The visitors use the web site for this.", "Our staff will work with it every day.", "Users should find it easy.", "Students use it on their phones.", "The managers want it soon.", "People call us all the time about it.", "Teachers asked for this."]  # fmt: skip
UNCLEAR = {
    "vague": """I want an app.|Make me something cool|I need a backend|Can you build a website for my business?|we need a better system for our company, the old one is bad|an app like Uber but better|Build a platform.|Help me with my startup idea|I need a database|make an api|Something for managing stuff|We want to digitalise our processes.|create a service|A tool for our team to be more productive|Please do the thing we talked about|build it quickly please, it is urgent|a modern scalable cloud solution for everyone|I'd like to have software|i need help with my project|Just make it work|a portal|Could you make a program for the shop?|We need an API that handles our data.|Do something with AI for {domain}|An app for {domain}, you know what I mean|we want to be the best in {domain}, make us a system""",
    "not-a-service": """What is the capital of Portugal?|Write a poem about autumn|How do I fix a flat tyre?|My printer does not print anymore, it only blinks|Translate 'good morning' into Spanish|Tell me a joke about {domain}|What's 17 times 23?|Why is the sky blue?|Who won the world cup in 1998?|I have a headache, what should I take?|Fix this: for i in range(10) print(i)|Please book me a table for two tonight|summarise the news|hello|test|asdf asdf|Is it going to rain tomorrow?|Write an essay on {domain}|Recommend me a good book|Explain recursion to a child|How much does a plumber earn?|lorem ipsum dolor sit amet|What time is it?|Draw me a picture of {domain}|Thank you very much, see you tomorrow!|Can you call my mother?""",
    "contradictory": """Every {one} has a title that is required, but a {one} must never have a title.|There is no login and no accounts, and every user only sees their own {many}.|{many} can be read by everybody and nobody is allowed to read {many}.|The code of a {one} must be unique and all {many} have the same code.|The price must be over 100 and under 50.|A {one} must have a name. Names of {many} are not stored.|Everything is public. Everything needs an API key, no exceptions, also for reading.|The rating of a {one} goes from 5 at least to 1 at most.|A {one} belongs to exactly one customer and never belongs to a customer.|Deleting {many} is forbidden, and {many} are deleted by anyone.""",
}  # fmt: skip


def unclear(rng: Rng, kind: str, domain: str, e: EntitySpec) -> str:
    """A text that should be answered by questions."""
    text = rng.choice(UNCLEAR[kind].split("|"))
    text = text.format_map({"domain": domain, "one": e.words, "many": e.plural})
    if rng.random() < 0.3:
        text += " " + rng.choice(CHATTER).format(n=rng.randrange(3, 90), year=rng.randrange(1960, 2024))
    return text[:1].upper() + text[1:] if rng.random() < 0.7 else text.lower()


def actors_joined(rng: Rng, names: list[str]) -> str:
    """A list of plain words."""
    return joined(rng, names)
