import type { Context } from "hono";
import { matchedRoutes } from "hono/route";
import type { AppEnv } from "../env";

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** The method, or one word for all that callers make up. */
export const methodOf = (c: Context<AppEnv>): string => (METHODS.has(c.req.method) ? c.req.method : "other");

const isEverything = (path: string): boolean => path === "*" || path === "/*";

/** The pattern of the route that answered. Never the path: it has ids in it, and whatever callers make up. */
export function routeOf(c: Context<AppEnv>): string {
  const paths = matchedRoutes(c).map((route) => route.path);
  const answered = paths[c.req.routeIndex] ?? "*";
  // Where a middleware answered, the request was for the first route that matches: `/import` stands before `/:id`.
  const route = isEverything(answered) ? (paths.find((path) => !path.includes("*")) ?? paths.at(-1) ?? "*") : answered;
  return isEverything(route) ? "unmatched" : route;
}
