import type { Entity, Row } from "./entity";
import { quote } from "./sql";

/** Columns of the rows with some ids, whoever may see them. */
export async function rowsById(db: D1Database, entity: Entity, columns: string, ids: readonly string[]): Promise<Row[]> {
  const select = `SELECT ${columns} FROM ${quote(entity.name)} WHERE "id" IN (SELECT "value" FROM json_each(?))`;
  return (await db.prepare(select).bind(JSON.stringify(ids)).all<Row>()).results;
}
