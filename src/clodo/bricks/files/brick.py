"""Routes, bucket and triggers of files."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from importlib.resources import files

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity, Who
from clodo.bricks.files.description import amend
from clodo.bricks.files.language import FileField
from clodo.emit.brick import Brick, EntityParts, Import, Parts
from clodo.emit.project import kebab_name
from clodo.emit.typescript import entity_const, literal

_PACKAGE = "clodo.bricks.files"
_SIGNED = "src/lib/file-links.ts"
#: The longest name of a bucket.
_BUCKET = 63


def file_fields(plan: Plan) -> Iterator[tuple[Entity, FileField]]:
    """Every file of every entity."""
    for e in plan.blueprint.entities:
        for f in e.parts_of(FileField):
            yield e, f


def _parts(plan: Plan) -> Parts:
    found = list(file_fields(plan))
    signed = any(f.private for _, f in found)
    makers = {"privateFiles" if f.private else "files" for _, f in found}
    bucket = kebab_name(plan.blueprint)[: _BUCKET - len("-files")].rstrip("-") + "-files"
    hook = EntityParts(imports=(Import("fileHook", "../lib/file-store"),), hooks=("fileHook",))
    return Parts(
        imports=tuple(Import(m, "./lib/files" if m == "files" else "./lib/file-links") for m in sorted(makers)),
        routes=tuple(_route(e, f) for e, f in found),
        env={"FILES": "R2Bucket"},
        wrangler={"r2_buckets": [{"binding": "FILES", "bucket_name": bucket}]},
        secrets=("FILES_SECRET",) if signed else (),
        sql=(_TABLE, *(_triggers(e, f) for e, f in found)),
        entities={e.name: hook for e, _ in found},
        files={_SIGNED: _signed_source()} if signed else {},
        readme=_readme(plan, found, bucket),
        amend=partial(amend, plan, found),
    )


@cache
def _signed_source() -> str:
    """What only services with private files have: it needs a secret that others have not."""
    return files(_PACKAGE).joinpath("ts", "private", "file-links.ts").read_text("utf-8")


def _route(e: Entity, f: FileField) -> str:
    rules = [f"field: {literal(f.name)}", f"path: {literal(f.path)}", f"max: {f.max_bytes}", f"size: {literal(f.size)}"]
    rules.append(f"image: {literal(f.kind == 'image')}")
    if f.allowed:
        rules.append(f"types: {literal(list(f.allowed))}")
    return f"{'privateFiles' if f.private else 'files'}(app, {entity_const(e)}, {{ {', '.join(rules)} }});"


# No entity is called so: names begin with a letter.
_TABLE = """CREATE TABLE "_unused_files" (
  "key" TEXT PRIMARY KEY NOT NULL,
  "begun" TEXT
);"""


def _triggers(e: Entity, f: FileField) -> str:
    """Objects that no row holds any more are noted in the transaction in which that comes to pass, however it does:
    by a request, by a cascade of the database, by hand."""

    def key(row: str) -> str:
        return f"'{e.name}/' || {row}.\"id\" || '/{f.name}/' || json_extract({row}.\"{f.name}\", '$.version')"

    note = f'  INSERT OR IGNORE INTO "_unused_files" ("key") SELECT {key("OLD")} WHERE OLD."{f.name}" IS NOT NULL;'
    return f"""CREATE TRIGGER "{e.name}__{f.name}__replaced" AFTER UPDATE OF "{f.name}" ON "{e.name}"
BEGIN
{note}
  DELETE FROM "_unused_files" WHERE "key" = {key("NEW")};
END;

CREATE TRIGGER "{e.name}__{f.name}__deleted" AFTER DELETE ON "{e.name}"
BEGIN
{note}
END;"""


def _readme(plan: Plan, found: list[tuple[Entity, FileField]], bucket: str) -> str:
    rows = [
        f"| `/api/{plan.path(e)}/{{id}}/{f.path}` | {', '.join(f.allowed) or 'any type'} | {f.size} |"
        f" {'a signed link' if f.private else 'whoever may read the row'} |"
        for e, f in found
    ]
    links = ""
    if any(f.private for _, f in found):
        links = (
            "\n`POST …/link` answers `{url, expires_at}`: a link that opens the file to anyone who has it, for ten minutes or"
            ' for the seconds (up to a day) that a body `{"expires_in": 60}` says.\n'
        )
    return (
        "## Files\n\n| path | takes | up to | read by |\n|---|---|---|---|\n" + "\n".join(rows) + "\n\n"
        "`PUT` sends the file as the body with its `Content-Type` (and its name in `Content-Disposition`), `GET` reads it, "
        f"`DELETE` removes it:\n\n```sh\n{_call(plan, *found[0])}\n```\n{links}\n"
        f"Files are kept in R2. Before the first deployment: `npx wrangler r2 bucket create {bucket}`.\n"
    )


_CREDENTIALS = {Who.PUBLIC: "", Who.KEY: ' -H "X-API-Key: $API_KEY"'}


def _call(plan: Plan, e: Entity, f: FileField) -> str:
    """An upload, as a command."""
    type_ = f.allowed[0] if f.allowed else "text/plain"
    credential = _CREDENTIALS.get(plan.blueprint.write_access(e).who, ' -H "Authorization: Bearer $TOKEN"')
    place = f'"http://127.0.0.1:8787/api/{plan.path(e)}/$ID/{f.path}"'
    return f"curl -T some-file{credential} -H 'Content-Type: {type_}' {place}      # the id of a row as ID"


BRICK = Brick("files", _PACKAGE, lambda plan: any(True for _ in file_fields(plan)), _parts)
