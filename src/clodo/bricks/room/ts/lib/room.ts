import type { Context, Hono, MiddlewareHandler } from "hono";
import type { AppEnv, Env } from "../env";
import { type Caller, admit } from "./access";
import { type Entity, selected, visible } from "./entity";
import type { Hook } from "./hooks";
import { route } from "./http";
import { uuidv7 } from "./id";
import { Problem, notFound } from "./problem";
import { condition, quote, where } from "./sql";

const PROTOCOL = "room";
/** Of the rows of an entity that change together, the rooms of so many are told: one event has a thousand requests. */
const ROOMS_AT_ONCE = 100;
const HEADERS: Readonly<Record<string, (credential: string) => [name: string, value: string]>> = {
  bearer: (token) => ["authorization", `Bearer ${token}`],
  key: (key) => ["x-api-key", key],
};

/** One connection to a room. */
export interface Member {
  readonly id: string;
  readonly caller: Caller;
  readonly since: number;
}

const offered = (c: Context<AppEnv>): string[] =>
  (c.req.header("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "");

/**
 * Browsers send no headers of a script's own with a WebSocket, so a credential may be offered as a protocol. It never
 * stands in the address, which ends up in logs. Browsers do send cookies, whatever page asks: those of other pages do not count.
 */
export const offeredCredential: MiddlewareHandler<AppEnv> = async (c, next) => {
  const headers = new Headers(c.req.raw.headers);
  const origin = c.req.header("origin");
  if (origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== new URL(c.req.url).host)) headers.delete("cookie");
  for (const name of offered(c)) {
    const [kind, ...rest] = name.split(".");
    const header = HEADERS[kind ?? ""]?.(rest.join("."));
    if (header !== undefined && !headers.has(header[0])) headers.set(...header);
  }
  c.req.raw = new Request(c.req.raw, { headers });
  await next();
};

const roomOf = (env: Env, entity: Entity, id: string) => env.ROOM.get(env.ROOM.idFromName(`${entity.name}:${id}`));

/** `GET /api/{entities}/:id/room`: a WebSocket, for whoever may read the row. */
export function room(app: Hono<AppEnv>, entity: Entity): void {
  route(app, `/api/${entity.path}/:id/room`, {
    GET: async (c) => {
      const caller = await admit(c, entity.read);
      const id = c.req.param("id") ?? "";
      const filter = where([condition('"id" = ?', id), ...visible(entity, caller)]);
      const row = await c.env.DB.prepare(`SELECT ${selected(entity)} FROM ${quote(entity.name)}${filter.sql}`).bind(...filter.values).first();
      if (row === null) throw notFound();
      if (c.req.header("upgrade")?.toLowerCase() !== "websocket") {
        throw new Problem(426, "Ask for a WebSocket, with the header Upgrade.");
      }
      const protocols = offered(c);
      if (protocols.length > 0 && !protocols.includes(PROTOCOL)) {
        throw new Problem(400, `Offer the protocol ${PROTOCOL} too.`, [{ path: "Sec-WebSocket-Protocol", message: `lacks ${PROTOCOL}` }]);
      }
      const member: Member = { id: uuidv7(), caller, since: Date.now() };
      const { webSocket } = await roomOf(c.env, entity, id).fetch("https://room/", {
        headers: { upgrade: "websocket", member: JSON.stringify(member) },
      });
      if (webSocket === null) throw new Problem(429, "The room is full.", [], { "retry-after": "10" });
      const chosen: Record<string, string> = protocols.length > 0 ? { "sec-websocket-protocol": PROTOCOL } : {};
      return new Response(null, { status: 101, webSocket, headers: chosen });
    },
  });
}

/** Tells rooms what becomes of their rows, behind the answer: the change is stored, whether a room hears of it or not. */
function tell(c: Context<AppEnv>, entity: Entity, ids: readonly string[]): void {
  const telling = Promise.all(ids.slice(0, ROOMS_AT_ONCE).map((id) => roomOf(c.env, entity, id).changed(entity.name, id).catch(console.error)));
  try {
    c.executionCtx.waitUntil(telling);
  } catch {
    // A request that tests make by hand has no context; its work goes on all the same.
  }
}

export const toldInRoom: Hook = {
  afterAll(c, stored) {
    const [first] = stored;
    // Nobody is in the room of a row that has just been made.
    if (first !== undefined) tell(c, first[0].entity, stored.flatMap(([{ id, before }]) => (before === null ? [] : [id])));
  },
  afterBeside: (c, { entity }, rows) => tell(c, entity, rows.filter((row) => row.known === 1).map(({ id }) => id)),
};
