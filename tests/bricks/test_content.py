"""Slugs, publishing and Markdown: the language, the renderer under attack, and faults that the proof finds."""

from __future__ import annotations

import asyncio
import re
import subprocess
from pathlib import Path

import pytest

from clodo.blueprint import check, format_blueprint, parse
from clodo.blueprint.plan import make_plan
from clodo.blueprint.problems import InvalidBlueprint
from clodo.bricks.content.language import Markdown, Publish, Slug
from clodo.bricks.rules.triggers import triggers
from clodo.proof.host import Host
from clodo.proof.session import Session
from clodo.toolchain import Toolchain
from tests.bricks.live import live
from tests.bricks.proving import BRICKS, Fault, example_of, expect_caught, proof

SMALL = """service journal
read public
write key

entity post {{
  title: text required
  body: longtext
  secret: text write-only
{lines}
}}
"""


def journal(*lines: str) -> str:
    return SMALL.format(lines="\n".join(f"  {line}" for line in lines))


def test_the_lines_become_values_and_fields() -> None:
    text = journal("slug from title follow", "publish", "markdown body")
    blueprint = parse(text)
    assert blueprint.entities[0].parts == (Slug("title", follow=True), Publish(), Markdown("body"))
    assert format_blueprint(blueprint) == text
    names = [f.name for f in make_plan(blueprint).blueprint.entities[0].fields]
    assert names == ["title", "body", "secret", "slug", "status", "published_at", "body_html"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("slug from titel", "no field 'titel'.*Did you mean title"),
        ("slug from body", "cannot be made into a slug"),
        ("slug from secret", "write-only"),
        ("markdown nothing", "no field 'nothing'"),
        ("markdown secret", "write-only"),
        ("slug from title\n  slug from title", "said twice"),
        ("publish\n  publish", "said twice"),
        ("slug from title\n  slug: text", "'slug' 2 times"),
        ("publish\n  status: text", "'status' 2 times"),
        ("publish\n  write public", "everybody would see its drafts"),
    ],
)
def test_what_makes_no_sense_is_told(line: str, message: str) -> None:
    with pytest.raises(InvalidBlueprint, match=message):
        parse(journal(line))


def counted(condition: str, access: str = "") -> str:
    """A service whose topics count posts, which are drafts at first."""
    topic = f"entity topic {{\n  name: text\n  posts: integer = count(post where {condition})\n{access}}}\n\n"
    return journal("publish", "topic: -> topic").replace("entity post", f"{topic}entity post", 1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (counted("topic = this"), True),
        (counted("topic = this and title = \"a\""), True),
        (counted("topic = this and published_at <= now"), False),
        (counted("topic = this and status = \"published\""), False),
        (counted("topic = this", "  read key\n"), False),
    ],
)
def test_numbers_that_tell_of_drafts_are_warned_of(text: str, told: bool) -> None:
    assert any("looks at drafts of post" in p.message for p in check(parse(text))) is told


def referred(lines: str, more: str = "") -> str:
    """A service whose teasers refer to posts, which are drafts at first."""
    teaser = f"entity teaser {{\n  post: -> post required\n  name: text\n{lines}}}\n\n"
    return journal("publish", "topic: text").replace("entity post", f"{teaser}entity post", 1) + more


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (referred("  headline: text = post.title\n"), True),
        (referred("  headline: text = name & post.topic\n"), True),
        (referred("  headline: text = post.title\n  read key\n"), False),
        (referred("  headline: text = name\n"), False),
        (referred('  is_out: boolean = post.status = "published"\n'), False),
        # Rows that are counted are warned of as numbers.
        (referred("  more: integer = count(post where title = this.name)\n"), False),
    ],
)
def test_texts_that_tell_of_drafts_are_warned_of(text: str, told: bool) -> None:
    assert any("of a post that is a draft too" in p.message and p.severity == "warning" for p in check(parse(text))) is told


def report_of(lines: str) -> str:
    return referred("", f"\nreport shown {{\n  from teaser{lines}\n}}\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (report_of("\n  group by post.title as title\n  show count"), True),
        (report_of(' where post.title = "a"\n  show count'), True),
        (report_of("\n  show max(post.title)"), True),
        (report_of("\n  group by post.title as title\n  show count\n  read key"), False),
        (report_of(" where post.published_at <= now\n  group by post.title as title\n  show count"), False),
        (report_of('\n  group by post.status as status\n  show count'), False),
        (report_of("\n  group by post\n  show count"), False),
        (report_of("").replace("from teaser", "from post\n  group by title\n  show count"), False),
    ],
)
def test_reports_that_tell_of_drafts_are_warned_of(text: str, told: bool) -> None:
    assert any("of a post that is not out yet" in p.message and p.severity == "warning" for p in check(parse(text))) is told


def _node(toolchain: Toolchain, script: str) -> str:
    lib = BRICKS / "content" / "ts" / "lib"
    modules = [(lib / name).read_text("utf-8") for name in ("markdown-inline.ts", "markdown.ts")]
    source = re.sub(r"(?m)^import .*$|^export ", "", "\n".join(modules)) + f"{{\n{script}\n}}"
    command = [str(toolchain.node), "--disable-warning=ExperimentalWarning", "--input-type=module-typescript", "-e", source]
    run = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout


_FUZZ = r"""
const ATOMS = ["<", ">", "\"", "'", "&", "javascript:", "JaVaScRiPt:", "data:text/html,", "vbscript:", "alert(1)", "<script>", "</script>",
  "<img src=x onerror=alert(1)>", "onload=", "[", "]", "(", ")", "](", "![", "![x](", "<http://", "<javascript:", "\\", "`", "``", "```", "\n", "\n\n",
  "    ", "\t", "- ", "1. ", "> ", "# ", "* ", "***", "**", "*", "_", "__", "~~~", "===", "---", " ", "  \n", "a", "b", "http://x.example", "mailto:a@b.example",
  "\u0000", "\u0001", "\u00a0", "\u200b", "\u202e", "\ufeff", "\u0009", "&#106;", "&colon;", "&Tab;", "&newline;", "%6a", ":", "//", "/", "?", "#", "x@y.example>", "\"title\"", "'t'", " \"",
  "java\nscript:", "java\tscript:", "\ud83d\ude00", "\ud800", "e\u0301", "style=", "<svg/onload=1>", "<!--", "-->", "]]>", "<![CDATA["];
let seed = SEED;
const random = (n) => { seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0; return Math.floor(seed / 4294967296 * n); };
const TAG = /^<(\/?)([a-z][a-z0-9]*)((?: [a-z]+="[^"<>]*")*)>/;
const ATTRIBUTES = { a: ["href", "title"], img: ["src", "alt", "title"], ol: ["start"], code: ["class"] };
const PLAIN = ["p", "h1", "h2", "h3", "h4", "h5", "h6", "em", "strong", "ul", "li", "blockquote", "pre"];
const decode = (t) => t.replace(/&(amp|lt|gt|quot|#39);/g, (_, n) => ({ amp: "&", lt: "<", gt: ">", quot: "\"", "#39": "'" })[n]);
function fault(html) {
  const open = [];
  for (let at = 0; at < html.length; ) {
    if (html[at] === ">") return "a bare >";
    if (html[at] !== "<") { at += 1; continue; }
    const m = TAG.exec(html.slice(at, at + 20000));
    if (m === null) return "no tag: " + html.slice(at, at + 60);
    const [whole, end, name, rest] = m;
    if (name === "hr" || name === "br" || name === "img") { if (end) return "an end of " + name; }
    else if (end) { if (open.pop() !== name) return "tags are not nested: " + name; }
    else open.push(name);
    const may = ATTRIBUTES[name];
    if (may === undefined && !(PLAIN.includes(name) || name === "hr" || name === "br")) return "the tag " + name;
    for (const [, key, value] of rest.matchAll(/ ([a-z]+)="([^"]*)"/g)) {
      if (!may?.includes(key)) return "the attribute " + key;
      if (/&(?!(amp|lt|gt|quot|#39);)/.test(value)) return "a bare & in an attribute";
      if (key === "class" && !/^language-[\w+#.-]+$/.test(value)) return "the class " + value;
      if (key === "href" || key === "src") {
        let url;
        try { url = new URL(decode(value), "https://base.example/"); } catch { continue; }
        const good = key === "src" ? ["http:", "https:"] : ["http:", "https:", "mailto:", "tel:"];
        if (!good.includes(url.protocol)) return key + " leads to " + url.protocol;
      }
    }
    at += whole.length;
  }
  return open.length ? "left open: " + open : "";
}
for (let i = 0; i < 20000; i++) {
  const text = Array.from({ length: 1 + random(24) }, () => ATOMS[random(ATOMS.length)]).join("");
  const wrong = fault(markdownToHtml(text));
  if (wrong) throw new Error(wrong + " from " + JSON.stringify(text) + " gave " + markdownToHtml(text));
}
"""


@pytest.mark.parametrize("seed", [1, 20260101])
def test_no_text_gives_html_that_runs_something(toolchain: Toolchain, seed: int) -> None:
    _node(toolchain, _FUZZ.replace("SEED", str(seed)))


def test_the_work_grows_with_the_length_of_the_text(toolchain: Toolchain) -> None:
    """Texts that are made to keep a parser busy; each is 100,000 characters."""
    script = r"""
const texts = { brackets: "[", targets: "[a](", stars: "*a ", both: "*a_b", ticks: "` ", quotes: ">", items: "- a\n", less: "<a@", title: '](x "',
  group: "](x(a)", signs: "#", under: "a_ ", spaces: " ", image: "![", rule: "* ", escapes: "\\", nested: "- > ", tabs: "\t" };
for (const [name, atom] of Object.entries(texts)) {
  const text = (s) => ("x".repeat(1) + atom.repeat(s / atom.length));
  const time = (s) => { const from = performance.now(); markdownToHtml(text(s)); return performance.now() - from; };
  time(2000);
  const ms = Math.min(time(100000), time(100000));
  if (ms > 5000) throw new Error(name + " took " + ms + " ms");
}
"""
    _node(toolchain, script)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a\nb", "<p>a\nb</p>"),
        ("***a***", "<p><em><strong>a</strong></em></p>"),
        ("*a **b** c*", "<p><em>a <strong>b</strong> c</em></p>"),
        ("snake_case_name", "<p>snake_case_name</p>"),
        ("2. a\n3. b", '<ol start="2">\n<li>a</li>\n<li>b</li>\n</ol>'),
        ("- a\n\n- b", "<ul>\n<li><p>a</p></li>\n<li><p>b</p></li>\n</ul>"),
        ("> a\n\nb", "<blockquote>\n<p>a</p>\n</blockquote>\n<p>b</p>"),
        ("~~~ts\na < b\n~~~", '<pre><code class="language-ts">a &lt; b\n</code></pre>'),
        ("A\n===\n\nB\n---", "<h1>A</h1>\n<h2>B</h2>"),
        ("`` a`b ``", "<p><code>a`b</code></p>"),
        ("a  \nb\\\nc", "<p>a<br>\nb<br>\nc</p>"),
        ("[*a*](/b 'c')", '<p><a href="/b" title="c"><em>a</em></a></p>'),
        ("![*a*](/b.png)", '<p><img src="/b.png" alt="a"></p>'),
        (r"\*a\* &amp; <b>", "<p>*a* &amp;amp; &lt;b&gt;</p>"),
        ("[a](javascript:b)", "<p>a</p>"),
    ],
)
def test_markdown_is_rendered(toolchain: Toolchain, text: str, html: str) -> None:
    import json

    assert json.loads(_node(toolchain, f"console.log(JSON.stringify(markdownToHtml({json.dumps(text)})));")) == html


FAULTS = [
    Fault("numbers are found before the transaction", "src/lib/slug.ts", 'SELECT 1 FROM ${table} WHERE "slug" = " try"."slug"${shown}', "SELECT 1 WHERE 0", "content.slug|core.no-server-error"),
    Fault("a new title breaks addresses", "src/entities/article.ts", 'slugged("title", false)', 'slugged("title", true)', "content.slug-change"),
    Fault("marks are cut out with their letters", "src/lib/slug.ts", '.normalize("NFKD")', "", "content.slug"),
    Fault("the slug looks past the rules of reading", "src/lib/slug.ts", ", ...visible(entity, caller)]", "]", "content.draft"),
    Fault("scheduled rows are shown at once", "src/lib/published.ts", 'return [condition(\'"published_at" <= ?\', now)];', 'return [condition(\'"published_at" IS NOT NULL AND "published_at" > ?\', "")];', "content.draft"),
    Fault("drafts are shown", "src/entities/article.ts", "limits: [published],", "", "content.draft"),
    Fault("a time that is past is taken", "src/lib/publish.ts", "if (at <= now)", "if (at < '')", "content.publish"),
    Fault("any reader publishes", "src/lib/publish.ts", "const [before, caller] = await writableRow(c, entity,", 'const caller: Caller = {}; const before = await (await import("./rows")).readRow(c, entity, { user: { id: "", role: "admin" } },', "content.publish-rule"),
    Fault("the handler of cron does nothing", "src/lib/publish.ts", "cron === EVERY_MINUTE", "cron === ''", "content.due"),
    Fault("all that waits is published", "src/lib/publish.ts", '"published_at" <= ?${shown}', '"published_at" <> ?${shown}', "content.due"),
    Fault("any scheme is linked", "src/lib/markdown-inline.ts", "schemes.includes(scheme)", "scheme", "content.safe-html"),
    Fault("text is not escaped", "src/lib/markdown-inline.ts", "parts.push(escape(source[at] ?? \"\"));", "parts.push(source[at] ?? \"\");", "content.safe-html"),
    Fault("HTML is not made anew", "src/lib/rendered.ts", "check(_c, { after }) {\n      if (after", "check(_c, { before, after }) {\n      if (before === null && after", "content.markdown"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_faults_are_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(example_of("content"), tmp_path / "s", toolchain, host, fault)


#: What may go out only once it has been looked at.
APPROVED = """service desk
read public
write role editor

users {
  roles editor
}

entity article {
  title: text required
  reviewed: boolean required default false
  publish
  action amend(name: text required) {
    by role editor
    set title = name, reviewed = false
  }
  check status != "published" or reviewed "Not reviewed."
  at most 1 per title where status = "published"
}
"""


@pytest.mark.workerd
def test_what_waits_for_its_time_keeps_the_rules_of_what_is_out(tmp_path: Path, host: Host) -> None:
    async def run(s: Session) -> None:
        e = s.blueprint.entities[0]

        async def publish(row: str, body: dict[str, str] | None = None) -> int:
            return (await s.client.send("POST", f"/api/articles/{row}/publish", body, headers=await s.writer(e))).status

        async def made(title: str, *, reviewed: bool) -> str:
            return str((await s.post(e, {"title": title, "reviewed": reviewed})).body["id"])

        async def status(row: str) -> str:
            return str((await s.get(e, row)).body["status"])

        later = {"at": "2999-01-01T00:00:00.000Z"}
        fresh = await made("Fresh", reviewed=False)
        assert (await publish(fresh), await publish(fresh, later), await status(fresh)) == (422, 422, "draft")
        seen = await made("Seen", reviewed=True)
        assert (await publish(seen, later), await status(seen)) == (200, "scheduled")
        assert (await s.patch(e, seen, {"reviewed": False})).status == 422
        answer = await s.client.send("POST", f"/api/articles/{seen}/amend", {"name": "New"}, headers=await s.writer(e))
        assert (answer.status, (await s.get(e, seen)).body["reviewed"]) == (422, True)
        # Of two that are called alike, only one may be out.
        other = await made("Seen", reviewed=True)
        assert (await publish(other, later), await status(other)) == (409, "draft")
        assert (await s.client.send("POST", f"/api/articles/{seen}/unpublish", headers=await s.writer(e))).status == 200
        assert (await s.patch(e, seen, {"reviewed": False})).status == 200

    live(APPROVED, tmp_path / "s", host, run)


def test_rules_look_at_rows_as_they_will_be_where_these_change_by_themselves() -> None:
    sql = "\n".join(triggers(make_plan(parse(APPROVED)).blueprint))
    for column in ('NEW."status"', '"o"."status"'):
        assert f"replace({column}, 'scheduled', 'published')" in sql and f"{column} " in sql
    own = make_plan(parse(APPROVED.replace("  publish\n", "  status: enum(scheduled, published)\n"))).blueprint
    assert "replace(" not in "\n".join(triggers(own))


@pytest.mark.workerd
def test_rows_that_are_refused_at_their_time_hold_back_no_others(tmp_path: Path, host: Host) -> None:
    source = APPROVED.replace('  at most 1 per title where status = "published"\n', "")

    async def run(s: Session) -> None:
        e = s.blueprint.entities[0]
        row = (await s.post(e, {"title": "Good", "reviewed": True})).body
        # Rows of a time before the rule.
        dropped = await s.query("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'article'")
        for trigger in dropped:
            await s.query(f'DROP TRIGGER "{trigger["name"]}"')
        await s.query(
            "INSERT INTO article (id, title, reviewed, status, published_at, created_at, updated_at) "
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 120) "
            "SELECT 'bad-' || n, 'Bad', 0, 'scheduled', '2001-01-01T00:00:00.000Z', '2001-01-01T00:00:00.000Z', '2001-01-01T00:00:00.000Z' FROM n"
        )
        await s.query("UPDATE article SET status = 'scheduled', published_at = '2002-01-01T00:00:00.000Z' WHERE id = ?", row["id"])
        for trigger in dropped:
            await s.query(str(trigger["sql"]))
        await asyncio.to_thread(host.scheduled, "* * * * *")
        assert (await s.get(e, row["id"])).body["status"] == "published"
        assert len(await s.query("SELECT 1 FROM article WHERE status = 'scheduled'")) == 120

    live(source, tmp_path / "s", host, run)


#: Rows that steps make and change, of which only the database knows what is stored.
STEPS = """service desk
read public
write public

entity topic {
  title: text required
  action start(name: text required) {
    create post (title = name, body = "**new** " & name, topic = this)
  }
  action rename(name: text required) {
    update post set title = name, body = "*old* " & name where topic = this
  }
}

entity post {
  title: text required
  body: longtext
  topic: -> topic required
  action amend(name: text required) {
    set title = name, body = "_" & name & "_"
  }
  slug from title follow
  markdown body
}
"""
MADE = [
    Fault("rows of steps have no HTML", "src/lib/rendered.ts", "const stale = rows.filter(", "const stale = rows.filter(() => false).filter(", "content.made"),
    Fault("rows of steps have no slug", "src/lib/slug.ts", 'row["slug"] === null ||', "", "content.made"),
]


@pytest.mark.workerd
@pytest.mark.parametrize("fault", MADE, ids=lambda f: f.name)
def test_rows_of_steps_without_what_is_made_of_them_are_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    source = STEPS.replace(" follow", "")
    expect_caught(source, tmp_path / "s", toolchain, host, fault)


#: Actions that change rows beside their own, their titles or something else.
COUNTED = """service desk
read public
write public

entity visit {
  note: text
  post: -> post required
  action count {
    set post.views = post.views + 1
  }
  action name(name: text required) {
    set post.title = name
  }
}

entity post {
  title: text required
  views: integer required default 0
  slug from title follow
}
"""


@pytest.mark.workerd
@pytest.mark.parametrize(
    "fault",
    [
        Fault("whatever touches a row makes its slug anew", "src/lib/slug.ts", 'return was !== undefined && was["slug"] === row["slug"] && baseOf(entity, was[source]) !== baseOf(entity, row[source]);', 'return row["slug"] !== baseOf(entity, row[source]);', "content.chosen-slug"),
        Fault("what the row was is not told", "src/lib/slug.ts", 'remembers: follow ? ["slug", source] : [],', 'remembers: follow ? ["slug"] : [],', "content.chosen-slug"),
    ],
    ids=lambda f: f.name,
)  # fmt: skip
def test_actions_that_overwrite_a_chosen_slug_are_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(COUNTED, tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
def test_a_slug_goes_with_its_title_and_with_nothing_else(tmp_path: Path, host: Host) -> None:
    async def run(s: Session) -> None:
        async def post(title: str, **more: str) -> tuple[str, str]:
            row = (await s.client.send("POST", "/api/posts", {"title": title, **more})).body["id"]
            return row, (await s.client.send("POST", "/api/visits", {"post_id": row})).body["id"]

        async def slug(row: str, visit: str, verb: str, **body: str) -> str:
            assert (await s.client.send("POST", f"/api/visits/{visit}/{verb}", body)).status == 200
            return str((await s.client.send("GET", f"/api/posts/{row}")).body["slug"])

        chosen = await post("Hello big world", slug="my-own-name")
        assert await slug(*chosen, "count") == "my-own-name"
        assert await slug(*chosen, "name", name="Hello") == "hello"
        longer = await post("Foo bar")
        assert await slug(*longer, "count") == "foo-bar"
        # The slug is that of the title, and not one of it with a number behind.
        assert await slug(*longer, "name", name="Foo") == "foo"
        again = await post("Foo")
        assert await slug(*again, "count") == "foo-2"
        assert await slug(*again, "name", name="Foo!") == "foo-2"

    live(COUNTED, tmp_path / "s", host, run)


@pytest.mark.workerd
def test_what_steps_store_has_its_slug_and_its_html(tmp_path: Path, host: Host) -> None:
    async def run(s: Session) -> None:
        async def post() -> tuple[str, str, str]:
            [row] = (await s.client.send("GET", "/api/posts")).body["items"]
            return row["id"], row["slug"], row["body_html"].strip()

        topic = (await s.client.send("POST", "/api/topics", {"title": "T"})).body["id"]
        assert (await s.client.send("POST", f"/api/topics/{topic}/start", {"name": "Ö 1"})).status == 200
        id, *made = await post()
        assert made == ["o-1", "<p><strong>new</strong> Ö 1</p>"]
        assert (await s.client.send("POST", f"/api/topics/{topic}/rename", {"name": "Two"})).status == 200
        assert (await post())[1:] == ("two", "<p><em>old</em> Two</p>")
        answer = await s.client.send("POST", f"/api/posts/{id}/amend", {"name": "Three"})
        assert (answer.body["slug"], answer.body["body_html"].strip()) == ("three", "<p><em>Three</em></p>")
        assert (await post())[1:] == ("three", "<p><em>Three</em></p>")

    live(STEPS, tmp_path / "s", host, run)


@pytest.mark.workerd
def test_it_holds_with_owners_and_soft_delete(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    lines = ("slug from title follow", "publish", "markdown body", "write owner", "soft delete")
    text = journal(*lines).replace("read public\nwrite key\n", "\nusers {\n}\n")
    report = proof(text, tmp_path / "s", toolchain, host)
    assert report.proven, report.summary()
