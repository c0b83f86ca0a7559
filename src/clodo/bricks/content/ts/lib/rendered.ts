import type { Context } from "hono";
import type { AppEnv } from "../env";
import type { Entity, Row } from "./entity";
import type { Hook } from "./hooks";
import { markdownToHtml } from "./markdown";
import { rowsById } from "./rows-by-id";
import { quote } from "./sql";

/** Keeps the HTML of a field of Markdown beside it. It is made when the field is stored, and not each time that it is read. */
export function rendered(source: string, html: string): Hook {
  const made = (text: unknown): string | null => (typeof text === "string" ? markdownToHtml(text) : null);
  /** What actions and schedules store is worked out by the database, so that its HTML can be made behind that only. */
  async function makeGood(c: Context<AppEnv>, entity: Entity, rows: readonly Row[]): Promise<void> {
    const stale = rows.filter((row) => made(row[source]) !== (row[html] ?? null));
    // Somebody may have changed the text since.
    const update = `UPDATE ${quote(entity.name)} SET ${quote(html)} = ? WHERE "id" = ? AND ${quote(source)} IS ?`;
    for (const row of stale) row[html] = made(row[source]);
    if (stale.length > 0) await c.env.DB.batch(stale.map((row) => c.env.DB.prepare(update).bind(row[html] ?? null, row["id"], row[source] ?? null)));
  }
  return {
    check(_c, { after }) {
      if (after !== null && after[source] !== undefined) after[html] = made(after[source]);
    },
    async after(c, { entity, before, after }, row) {
      const isGiven = after === null || after[source] !== undefined;
      if (!isGiven && (row[source] ?? null) !== (before?.[source] ?? null)) await makeGood(c, entity, [row]);
    },
    async afterBeside(c, { entity }, touched) {
      const columns = ["id", source, html].map(quote).join(", ");
      await makeGood(c, entity, await rowsById(c.env.DB, entity, columns, touched.map(({ id }) => id)));
    },
  };
}
