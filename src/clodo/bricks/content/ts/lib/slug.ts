import type { Context, Hono } from "hono";
import type { AppEnv } from "../env";
import { admit } from "./access";
import { type Entity, type Row, selected, toJson, visible } from "./entity";
import type { Change, Hook } from "./hooks";
import { route } from "./http";
import { notFound } from "./problem";
import { rowsById } from "./rows-by-id";
import { condition, quote, where } from "./sql";

const MOST_LETTERS = 80;
/** Numbers that are tried; behind them chance decides, so that a title that is used often costs no more. */
const TRIES = 50;

/** Letters that do not come apart into a Latin letter and its marks. */
const LETTERS: Readonly<Record<string, string>> = {
  ...{ ß: "ss", æ: "ae", œ: "oe", ø: "o", đ: "d", ð: "d", ł: "l", þ: "th", ı: "i", ħ: "h", ŋ: "n", "&": " and " },
  ...{ а: "a", б: "b", в: "v", г: "g", ґ: "g", д: "d", ђ: "dj", е: "e", є: "ye", ж: "zh", з: "z", и: "i", і: "i", ј: "j" },
  ...{ к: "k", л: "l", љ: "lj", м: "m", н: "n", њ: "nj", о: "o", п: "p", р: "r", с: "s", т: "t", ћ: "c", у: "u", ф: "f" },
  ...{ х: "kh", ц: "ts", ч: "ch", џ: "dz", ш: "sh", щ: "shch", ъ: "", ы: "y", ь: "", э: "e", ю: "yu", я: "ya" },
  ...{ α: "a", β: "v", γ: "g", δ: "d", ε: "e", ζ: "z", η: "i", θ: "th", ι: "i", κ: "k", λ: "l", μ: "m", ν: "n", ξ: "x" },
  ...{ ο: "o", π: "p", ρ: "r", σ: "s", ς: "s", τ: "t", υ: "y", φ: "f", χ: "ch", ψ: "ps", ω: "o" },
};

/** A text as a slug; empty where none of its letters has a Latin form. */
export function slugOf(text: string): string {
  const plain = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const latin = Array.from(plain, (letter) => LETTERS[letter] ?? letter).join("");
  const words = latin.replace(/['’]/g, "").match(/[a-z0-9]+/g) ?? [];
  let slug = "";
  for (const word of words) {
    const longer = slug === "" ? word.slice(0, MOST_LETTERS) : `${slug}-${word}`;
    if (longer.length > MOST_LETTERS) break;
    slug = longer;
  }
  return slug;
}

const baseOf = (entity: Entity, title: unknown): string =>
  slugOf(typeof title === "string" ? title : "") || entity.name.replaceAll("_", "-");

/**
 * Rows get a slug made from the field `source`, unless the body has one. With `follow` it changes with that field.
 * The number behind a slug that is taken is found in the transaction that stores the row, so two rows
 * of one title that come at once get different ones.
 */
export function slugged(source: string, follow: boolean): Hook {
  return {
    check(_c, { entity, before, after }) {
      if (after === null || before === null) return;
      const given = after["slug"] ?? null;
      if (given !== null && given !== before["slug"]) return;
      const renamed = after[source] !== undefined && baseOf(entity, after[source]) !== baseOf(entity, before[source]);
      // A replacement without a slug keeps the one that there is.
      after["slug"] = follow && renamed ? null : before["slug"] ?? null;
    },
    along(c, change) {
      const title = change.after?.[source] ?? change.before?.[source];
      return isMissing(change) ? [numbered(c, change, baseOf(change.entity, title))] : [];
    },
    async afterAll(c, stored) {
      const renamed = stored.filter(([change, row]) => follow && isRenamed(change, row, source));
      if (renamed.length > 0) await c.env.DB.batch(renamed.map(([change, row]) => numbered(c, change, baseOf(change.entity, row[source]))));
      const rows = new Map([...stored.filter(([change]) => isMissing(change)), ...renamed].map(([change, row]) => [change.id, row]));
      const entity = stored[0]?.[0].entity;
      if (entity === undefined || rows.size === 0) return;
      // The whole rows: what else looks at changes has seen one more.
      for (const now of await rowsById(c.env.DB, entity, selected(entity), [...rows.keys()])) Object.assign(rows.get(String(now["id"])) ?? {}, now);
    },
    remembers: follow ? ["slug", source] : [],
    async afterBeside(c, { entity }, touched) {
      const were = new Map(touched.filter(({ known }) => known === 1).map(({ id, was }) => [id, was]));
      /** Whether what the slug is made from has changed, and not the slug: one that somebody has chosen stays. */
      const isStale = (row: Row): boolean => {
        const was = were.get(String(row["id"]));
        return was !== undefined && was["slug"] === row["slug"] && baseOf(entity, was[source]) !== baseOf(entity, row[source]);
      };
      const results = await rowsById(c.env.DB, entity, ["id", "slug", source].map(quote).join(", "), touched.map(({ id }) => id));
      const nameless = results.filter((row) => row["slug"] === null || (follow && isStale(row)));
      if (nameless.length > 0) await c.env.DB.batch(nameless.map((row) => numbered(c, { entity, id: String(row["id"]) }, baseOf(entity, row[source]))));
    },
  };
}

/** Whether an action has changed the field that the slug is made from: the database works out what it stores, behind all that is known before. */
function isRenamed({ entity, before, after }: Change, row: Row, source: string): boolean {
  const given = before === null || after === null || after[source] !== undefined || (after["slug"] ?? before["slug"]) !== before["slug"];
  return !given && baseOf(entity, row[source]) !== baseOf(entity, before[source]);
}

/** Whether the row is stored without a slug, so that one is made beside it. */
const isMissing = ({ after }: Change): boolean => after !== null && after["slug"] === null;

/** Gives the row the base, or the base with the first number that is free. */
function numbered(c: Context<AppEnv>, { entity, id }: Pick<Change, "entity" | "id">, base: string): D1PreparedStatement {
  const table = quote(entity.name);
  const shown = entity.softDelete ? ' AND "deleted_at" IS NULL' : "";
  // Where values are unique within a tenant only, those of others have no say, and are not told by a number.
  const within = (entity.uniqueWithin ?? [])
    .map((column) => ` AND ${quote(column)} IS (SELECT own.${quote(column)} FROM ${table} AS own WHERE own."id" = ?2)`)
    .join("");
  const taken = `EXISTS (SELECT 1 FROM ${table} WHERE "slug" = " try"."slug"${shown}${within})`;
  // No entity has a name with a space in it.
  const tries =
    `WITH RECURSIVE " try" ("number", "slug") AS (SELECT 1, ?1 UNION ALL ` +
    `SELECT "number" + 1, ?1 || '-' || ("number" + 1) FROM " try" WHERE "number" < ${TRIES} AND ${taken}) ` +
    `SELECT "slug" FROM " try" WHERE NOT ${taken}`;
  return c.env.DB.prepare(
    `UPDATE ${table} SET "slug" = coalesce((${tries}), ?1 || '-' || lower(hex(randomblob(6)))) WHERE "id" = ?2`,
  ).bind(base, id);
}

/** `GET /api/{entities}/by-slug/:slug`. */
export function bySlug(app: Hono<AppEnv>, entity: Entity): void {
  route(app, `/api/${entity.path}/by-slug/:slug`, {
    GET: async (c) => {
      const caller = await admit(c, entity.read);
      const filter = where([condition('"slug" = ?', c.req.param("slug") ?? ""), ...visible(entity, caller)]);
      const row = await c.env.DB.prepare(`SELECT ${selected(entity)} FROM ${quote(entity.name)}${filter.sql}`)
        .bind(...filter.values)
        .first<Row>();
      if (row === null) throw notFound();
      return c.json(toJson(entity, row));
    },
  });
}
