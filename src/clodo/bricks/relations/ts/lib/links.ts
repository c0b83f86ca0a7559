import type { Context, Hono } from "hono";
import type { AppEnv } from "../env";
import { admit } from "./access";
import type { Entity } from "./entity";
import { linking, refused } from "./hooks";
import { route } from "./http";
import { listRows, readRow, writableRow } from "./rows";
import { condition, quote } from "./sql";

/** A many-to-many relation as seen from one side. The table bears the name of the side that declares it. */
export interface LinkSide {
  readonly table: string;
  /** The column of this side's ids, and of the other's. */
  readonly here: string;
  readonly there: string;
  readonly path: string;
}

/** `GET /api/{here}/:id/{path}`, and `PUT` and `DELETE …/:other`, both idempotent. */
export function links(app: Hono<AppEnv>, from: Entity, to: Entity, side: LinkSide): void {
  const table = quote(side.table);
  const [here, there] = [quote(side.here), quote(side.there)];

  // The side that declares the link decides who may change it, whichever side the path begins at.
  const declares = (entity: Entity): boolean => side.table.startsWith(`${entity.name}__`);
  const [fromDecides, toDecides] = from === to ? [true, false] : [declares(from), declares(to)];

  /** Finds a row of the pair, and what its hooks have to do with the link. */
  const touch = async (c: Context<AppEnv>, entity: Entity, id: string, decides: boolean): Promise<D1PreparedStatement[]> => {
    if (decides) return linking(c, { entity, id, caller: (await writableRow(c, entity, id))[1] });
    await readRow(c, entity, await admit(c, entity.read), id);
    return [];
  };

  const change = async (c: Context<AppEnv>, sql: string): Promise<Response> => {
    const [id, other] = [c.req.param("id") ?? "", c.req.param("other") ?? ""];
    const before = [...(await touch(c, from, id, fromDecides)), ...(await touch(c, to, other, toDecides))];
    await c.env.DB.batch([...before, c.env.DB.prepare(sql).bind(id, other)]).catch((error: unknown) => {
      refused(fromDecides ? from : to, error);
      throw error;
    });
    return c.body(null, 204);
  };

  route(app, `/api/${from.path}/:id/${side.path}`, {
    GET: async (c) => {
      const id = c.req.param("id") ?? "";
      await readRow(c, from, await admit(c, from.read), id);
      const caller = await admit(c, to.read);
      const linked = condition(`"id" IN (SELECT ${there} FROM ${table} WHERE ${here} = ?)`, id);
      return listRows(c, to, caller, [linked]);
    },
  });

  route(app, `/api/${from.path}/:id/${side.path}/:other`, {
    PUT: (c) => change(c, `INSERT INTO ${table} (${here}, ${there}) VALUES (?, ?) ON CONFLICT DO NOTHING`),
    DELETE: (c) => change(c, `DELETE FROM ${table} WHERE ${here} = ? AND ${there} = ?`),
  });
}
