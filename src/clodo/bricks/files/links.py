"""Checks of private files: only signed links open them, and not for long."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from urllib.parse import parse_qs

from clodo.blueprint.values import Entity
from clodo.bricks.files.description import MOST_SECONDS
from clodo.bricks.files.language import FileField
from clodo.bricks.files.proving import Place, target
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Session, expect, expect_path


def link_checks(e: Entity, f: FileField) -> Iterator[Check]:
    """The checks of one private file."""
    what = f"{e.name}.{f.name}"
    yield Check("files.private", f"{what}: only a signed link that has not expired opens it", partial(_private, e, f))
    yield Check("files.link", f"{what}: a link lives for ten minutes, or as long as is asked, up to a day", partial(_lifetime, e, f))
    yield Check("files.bound", f"{what}: a link opens one version of one file", partial(_bound, e, f))


async def _private(e: Entity, f: FileField, s: Session) -> None:
    p = Place(s, e, f)
    row, sent = await p.stored()
    path = p.path(row["id"])
    plain = await s.client.send("GET", path, headers=await s.reader(e))
    expect(plain, 403, "the file without a link, by whoever may read the row")
    link = target(expect(await p.link(row["id"]), 200))
    if expect(await s.client.send("GET", link), 200, "a link, without a credential").text != sent.shown:
        raise Fault("the link leads to another file")
    query = {k: v[0] for k, v in parse_qs(link.split("?")[1]).items()}
    now, version = int(time.time()), query["version"]
    signature = query["signature"]
    forged = [
        {**query, "signature": "0" * 64}, {**query, "signature": ""}, {**query, "signature": signature.upper()},
        {**query, "signature": signature[:-1] + ("0" if signature[-1] != "0" else "1")}, {**query, "signature": signature[:32]},
        {**query, "expires": str(now + MOST_SECONDS - 60)}, {**query, "expires": "never"}, {**query, "version": row["id"]},
        {"signature": signature},
        signed(path, version, now + 600, "another secret"), signed(path, version, now + 600, "undefined"),
    ]  # fmt: skip
    secret = s.secrets["FILES_SECRET"]
    # Signed as the service signs: only the time is wrong.
    forged += [signed(path, version, now - 5, secret), signed(path, version, now + 2 * MOST_SECONDS, secret)]
    for altered in forged:
        expect(await s.client.send("GET", path, params=altered), 403, f"a link that was not given: {altered}")
    good = signed(path, version, now + 60, secret)
    expect(await s.client.send("GET", path, params=good), 200, "a link that is signed as it should be")


def signed(path: str, version: str, expires: int, secret: str) -> dict[str, str]:
    """The parameters of a link of our own making."""
    message = "\n".join([path, version, str(expires)]).encode()
    digest = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return {"version": version, "expires": str(expires), "signature": digest}


async def _lifetime(e: Entity, f: FileField, s: Session) -> None:
    p = Place(s, e, f)
    row = await s.create(e)
    expect(await p.link(row["id"]), 404, "a link to no file")
    expect(await p.upload(row["id"], p.content()), 201)
    for body, seconds in ((None, 600), ({}, 600), ({"expires_in": 60}, 60), ({"expires_in": MOST_SECONDS}, MOST_SECONDS)):
        answer = expect(await p.link(row["id"], body), 200)
        left = datetime.fromisoformat(answer.body["expires_at"]).timestamp() - time.time()
        if not seconds - 30 < left <= seconds + 2 or not _tells(answer):
            raise Fault(f"the link does not live for {seconds} s", answer)
    for wrong in (0, -1, MOST_SECONDS + 1, 1.5, "60", None):
        expect_path(expect(await p.link(row["id"], {"expires_in": wrong}), 422, f"expires_in {wrong!r}"), "expires_in")
    expect_path(expect(await p.link(row["id"], {"no_such_field": 1}), 422), "no_such_field")


def _tells(answer: Answer) -> bool:
    """Whether the answer tells when the link itself ends."""
    query = parse_qs(target(answer).split("?")[1])
    return int(query["expires"][0]) == int(datetime.fromisoformat(answer.body["expires_at"]).timestamp())


async def _bound(e: Entity, f: FileField, s: Session) -> None:
    p = Place(s, e, f)
    (row, _), (other, _) = await p.stored(), await p.stored()
    link = target(expect(await p.link(row["id"]), 200))
    query = link.split("?")[1]
    expect(await s.client.send("GET", f"{p.path(other['id'])}?{query}"), 403, "a link with the path of another file")
    expect(await p.upload(row["id"], p.content()), 200)
    expect(await s.client.send("GET", link), 404, "a link to a file that was replaced")
    later = target(expect(await p.link(row["id"]), 200))
    expect(await p.remove(row["id"]), 204)
    expect(await s.client.send("GET", later), 404, "a link to a file that was removed")
