import type { Hono } from "hono";
import type { AppEnv } from "../env";
import { admit } from "./access";
import type { Entity } from "./entity";
import { route } from "./http";
import { createRow, listRows, readRow } from "./rows";
import { condition, quote } from "./sql";

/** The rows that refer to a parent by `key`: `GET` and `POST /api/{parents}/:id/{path}`. */
export function children(
  app: Hono<AppEnv>,
  parent: Entity,
  child: Entity,
  key: string,
  path: string,
): void {
  route(app, `/api/${parent.path}/:id/${path}`, {
    GET: async (c) => {
      const id = c.req.param("id") ?? "";
      await readRow(c, parent, await admit(c, parent.read), id);
      const caller = await admit(c, child.read);
      return listRows(c, child, caller, [condition(`${quote(key)} = ?`, id)]);
    },
    POST: async (c) => {
      const id = c.req.param("id") ?? "";
      const caller = await admit(c, child.create ?? child.write);
      await readRow(c, parent, await admit(c, parent.read), id);
      return createRow(c, child, caller, { [key]: id });
    },
  });
}
