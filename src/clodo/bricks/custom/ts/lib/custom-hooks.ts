import type { Context } from "hono";
import * as z from "zod/mini";
import type { AppEnv } from "../env";
import type { Hooks, Name, RowOf, Scene, Settable } from "./custom";
import type { Columns } from "./custom-rows";
import type { Entity, Row } from "./entity";
import type { Stored } from "./fields";
import type { Change, Hook } from "./hooks";

/** The hooks of all entities; own code gives them when the Worker starts. Entities are there before, since own code may use them. */
type All = { readonly [E in Name]?: Hooks<E> };

let known: All = {};

export function adopt(hooks: All): void {
  known = hooks;
}

const hooksOf = (entity: Entity): Hooks<Name> => (known[entity.name as Name] ?? {}) as Hooks<Name>;
const sceneOf = (c: Context<AppEnv>, { caller }: Change): Scene => ({ c, caller, env: c.env });

/** Lets own code take part in the changes of an entity. */
export const ownHooks: Hook = {
  async check(c, change) {
    const { entity, before, after } = change;
    const { beforeCreate, beforeUpdate, beforeDelete } = hooksOf(entity);
    const scene = sceneOf(c, change);
    if (after === null) return beforeDelete?.(row(entity, before ?? {}), scene);
    const given = await (before === null
      ? beforeCreate?.(columns(entity, after), scene)
      : beforeUpdate?.(columns(entity, after), row(entity, before), scene));
    if (!given) return;
    set(entity, after, given);
    // Those who looked before own code did look again: they work values out of others.
    for (const hook of entity.hooks ?? []) {
      if (hook === ownHooks) break;
      await hook.check?.(c, change);
    }
  },
  async after(c, change, stored) {
    const { entity, before, after } = change;
    const { afterCreate, afterUpdate, afterDelete } = hooksOf(entity);
    const scene = sceneOf(c, change);
    try {
      if (after === null) await afterDelete?.(row(entity, stored), scene);
      else if (before === null) await afterCreate?.(row(entity, stored), scene);
      else await afterUpdate?.(row(entity, stored), row(entity, before), scene);
    } catch (error) {
      // The change is stored: its caller is told so, whatever comes of the rest.
      console.error(error);
    }
  },
};

/** Stored values as own code sees them. */
function decoded(entity: Entity, values: Readonly<Record<string, Stored>>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const kind = entity.fields[name] ?? entity.computed[name];
    out[name] = kind === undefined ? value : kind.decode(value);
  }
  return out;
}

const row = (entity: Entity, values: Row): RowOf<Name> => decoded(entity, values) as unknown as RowOf<Name>;
const columns = (entity: Entity, values: Row): Columns[Name] => decoded(entity, values) as unknown as Columns[Name];

/** Sets what own code gave back; a value that the field does not take is a fault of own code, and nothing is stored. */
function set(entity: Entity, after: Record<string, Stored>, given: Settable<Name>): void {
  for (const [name, value] of Object.entries<unknown>(given)) {
    if (value === undefined) continue;
    const field = entity.fields[name];
    const rule = field ?? entity.references[name];
    const isRight = value === null ? rule?.required === false : field === undefined ? typeof value === "string" : z.safeParse(field.schema, value).success;
    if (rule === undefined || !isRight) throw new Error(`Own code sets ${entity.name}.${name} to a value that it does not take.`);
    after[name] = value === null ? null : field === undefined ? (value as string) : field.encode(value);
  }
}
