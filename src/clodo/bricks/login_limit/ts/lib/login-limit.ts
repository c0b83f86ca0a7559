import type { Context, Hono } from "hono";
import type { AppEnv } from "../env";
import { uuidv7 } from "./id";
import { Problem } from "./problem";
import { mark } from "./token";
import { takePart } from "./users";

/**
 * So many attempts on one account from one address may fail within `seconds`. Each attempt takes its place before
 * the password is looked at, so that attempts at once are counted too; a right password clears them.
 */
export function loginLimit(app: Hono<AppEnv>, attempts: number, seconds: number): void {
  takePart(app, {
    attempt: async (c, address) => {
      const who = await marked(c, address);
      const now = Date.now();
      const since = now - seconds * 1000;
      const db = c.env.DB;
      const [, taken, first] = await db.batch<{ at: number | null }>([
        db.prepare('DELETE FROM "user__attempt" WHERE "at" <= ?').bind(since),
        db
          .prepare(
            'INSERT INTO "user__attempt" ("id", "who", "at") SELECT ?1, ?2, ?3 WHERE (SELECT COUNT(*) FROM "user__attempt" WHERE "who" = ?2) < ?4',
          )
          .bind(uuidv7(), who, now, attempts),
        db.prepare('SELECT MIN("at") AS "at" FROM "user__attempt" WHERE "who" = ?').bind(who),
      ]);
      if (taken?.meta.changes !== 0) return;
      const wait = Math.max(1, Math.ceil(((first?.results[0]?.at ?? now) - since) / 1000));
      throw new Problem(429, "Too many attempts to log in.", [], { "retry-after": String(wait) });
    },
    succeeded: async (c, address) => {
      await c.env.DB.prepare('DELETE FROM "user__attempt" WHERE "who" = ?')
        .bind(await marked(c, address))
        .run();
    },
  });
}

/** The account and where the request comes from, as a mark: neither is kept. */
const marked = (c: Context<AppEnv>, address: string): Promise<string> =>
  mark(c, "attempt", `${network(c.req.header("cf-connecting-ip") ?? "")} ${address}`);

/** An address, or of IPv6 the network of a household: one of them has addresses without end. */
function network(ip: string): string {
  if (!ip.includes(":")) return ip;
  const [front = "", back = ""] = ip.toLowerCase().split("::");
  const [head, tail] = [front, back].map((part) => part.split(":").filter((group) => group !== ""));
  const missing = ip.includes("::") ? Math.max(0, 8 - (head?.length ?? 0) - (tail?.length ?? 0)) : 0;
  const groups = [...(head ?? []), ...Array<string>(missing).fill("0"), ...(tail ?? [])];
  return groups.slice(0, 4).map((group) => group.padStart(4, "0")).join(":");
}
