"""The bell of cron, as Cloudflare rings it: by the line of ``wrangler.jsonc`` that means the times of a schedule."""

from __future__ import annotations

from clodo.blueprint.cron import Times, times
from clodo.bricks.schedules.language import Schedule, cron
from clodo.proof.session import Fault, Session

_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


def meant(s: Schedule) -> Times:
    """The times of a schedule, with the days of the week from 1, Sunday, to 7, Saturday."""
    hour, minute = (int(part) for part in (s.at or "00:00").split(":"))
    often = s.unit in ("minute", "minutes")
    minutes = range(0, 60, s.step) if often else [minute]
    hours = range(24) if often or s.unit == "hour" else [hour]
    days = [1] if s.unit == "month" else range(1, 32)
    weekdays = [_DAYS.index(s.unit) + 1] if s.unit in _DAYS else range(1, 8)
    return tuple(frozenset[int | str](part) for part in (minutes, hours, days, range(1, 13), weekdays))


def line_of(s: Session, schedule: Schedule) -> str:
    """The line of cron that rings at the times of a schedule.

    Raises:
        Fault: the service is configured with none, or with one that Cloudflare refuses.
    """
    if s.crons is None:
        return cron(schedule)
    when = f"every {f'{schedule.step} ' if schedule.unit == 'minutes' else ''}{schedule.unit}{f' at {schedule.at}' if schedule.at else ''}"
    for line in s.crons:
        try:
            if times(line) == meant(schedule):
                return line
        except ValueError as error:
            raise Fault(f"Cloudflare refuses the line of cron {line!r} of wrangler.jsonc: {error}") from None
    raise Fault(f"no line of cron of wrangler.jsonc means {when!r} to Cloudflare: {', '.join(map(repr, s.crons))}")
