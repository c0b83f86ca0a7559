import type { Hono } from "hono";
import type { AppEnv } from "../env";
import { admit } from "./access";
import { type Entity, toJson } from "./entity";
import { readJson, route } from "./http";
import { checkedEntries, storeAll } from "./insertion";
import { Problem } from "./problem";

/** `POST /api/{entities}/bulk`: an array of bodies, of which all become rows or none. */
export function bulk(app: Hono<AppEnv>, entity: Entity, most: number): void {
  route(app, `/api/${entity.path}/bulk`, {
    POST: async (c) => {
      const caller = await admit(c, entity.write);
      const given = await readJson(c);
      if (!Array.isArray(given) || given.length < 1 || given.length > most) {
        throw new Problem(422, `The body must be an array of 1 to ${most} objects.`);
      }
      const bodies = given.map((body: unknown, index) => [index, asBody(body)] as const);
      const entries = await checkedEntries(c, entity, caller, bodies);
      const rows = await storeAll(c, entity, entries);
      return c.json({ items: rows.map((row) => toJson(entity, row)) }, 201);
    },
  });
}

/** A body, or what is wrong with a value that is none. */
export const asBody = (value: unknown): Record<string, unknown> | string =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : "must be a JSON object";
