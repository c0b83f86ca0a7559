// The peer: what a good developer writes by hand for one list endpoint, with the same promises as the
// generated one (bounded limit, keyset cursor, price in hundredths, null on the last page).
import { Hono } from "hono";

interface Row {
  id: string;
  title: string;
  author_name: string | null;
  isbn: string;
  price: number | null;
  created_at: string;
  updated_at: string;
}

export const peer = new Hono<{ Bindings: { DB: D1Database } }>();

peer.get("/peer/books", async (c) => {
  const limit = Number(c.req.query("limit") ?? "20");
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) {
    return c.json({ title: "Bad Request", status: 400, detail: "limit" }, 400);
  }
  const cursor = c.req.query("cursor") ?? "";
  const { results } = await c.env.DB.prepare(
    "SELECT id, title, author_name, isbn, price, created_at, updated_at FROM book WHERE id > ? ORDER BY id LIMIT ?",
  )
    .bind(cursor, limit + 1)
    .all<Row>();
  const items = results
    .slice(0, limit)
    .map((row) => ({ ...row, price: row.price === null ? null : row.price / 100 }));
  const next_cursor = results.length > limit ? (items.at(-1)?.id ?? null) : null;
  return c.json({ items, next_cursor });
});
