"""What a request took and how it ended, without who asked for what."""

from __future__ import annotations

from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import KEY
from clodo.bricks.observability.language import Metrics, RequestLog
from clodo.emit.brick import Brick, Import, Parts, Stage
from clodo.emit.openapi import operation

#: The upper edges of the buckets of durations, in milliseconds; ``metrics.ts`` has the same.
EDGES = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)
_BUCKETS = "".join(f',\n  "le_{edge}" INTEGER NOT NULL' for edge in EDGES)
_TABLE = f"""CREATE TABLE "request-metric" (
  "method" TEXT NOT NULL,
  "route" TEXT NOT NULL,
  "status" TEXT NOT NULL,
  "count" INTEGER NOT NULL,
  "ms" INTEGER NOT NULL{_BUCKETS},
  PRIMARY KEY ("method", "route", "status")
) WITHOUT ROWID;"""
_LOG_PAGE = """## Log

Each request is one line of JSON: `id`, `method`, `route` (the pattern, without ids), `status`, `ms`, `caller` (`key`, `user`, `key+user`,
`anonymous`, or `unknown` where nobody asked). `X-Request-Id` of the request is kept if it is plain, and answered.
"""
_METRICS_PAGE = """## Metrics

`GET /metrics` with the API key answers `http_requests_total` and `http_request_duration_seconds` as Prometheus reads them. Counts
are kept in the database and written two seconds late at most.
"""


def _applies(plan: Plan) -> bool:
    return _logs(plan) or _counts(plan)


def _logs(plan: Plan) -> bool:
    return bool(plan.blueprint.parts_of(RequestLog))


def _counts(plan: Plan) -> bool:
    return bool(plan.blueprint.parts_of(Metrics))


def _parts(plan: Plan) -> Parts:
    imports, wares, pages = [], [], []
    if _logs(plan):
        imports.append(Import("requestLog", "./lib/request-log"))
        wares.append((Stage.LOG, "app.use(requestLog);"))
        pages.append(_LOG_PAGE)
    if not _counts(plan):
        return Parts(imports=tuple(imports), middleware=tuple(wares), readme="\n".join(pages))
    imports += [Import("metered", "./lib/metrics"), Import("metrics", "./lib/metrics")]
    wares.append((Stage.LOG, "app.use(metered);"))
    pages.append(_METRICS_PAGE)
    return Parts(
        imports=tuple(imports),
        middleware=tuple(wares),
        routes=('route(app, "/metrics", { GET: metrics });',),
        sql=(_TABLE,),
        readme="\n".join(pages),
        amend=_amend,
    )


def _amend(document: dict[str, Any]) -> None:
    page = {"description": "The counts, as Prometheus reads them", "content": {"text/plain": {"schema": {"type": "string"}}}}
    document["paths"]["/metrics"] = {
        "get": operation("metrics", "Counts and durations of requests", "service", {200: page}, rules=(KEY,))
    }


BRICK = Brick("observability", "clodo.bricks.observability", _applies, _parts)
