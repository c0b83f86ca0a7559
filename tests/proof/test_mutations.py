"""The proof must be able to fail: each planted fault, one at a time, is found, and found for what it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from clodo.blueprint import parse
from clodo.bricks.registry import service_checks, service_secrets, service_tree
from clodo.emit.tree import write_tree
from clodo.proof.host import Host
from clodo.proof.verify import verify
from clodo.toolchain import Toolchain
from tests.bricks.proving import expect_found

EXAMPLES = Path(__file__).parents[2] / "examples"


@dataclass(frozen=True)
class Mutation:
    """In ``example`` (or one of ``MORE``), ``old`` becomes ``new`` in ``file``; a check whose id starts with ``caught_by``
    must fail."""

    name: str
    example: str
    file: str
    old: str
    new: str
    caught_by: str
    #: A second change (file, old, new), for a rule that is kept in two places.
    also: tuple[str, str, str] | None = None


#: Services for what no example has; a mutation may name one of them.
MORE = {
    "names of our own": """service names
entity thing {
  e: text required
  self: text
  user: text unique
  apart: integer unique
  changes: boolean
  params: text
}
""",
    "cats": """service cats
users {
}
entity post {
  title: text
  cats: <-> cat
  write owner
}
entity cat {
  name: text
  write user
}
""",
    "albums": """service albums
users {
}
entity album {
  title: text
  read owner
  write owner
}
entity photo {
  album: -> album required
}
""",
    "public cats": """service public_cats
users {
}
entity post {
  title: text
  cats: <-> cat
  write owner
}
entity cat {
  name: text
}
""",
    "clinic": """service clinic
read user
write role doctor
users {
  roles doctor, nurse
}
entity note {
  body: text required
  read owner or role nurse
  write owner or role nurse
  soft delete
  restore
}
entity page {
  note: -> note required
  write user
}
entity feedback {
  text: text required
  create public
}
entity reading {
  value: decimal required
  create role nurse
}
entity article {
  title: text required
  publish
  read public
  write owner or role doctor
}
""",
    "desk": """service desk
read public
write role staff
users {
  roles staff, manager
}
entity product {
  name: text required unique
  delete role admin
}
entity booking {
  day: date required
  product: -> product on delete cascade
  read user
  write user
  delete owner or role manager
  soft delete
  restore
}
entity note {
  body: text required
  read owner or role manager
  write owner
  delete role manager
  soft delete
}
entity remark {
  text: text required
  parent: -> remark on delete cascade
  write public
  delete role staff
}
entity paper {
  title: text required
  read role staff
  delete user
  soft delete
  restore
}
entity invoice {
  total: money min 0
  delete role manager
  delete when total > 1
  soft delete
  restore
}
entity post {
  title: text required
  delete owner
  publish
}
entity reading {
  value: integer
  read key
  write key
  delete role manager
  restore
  soft delete
}
""",
    "help desk": """service help_desk
read user
write role agent
users {
  roles agent, reporter, lead
}
entity queue {
  name: text required
  read role agent, reporter
  create role lead
}
entity ticket {
  subject: text required
  queue: -> queue required
  create role reporter, agent
  delete role lead
}
entity worklog {
  text: text required
  ticket: -> ticket on delete cascade
  create role lead
}
entity tally {
  count: integer
  queue: -> queue
  create role lead
}
entity praise {
  text: text required
  create user
}
""",
    "leagues": """service leagues
read user
write user
users {
  roles boss
}
entity club {
  name: text required
  delete role boss
}
entity entry {
  name: text required
  delete owner or role boss
  versions
  soft delete
}
tenants club
""",
    "handles": """service handles
users {
  username: text required unique max 30
  badge: integer unique min 1
}
entity note {
  text: text required
  author: -> user required
  at most 3 per author "Three notes at most."
}
""",
    "clubs": """service clubs

users {
  roles captain
  team: enum(red, blue) required
  number: integer required min 1 max 5000
  nickname: text max 20
  bio: longtext
  level: integer read-only default 1
  pin: text hashed pattern "^[0-9]{4}$"
  born: date max "2020-01-01"
  vip: boolean default false
  tags: list
  unique (team, number)
  unique (nickname, team)
  search email, nickname, bio, tags, team
  manage roles
}

entity thing {
  name: text
}
""",
    "guest book": """service guest_book
read public
write key
entity entry {
  text: text required
  create public
}
""",
    "files": """service files
entity folder {
  name: text
}
entity doc_file {
  folder: -> folder required
  soft delete
}
entity doc_page {
  doc_file: -> doc_file required
  parent: -> doc_page on delete cascade
  tags: list
  at: datetime
  search tags
  soft delete
}
""",
}

MIGRATION = "migrations/0001_init.sql"
LIB = "src/lib"
INDEX = "src/index.ts"
MUTATIONS = [
    Mutation("unique dropped", "bookshop", MIGRATION, 'CREATE UNIQUE INDEX "book__isbn__unique"', 'CREATE INDEX "book__isbn__unique"', "resources.unique"),
    Mutation("unique group dropped", "gym", MIGRATION, 'CREATE UNIQUE INDEX "class__title', 'CREATE INDEX "class__title', "resources.unique"),
    Mutation("one-to-one dropped", "org-chart", MIGRATION, 'CREATE UNIQUE INDEX "desk__employee_id', 'CREATE INDEX "desk__employee_id', "relations.one-to-one"),
    Mutation("foreign key dropped", "bookshop", MIGRATION, ' REFERENCES "book"("id") ON DELETE CASCADE', "", "resources.foreign-keys"),
    Mutation("foreign key of a link dropped", "cats", MIGRATION, ' REFERENCES "cat"("id") ON DELETE CASCADE', "", "resources.foreign-keys"),
    Mutation("index of a reference dropped", "bookshop", MIGRATION, 'CREATE INDEX "review__book_id__id" ON "review" ("book_id", "id");', "", "resources.indexes"),
    Mutation("index of a sort dropped", "bookshop", MIGRATION, 'CREATE INDEX "book__price__id" ON "book" ("price", "id");', "", "resources.indexes"),
    Mutation("index of a link dropped", "cats", MIGRATION, 'CREATE INDEX "post__cats__cat_id" ON "post__cats" ("cat_id");', "", "resources.indexes"),
    Mutation("maximum ignored", "bookshop", "src/entities/review.ts", "max: 5", "max: 6", "resources.range"),
    Mutation("exclusive bound made inclusive", "expenses", "src/entities/expense.ts", "above: 0", "min: 0", "resources.range"),
    Mutation("length limit ignored", "expenses", "src/entities/category.ts", ", maxLength: 40", "", "resources.range"),
    Mutation("pattern ignored", "expenses", "src/entities/expense.ts", ', pattern: new RegExp("^[A-Z]{3}$", "u")', "", "resources.pattern"),
    Mutation("required made optional", "bookshop", "src/entities/book.ts", "title: text({ required: true", "title: text({ required: false", "resources.required"),
    Mutation("any text taken for an enum", "gym", f"{LIB}/fields.ts", "schema: z.enum([...values]),", "schema: z.string(),", "resources.type"),
    Mutation("enum value refused", "gym", "src/entities/member.ts", ', "premium"', "", "resources.type"),
    Mutation("default forgotten", "gym", "src/entities/member.ts", ', { default: "basic" }', "", "resources.default"),
    Mutation("types not checked", "bookshop", f"{LIB}/fields.ts", "const schema = z.int().check(...rangeChecks(rules));", "const schema = z.coerce.number().check(...rangeChecks(rules));", "resources.type"),
    Mutation("read-only field writable", "feature-flags", "src/entities/flag.ts", "readOnly: true", "readOnly: false", "resources.read-only"),
    Mutation("unknown keys taken", "bookshop", f"{LIB}/body.ts", "if (!Object.hasOwn(fields, name) || fields[name]?.readOnly) {", "if (fields[name]?.readOnly) {", "resources."),
    Mutation("write-only field answered", "expenses", "src/entities/expense.ts", "text({ writeOnly: true })", "text()", "resources.write-only|core.no-leak"),
    Mutation("references not looked up", "bookshop", f"{LIB}/rows.ts", "errors.push(...(await missingRows(c, entity, caller, references)));", "void missingRows; void caller;", "relations.reference"),
    Mutation("cascade becomes restrict", "bookshop", MIGRATION, "ON DELETE CASCADE", "ON DELETE RESTRICT", "relations.on-delete", ("src/entities/review.ts", 'onDelete: "cascade"', 'onDelete: "restrict"')),
    Mutation("restrict becomes cascade", "org-chart", MIGRATION, 'REFERENCES "department"("id") ON DELETE RESTRICT', 'REFERENCES "department"("id") ON DELETE CASCADE', "relations.on-delete"),
    Mutation("set null becomes cascade", "org-chart", MIGRATION, 'REFERENCES "employee"("id") ON DELETE SET NULL', 'REFERENCES "employee"("id") ON DELETE CASCADE', "relations.on-delete"),
    Mutation("children of every parent listed", "bookshop", f"{LIB}/children.ts", "[condition(`${quote(key)} = ?`, id)]", "[condition(`${quote(key)} = ? OR 1 = 1`, id)]", "relations.children"),
    Mutation("unlinking does nothing", "gym", f"{LIB}/links.ts", "DELETE FROM ${table} WHERE ${here} = ? AND ${there} = ?", "DELETE FROM ${table} WHERE ${here} = ? AND ${there} = ? AND 1 = 0", "relations.links"),
    Mutation("key not asked for writing", "gym", "src/entities/class.ts", 'write: "key"', 'write: "public"', "api_key.needed"),
    Mutation("key compared by its beginning", "feature-flags", f"{LIB}/api-key.ts", "(await sameText(given, c.env.API_KEY))", "(void sameText, given !== '' && c.env.API_KEY.startsWith(given))", "api_key.needed"),
    Mutation("owner not checked on change", "blog", f"{LIB}/rows.ts", 'if (ownAlone(entity.write, caller) && row', 'if (void ownAlone, entity.name === "nothing" && row', "users.owner"),
    Mutation("everybody stands beside the owner", "clinic", f"{LIB}/access.ts", '(typeof rule === "string" || !hasRole(rule.roles, caller))', '(void hasRole, typeof rule === "string")', "users.owner"),
    Mutation("nobody stands beside the owner", "clinic", f"{LIB}/access.ts", '(typeof rule === "string" || !hasRole(rule.roles, caller))', "caller.user !== undefined", "users.owner-or-role"),
    Mutation("only the administrator stands beside the owner", "clinic", f"{LIB}/access.ts", ' || roles.includes(user.role)', "", "users.owner-or-role"),
    Mutation("creating asks for the rule of writing", "clinic", f"{LIB}/resource.ts", "entity.create ?? entity.write", "entity.write", "resources.create"),
    Mutation("creating asks for the key", "guest book", "src/entities/entry.ts", 'create: "public"', 'create: "key"', "resources.create"),
    Mutation("another role creates", "help desk", "src/entities/worklog.ts", 'create: { roles: ["lead"] }', 'create: { roles: ["lead", "agent"] }', "resources.create"),
    Mutation("whoever adds rows changes them", "help desk", f"{LIB}/rows.ts", "const caller = await admit(c, entity.write);", 'const caller = await admit(c, entity.name === "ticket" ? (entity.create ?? entity.write) : entity.write);', "resources.create"),
    Mutation("whoever adds rows deletes them", "help desk", f"{LIB}/deleters.ts", "entity.delete ?? entity.write;", 'entity.delete === undefined ? entity.write : (entity.create ?? entity.delete);', "resources.create"),
    Mutation("creating below a parent asks for the rule of writing", "help desk", f"{LIB}/children.ts", "child.create ?? child.write", "child.write", "resources.create"),
    Mutation("every user creates", "help desk", f"{LIB}/resource.ts", "await admit(c, entity.create ?? entity.write)", 'await admit(c, entity.create === undefined ? entity.write : "user")', "users.needed"),
    Mutation("nobody is asked for creating", "help desk", f"{LIB}/resource.ts", "await admit(c, entity.create ?? entity.write)", 'await admit(c, entity.create === undefined ? entity.write : "public")', "users.needed"),
    Mutation("writing asks for the rule of creating", "clinic", f"{LIB}/rows.ts", "const caller = await admit(c, entity.write);", "const caller = await admit(c, entity.create ?? entity.write);", "users.needed"),
    Mutation("every member deletes a tenant", "leagues", "src/entities/club.ts", 'delete: { roles: ["boss"] }', 'delete: "user"', "resources.delete"),
    Mutation("deleting asks for the rule of writing", "desk", f"{LIB}/deleters.ts", "entity.delete ?? entity.write;", "entity.delete === undefined ? entity.write : entity.write;", "resources.delete"),
    Mutation("writing asks for the rule of deleting", "desk", f"{LIB}/rows.ts", "const caller = await admit(c, entity.write);", "const caller = await admit(c, entity.delete ?? entity.write);", "users."),
    Mutation("a row goes whoever asks", "desk", f"{LIB}/deletion.ts", "await deletableRow(c, entity, id)", "[null, {}] as const; void deletableRow", "resources.delete"),
    Mutation("a row is hidden by whoever writes", "desk", f"{LIB}/soft-delete.ts", "await deletableRow(c, entity, id)", "await deletableRow(c, { ...entity, delete: entity.write }, id)", "resources.delete"),
    Mutation("another role deletes", "desk", "src/entities/product.ts", 'delete: { roles: ["admin"] }', 'delete: { roles: ["admin", "staff"] }', "resources.delete"),
    Mutation("owner not checked on deletion", "desk", f"{LIB}/deleters.ts", "if (ownAlone(rule, caller) && row", 'if (void ownAlone, entity.name === "nothing" && row', "users.owner"),
    Mutation("nobody stands beside the owner who deletes", "desk", f"{LIB}/deleters.ts", "if (ownAlone(rule, caller) && row", 'if (typeof rule === "object" && (rule.owner ?? ownAlone(rule, caller)) && row', "users.owner-or-role"),
    Mutation("a row that is not to be known of is deleted", "desk", f"{LIB}/deleters.ts", "if (!allows(entity.read, caller)) throw notFound();", "void allows, notFound;", "resources.delete"),
    Mutation("rows that owners delete have none", "desk", f"{LIB}/entity.ts", "(entity.delete !== undefined && isOwners(entity.delete))", "false", "resources.|users.owner"),
    Mutation("whoever writes brings rows back", "desk", f"{LIB}/restore.ts", "admit(c, deleters(entity))", "admit(c, entity.write)", "restore.access"),
    Mutation("whoever deletes brings back what others own", "desk", f"{LIB}/restore.ts", "ownAlone(deleters(entity), caller)", "ownAlone(entity.write, caller)", "restore.access"),
    Mutation("private rows in lists of others", "expenses", f"{LIB}/rows.ts", "where([...visible(entity, caller), ...conditions, ...query.conditions])", "where([...conditions, ...query.conditions])", "users.owner"),
    Mutation("roles not checked", "newsroom", f"{LIB}/access.ts", "return rule.owner === true || hasRole(rule.roles, caller);", "return true;", "users.needed"),
    Mutation("a role other than admin shut out", "newsroom", f"{LIB}/access.ts", ' || roles.includes(user.role)', "", "users.role"),
    Mutation("role taken from the body", "blog", f"{LIB}/users.ts", "const { email: address, password, ...rest }", "const { email: address, password, role: wanted, ...rest }", "users.role"),
    Mutation("unique of users dropped", "handles", MIGRATION, 'CREATE UNIQUE INDEX "user__username__unique"', 'CREATE INDEX "user__username__unique"', "users.unique"),
    Mutation("unique of users holds for nothing too", "handles", f"{LIB}/users.ts", "        ...values,\n", '        ...values,\n        ...("badge" in values && values["badge"] === null ? { badge: 0 } : {}),\n', "users.unique"),
    Mutation("unique together of users dropped", "clubs", MIGRATION, 'CREATE UNIQUE INDEX "user__team__number__unique"', 'CREATE INDEX "user__team__number__unique"', "users.unique-together"),
    Mutation("unique together of users is unique alone", "clubs", MIGRATION, 'ON "user" ("nickname", "team")', 'ON "user" ("nickname")', "users.unique-together"),
    Mutation("a group that is taken is no conflict", "clubs", f"{LIB}/users.ts", ".catch(uniqueConflict)", ".catch((error: unknown) => { void uniqueConflict; throw error; })", "users.unique-together"),
    Mutation("bound of a profile field lost", "clubs", INDEX, "nickname: text({ maxLength: 20 })", "nickname: text({ maxLength: 200 })", "users.profile"),
    Mutation("default of a profile field lost", "clubs", INDEX, "vip: boolean({ default: false })", "vip: boolean({ default: true })", "users.profile"),
    Mutation("pattern of a profile field lost", "clubs", INDEX, 'pattern: new RegExp("^[0-9]{4}$", "u"), ', "", "users.profile"),
    Mutation("read-only profile field taken", "clubs", INDEX, "integer({ default: 1, readOnly: true })", "integer({ default: 1 })", "users.profile"),
    Mutation("required profile field may be missing", "clubs", INDEX, 'choice(["red", "blue"], { required: true })', 'choice(["red", "blue"], { default: "red" })', "users.profile"),
    Mutation("users searched in one field less", "clubs", INDEX, 'search(["email", "nickname"', 'search(["email"', "accounts.search"),
    Mutation("search of users finds all", "clubs", f"{LIB}/search.ts", 'words.map(() => `instr(lower(${all}), lower(?)) > 0`).join(" AND ")', 'words.map(() => `(instr(lower(${all}), lower(?)) > 0 OR 1 = 1)`).join(" AND ")', "accounts.search"),
    Mutation("a name that is taken is no conflict", "handles", f"{LIB}/users.ts", ".catch(uniqueConflict)", ".catch((error: unknown) => { void uniqueConflict; throw error; })", "users.unique"),
    Mutation("signature of tokens not checked", "blog", f"{LIB}/token.ts", 'verify(token, secret(c), "HS256")', 'Promise.resolve().then(() => (void verify, JSON.parse(atob((token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/"))) as Record<string, unknown>))', "users.token"),
    Mutation("any password lets in", "expenses", f"{LIB}/password.ts", "return equal && stored !== null;", "return (equal || true) && stored !== null;", "users.login"),
    Mutation("unknown accounts are refused at once", "expenses", f"{LIB}/password.ts", "  const [, iterations, salt, hash] = (stored ?? NOBODY)", "  if (stored === null) return false;\n  const [, iterations, salt, hash] = (stored ?? NOBODY)", "users.login-time"),
    Mutation("unknown accounts take fewer rounds", "expenses", f"{LIB}/password.ts", "const NOBODY = `pbkdf2-sha256$${ITERATIONS}$", "const NOBODY = `pbkdf2-sha256$1000$", "users.login-time"),
    Mutation("hash of the password answered", "expenses", f"{LIB}/users.ts", '["id", "email", "role",', '["id", "email", "role", "password_hash",', "core.no-leak"),
    Mutation("password stored as it is", "expenses", f"{LIB}/password.ts", "return [\"pbkdf2-sha256\", ITERATIONS, toBase64(salt), toBase64(hash)].join(\"$\");", "return [\"pbkdf2-sha256\", ITERATIONS, toBase64(salt), toBase64(hash), password].join(\"$\");", "users.stored"),
    Mutation("login tells which half was wrong", "expenses", f"{LIB}/users.ts", "E-mail or password is wrong.", "${found === null ? 'E-mail' : 'Password'} is wrong.", "users.login"),
    Mutation("cursor skips a row", "bookshop", f"{LIB}/rows.ts", "const last = page.at(-1);", "const last = results.at(-1);", "resources.paging"),
    Mutation("cursor not checked", "bookshop", f"{LIB}/list.ts", "if (name !== sort.name || mark !== scope", "if (false", "resources.bad-parameter"),
    Mutation("descending order ignored", "bookshop", f"{LIB}/list.ts", 'const direction = sort.descending ? "DESC" : "ASC";', 'const direction = "ASC";', "resources."),
    Mutation("filter ignored", "bookshop", f"{LIB}/list.ts", "return condition(`${quote(name)} ${operator} ?`, parsed);", "return condition('1 = 1 OR ?1 IS NULL', parsed);", "resources.filter"),
    Mutation("limit not bounded", "feature-flags", f"{LIB}/list.ts", "limit < 1 || limit > MAX_LIMIT", "limit < 1", "resources.bad-parameter"),
    Mutation("search finds everything", "bookshop", f"{LIB}/search.ts", "lower(?)) > 0", "lower(?)) >= 0", "search.q"),
    Mutation("search for any of the words", "bookshop", f"{LIB}/search.ts", '.join(" AND ")', '.join(" OR ")', "search.q"),
    Mutation("search minds the case", "bookshop", f"{LIB}/search.ts", "instr(lower(${all}), lower(?))", "instr(${all}, ?)", "search.q"),
    Mutation("search in the JSON of a list", "files", f"{LIB}/search.ts", "entity.fields[name]?.searched?.(stored) ?? stored", "stored", "search.q"),
    Mutation("words after the eighth dropped", "blog", f"{LIB}/search.ts", "words.length > MAX_WORDS", "words.length > 1000", "search.q"),
    Mutation("updated_at never moves", "bookshop", f"{LIB}/rows.ts", 'values["updated_at"] = new Date().toISOString();', 'values["updated_at"] = before["updated_at"] ?? null;', "resources.timestamps"),
    Mutation("an empty change moves updated_at", "bookshop", f"{LIB}/rows.ts", "if (Object.keys(values).length === 0) return", "if (mode === undefined) return", "resources.patch"),
    Mutation("offset kept", "files", f"{LIB}/fields.ts", "const toUtc = (text: string): string => new Date(text).toISOString();", "const toUtc = (text: string): string => text;", "resources.type"),
    Mutation("time without its seconds", "org-chart", f"{LIB}/fields.ts", "text.length === 5 ? `${text}:00` : text", "text", "resources."),
    Mutation("tokens without an end", "blog", f"{LIB}/token.ts", ", exp: now + LIFETIME_SECONDS", "", "users.token"),
    Mutation("one round of PBKDF2", "expenses", f"{LIB}/password.ts", "const ITERATIONS = 100_000;", "const ITERATIONS = 1;", "users.stored"),
    Mutation("admin reads private rows", "expenses", f"{LIB}/entity.ts", 'if (ownAlone(entity.read, caller)) {', 'if (ownAlone(entity.read, caller) && caller.user?.role !== "admin") {', "users.owner"),
    Mutation("link without asking its side", "cats", f"{LIB}/links.ts", "if (decides) return linking", "if (decides && from === undefined) return linking", "relations.link-rule"),
    Mutation("link asks the side of the path", "cats", f"{LIB}/links.ts", "[declares(from), declares(to)]", "[declares(from) || true, false]", "relations.link-rule"),
    Mutation("own private row unknown where all may write", "albums", f"{LIB}/access.ts", "const caller = await identify(c);", 'const caller = rule === "public" ? {} : await identify(c);', "users.owner"),
    Mutation("moments compared with nothing", "bookshop", f"{LIB}/list.ts", "const moment: Column = datetime();", 'const moment: Column = { ranged: true, parse: (text) => (datetime().parse(text) === undefined ? undefined : "5") };', "resources.filter"),
    Mutation("days that are not taken", "bookshop", f"{LIB}/list.ts", "const moment: Column = datetime();", "const moment: Column = { ranged: true, parse: (text) => (Number.isNaN(Date.parse(text)) ? undefined : new Date(text).toISOString()) };", "resources.bad-parameter"),
    Mutation("another default limit", "bookshop", f"{LIB}/list.ts", "const DEFAULT_LIMIT = 20;", "const DEFAULT_LIMIT = 50;", "resources.default-limit"),
    Mutation("cursor good for any path", "bookshop", f"{LIB}/list.ts", "JSON.stringify([pathname, rest.sort()])", "JSON.stringify(rest.sort())", "relations.children"),
    Mutation("ids of another version", "bookshop", f"{LIB}/id.ts", "0x7000 | count", "0x4000 | count", "resources.crud"),
    Mutation("security headers gone", "bookshop", f"{LIB}/http.ts", '["x-content-type-options", "nosniff"],', "", "core.headers"),
    Mutation("computed wrongly", "org-chart", "src/entities/employee.ts", "* 12", "* 11", "resources.computed"),
    Mutation("texts joined wrongly", "org-chart", "src/entities/employee.ts", "' '", "''", "resources.computed"),
    Mutation("trees cut after one level", "files", f"{LIB}/deletion.ts", 'return which === undefined ?', 'return which === undefined || child === entity ?', "relations.tree"),
    Mutation("hidden rows hold on", "files", f"{LIB}/deletion.ts", 'reference.onDelete === "restrict" && child.softDelete', 'reference.onDelete === "restrict" && child.softDelete && entities.length === 0', "soft_delete.releases"),
    Mutation("JSON of any depth", "feature-flags", f"{LIB}/fields.ts", "const MAX_DEPTH = 100;", "const MAX_DEPTH = 1e9;", "resources.nesting"),
    Mutation("soft-deleted rows still listed", "newsroom", f"{LIB}/entity.ts", '"deleted_at" IS NULL', "1 = 1", "soft_delete."),
    Mutation("body of any size read", "bookshop", f"{LIB}/http.ts", "if (size > MAX_BODY_BYTES) throw", "if (size > 64 * MAX_BODY_BYTES) throw", "resources."),
    Mutation("errors tell the database's words", "bookshop", f"{LIB}/sql.ts", "`Another row has the same ${paths.join(\" and \")}.`", "message(error)", "core.no-leak"),
    Mutation("server error on bad input", "bookshop", f"{LIB}/http.ts", 'throw new Problem(400, "The body is not valid JSON.");', 'throw new Error("x");', "core.no-server-error"),
    Mutation("wrong method not told", "bookshop", f"{LIB}/http.ts", "throw new Problem(405,", "throw new Problem(404,", "core.method"),
    Mutation("an answer beside the document", "bookshop", f"{LIB}/entity.ts", 'const out: Record<string, unknown> = {};', 'const out: Record<string, unknown> = { extra: 1 };', "core.openapi"),
    Mutation("page of docs loads from elsewhere", "feature-flags", f"{LIB}/docs.ts", "<head>", '<head><script src="https://cdn.example/x.js"></script>', "core.docs"),
    Mutation("money as binary fractions", "bookshop", f"{LIB}/fields.ts", "Math.round((value as number) * 100);", "Math.floor((value as number) * 100);", "resources."),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.name.replace(" ", "-"))
def test_planted_fault_is_caught(
    mutation: Mutation, tmp_path: Path, toolchain: Toolchain, host: Host
) -> None:
    source = MORE.get(mutation.example) or (EXAMPLES / f"{mutation.example}.clodo").read_text("utf-8")
    blueprint = parse(source)
    tree = service_tree(blueprint, source)
    assert mutation.old in tree[mutation.file], "the mutation no longer applies"
    tree[mutation.file] = tree[mutation.file].replace(mutation.old, mutation.new)
    if mutation.also is not None:
        file, old, new = mutation.also
        assert old in tree[file], "the mutation no longer applies"
        tree[file] = tree[file].replace(old, new)
    if mutation.name == "role taken from the body":
        tree[mutation.file] = tree[mutation.file].replace(
            'role: values["email"] === admin ? "admin" : "user"', 'role: (wanted as string) ?? "user"'
        )
    if mutation.name == "login tells which half was wrong":
        tree[mutation.file] = tree[mutation.file].replace(
            '"${found === null', "`${found === null"
        ).replace("is wrong.\"", "is wrong.`")  # fmt: skip
    write_tree(tree, tmp_path / "service", service_secrets(blueprint))
    expect_found(tmp_path / "service", toolchain, host, mutation.caught_by)


@pytest.mark.workerd
def test_types_are_part_of_the_proof(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    source = (EXAMPLES / "feature-flags.clodo").read_text("utf-8")
    tree = service_tree(parse(source), source)
    tree["src/index.ts"] += "\nconst wrong: number = 'text';\nvoid wrong;\n"
    write_tree(tree, tmp_path / "service", service_secrets(parse(source)))
    report = verify(tmp_path / "service", service_checks, toolchain, host)
    assert [e.id for e in report.failures] == ["files.types"]
    assert "TS2322" in report.failures[0].detail


@pytest.mark.workerd
def test_a_service_that_does_not_boot_is_a_finding(
    tmp_path: Path, toolchain: Toolchain, host: Host
) -> None:
    source = (EXAMPLES / "feature-flags.clodo").read_text("utf-8")
    tree = service_tree(parse(source), source)
    tree["src/index.ts"] = "import './nowhere';\n" + tree["src/index.ts"]
    write_tree(tree, tmp_path / "service", service_secrets(parse(source)))
    report = verify(tmp_path / "service", service_checks, toolchain, host, types=False)
    assert not report.proven
    assert [e.id for e in report.failures] == ["boot"]
    assert "nowhere" in report.failures[0].detail


@pytest.mark.workerd
@pytest.mark.parametrize("name", MORE)
def test_a_service_without_a_planted_fault_is_proven(
    name: str, tmp_path: Path, toolchain: Toolchain, host: Host
) -> None:
    blueprint = parse(MORE[name])
    write_tree(service_tree(blueprint, MORE[name]), tmp_path / "service", service_secrets(blueprint))
    report = verify(tmp_path / "service", service_checks, toolchain, host, types=False)
    assert report.proven, report.summary()
