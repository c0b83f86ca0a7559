"""Waiting for loading and for a slot, with a clock that the test moves: what happens after seconds of silence."""

from __future__ import annotations

import json
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from clodo.toolchain import Toolchain

pytestmark = pytest.mark.workerd

#: A clock and timers of our own. What waits while ``deaf`` is set is never woken by a timer: its request is gone.
PRELUDE = """
import { createRequire } from "node:module";
const require = createRequire(`${process.argv[1]}/noop.js`);
const { outputFiles } = require("esbuild").buildSync({
  stdin: { contents: 'export * from "./queue"; export * from "./loading";', resolveDir: process.argv[2], loader: "ts" },
  bundle: true, format: "esm", write: false,
});
let now = 1_000_000, timers = [], deaf = false;
Date.now = () => now;
globalThis.scheduler = { wait: (ms) => new Promise((resolve) => { if (!deaf) timers.push({ at: now + ms, resolve }); }) };
const settle = async () => { for (let i = 0; i < 30; i++) await null; };
const pass = async (ms) => {
  for (const end = now + ms; now < end; ) {
    now = Math.min(end, now + 50);
    const due = timers.filter(({ at }) => at <= now);
    timers = timers.filter(({ at }) => at > now);
    for (const { resolve } of due) resolve();
    await settle();
  }
};
const { Queue, Loading } = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
const outcome = (promise) => { const seen = { state: "waiting" }; promise.then((value) => Object.assign(seen, { state: "done", value }), (error) => Object.assign(seen, { state: "failed", error: error.message })); return seen; };
const run = async () => { BODY };
console.log(JSON.stringify(await run()));
process.exit();
"""


@pytest.fixture
def script(toolchain: Toolchain) -> Any:
    folder = Path(str(files("clodo.edge.shared_ts")))

    def run(body: str) -> Any:
        command = [str(toolchain.node), "--input-type=module", "-e", PRELUDE.replace("BODY", body), str(toolchain.modules), str(folder)]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)

    return run


def test_a_silent_holder_loses_its_slot_and_learns_it_before_it_works_on(script: Any) -> None:
    found = script("""
      const queue = new Queue(1, 4);
      const old = await queue.enter();
      const next = outcome(queue.enter());
      await pass(15_000); old.beat(); await pass(15_000);
      const early = next.state;
      await pass(6_000);
      let told = ""; try { old.beat(); } catch (error) { told = error.message; }
      old.release();
      const busy = queue.busy;
      return { early, late: next.state, told, busy, slot: next.value.slot };""")
    assert found == {"early": "waiting", "late": "done", "told": "The request took too long and lost its place.", "busy": 1, "slot": 0}


def test_who_is_gone_while_waiting_is_passed_over(script: Any) -> None:
    found = script("""
      const queue = new Queue(1, 4);
      const first = await queue.enter();
      deaf = true; const gone = outcome(queue.enter()); deaf = false;
      const alive = outcome(queue.enter());
      for (let i = 0; i < 10; i++) { await pass(300); first.beat(); }
      first.release(); await settle();
      const states = [gone.state, alive.state];
      for (let i = 0; i < 70; i++) { await pass(300); alive.value.beat(); }
      const waiting = queue.waiting; alive.value.release();
      const last = await queue.enter();
      return { states, busy: queue.busy, slot: last.slot, waiting };""")
    assert found["states"] == ["waiting", "done"]
    assert (found["busy"], found["slot"]) == (1, 0)


def test_slots_are_served_in_order_and_numbered(script: Any) -> None:
    found = script("""
      const queue = new Queue(2, 9);
      const places = [await queue.enter(), await queue.enter()];
      const order = []; const waiting = [0, 1, 2].map((i) => queue.enter().then((place) => { order.push([i, place.slot]); return place; }));
      await pass(100); places[1].release(); await settle(); places[0].release(); await settle();
      (await waiting[0]).release(); await settle();
      return order;""")
    assert found == [[0, 1], [1, 0], [2, 1]]


def test_a_loading_whose_request_is_gone_is_taken_over(script: Any) -> None:
    found = script("""
      let runs = 0; const steps = [];
      const loading = new Loading(async ({ step, beat }) => {
        runs += 1;
        if (runs === 1) { steps.push(step); step(); await new Promise(() => undefined); }
        step(); await scheduler.wait(100); beat(); step(); return runs;
      });
      void loading.start();
      const whole = outcome(loading.whole()); const part = outcome(loading.reached(1));
      await pass(4_000); const before = [whole.state, part.state, runs];
      await pass(3_000); steps[0]();
      return { before, after: [whole.state, whole.value, runs], steps: loading.steps };""")
    assert found == {"before": ["waiting", "done", 1], "after": ["done", 2, 2], "steps": 2}


def test_one_of_those_who_wait_takes_over_and_the_others_wait_for_it(script: Any) -> None:
    found = script("""
      let runs = 0;
      const loading = new Loading(async () => { runs += 1; await (runs === 1 ? new Promise(() => undefined) : scheduler.wait(4_000)); return runs; });
      const all = [0, 1, 2].map(() => outcome(loading.whole()));
      await pass(12_000);
      return [runs, ...all.map(({ value }) => value)];""")
    assert found == [2, 2, 2, 2]


def test_a_loading_that_nobody_waits_for_goes_on_with_the_next_who_begins_it(script: Any) -> None:
    found = script("""
      let runs = 0;
      const loading = new Loading(async ({ beat }) => {
        runs += 1;
        if (runs === 1) { await scheduler.wait(3_000); beat(); await new Promise(() => undefined); }
        return "all";
      });
      void loading.start(); await pass(12_000); void loading.start(); const early = runs;
      await pass(2_000); void loading.start(); await settle();
      return [early, runs, loading.value];""")
    assert found == [1, 2, "all"]


def test_slow_bytes_are_no_silence(script: Any) -> None:
    found = script("""
      let runs = 0;
      const loading = new Loading(async ({ beat }) => { runs += 1; for (let i = 0; i < 10; i++) { await scheduler.wait(3_000); beat(); } return "all"; });
      const whole = outcome(loading.whole());
      await pass(31_000);
      return [whole.value, runs];""")
    assert found == ["all", 1]


def test_a_failure_to_load_is_told_and_the_next_request_tries_again(script: Any) -> None:
    found = script("""
      let runs = 0;
      const loading = new Loading(async () => { runs += 1; await scheduler.wait(10); if (runs === 1) throw new Error("no weights"); return "all"; });
      const both = [outcome(loading.whole()), outcome(loading.whole())];
      await pass(1_000); const told = both.map(({ error }) => error); const ready = loading.ready;
      const again = outcome(loading.whole()); await pass(1_000);
      return { told, ready, again: again.value, runs };""")
    assert found == {"told": ["no weights", "no weights"], "ready": False, "again": "all", "runs": 2}
