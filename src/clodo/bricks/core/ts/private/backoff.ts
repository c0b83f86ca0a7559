import { setting } from "./settings";

/** One and a half of it is 12 hours, the longest delay that a queue takes. */
const MAX_SECONDS = 8 * 60 * 60;

/**
 * How long the next attempt is waited for: as long as a variable of the Worker says, then twice as long each time, and never the same for
 * all: between half and one and a half of it.
 */
export function backoffSeconds(first: string | undefined, attempts: number): number {
  return Math.ceil(Math.min(setting(first, 30) * 2 ** (attempts - 1), MAX_SECONDS) * (0.5 + Math.random()));
}
