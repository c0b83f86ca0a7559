/**
 * Whether to stay warm: the chance of a request in the next five minutes, fitted to when requests came before.
 *
 * Time is cut into windows of five minutes, and a window is active when at least one request came in it: what counts is whether
 * there is a first request, not how many follow it. The chance that a window is active is fitted for each hour of the week:
 * a mean over the weeks in which older ones count less, drawn towards the hours beside it and the same hour of all days, and
 * these towards the overall mean, the more the less history there is. What was seen in the last hours moves it: a holiday is quieter than its weekday, a busy day busier.
 *
 * Pure: no clock, no store. Times are milliseconds since 1970 (UTC).
 */

export const WINDOW_MS = 5 * 60_000;
const HOUR_MS = 3_600_000;
const WINDOWS = HOUR_MS / WINDOW_MS;
const WEEK_HOURS = 168;
const DAY_HOURS = 24;

/** Weeks of history that are looked at; older ones would count next to nothing. */
export const HISTORY_WEEKS = 10;

/** After so many weeks what was seen counts half. */
const HALF_LIFE_WEEKS = 3;

/** How many windows the coarser mean counts for beside what was seen of an hour. */
const PRIOR_WINDOWS = 24;

/** Hours that tell what kind of day it is, and how many windows of evidence they are held against. */
const RECENT_HOURS = 3;
const RECENT_PRIOR_WINDOWS = 6;

/** Hour since 1970 → its windows that were active, a bit each. */
export type History = ReadonlyMap<number, number>;

export const hourOf = (time: number): number => Math.floor(time / HOUR_MS);

/** The bit of a time's window in its hour. */
export const bitOf = (time: number): number => 1 << (Math.floor(time / WINDOW_MS) % WINDOWS);

/** The chance that a window is active, for each hour of the week (from the hour 0 of 1970 on). */
export type Fit = Float64Array;

/** Fits to the history before `now`. Hours before the first that is known count as not watched, later gaps as quiet. */
export function fit(history: History, now: number): Fit {
  const end = hourOf(now);
  const first = [...history.keys()].reduce((least, hour) => Math.min(least, hour), end);
  const start = Math.max(first, end - HISTORY_WEEKS * WEEK_HOURS);
  const active = new Float64Array(WEEK_HOURS);
  const seen = new Float64Array(WEEK_HOURS);
  for (let hour = start; hour < end; hour++) {
    const weight = 2 ** (-(end - hour) / (WEEK_HOURS * HALF_LIFE_WEEKS));
    const slot = hour % WEEK_HOURS;
    active[slot]! += weight * bits(history.get(hour) ?? 0);
    seen[slot]! += weight * WINDOWS;
  }
  const overall = (sum(active) + 0.5) / (sum(seen) + WINDOWS);
  const daily = new Float64Array(DAY_HOURS).map((_, hour) => {
    const slots = Array.from({ length: WEEK_HOURS / DAY_HOURS }, (_, day) => day * DAY_HOURS + hour);
    return shrunk(sum(slots.map((s) => active[s]!)), sum(slots.map((s) => seen[s]!)), overall);
  });
  return active.map((own, slot) => {
    const usual = daily[slot % DAY_HOURS]!;
    const [before, after] = [(slot + WEEK_HOURS - 1) % WEEK_HOURS, (slot + 1) % WEEK_HOURS];
    const beside = shrunk(active[before]! + active[after]!, seen[before]! + seen[after]!, usual);
    return shrunk(own, seen[slot]!, (usual + beside) / 2);
  });
}

/** The chance that a request comes in the five minutes from `now` on. */
export function chance(fitted: Fit, history: History, now: number): number {
  const expected = fitted[hourOf(now) % WEEK_HOURS]!;
  return 1 - (1 - expected) ** liveliness(fitted, history, now);
}

/** What was seen in the last hours over what the fit expected of them, drawn towards 1. */
function liveliness(fitted: Fit, history: History, now: number): number {
  const from = Math.floor(now / WINDOW_MS) - RECENT_HOURS * WINDOWS;
  let seen = RECENT_PRIOR_WINDOWS;
  let expected = RECENT_PRIOR_WINDOWS;
  for (let window = from; window < from + RECENT_HOURS * WINDOWS; window++) {
    const time = window * WINDOW_MS;
    seen += ((history.get(hourOf(time)) ?? 0) & bitOf(time)) === 0 ? 0 : 1;
    expected += fitted[hourOf(time) % WEEK_HOURS]!;
  }
  return seen / expected;
}

/** What a decision to stay warm goes by. `threshold` is the least chance of a request for which a wake is worth its cost. */
export interface Terms {
  readonly threshold: number;
  /** How long an idle isolate is taken to stay, in milliseconds. */
  readonly lifetime: number;
  /** How often it is asked, in milliseconds. */
  readonly period: number;
}

/**
 * Whether to wake the model now. Not where it stays until the next time of asking anyway: `used` is when it was last used or
 * woken.
 */
export function shouldWake(fitted: Fit, history: History, now: number, used: number, terms: Terms): boolean {
  if (used + terms.lifetime > now + terms.period) return false;
  return chance(fitted, history, now) >= terms.threshold;
}

const shrunk = (active: number, seen: number, prior: number): number => (active + PRIOR_WINDOWS * prior) / (seen + PRIOR_WINDOWS);

const sum = (values: Iterable<number>): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

function bits(mask: number): number {
  let count = 0;
  for (let left = mask; left !== 0; left &= left - 1) count += 1;
  return count;
}
