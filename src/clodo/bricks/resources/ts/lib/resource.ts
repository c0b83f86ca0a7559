import type { Hono } from "hono";
import type { AppEnv } from "../env";
import { admit } from "./access";
import { deleteRow } from "./deletion";
import { type Entity, toJson } from "./entity";
import { route } from "./http";
import { createRow, listRows, readRow, updateRow } from "./rows";

/** The routes of an entity: its collection and its rows. */
export function resource(app: Hono<AppEnv>, entity: Entity, remove = deleteRow): void {
  route(app, `/api/${entity.path}`, {
    GET: async (c) => listRows(c, entity, await admit(c, entity.read)),
    POST: async (c) => createRow(c, entity, await admit(c, entity.create ?? entity.write)),
  });
  route(app, `/api/${entity.path}/:id`, {
    GET: async (c) => {
      const caller = await admit(c, entity.read);
      return c.json(toJson(entity, await readRow(c, entity, caller, c.req.param("id") ?? "")));
    },
    PUT: (c) => updateRow(c, entity, c.req.param("id") ?? "", "replace"),
    PATCH: (c) => updateRow(c, entity, c.req.param("id") ?? "", "change"),
    DELETE: (c) => remove(c, entity, c.req.param("id") ?? ""),
  });
}
