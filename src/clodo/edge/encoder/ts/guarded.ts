import type { Lines } from "./cue_lines";
import type { Blueprint, Constant } from "./values";

/** A field that a step ticks, behind its name. */
const TICK = ": boolean default false";

/**
 * The fields (`entity.field`) that a step sets which looks at whoever takes it: who may change a row could set them without it, and so past
 * it, so that they are read-only: ticks, and states of which each is where rows begin or what some step leads to.
 */
export function guarded(b: Blueprint, { lines }: Lines): Set<string> {
  const reached = new Map<string, string[]>();
  const asked = new Set<string>();
  for (const { where, construct, text } of lines) {
    if (construct !== "action") continue;
    for (const line of text.split("\n").filter((one) => one.startsWith("  set "))) {
      for (const [, name = "", value = ""] of line.matchAll(/(?:^ {2}set|,) (\w+) = (?:"([^"]*)"|true|false)(?=,|$)/g)) {
        const key = `${where}.${name}`;
        reached.set(key, [...(reached.get(key) ?? []), value]);
        if (/^ {2}when .*\bcaller\b/m.test(text)) asked.add(key);
      }
    }
  }
  const isForSteps = (key: string): boolean => {
    const [entity, name] = key.split(".");
    const f = b.entities.find((e) => e.name === entity)?.fields.find((one) => one.name === name);
    if (f === undefined || f.type !== "enum") return true;
    const first: Constant | undefined = f.default;
    return first !== undefined && f.values.every((value) => value === first || reached.get(key)?.includes(value) === true);
  };
  return new Set([...asked].filter(isForSteps));
}

/** The blueprint with fields that callers cannot set. */
export function withKept(b: Blueprint, kept: ReadonlySet<string>): Blueprint {
  const entities = b.entities.map((e) => ({
    ...e,
    fields: e.fields.map((f) => (kept.has(`${e.name}.${f.name}`) ? { ...f, readOnly: true, required: false } : f)),
  }));
  return { ...b, entities };
}

/** The text of a line, read-only where it brings such a field. */
export const keptText = (where: string, text: string, kept: ReadonlySet<string>): string =>
  text.endsWith(TICK) && kept.has(`${where}.${text.slice(0, -TICK.length)}`) ? `${text} read-only` : text;
