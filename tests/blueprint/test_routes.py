"""No two parts of a service answer at one path."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clodo.blueprint import check, parse
from clodo.blueprint.plan import make_plan
from clodo.blueprint.routes import Claim, claims_of
from clodo.blueprint.syntax import read
from clodo.bricks.registry import service_tree
from clodo.emit.openapi import document, operation
from clodo.errors import BlueprintError

REPOSITORY = Path(__file__).parents[2]
BLUEPRINTS = sorted([*(REPOSITORY / "examples").glob("*.clodo"), *(REPOSITORY / "src/clodo/bricks").glob("*/example.clodo")])


def action(name: str) -> str:
    return f"  action {name} {{\n    set name = \"x\"\n  }}\n"


def entity(name: str, *lines: str) -> str:
    return f"entity {name} {{\n  name: text\n{''.join(lines)}}}\n"


def errors(text: str) -> list[str]:
    return [str(p) for p in check(*read(f"service x\n{text}")) if p.severity == "error"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (entity("loan", "  soft delete\n", "  restore\n", action("restore")), "line 6, column 3: The action 'restore' of loan would answer at /api/loans/{id}/restore, and so would the line 'restore' of loan. Rename the action."),
        ("write key\n" + entity("post", "  publish\n", action("unpublish")), "line 6, column 3: The action 'unpublish' of post would answer at /api/posts/{id}/unpublish, and so would the line 'publish' of post."),
        (entity("loan", "  audit read public\n", action("audit")), "The action 'audit' of loan would answer at /api/loans/{id}/audit, and so would the line 'audit' of loan."),
        (entity("board", "  room\n", action("room")), "and so would the line 'room' of board."),
        (entity("book", action("loans")) + "entity loan {\n  book: -> book\n}\n", "line 4, column 3: The action 'loans' of book would answer at /api/books/{id}/loans, and so would the list of the loans of a book."),
        (entity("post", "  tags: <-> tag\n") + entity("tag", action("posts")), "The action 'posts' of tag would answer at /api/tags/{id}/posts, and so would the link 'tags' of post."),
        (entity("post", "  tags: <-> tag\n", "  old_tags: -> tag\n") + entity("tag", action("posts_as_old_tags")), "and so would the list of the posts-as-old-tags of a tag."),
        (entity("post", "  tags: image\n", "  labels: <-> tag\n") + entity("tag"), "The file field 'tags' of post would answer at /api/posts/{id}/tags, and so would the link 'labels' of post. Rename the file field."),
        (entity("room", "  plans: file\n") + "entity plan {\n  room: -> room\n}\n", "line 4, column 3: The file field 'plans' of room would"),
        (entity("report", "  export csv\n") + "report export {\n  from report\n  show count\n}\n", "The report 'export' would answer at /api/reports/export, and so would the line 'export' of report. Rename the report."),
        (entity("webhook") + "webhook told on webhook created\n", "The entity 'webhook' would answer at /api/webhooks, and so would the webhook 'told'. Rename the entity."),
        ("users {\n  manage roles\n}\n" + entity("users"), "The entity 'users' would answer at /api/users, and so would the line 'manage roles'. Rename the entity."),
        ('upstream u "https://u.example"\nroute "/api/reports/total" to u\n' + entity("thing") + "report total {\n  from thing\n  show count\n}\n", "line 3, column 1: The route '/api/reports/total' would answer at /api/reports/total, and so would the report 'total'."),
        ('upstream u "https://u.example"\nroute "/metrics/*" to u\nmetrics\n' + entity("thing"), "The route '/metrics/*' would answer at /metrics, and so would the line 'metrics'."),
        ("read user\nwrite user\nusers {\n}\n" + entity("team", action("members")) + "tenants team\n", "The action 'members' of team would answer at /api/teams/{id}/members, and so would the line 'tenants'."),
    ],
)  # fmt: skip
def test_two_parts_at_one_path_are_told_with_both_names(text: str, said: str) -> None:
    found = errors(text)
    assert len(found) == 1, found
    assert said in found[0]


@pytest.mark.parametrize(
    "text",
    [
        # Ids are UUIDs, so these hide no row; and words that no line of the entity claims are free.
        entity("book", "  export csv\n", "  live\n", action("export"), action("events"), action("restore"), action("publish")),
        entity("report", "  export csv\n") + "report total {\n  from report\n  show count\n}\n",
        entity("report") + entity("webhook") + entity("incoming", action("audit")),
        'upstream u "https://u.example"\nroute "/*" to u\nroute "/api/*" to u\n' + entity("thing") + "report total {\n  from thing\n  show count\n}\n",
    ],
)
def test_what_only_looks_alike_is_let_be(text: str) -> None:
    assert errors(text) == []


def test_a_fixed_path_hides_a_parameter_but_no_id() -> None:
    def meets(one: str, other: str) -> bool:
        assert Claim(one, "", "").meets(Claim(other, "", "")) == Claim(other, "", "").meets(Claim(one, "", ""))
        return Claim(one, "", "").meets(Claim(other, "", ""))

    assert meets("/api/a/by-slug/{slug}", "/api/a/by-slug/new")
    assert meets("/api/a/{id}/b", "/api/a/{other_id}/b")
    assert not meets("/api/a/{id}", "/api/a/export")
    assert not meets("/api/a/{id}", "/api/a/{id}/b")
    assert meets("/api/a/*", "/api/a")
    assert not meets("/api/a/*", "/api/ab")


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda p: p.parent.name if p.stem == "example" else p.stem)
def test_every_path_of_the_document_is_claimed_once(path: Path) -> None:
    text = path.read_text("utf-8")
    blueprint = parse(text)
    claims = list(claims_of(make_plan(blueprint)))
    for route in json.loads(service_tree(blueprint, text)["openapi.json"])["paths"]:
        own = route in ("/health", "/openapi.json", "/docs") or route.startswith(("/api/auth/", "/.well-known/"))
        # The rest of a path below a gateway's or a site's is theirs.
        if not own and "/{path}" not in route and route != "/":
            assert [c for c in claims if c.meets(Claim(route, "", ""))], route


def test_a_brick_that_claims_nothing_cannot_take_the_place_of_another() -> None:
    def amend(made: dict[str, Any]) -> None:
        made["paths"]["/api/books"] = {"get": operation("mine", "Mine", "service", {})}

    with pytest.raises(BlueprintError, match="Two bricks answer GET /api/books"):
        document(make_plan(parse("service x\n" + entity("book"))), [amend])


def test_nothing_is_written(tmp_path: Path) -> None:
    source = tmp_path / "x.clodo"
    source.write_text("service x\n" + entity("loan", "  soft delete\n", "  restore\n", action("restore")))
    run = subprocess.run([sys.executable, "-m", "clodo", "build", str(source), "-o", str(tmp_path / "out")], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "Rename the action." in run.stderr
    assert not (tmp_path / "out").exists()
