"""Keeping warm: the policy by itself, its score on simulated logs, and the front that follows it in workerd."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from evals.keep_warm import PROFILES, arrivals

from clodo.edge.platform.configuration import KEEP_WARM_CRON, Options
from clodo.edge.platform.folder import folder_tree, write_tree
from clodo.edge.platform.keep_warm import Terms, read_log, score
from clodo.edge.platform.server import WorkersServer
from clodo.edge.platform.serving import Running, served_bundle, served_folder
from clodo.errors import UsageError
from clodo.toolchain import Toolchain
from clodo.toolchain.store import node_path
from tests.edge.platform.fake import fake_bundle

HOUR = 3_600_000
WEEK = 168 * HOUR
MONDAY = 1_767_571_200_000  # 00:00 UTC


def policy(body: str) -> Any:
    """What a piece of JavaScript returns that has the policy's functions."""
    module = Path(str(files("clodo.edge.platform.keep_warm").joinpath("policy.ts"))).as_uri()
    names = "fit, chance, shouldWake, hourOf, bitOf, WINDOW_MS"
    program = f'import {{ {names} }} from "{module}"; const H = {HOUR}; const run = () => {{ {body} }}; console.log(JSON.stringify(run()));'
    command = [str(node_path()), "--no-warnings", "--input-type=module", "-e", program]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


#: Eight weeks in which every window of Monday 9:00 to 10:00 is active, and nothing else.
MONDAYS = f"""const history = new Map(); history.set(hourOf({MONDAY}), 0);
for (let week = 0; week < 8; week++) history.set(hourOf({MONDAY} + week * {WEEK} + 9 * H), 0xfff);
const at = (day, hour, minute = 0) => {MONDAY} + 8 * {WEEK} + (day * 24 + hour) * H + minute * 60_000;
"""


def test_the_hour_of_the_week_is_learnt_and_its_neighbours_share_it() -> None:
    nine, eight, midday, tuesday = policy(
        f"{MONDAYS} return [at(0, 9), at(0, 8), at(0, 13), at(1, 9)].map((now) => chance(fit(history, now), history, now));"
    )
    assert nine > 0.5 and 2 * midday < eight < nine / 2
    assert midday < 0.05 and midday < tuesday < eight, "the same hour of other days says a little"


def test_nothing_is_known_of_nothing() -> None:
    now = MONDAY + 9 * HOUR
    assert 0 < policy(f"const h = new Map(); return chance(fit(h, {now}), h, {now});") < 0.1


def test_old_weeks_count_less() -> None:
    old, new = policy(f"""
      const end = {MONDAY} + 9 * {WEEK}; const now = end + 9 * H;
      const seen = (weeks) => {{ const h = new Map([[hourOf({MONDAY}), 0]]); for (const w of weeks) h.set(hourOf({MONDAY} + w * {WEEK} + 9 * H), 0xfff); return chance(fit(h, now), h, now); }};
      return [seen([0, 1, 2, 3]), seen([5, 6, 7, 8])];""")
    assert new > 1.5 * old


def test_the_present_hour_is_not_yet_history_but_a_lively_day_is_seen() -> None:
    quiet, lively = policy(f"""{MONDAYS}
      const now = at(2, 15); const before = chance(fit(history, now), history, now);
      history.set(hourOf(now) - 1, 0xfff); return [before, chance(fit(history, now), history, now)];""")
    assert lively > 2 * quiet


def test_who_is_warm_until_the_next_asking_is_not_woken() -> None:
    woken = policy(f"""{MONDAYS}
      const now = at(0, 9, 30); const fitted = fit(history, now); const terms = {{ threshold: 0.05, lifetime: 10 * 60_000, period: 5 * 60_000 }};
      return [4, 5, 20].map((minutes) => shouldWake(fitted, history, now, now - minutes * 60_000, terms));""")
    assert woken == [False, True, True]


def test_windows_are_bits_of_their_hour() -> None:
    assert policy(f"return [0, 1, 11].map((w) => bitOf({MONDAY} + w * WINDOW_MS + 1));") == [1, 2, 1 << 11]


def test_prediction_saves_most_wakes_and_keeps_most_hits_where_there_is_a_rhythm() -> None:
    times = arrivals(PROFILES["office tool"], seed=1)
    found = score(times)
    never, always, fitted = found["never"], found["always"], found["fitted"]
    assert never.hits == never.wakes == 0 and always.hits == always.firsts == fitted.firsts > 300
    assert fitted.hit_rate > 0.8 and fitted.wakes < 0.35 * always.wakes
    assert fitted.wasted / fitted.wakes < always.wasted / always.wakes
    shy = score(times, Terms(0.1))["fitted"]
    assert shy.wakes < fitted.wakes and shy.hits < fitted.hits, "the threshold is the price of a wake"


def test_where_requests_are_rare_and_random_nobody_is_woken_for_nothing() -> None:
    fitted = score(arrivals(PROFILES["rare and random"], seed=5))["fitted"]
    assert fitted.wakes < 300


def test_logs_are_read_in_the_usual_forms(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        "2026-01-05T09:00:00Z POST /v1/blueprint 200\n"
        "# a remark\n"
        '{"timestamp": 1767603600000, "status": 200}\n'
        "1767603600 GET\n"
        "2026-01-05 10:00:00.5+01:00 x\n"
    )
    assert read_log(log) == [1767603600.0, 1767603600.0, 1767603600.0, 1767603600.5]
    log.write_text("nothing\n")
    with pytest.raises(UsageError):
        read_log(log)
    with pytest.raises(UsageError, match="Eight days"):
        score([1767603600.0, 1767690000.0])


def asked(running: Running, path: str, **body: str) -> Any:
    answer = httpx.request("POST" if body else "GET", running.url + path, json=body or None, headers=running.headers, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.workerd
def test_the_front_counts_windows_and_follows_the_policy(toolchain: Toolchain, server: WorkersServer) -> None:
    with served_bundle(fake_bundle(), toolchain, options=Options("m", keep_warm=True), server=server) as running:
        assert httpx.get(f"{running.url}/v1/ended", trust_env=False).status_code == 401
        time.sleep(0.3)
        tables = asked(running, "/v1/sql", statement="SELECT name FROM sqlite_master WHERE name = 'arrival'")
        assert tables == [], "who is not let in is not counted"
        now = time.time()
        for _ in range(2):
            asked(running, "/v1/ended")
        time.sleep(0.3)
        rows = asked(running, "/v1/sql", statement='SELECT * FROM "arrival"')
        if int(now) // 300 == int(time.time()) // 300:
            assert rows == [{"hour": int(now) // 3600, "windows": 1 << int(now) % 3600 // 300}], "once, and nothing but requests of the API"
        later = now + 7 * 24 * 3600
        asked(running, "/v1/sql", statement='UPDATE "arrival" SET "windows" = 1')
        running.scheduled(KEEP_WARM_CRON, later)
        assert asked(running, "/v1/ended")["healths"] == 0, "one window in a week is no rhythm"
        asked(running, "/v1/sql", statement='UPDATE "arrival" SET "windows" = 4095')
        running.scheduled(KEEP_WARM_CRON, later)
        assert asked(running, "/v1/ended")["healths"] == 1, "woken"
        old = int(later) // 3600 - 11 * 168
        asked(running, "/v1/sql", statement=f'INSERT INTO "arrival" VALUES ({old}, 1)')
        running.scheduled(KEEP_WARM_CRON, later + 60)
        assert asked(running, "/v1/ended")["healths"] == 1, "it stays until the next time of asking anyway"
        assert asked(running, "/v1/sql", statement=f'SELECT * FROM "arrival" WHERE "hour" = {old}') == [], "what is too old is forgotten"


@pytest.mark.workerd
def test_without_the_store_nobody_is_counted_or_woken(toolchain: Toolchain, server: WorkersServer, tmp_path: Path) -> None:
    bundle = fake_bundle()
    front = replace(bundle.workers[0], variables={**bundle.workers[0].variables, "KEEP_WARM_THRESHOLD": "0"})
    write_tree(folder_tree(replace(bundle, workers=(front, *bundle.workers[1:])), Options("m", keep_warm=True)), tmp_path)
    config = tmp_path / "front" / "wrangler.jsonc"
    settings = json.loads(config.read_text())
    del settings["d1_databases"]
    config.write_text(json.dumps(settings))
    with served_folder(tmp_path, toolchain, server=server) as running:
        running.scheduled(KEEP_WARM_CRON, time.time())
        assert asked(running, "/v1/ended")["healths"] == 0
