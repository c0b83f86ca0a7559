import type { Hono } from "hono";
import type { AppEnv } from "../env";
import { route } from "./http";

/** `GET /motto`. */
export function motto(app: Hono<AppEnv>, text: string): void {
  route(app, "/motto", { GET: (c) => c.json({ motto: text }) });
}
