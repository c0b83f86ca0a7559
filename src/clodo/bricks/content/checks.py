"""Checks of slugs, publishing and Markdown."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Access, Entity, Field, Who
from clodo.bricks.actions.brick import actions_of
from clodo.bricks.actions.scenes import Scene
from clodo.bricks.actions.touched import touched_by
from clodo.bricks.actions.values import Action, CreateRow
from clodo.bricks.content.language import Markdown, Publish, Slug
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import (
    Fault,
    Headers,
    Row,
    Session,
    TooFewValues,
    expect,
    expect_path,
)

_DISTANT = "2999-01-01T00:00:00.000Z"
_LONG_AGO = "2001-01-01T00:00:00.000Z"
_EVERY_MINUTE = "* * * * *"
#: What a page would run, or take for a tag, if it came through.
_ATTACKS = (
    "<script>alert(1)</script>", '<img src=x onerror="alert(1)">', "[a](javascript:alert(1))", "[a](JAVA\u0001SCRIPT:alert(1))",
    "[a](<java\u200bscript:alert(1)>)", "![a](data:text/html,x)", '[a](http://x.example "t\\" onclick=alert(1)")', "<javascript:alert(1)>",
    '![" onerror="alert(1)](http://x.example/)', "```\" onload=alert(1)\n</code><script>\n```", "[a](vbscript:x)", "`<svg onload=x>`",
)  # fmt: skip
_TAG = re.compile(
    r"</?(?:p|h[1-6]|em|strong|ul|li|blockquote|pre|code)>|<(?:hr|br)>|</?ol>|</a>|<ol start=\"\d+\">|<code class=\"language-[\w+#.-]+\">"
    r"|<a href=\"(?:https?:|mailto:|tel:|[^\"<>:]*(?:[/?#][^\"<>]*)?\")[^<>]*>|<img src=\"(?:https?:|[^\":]*\")[^<>]*>"
)


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    for e in plan.blueprint.entities:
        for slug in e.parts_of(Slug):
            yield Check("content.slug", f"{e.name}: a slug is made from {slug.source}, and no two rows have one", partial(_slug, e, slug))
            yield Check("content.by-slug", f"{e.name}: is found by its slug", partial(_by_slug, e))
            rule = "changes with" if slug.follow else "stays when the change is of"
            yield Check("content.slug-change", f"{e.name}: the slug {rule} {slug.source}", partial(_renamed, e, slug))
        if e.parts_of(Publish):
            yield Check("content.draft", f"{e.name}: drafts are hidden from readers", partial(_draft, e))
            yield Check("content.publish", f"{e.name}: is published now or at a time, and made a draft again", partial(_publish, e))
            yield Check("content.publish-rule", f"{e.name}: only who may write it publishes it", partial(_publish_rule, e))
            yield Check("content.due", f"{e.name}: is published when its time has come", partial(_due, e), alone=True)
        for markdown in e.parts_of(Markdown):
            yield Check("content.markdown", f"{e.name}.{markdown.html}: is {markdown.source} as HTML", partial(_markdown, e, markdown))
            yield Check("content.safe-html", f"{e.name}.{markdown.html}: runs nothing", partial(_safe, e, markdown))
    for owner, action in actions_of(plan):
        for name in dict.fromkeys(effect.entity for effect in action.effects if isinstance(effect, CreateRow)):
            made = plan.blueprint.entity(name)
            if made is not None and (bool(made.parts_of(Slug)) or bool(made.parts_of(Markdown))) and not action.later:
                words = f"{owner.name}.{action.name}: a {name} that it makes has its slug and its HTML".replace("_", " ")
                yield Check("content.made", words, partial(_made, owner, action, made), alone=True)
        for name in touched_by(plan.blueprint, owner, action) if not action.later else ():
            touched = plan.blueprint.entity(name)
            if touched is None:
                continue
            for slug in touched.parts_of(Slug):
                words = f"{owner.name}.{action.name}: a {name} keeps the slug that was chosen for it".replace("_", " ")
                yield Check("content.chosen-slug", words, partial(_chosen, owner, action, touched, slug), alone=True)


async def _made(owner: Entity, action: Action, made: Entity, s: Session) -> None:
    scene = Scene(s, owner, action)
    row = await scene.ready()
    answer = expect(await scene.call(row["id"], scene.readied), 200, "all guards hold")
    lacks = ['"slug" IS NULL'] if made.parts_of(Slug) else []
    lacks += [f'("{m.source}" IS NOT NULL AND "{m.html}" IS NULL)' for m in made.parts_of(Markdown)]
    if await s.query(f'SELECT 1 FROM "{made.name}" WHERE {" OR ".join(lacks)}'):
        raise Fault(f"a {made.name} has no slug, or text without its HTML", answer)


async def _chosen(owner: Entity, action: Action, e: Entity, slug: Slug, s: Session) -> None:
    scene = Scene(s, owner, action)
    row = await scene.ready()
    if not await s.query(f'SELECT 1 FROM "{e.name}"'):
        await s.create(e)

    async def rows() -> dict[str, Row]:
        return {str(found["id"]): dict(found) for found in await s.query(f'SELECT * FROM "{e.name}"')}

    names = {id: found["slug"] for id, found in (await rows()).items()}
    await s.query(f'UPDATE "{e.name}" SET "slug" = \'chosen-\' || lower("id")')
    try:
        before = await rows()
        answer = expect(await scene.call(row["id"], scene.readied), 200, "all guards hold")
        after = await rows()
        for id in before.keys() & after.keys():
            stays = before[id][slug.source] == after[id][slug.source]
            if stays and after[id]["slug"] != before[id]["slug"]:
                raise Fault(f"the {slug.source} of a {e.name} is what it was, and its slug is another", answer)
        if all(after.get(id) == found for id, found in before.items()):
            raise TooFewValues(f"no {e.name} was changed")
    finally:
        for id, name in names.items():
            await s.query(f'UPDATE "{e.name}" SET "slug" = ? WHERE "id" = ? AND "slug" = ?', name, id, f"chosen-{id.lower()}")


# -- slugs ----------------------------------------------------------------------------------


def _is_free(f: Field | None) -> bool:
    """Whether a field takes any text."""
    return f is not None and not (f.pattern or f.read_only or f.minimum or f.unique)


async def _titled(s: Session, e: Entity, slug: Slug, title: str) -> Answer:
    body = {k: v for k, v in (await s.body(e, {slug.source: title})).items() if k != "slug"}
    return expect(await s.post(e, body), 201, f"{slug.source} = {title!r}")


async def _slug(e: Entity, slug: Slug, s: Session) -> None:
    source = e.field(slug.source)
    if source is None or not _is_free(source):
        return
    number = s.number()
    title = f"Zoë & Œuf {number}!"
    if source.maximum is not None and len(title) > int(str(source.maximum.value)):
        return
    base = f"zoe-and-oeuf-{number}"
    first = await _titled(s, e, slug, title)
    if first.body["slug"] != base:
        raise Fault(f"the slug of {title!r} is not {base!r}", first)
    # At once: each must find a number of its own.
    more = await asyncio.gather(*(_titled(s, e, slug, title) for _ in range(5)))
    wanted = {f"{base}-{n}" for n in range(2, 7)}
    if {answer.body["slug"] for answer in more} != wanted:
        raise Fault(f"the slugs of five rows made at once are not {sorted(wanted)}", more[0])
    for answer in (first, *more):
        read = expect(await s.get(e, answer.body["id"]), 200)
        if read.body["slug"] != answer.body["slug"]:
            raise Fault("the slug that was answered is not the one that is stored", read)
    odd = await _titled(s, e, slug, "日本 !")
    if not re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", odd.body["slug"] or ""):
        raise Fault("a text without Latin letters gave no slug", odd)
    for wrong in ("Not A Slug", "a--b", "-a", "a-", "ä", "a/b", "", "a" * 101):
        expect_path(expect(await s.post(e, {**await s.body(e), "slug": wrong}), 422, f"slug = {wrong!r}"), "slug")


async def _by_slug(e: Entity, s: Session) -> None:
    row = await s.create(e)
    path, headers = f"{s.path(e)}/by-slug", await s.reader(e)
    found = expect(await s.client.send("GET", f"{path}/{row['slug']}", headers=headers), 200)
    if found.body["id"] != row["id"]:
        raise Fault("the slug leads to another row", found)
    for nobody in ("no-such-slug-here", "%27%20OR%201=1--", "a" * 300):
        expect(await s.client.send("GET", f"{path}/{nobody}", headers=headers), 404, "an unknown slug")
    expect(await s.client.send("POST", f"{path}/{row['slug']}", {}, headers=headers), 405)
    if s.blueprint.read_access(e).who is not Who.PUBLIC:
        expect(await s.client.send("GET", f"{path}/{row['slug']}"), 401, "without a credential")
    if s.blueprint.read_access(e).who is Who.OWNER:
        other = await s.headers(s.blueprint.read_access(e), user="ben")
        expect(await s.client.send("GET", f"{path}/{row['slug']}", headers=other), 404, "someone else's row")
    expect(await s.delete(e, row["id"]), 204)
    expect(await s.client.send("GET", f"{path}/{row['slug']}", headers=headers), 404, "a deleted row")


async def _renamed(e: Entity, slug: Slug, s: Session) -> None:
    if not _is_free(e.field(slug.source)):
        return
    row = (await _titled(s, e, slug, f"Old {s.number()}")).body
    number = s.number()
    changed = expect(await s.patch(e, row["id"], {slug.source: f"New {number}"}), 200)
    wanted = f"new-{number}" if slug.follow else row["slug"]
    if changed.body["slug"] != wanted:
        raise Fault(f"the slug is not {wanted!r}", changed)
    headers = await s.writer(e)
    body = {k: v for k, v in (await s.body(e, {slug.source: f"New {number}"})).items() if k != "slug"}
    put = await s.client.send("PUT", s.path(e, row["id"]), body, headers=headers)
    if put.status == 200 and put.body["slug"] != wanted:
        raise Fault(f"a replacement without a slug did not keep {wanted!r}", put)
    mine = f"mine-{s.number()}"
    if expect(await s.patch(e, row["id"], {"slug": mine}), 200).body["slug"] != mine:
        raise Fault("a slug from the body is not taken")


# -- publishing -----------------------------------------------------------------------------


async def _mere_reader(s: Session, e: Entity) -> Headers | None:
    """Credentials of somebody who may read the entity and not write it; ``None`` where there is no such person."""
    read, write = s.blueprint.read_access(e), s.blueprint.write_access(e)
    if read.who is Who.PUBLIC:
        return {}
    if read == write or read.who is Who.OWNER:
        return None
    if read.who is Who.ROLE:
        roles = [r for r in read.roles if r not in ("admin", *write.roles)]
        return (await s.account(f"role:{roles[0]}")).headers if roles and write.who in (Who.ROLE, Who.OWNER) else None
    return await s.headers(read, user="ben") if write.who is not Who.USER or read.who is Who.KEY else None


async def _step(s: Session, e: Entity, id: str, verb: str, body: Row | None = None) -> Answer:
    return await s.client.send("POST", f"{s.path(e, id)}/{verb}", body, headers=await s.writer(e))


async def _seen(s: Session, e: Entity, row: Row, headers: Headers, wanted: bool) -> None:
    """Fails unless a row is seen, or not, in every way that there is to it."""
    word = "hidden from a reader" if wanted else "shown to a reader"
    read = await s.client.send("GET", s.path(e, row["id"]), headers=headers)
    if read.status != (200 if wanted else 404):
        raise Fault(f"the row is {word}", read)
    page = expect(await s.client.send("GET", s.path(e), headers=headers, params={"id": row["id"]}), 200)
    if bool(page.body["items"]) is not wanted:
        raise Fault(f"the row is {word} in a list", page)
    if e.parts_of(Slug):
        answer = await s.client.send("GET", f"{s.path(e)}/by-slug/{row['slug']}", headers=headers)
        expect(answer, 200 if wanted else 404, "by its slug")
    for link in s.plan.links:
        if link.source.name == e.name and not link.is_self:
            below = await s.client.send("GET", f"{s.path(e, row['id'])}/{link.source_path}", headers={**headers, **await s.reader(link.target)})
            if below.status == (404 if wanted else 200) and not await s.reader(link.target):
                raise Fault(f"what is linked to the row is {word}", below)


async def _draft(e: Entity, s: Session) -> None:
    made = expect(await s.post(e, await s.body(e)), 201)
    if made.body["status"] != "draft" or made.body["published_at"] is not None:
        raise Fault("a fresh row is no draft", made)
    row = made.body
    expect(await s.get(e, row["id"]), 200, "a writer sees drafts")
    if row["id"] not in await s.ids(e, {"id": row["id"], "status": "draft"}):
        raise Fault("the list of a writer lacks a draft")
    headers = await _mere_reader(s, e)
    if headers is not None:
        await _seen(s, e, row, headers, wanted=False)
        later = expect(await _step(s, e, row["id"], "publish", {"at": _DISTANT}), 200)
        if (later.body["status"], later.body["published_at"]) != ("scheduled", _DISTANT):
            raise Fault("the row does not wait for its time", later)
        await _seen(s, e, row, headers, wanted=False)
        expect(await _step(s, e, row["id"], "publish"), 200)
        await _seen(s, e, row, headers, wanted=True)
        expect(await _step(s, e, row["id"], "unpublish"), 200)
        await _seen(s, e, row, headers, wanted=False)


async def _publish(e: Entity, s: Session) -> None:
    row = expect(await s.post(e, await s.body(e)), 201).body
    for wrong in ({"at": _LONG_AGO}, {"at": "soon"}, {"at": 5}):
        expect_path(expect(await _step(s, e, row["id"], "publish", wrong), 422, str(wrong)), "at")
    expect_path(expect(await _step(s, e, row["id"], "publish", {"when": _DISTANT}), 422), "when")
    done = expect(await _step(s, e, row["id"], "publish"), 200)
    moment = datetime.fromisoformat(done.body["published_at"])
    if done.body["status"] != "published" or abs(datetime.now(UTC) - moment) > timedelta(minutes=1):
        raise Fault("the row is not published as of now", done)
    if expect(await _step(s, e, row["id"], "publish"), 200).body != done.body:
        raise Fault("publishing a second time changed something")
    expect(await _step(s, e, row["id"], "publish", {"at": _DISTANT}), 409, "it is published already")
    for name, value in (("status", "published"), ("published_at", _LONG_AGO)):
        expect_path(expect(await s.patch(e, row["id"], {name: value}), 422, f"{name} in a body"), name)
    back = expect(await _step(s, e, row["id"], "unpublish"), 200)
    if back.body["status"] != "draft" or back.body["published_at"] is not None:
        raise Fault("the row is no draft again", back)
    expect(await _step(s, e, row["id"], "unpublish"), 200, "a draft")
    expect(await _step(s, e, "01890000-0000-7000-8000-000000000000", "publish"), 404)
    expect(await s.client.send("GET", f"{s.path(e, row['id'])}/publish", headers=await s.writer(e)), 405)


async def _publish_rule(e: Entity, s: Session) -> None:
    row = await s.create(e)
    write = s.blueprint.write_access(e)
    for verb in ("publish", "unpublish"):
        path = f"{s.path(e, row['id'])}/{verb}"
        expect(await s.client.send("POST", path), 401, "no credential")
        if write.who in (Who.ROLE, Who.OWNER):
            headers = await s.headers(s.blueprint.read_access(e), Access(Who.USER), user="ben")
            answer = await s.client.send("POST", path, headers=headers)
            if answer.status not in (403, 404):
                raise Fault(f"somebody who may not write it got {answer.status} for {verb}", answer)


async def _due(e: Entity, s: Session) -> None:
    row = expect(await s.post(e, await s.body(e)), 201).body
    other = expect(await s.post(e, await s.body(e)), 201).body
    for one in (row, other):
        expect(await _step(s, e, one["id"], "publish", {"at": _DISTANT}), 200)
    # The time comes sooner than it would.
    await s.query(f'UPDATE "{e.name}" SET "published_at" = ? WHERE "id" = ?', _LONG_AGO, row["id"])
    headers = await _mere_reader(s, e)
    if headers is not None:
        await _seen(s, e, row, headers, wanted=True)
    await s.scheduled(_EVERY_MINUTE)
    read = expect(await s.get(e, row["id"]), 200)
    if (read.body["status"], read.body["published_at"]) != ("published", _LONG_AGO):
        raise Fault("its time has come, and its status does not say so", read)
    later = expect(await s.get(e, other["id"]), 200)
    if later.body["status"] != "scheduled":
        raise Fault("a row was published before its time", later)


# -- Markdown -------------------------------------------------------------------------------


async def _markdown(e: Entity, markdown: Markdown, s: Session) -> None:
    source = e.field(markdown.source)
    if source is None or source.pattern or source.maximum or source.read_only:
        return
    row = await s.create(e)
    text = "# A & B\n\nSome *words*, `a < b`:\n\n- one\n- [two](https://example.com/?a=1&b=2)\n"
    wanted = (
        "<h1>A &amp; B</h1>\n<p>Some <em>words</em>, <code>a &lt; b</code>:</p>\n"
        '<ul>\n<li>one</li>\n<li><a href="https://example.com/?a=1&amp;b=2">two</a></li>\n</ul>'
    )
    answer = expect(await s.patch(e, row["id"], {markdown.source: text}), 200)
    if answer.body[markdown.html] != wanted:
        raise Fault(f"{markdown.html} is not {wanted!r}", answer)
    if expect(await s.get(e, row["id"]), 200).body[markdown.html] != wanted:
        raise Fault(f"{markdown.html} is not stored")
    if not source.required:
        emptied = expect(await s.patch(e, row["id"], {markdown.source: None}), 200)
        if emptied.body[markdown.html] is not None:
            raise Fault(f"{markdown.html} is left over", emptied)


async def _safe(e: Entity, markdown: Markdown, s: Session) -> None:
    source = e.field(markdown.source)
    if source is None or source.pattern or source.maximum or source.read_only:
        return
    row = await s.create(e)
    for attack in _ATTACKS:
        answer = expect(await s.patch(e, row["id"], {markdown.source: attack}), 200)
        left = _TAG.sub("", answer.body[markdown.html])
        if "<" in left or ">" in left or re.search(r"(?:src|href)=\"\s*(?!https?:|mailto:|tel:)[a-z]+:", answer.body[markdown.html], re.IGNORECASE):
            raise Fault(f"{attack!r} came through", answer)
