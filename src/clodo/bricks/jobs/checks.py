"""Checks of jobs: what is asked for is done once, as whoever asked, if it may still be done; and all of it can be seen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Access, Entity, Who
from clodo.bricks.actions.scenes import Scene
from clodo.bricks.actions.values import Action, Guard, refusal, who_may
from clodo.bricks.jobs.brick import job_name, keeper, later_actions
from clodo.bricks.jobs.holding import Held, marked, stored, triggered
from clodo.bricks.jobs.outcome import PATH, ended
from clodo.proof.check import Check
from clodo.proof.session import Fault, Headers, Row, Session, TooFewValues, expect

_UNKNOWN = "01890000-0000-7000-8000-000000000000"
_ATTEMPTS = 3
#: So that nothing takes long.
VARIABLES = {"JOB_BACKOFF_SECONDS": "0", "JOB_MAX_ATTEMPTS": str(_ATTEMPTS)}
_LONG_AGO, _NOT_YET = "2020-01-01T00:00:00.000Z", "2100-01-01T00:00:00.000Z"
_CRON = "* * * * *"


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""

    def check(
        id: str, rule: str, run: Callable[[Session], Awaitable[None]], *, alone: bool = True
    ) -> Check:
        return Check(f"jobs.{id}", rule, run, VARIABLES, alone=alone)

    for e, action in later_actions(plan):
        name = job_name(e, action).replace("_", " ")
        yield check(
            "queued",
            f"{name}: is answered 202, and its end is seen",
            partial(_queued, e, action),
            alone=False,
        )
        yield check(
            "once",
            f"{name}: a message that comes twice has its effect once",
            partial(_once, e, action),
        )
        for number, guard in enumerate(action.guards):
            yield check(
                "guard",
                f"{name}: {refusal(guard)} (looked at when it is done)",
                partial(_guarded, e, action, guard, number),
            )
        if _may_lose(who_may(plan.blueprint, e, action)):
            yield check(
                "asker",
                f"{name}: is done as whoever asked for it, if they still may",
                partial(_asker, e, action),
            )
    e, action = later_actions(plan)[0]
    yield check(
        "strangers",
        "only whoever asked for a job, and who keeps the service, sees what becomes of it",
        partial(_strangers, e, action),
        alone=False,
    )
    for id, rule, run in (
        ("taken", "a job that another has taken over is not done", _taken),
        (
            "failed",
            "a job that fails each time is listed, and tried again when that is asked for",
            _failed,
        ),
        (
            "given-up",
            "a job whose message the queue gives up is listed with what failed",
            _given_up,
        ),
        (
            "swept",
            "a job whose message was lost is done at a tick of cron, and one that is under way is left alone",
            _swept,
        ),
        ("forgotten", "what is long over is forgotten", _forgotten),
    ):
        yield check(id, rule, partial(run, e, action))


def _may_lose(who: Access) -> bool:
    """Whether there is anybody who may not do what others may."""
    return who.who in (Who.USER, Who.OWNER) or (who.who is Who.ROLE and "user" not in who.roles)


async def _keeper(s: Session) -> Headers:
    return await s.headers(keeper(s.blueprint))


async def _ready(s: Session, e: Entity, action: Action) -> tuple[Held, Row]:
    """A row on which the action may be called."""
    scene = Scene(s, e, action)
    row = await scene.ready()
    return Held(s, scene, row["id"]), row


async def _queued(e: Entity, action: Action, s: Session) -> None:
    held, _ = await _ready(s, e, action)
    answer = await held.asked()
    job = answer.body
    wanted = {
        "action": job_name(e, action),
        "row_id": held.row,
        "status": "queued",
        "attempts": 0,
        "error": None,
        "url": f"{PATH}/{job['id']}",
    }
    if {k: job[k] for k in wanted} != wanted or answer.headers.get("location") != job["url"]:
        raise Fault("the answer does not name the job and its state", answer)
    headers = await held.scene.caller.headers()
    last = await ended(s, job["id"], headers)
    if (last["status"], last["attempts"], last["error"], last["next_attempt_at"]) != (
        "done",
        1,
        None,
        None,
    ):
        raise Fault(f"the job does not tell that it is done: {last}")
    listed = expect(
        await s.client.send("GET", PATH, headers=await _keeper(s), params={"id": job["id"]}), 200
    )
    if listed.body["items"] != [last]:
        raise Fault("the list does not hold the job", listed)


async def _guarded(e: Entity, action: Action, guard: Guard, number: int, s: Session) -> None:
    held, row = await _ready(s, e, action)
    scene, body = held.scene, held.scene.readied
    async with held:
        if not await scene.broken(row, guard, number, body):
            raise TooFewValues("no state was found in which this guard does not hold")
        fine = await scene.held(held.row, body)
        before = await held.state()
    await held.delivered()
    job = await held.ended()
    first = next((g for g, holds in zip(action.guards, fine, strict=True) if not holds), guard)
    _refused(job, 409, refusal(first))
    if await held.state() != before:
        raise Fault("a job that was refused changed something")
    answer = expect(await held.called(), 409, "the guard does not hold when it is asked for")
    if answer.body.get("detail") != refusal(first):
        raise Fault(f"the refusal does not say {refusal(first)!r}", answer)
    shown = expect(
        await s.client.send("GET", f"{PATH}/{job['id']}", headers=await scene.caller.headers()), 200
    )
    if (shown.body["status"], shown.body["error"]) != ("refused", refusal(first)):
        raise Fault("whoever asked is not told", shown)


def _refused(job: Row, status: int, words: str = "") -> None:
    if (
        job["status"] != "refused"
        or job["error_status"] != status
        or (words and job["error"] != words)
    ):
        raise Fault(
            f"the job is {job['status']} ({job['error_status']}: {job['error']}), not refused ({status}: {words})"
        )


async def _once(e: Entity, action: Action, s: Session) -> None:
    plain, _ = await _ready(s, e, action)
    twice, _ = await _ready(s, e, action)
    async with marked(s, e) as marks:
        async with plain:
            pass
        await plain.delivered()
        _done(await plain.ended())
        counts = await twice.scene.counts(twice.row)
        async with twice:
            pass
        await asyncio.gather(twice.delivered(), twice.delivered())
        _done(await twice.ended())
        await twice.delivered()
        await _passed_by(s, e, action)
        job = await stored(s, twice.job)
        if job["attempts"] != 1 or await marks(twice.row) != await marks(plain.row):
            raise Fault(
                f"the effects came about {await marks(twice.row)} times and {job['attempts']} attempts, not {await marks(plain.row)} times and one"
            )
        made = {k: n - counts[k] for k, n in (await twice.scene.counts(twice.row)).items()}
        if any(
            n > sum(getattr(effect, "entity", "") == k for effect in action.effects)
            for k, n in made.items()
        ):
            raise Fault(f"rows were made twice: {made}")


def _done(job: Row) -> None:
    if job["status"] != "done":
        raise Fault(f"the job is {job['status']} ({job['error']}), not done")


async def _passed_by(s: Session, e: Entity, action: Action) -> None:
    """Comes back when the queue has brought all that was in it: what is asked for now comes behind that."""
    held, _ = await _ready(s, e, action)
    job = (await held.asked()).body
    await ended(s, job["id"], await held.scene.caller.headers())


async def _asker(e: Entity, action: Action, s: Session) -> None:
    held, _ = await _ready(s, e, action)
    who = who_may(s.blueprint, e, action)
    # A user may do what any user may: one who is gone may not.
    other = _UNKNOWN if who.who is Who.USER else (await s.account("stranger")).id
    async with held:
        await s.query('UPDATE "_job" SET "user_id" = ? WHERE "id" = ?', other, held.job)
        before = await held.state()
    await held.delivered()
    job = await held.ended()
    if job["status"] != "refused" or job["error_status"] not in (403, 404):
        raise Fault(
            f"the job of somebody who may not do this is {job['status']} ({job['error_status']}: {job['error']})"
        )
    if await held.state() != before:
        raise Fault("a job of somebody who may not do this changed something")


async def _strangers(e: Entity, action: Action, s: Session) -> None:
    held, _ = await _ready(s, e, action)
    job = (await held.asked()).body
    path, keeping = f"{PATH}/{job['id']}", await _keeper(s)
    await ended(s, job["id"], keeping)
    wrong: list[Headers] = [{}, {"x-api-key": "wrong"}, {"authorization": "Bearer wrong"}]
    public = (await stored(s, job["id"]))["user_id"] is None and who_may(
        s.blueprint, e, action
    ).who is Who.PUBLIC
    for headers in wrong:
        for method, at in (("GET", PATH), ("GET", path), ("POST", f"{path}/retry")):
            if method == "POST" or at == PATH or not public:
                answer = await s.client.send(method, at, headers=headers)
                if answer.status not in (401, 404) or (at == PATH and answer.status != 401):
                    raise Fault("a job is there for everybody", answer)
    for method, at in (("GET", f"{PATH}/{_UNKNOWN}"), ("POST", f"{PATH}/{_UNKNOWN}/retry")):
        expect(await s.client.send(method, at, headers=keeping), 404, "there is no such job")
    if s.blueprint.users is not None:
        await _users(s, job["id"], keeping)


async def _users(s: Session, id: str, keeping: Headers) -> None:
    """A job of one user: another must not know of it, an administrator does."""
    ann, stranger = await s.account("ann"), await s.account("stranger")
    await s.query('UPDATE "_job" SET "user_id" = ? WHERE "id" = ?', ann.id, id)
    path = f"{PATH}/{id}"
    for headers, known in ((ann.headers, True), (stranger.headers, False), (keeping, True)):
        expect(
            await s.client.send("GET", path, headers=headers),
            200 if known else 404,
            "a job of another user" if not known else "",
        )
        listed = expect(await s.client.send("GET", PATH, headers=headers, params={"id": id}), 200)
        if bool(listed.body["items"]) is not known:
            raise Fault("the list holds what is not theirs, or not what is", listed)
    for headers in (ann.headers, stranger.headers):
        answer = await s.client.send("POST", f"{path}/retry", headers=headers)
        if answer.status not in (403, 404):
            raise Fault("somebody tries again what only an administrator may", answer)


async def _taken(e: Entity, action: Action, s: Session) -> None:
    """As soon as an attempt has the job, it belongs to another one: the lease of the first ran out."""
    held, _ = await _ready(s, e, action)
    async with held:
        before = await held.state()
    event = f"""AFTER UPDATE OF "claim" ON "_job" WHEN NEW."row_id" = '{held.row}' AND NEW."claim" <> 'another'"""
    async with triggered(
        s, event, """UPDATE "_job" SET "claim" = 'another' WHERE "id" = NEW."id";"""
    ):
        await held.delivered()
        await _passed_by(s, e, action)
        job = await stored(s, held.job)
    if job["claim"] != "another" or job["status"] != "queued" or await held.state() != before:
        raise Fault(f"an attempt did what another had taken over: {job}")


async def _failed(e: Entity, action: Action, s: Session) -> None:
    held, _ = await _ready(s, e, action)
    keeping = await _keeper(s)
    before = await held.state()
    event = f"""BEFORE UPDATE OF "status" ON "_job" WHEN NEW."row_id" = '{held.row}' AND NEW."status" = 'done'"""
    async with triggered(s, event, "SELECT RAISE(ABORT, 'a fault of the proof');"):
        held.job = (await held.asked()).body["id"]
        job = await ended(s, held.job, keeping)
    if (job["status"], job["attempts"], job["error_status"]) != (
        "failed",
        _ATTEMPTS,
        500,
    ) or "proof" in str(job["error"]):
        raise Fault(f"the job does not tell of {_ATTEMPTS} attempts: {job}")
    if await held.state() != before:
        raise Fault("a job that failed changed something")
    await _again(s, held, keeping)


async def _again(s: Session, held: Held, keeping: Headers) -> None:
    """What failed is listed, and done when that is asked for, once."""
    path = f"{PATH}/{held.job}"
    listed = expect(
        await s.client.send(
            "GET", PATH, headers=keeping, params={"status": "failed", "id": held.job}
        ),
        200,
    )
    if [job["id"] for job in listed.body["items"]] != [held.job]:
        raise Fault("the list of what failed does not hold it", listed)
    again = expect(await s.client.send("POST", f"{path}/retry", headers=keeping), 202)
    if again.body["status"] != "queued" or again.body["attempts"] != 0:
        raise Fault("the job does not begin anew", again)
    job = await ended(s, held.job, keeping)
    if (job["status"], job["attempts"], job["error"]) != ("done", 1, None):
        raise Fault(f"the job is not done when it is tried again: {job}")
    expect(await s.client.send("POST", f"{path}/retry", headers=keeping), 409, "it is done")


async def _given_up(e: Entity, action: Action, s: Session) -> None:
    held, _ = await _ready(s, e, action)
    keeping = await _keeper(s)
    event = f"""BEFORE UPDATE OF "claim" ON "_job" WHEN NEW."row_id" = '{held.row}' AND NEW."claim" IS NOT NULL"""
    async with triggered(s, event, "SELECT RAISE(ABORT, 'a fault of the proof');"):
        held.job = (await held.asked()).body["id"]
        job = await ended(s, held.job, keeping, times=2)  # the queue tries it many times
    if job["status"] != "failed":
        raise Fault(f"the job is {job['status']}, not failed")
    await _again(s, held, keeping)


async def _swept(e: Entity, action: Action, s: Session) -> None:
    held, _ = await _ready(s, e, action)
    async with held:
        pass
    due = 'UPDATE "_job" SET "next_attempt_at" = ? WHERE "id" = ?'
    await s.query(due, _NOT_YET, held.job)
    await s.scheduled(_CRON)
    if (await stored(s, held.job))["attempts"] != 0:
        raise Fault("cron does what is under way")
    await s.query(due, _LONG_AGO, held.job)
    await asyncio.gather(*(s.scheduled(_CRON) for _ in range(3)))
    job = await held.ended()
    if (job["status"], job["attempts"]) != ("done", 1):
        raise Fault(f"cron does not do what was lost, or more than once: {job}")


async def _forgotten(e: Entity, action: Action, s: Session) -> None:
    keeping, jobs = await _keeper(s), []
    for _ in range(2):
        held, _ = await _ready(s, e, action)
        jobs.append((await held.asked()).body["id"])
        await ended(s, jobs[-1], keeping)
    values: list[Any] = [_LONG_AGO, _LONG_AGO, jobs[0]]
    await s.query('UPDATE "_job" SET "created_at" = ?, "updated_at" = ? WHERE "id" = ?', *values)
    await s.scheduled(_CRON)
    for id, status in zip(jobs, (404, 200), strict=True):
        expect(
            await s.client.send("GET", f"{PATH}/{id}", headers=keeping),
            status,
            "old jobs are forgotten, new ones are not",
        )
