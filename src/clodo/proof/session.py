"""What checks work with: callers with credentials, and rows made on demand."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from clodo.blueprint.constructs import construct_of
from clodo.blueprint.evaluation import Unknowable
from clodo.blueprint.filling import filled
from clodo.blueprint.plan import Plan
from clodo.blueprint.samples import entity_body, sample, sample_body
from clodo.blueprint.values import Access, Blueprint, Entity, FieldType, Users, Who
from clodo.errors import ProofError
from clodo.proof.client import Answer, Client

Headers = dict[str, str]
Row = dict[str, Any]

#: Rings the bell of a cron line; gives what the handler ended with where it failed, else nothing.
Bell = Callable[[str], str]
#: Puts a message into the queue of a binding.
Post = Callable[[str, Any], None]
#: Runs SQL with its values on the service's database.
Query = Callable[[str, list[Any]], list[Row]]

_TRIES = 20
#: The one address that mail bindings take mails to in a proof: what is mailed to others stays where checks read it.
MAILABLE = "mailed@example.com"
PASSWORD = "correct horse battery"


class Fault(Exception):
    """A rule that the service breaks, with the exchange that shows it."""

    def __init__(self, message: str, answer: Answer | None = None) -> None:
        super().__init__(message)
        self.answer = answer


class TooFewValues(Exception):
    """A check needs more rows than a unique field has values: nothing can be said on its rule."""


class StatementRefused(ProofError):
    """The database keeps a rule of the service, and refuses a statement for it. What else a statement comes to grief on is a failure of the
    proof, and says nothing on the service."""

    code = "proof-statement"


def expect(answer: Answer, status: int, why: str = "") -> Answer:
    """The answer, if it has that status; a fault otherwise."""
    if answer.status != status:
        raise Fault(f"expected {status}{f' ({why})' if why else ''}, got {answer.status}", answer)
    return answer


def expect_path(answer: Answer, path: str) -> Answer:
    """The answer, if its ``errors`` name the path; a fault otherwise."""
    errors = (answer.body or {}).get("errors", [])
    named = [str(e.get("path", "")) for e in errors]
    if not any(n == path or n.startswith(f"{path}.") for n in named):
        raise Fault(f"the error does not name {path!r} but {named}", answer)
    return answer


def _tied_keys(b: Blueprint) -> dict[str, set[str]]:
    """The keys that rules tie, by entity; a part names those of other entities as ``entity.key``."""
    found: dict[str, set[str]] = {}
    for e in b.entities:
        for part in e.parts:
            for key in construct_of(part).entangled(e, part):
                name, _, rest = key.rpartition(".")
                found.setdefault(name or e.name, set()).add(rest)
    return found


def _room(b: Blueprint) -> dict[str, dict[str, bool]]:
    """The numbers that rules need large, or else small, by entity."""
    found: dict[str, dict[str, bool]] = {}
    for e in b.entities:
        for part in e.parts:
            for name, field_name, large in construct_of(part).room(b, e, part):
                found.setdefault(name, {})[field_name] = large
    return found


@dataclass(frozen=True)
class Account:
    """A registered user."""

    id: str
    email: str
    token: str
    #: Headers beside the credential.
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> Headers:
        """The credential, and what belongs to it."""
        return {"authorization": f"Bearer {self.token}", **self.more}


#: What a new account needs beside its token: gives further headers of its requests.
Welcome = Callable[[Account], Awaitable[Headers]]


_K = TypeVar("_K")
_T = TypeVar("_T")


async def _by_the_first(made: dict[_K, asyncio.Future[_T]], key: _K, make: Callable[[], Awaitable[_T]]) -> _T:
    """What several wait for, made by the first of them. One that is given up takes nobody else along."""
    if key not in made:
        made[key] = asyncio.ensure_future(make())
    return await asyncio.shield(made[key])


class Session:
    """One run of checks against one service."""

    def __init__(
        self,
        client: Client,
        plan: Plan,
        secrets: dict[str, str],
        query: Query,
        scarce: frozenset[str] = frozenset(),
        bell: Bell | None = None,
        post: Post | None = None,
        crons: Sequence[str] | None = None,
    ) -> None:
        self.client, self.plan, self.secrets = client, plan, secrets
        self._query, self._bell, self._post = query, bell, post
        #: The lines of cron that the service is configured with; nothing is known of them where there is ``None``.
        self.crons = crons
        #: Entities that can have few rows (``clodo.proof.scarcity``).
        self.scarce = scarce
        self.blueprint = plan.blueprint
        self._numbers = itertools.count(1)
        self._tied = _tied_keys(self.blueprint)
        self._room = _room(self.blueprint)
        self._shared: dict[tuple[str, ...], asyncio.Future[Any]] = {}
        self._accounts: dict[str, asyncio.Future[Account]] = {}
        #: What is done with each new account (a check's ``prepare`` adds to it).
        self.welcomes: list[Welcome] = []
        #: What is done with the id of each user that nobody logs in as.
        self.spared: list[Callable[[str], Awaitable[None]]] = []
        #: Whether the administrator's role came before the address was confirmed, where addresses are.
        self.early_admin = False
        #: Entities whose rows stay when those of others are deleted.
        self.kept: set[str] = set()
        #: Whether checks run one after the other now.
        self.alone = False
        self._parents: dict[tuple[str, str], asyncio.Future[Row]] = {}

    # -- callers ----------------------------------------------------------------------------

    async def account(self, name: str) -> Account:
        """The user of that name, registered when first asked for. ``admin`` is the administrator;
        ``role:editor`` is a user who was given the role ``editor``."""
        return await _by_the_first(self._accounts, name, lambda: self._register(name))

    async def _register(self, name: str) -> Account:
        address = name.replace(":", "-").replace("_", "-")
        email = self.secrets["ADMIN_EMAIL"] if name == "admin" else f"{address}@example.com"
        for _ in range(40):
            answer = await self.client.send("POST", "/api/auth/register", self.registration(email))
            if answer.status != 409:
                break  # else a unique value happened to be taken
        expect(answer, 201, "registration")
        id = str(answer.body["user"]["id"])
        kind, _, role = name.partition(":")
        if kind == "role":
            # No request can give a role; whoever runs the service does it in the database.
            await self.query('UPDATE "user" SET "role" = ? WHERE "id" = ?', role, id)
        if name == "admin" and self.blueprint.users is not None and self.blueprint.users.confirms:
            # The mail with the token is that brick's to check; here the administrator has read it.
            self.early_admin = answer.body["user"]["role"] == "admin"
            await self.query(f'UPDATE "user" SET "role" = \'admin\', "{Users.CONFIRMED}" = 1 WHERE "id" = ?', id)
        account = Account(id, email, answer.body["token"])
        for welcome in self.welcomes:
            account = replace(account, more={**account.more, **await welcome(account)})
        return account

    async def spare_user(self) -> str:
        """The id of a user that nobody logs in as, for rows to refer to; put into the database, since hashing a password takes
        longer than all the rest."""
        model = await self.account("admin")
        [row] = await self.query('SELECT * FROM "user" WHERE "id" = ?', model.id)
        number = self.number()
        row |= {"id": f"01890000-0000-7000-8000-{number:012x}", "email": f"spare-{number}@example.com", "role": "user"}
        users = self.blueprint.users
        together = {name for group in users.unique for name in group} if users else set()
        for f in users.fields if users else ():
            if f.unique or f.name in together:
                value = sample(f, number) if f.required else None
                row[f.name] = round(value * 100) if value is not None and f.type is FieldType.MONEY else value
        columns = ", ".join(f'"{name}"' for name in row)
        await self.query(f'INSERT INTO "user" ({columns}) VALUES ({", ".join("?" * len(row))})', *row.values())
        for done in self.spared:
            await done(str(row["id"]))
        return str(row["id"])

    async def query(self, sql: str, *values: Any) -> list[Row]:
        """Rows of the service's database; only for what no request can do or show.

        Raises:
            StatementRefused: a constraint or a trigger of the database is against it.
        """
        return await asyncio.to_thread(self._query, sql, list(values))

    async def scheduled(self, cron: str) -> str:
        """Lets the service do what it does at the times of a cron line; comes back when it is done. That changes rows of any check, so
        only those that run alone may ask for it. Gives how the handler failed, empty where it did not: some of the work of that line
        may be done all the same.

        Raises:
            Fault: the service is not configured with that line, so nobody would ring.
        """
        assert self._bell is not None
        assert self.alone, "A check that rings cron must run alone."
        if self.crons is not None and cron not in self.crons:
            raise Fault(f"wrangler.jsonc has no line of cron {cron!r}, but {', '.join(map(repr, self.crons)) or 'none'}")
        return await asyncio.to_thread(self._bell, cron)

    async def delivered(self, queue: str, message: Any) -> None:
        """Lets the queue of a binding deliver a message, which may have come before."""
        assert self._post is not None
        await asyncio.to_thread(self._post, queue, message)

    async def emptied(self) -> None:
        """Deletes the rows of every entity, so that the next check has all values to itself."""
        self._parents.clear()
        left = [e.name for e in self.blueprint.entities if e.name not in self.kept]
        for _ in range(len(left) + 1):
            failed = []
            for name in left:
                try:
                    await self.query(f'DELETE FROM "{name}"')
                except StatementRefused:  # rows of another table still refer to it
                    failed.append(name)
            left = failed

    def registration(self, email: str) -> Row:
        """A body that registers an account."""
        users = self.blueprint.users
        fields = users.fields if users else ()
        return {"email": email, "password": PASSWORD, **sample_body(fields, self.number())}

    async def headers(self, *rules: Access, user: str = "admin") -> Headers:
        """Credentials that satisfy the rules; roles are satisfied by the administrator, whoever else
        is asked for beside."""
        out: Headers = {}
        for rule in sorted(rules, key=lambda rule: rule.who is Who.ROLE):
            if rule.who is Who.KEY:
                out["x-api-key"] = self.secrets["API_KEY"]
            elif rule.who is not Who.PUBLIC:
                name = "admin" if rule.who is Who.ROLE else user
                out |= (await self.account(name)).headers
        return out

    async def reader(self, e: Entity, user: str = "admin") -> Headers:
        """Credentials to read an entity, hidden rows too."""
        rules = [self.blueprint.read_access(e)]
        if any(construct_of(part).shown_by for part in e.parts):
            rules.append(self.blueprint.write_access(e))
        return await self.headers(*rules, user=user)

    async def writer(self, e: Entity, user: str = "admin", *more: Access) -> Headers:
        """Credentials to write an entity, and to refer to rows that only their owner may see; ``more`` are rules to satisfy beside."""
        b = self.blueprint
        targets = [t for r in e.references if (t := b.entity(r.target)) is not None]
        private = [rule for t in targets if (rule := b.read_access(t)).who is Who.OWNER]
        made = await self.headers(b.write_access(e), b.create_access(e), b.read_access(e), *private, *more, user=user)
        return {k: v for part in e.parts for k, v in construct_of(part).headers(part).items()} | made

    async def deleter(self, e: Entity, user: str = "admin") -> Headers:
        """Credentials to delete rows of an entity, and to write them."""
        return await self.writer(e, user, self.blueprint.delete_access(e))

    def maker(self, e: Entity) -> str:
        """A user whose own rows of an entity can be: roles are satisfied by the administrator alone."""
        b = self.blueprint
        rules = (b.read_access(e), b.write_access(e), b.create_access(e))
        return "admin" if any(rule.who is Who.ROLE for rule in rules) else "ann"

    async def once(self, key: tuple[str, ...], make: Callable[[], Awaitable[Any]]) -> Any:
        """What several checks need, made by the first of them."""
        return await _by_the_first(self._shared, key, make)

    def leads(self, e: Entity) -> bool:
        """Whether an entity is the one on which code that all entities share is tried at length."""
        return e.name == self.blueprint.entities[0].name

    # -- rows -------------------------------------------------------------------------------

    def number(self) -> int:
        """A number that this run has not used yet."""
        return next(self._numbers)

    def path(self, e: Entity, id: object = "") -> str:
        """The path of a collection or of a row."""
        base = f"/api/{self.plan.path(e)}"
        return f"{base}/{id}" if id else base

    async def body(self, e: Entity, changes: Row | None = None, *, user: str = "admin", apart: bool = False) -> Row:
        """A valid body with the changes, and with rows for the references that it needs; ``None`` leaves a key out. Bodies
        share these rows unless the reference is unique or ``apart`` asks for rows of its own: a check that
        changes or deletes a row makes that row itself."""
        out, changes, tied = self.plain_body(e), changes or {}, self.tied(e)
        for r in e.references:
            key = f"{r.name}_id"
            if not r.required or key in changes:
                continue
            parent = self.blueprint.entity(r.target)
            if parent is None:
                out[key] = await self.spare_user() if key in tied else (await self.account(user)).id
            elif apart or r.unique or key in tied or any(r.name in group for group in e.unique):
                out[key] = (await self.create(parent, user=user))["id"]
            else:
                out[key] = (await self.shared(parent, user=user))["id"]
        return {k: v for k, v in {**out, **changes}.items() if v is not None}

    def plain_body(self, e: Entity) -> Row:
        """A valid body but for its references."""
        for _ in range(_TRIES):
            body = entity_body(e, self.number(), self._room.get(e.name, {}).items())
            try:
                if not filled(e.fields, body).refused:
                    break  # else what nobody can set would be filled with what it does not take
            except Unknowable:
                break
        return body

    async def shared(self, e: Entity, *, user: str = "admin") -> Row:
        """A row that checks share: to refer to, to read, or to refuse changes of, never to change."""
        return await _by_the_first(self._parents, (e.name, user), lambda: self.create(e, user=user))

    async def post(self, e: Entity, body: Row, *, user: str = "admin") -> Answer:
        """Sends a creation."""
        return await self.client.send("POST", self.path(e), body, headers=await self.writer(e, user))

    async def create(self, e: Entity, changes: Row | None = None, *, user: str = "admin", apart: bool = False) -> Row:
        """A new row, with the arguments of ``body``. Where a unique value happens to be taken, other values are tried."""
        for _ in range(40):
            answer = await self.post(e, await self.body(e, changes, user=user, apart=apart), user=user)
            if answer.status != 409:
                break
        if answer.status == 409 and e.name in self.scarce:
            raise TooFewValues(f"{e.name} has a unique field with too few values for this check")
        row = dict(expect(answer, 201, f"a valid {e.name}").body)
        for step in (construct_of(part).shown_by for part in e.parts):
            if step:
                shown = await self.client.send("POST", f"{self.path(e, row['id'])}/{step}", headers=await self.writer(e, user))
                row = dict(expect(shown, 200, f"a {e.name} is shown").body)
        return row

    def tied(self, e: Entity) -> set[str]:
        """The keys of bodies of an entity whose values rules tie to each other or to other rows."""
        return self._tied.get(e.name, set())

    def settled(self, e: Entity, answer: Answer, status: int, keys: Iterable[str], why: str = "") -> bool:
        """Whether a change went through; false where a rule that ties one of the keys to others may have refused it.
        A fault for any other answer."""
        if answer.status in (409, 422) and self.tied(e) & set(keys):
            return False
        expect(answer, status, why)
        return True

    async def get(self, e: Entity, id: str, *, user: str = "admin") -> Answer:
        """Reads a row."""
        return await self.client.send("GET", self.path(e, id), headers=await self.reader(e, user))

    async def patch(self, e: Entity, id: str, body: Row, *, user: str = "admin") -> Answer:
        """Changes a row."""
        headers = await self.writer(e, user)
        return await self.client.send("PATCH", self.path(e, id), body, headers=headers)

    async def delete(self, e: Entity, id: str, *, user: str = "admin") -> Answer:
        """Deletes a row."""
        headers = await self.deleter(e, user)
        return await self.client.send("DELETE", self.path(e, id), headers=headers)

    async def page(self, e: Entity, params: Row | None = None, *, user: str = "admin") -> Answer:
        """One page of a list."""
        headers = await self.reader(e, user)
        return await self.client.send("GET", self.path(e), headers=headers, params=params)

    async def ids(self, e: Entity, params: Row, *, user: str = "admin") -> list[str]:
        """The ids of all pages of a list, in order."""
        found: list[str] = []
        cursor: dict[str, str] = {}
        for _ in range(200):
            page = expect(await self.page(e, {**params, **cursor}, user=user), 200, "a page")
            found += [row["id"] for row in page.body["items"]]
            if page.body["next_cursor"] is None:
                return found
            cursor = {"cursor": page.body["next_cursor"]}
        raise Fault("a list never ends")

    def sample(self, e: Entity, name: str) -> Any:
        """A fresh value for a field."""
        f = e.field(name)
        assert f is not None
        return sample(f, self.number())
