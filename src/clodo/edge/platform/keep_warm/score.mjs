// Scores ways to stay warm on the times at which requests came: JSON {"times", "terms"} on stdin, JSON on stdout. The fitted way
// sees only what lies before each moment.
import { bitOf, fit, hourOf, shouldWake } from "./policy.ts";

const { times, terms } = JSON.parse(await new Response(process.stdin).text());
times.sort((a, b) => a - b);
// The first week teaches and is not scored.
const begin = times[0] + 7 * 24 * 3_600_000;

/** Runs through all requests and all moments of asking in their order. */
function run(wakes) {
  let next = 0;
  let warmUntil = -Infinity;
  let busyUntil = -Infinity; // until when it would be warm without any wakes
  let used = -Infinity;
  let firsts = 0;
  let hits = 0;
  const woken = [];
  const first = Math.ceil(times[0] / terms.period) * terms.period;
  for (let now = first; now <= times.at(-1) + terms.period; now += terms.period) {
    for (; next < times.length && times[next] < now; next++) {
      const time = times[next];
      if (time > busyUntil && time >= begin) {
        firsts += 1;
        if (time <= warmUntil) hits += 1;
      }
      busyUntil = time + terms.lifetime;
      warmUntil = Math.max(warmUntil, busyUntil);
      used = time;
      wakes.see(time);
    }
    if (wakes.ask(now, used)) {
      used = now;
      warmUntil = now + terms.lifetime;
      if (now >= begin) woken.push(now);
    }
  }
  // A wake was for nothing where no request came as long as its warmth lasted.
  let at = 0;
  const wasted = woken.filter((wake) => {
    while (at < times.length && times[at] <= wake) at += 1;
    return !(at < times.length && times[at] <= wake + terms.lifetime);
  }).length;
  return { firsts, hits, wakes: woken.length, wasted };
}

function fitted() {
  const history = new Map();
  let hour = -1;
  let known;
  return {
    see: (time) => history.set(hourOf(time), (history.get(hourOf(time)) ?? 0) | bitOf(time)),
    ask(now, used) {
      if (hourOf(now) !== hour) {
        hour = hourOf(now);
        known = fit(history, now);
      }
      return shouldWake(known, history, now, used, terms);
    },
  };
}

const ways = {
  never: { see: () => undefined, ask: () => false },
  always: { see: () => undefined, ask: (now, used) => used + terms.lifetime <= now + terms.period },
  fitted: fitted(),
};
const days = (times.at(-1) - begin) / 86_400_000;
process.stdout.write(JSON.stringify({ days, ...Object.fromEntries(Object.entries(ways).map(([name, way]) => [name, run(way)])) }));
