import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "../env";
import { Problem } from "./problem";

/** Who is calling, as far as the credentials of the request prove it. */
export type Caller =
  | { readonly kind: "nobody" }
  | { readonly kind: "key" }
  | { readonly kind: "user"; readonly id: string; readonly role: string };

/** Who may do something. Any of the roles is enough; `admin` may do what any role may. */
export type Rule = "public" | "key" | "user" | "owner" | { readonly roles: readonly string[] };

/** Recognises one kind of credential, or answers `undefined`. */
export type Authenticator = (c: Context<AppEnv>) => Promise<Caller | undefined>;

/** Makes the authenticators known to the routes; they only run where a rule asks for a caller. */
export function authentication(
  authenticators: readonly Authenticator[],
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    c.set("authenticators", authenticators);
    await next();
  };
}

const unauthorized = (detail: string): Problem =>
  new Problem(401, detail, [], { "www-authenticate": 'Bearer realm="api"' });

export const bearerToken = (c: Context<AppEnv>): string | undefined =>
  /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];

/** All that the credentials of a request prove; it may carry a key and a token. */
async function identify(c: Context<AppEnv>): Promise<Caller[]> {
  const found: Caller[] = [];
  for (const authenticate of c.get("authenticators")) {
    const caller = await authenticate(c);
    if (caller !== undefined) found.push(caller);
  }
  return found;
}

/** The caller, once the rule lets them in. For `owner` any user is let in: rows decide. */
export async function admit(c: Context<AppEnv>, rule: Rule): Promise<Caller> {
  if (rule === "public") return { kind: "nobody" };
  const callers = await identify(c);
  if (callers.length === 0) {
    throw unauthorized(
      c.req.header("authorization") === undefined && c.req.header("x-api-key") === undefined
        ? "This needs a credential."
        : "The credential is not valid.",
    );
  }
  const caller = callers.find((candidate) => allows(rule, candidate));
  if (caller === undefined) throw new Problem(403, "This credential may not do that.");
  return caller;
}

function allows(rule: Rule, caller: Caller): boolean {
  if (rule === "key") return caller.kind === "key";
  if (caller.kind !== "user") return false;
  if (rule === "user" || rule === "owner") return true;
  if (rule === "public") return true;
  return caller.role === "admin" || rule.roles.includes(caller.role);
}
