// Which fields a request may have: those that are read, those that are ignored because clients send them by habit and they change
// no word of an answer, and of the others the values by which a client says that it does not ask for them. Everything else is
// refused by name: an answer that quietly leaves out what was asked for is worse than none.
import parameters from "./parameters.json";
import { Problem } from "./shared/problems";

const { read, ignored } = parameters;
const neutral: Readonly<Record<string, readonly unknown[]>> = parameters.neutral;

export const invalid = (param: string, detail: string, code = "invalid_value"): Problem => new Problem(400, detail, { param, code });

/** Refuses a body by the first field that would have to be left out of account. What is null is not given. */
export function refuseUnknown(body: Readonly<Record<string, unknown>>, chat: boolean): void {
  const known = new Set([...read.both, ...(chat ? read.chat : read.completion), ...ignored]);
  for (const [name, value] of Object.entries(body)) {
    if (known.has(name) || value === null) continue;
    const taken = Object.hasOwn(neutral, name) ? neutral[name] : undefined;
    if (taken === undefined) throw invalid(name, `${quoted(name)} is no parameter that is known here.`, "unknown_parameter");
    if (taken.some((one) => JSON.stringify(one) === JSON.stringify(value))) continue;
    const allowed = taken.map((one) => JSON.stringify(one)).join(" or ");
    throw invalid(name, `${name} is not supported here${allowed === "" ? "" : `; it may only be ${allowed}`}.`, "unsupported");
  }
}

/** A name of the caller's own, at a length that an answer can carry. */
const quoted = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
