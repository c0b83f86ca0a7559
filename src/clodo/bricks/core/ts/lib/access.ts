import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "../env";
import { Problem } from "./problem";

/** An account, as a credential proves it. */
export interface User {
  readonly id: string;
  readonly role: string;
  /** The session that the credential belongs to, in services with sessions. */
  readonly session?: string;
  /** Known by a key of the account's own, which may do all but manage the account. */
  readonly byKey?: true;
}

/** Who is calling: all that the credentials of the request prove. It may carry a key and a token. */
export interface Caller {
  readonly key?: true;
  readonly user?: User;
  /** Nobody calls: it is a time of a schedule. */
  readonly clock?: true;
  /** The tenant that the request is about, in services with tenants; null where the user is no member of it. */
  readonly tenant?: string | null;
}

/** Who may do something. Any of the roles is enough; `admin` may do what any role may. With `owner`, so may whoever owns the row. */
export type Rule = "public" | "key" | "user" | "owner" | { readonly owner?: true; readonly roles: readonly string[] };

/** Recognises one kind of credential, or answers `undefined`; `known` is what those before it have found. */
export type Authenticator = (c: Context<AppEnv>, known: Caller) => Promise<Caller | undefined>;

/** Makes the authenticators known to the routes. */
export function authentication(
  authenticators: readonly Authenticator[],
): MiddlewareHandler<AppEnv> {
  return (c, next) => {
    c.set("authenticators", authenticators);
    return next();
  };
}

const unauthorized = (detail: string): Problem =>
  new Problem(401, detail, [], { "www-authenticate": 'Bearer realm="api"' });

export const bearerToken = (c: Context<AppEnv>): string | undefined =>
  /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];

/** Callers by request: a request may ask for several rules, and its credentials are looked at once. */
const known = new WeakMap<Context<AppEnv>, Promise<Caller>>();

function identify(c: Context<AppEnv>): Promise<Caller> {
  const caller = known.get(c) ?? prove(c);
  known.set(c, caller);
  return caller;
}

async function prove(c: Context<AppEnv>): Promise<Caller> {
  let caller: Caller = {};
  for (const authenticate of c.get("authenticators")) caller = { ...caller, ...(await authenticate(c, caller)) };
  return caller;
}

/**
 * The caller, once the rule lets them in. For `owner` any user is let in: rows decide. Where
 * everybody is let in, a user is still known: some rows may be theirs alone.
 */
export async function admit(c: Context<AppEnv>, rule: Rule): Promise<Caller> {
  const caller = await identify(c);
  if (allows(rule, caller)) return caller;
  if (caller.key === undefined && caller.user === undefined) {
    throw unauthorized(
      c.req.header("authorization") === undefined && c.req.header("x-api-key") === undefined
        ? "This needs a credential."
        : "The credential is not valid.",
    );
  }
  throw new Problem(403, "This credential may not do that.");
}

/** Whether a rule lets a caller in. */
export function allows(rule: Rule, caller: Caller): boolean {
  if (rule === "public") return true;
  if (rule === "key") return caller.key === true;
  if (caller.user === undefined) return false;
  if (rule === "user" || rule === "owner") return true;
  return rule.owner === true || hasRole(rule.roles, caller);
}

const hasRole = (roles: readonly string[], { user }: Caller): boolean =>
  user !== undefined && (user.role === "admin" || roles.includes(user.role));

/** Whether a rule speaks of the owner of a row. */
export const isOwners = (rule: Rule): boolean => rule === "owner" || (typeof rule === "object" && rule.owner === true);

/** Whether a rule lets this caller get at rows of their own alone. */
export const ownAlone = (rule: Rule, caller: Caller): boolean =>
  isOwners(rule) && (typeof rule === "string" || !hasRole(rule.roles, caller));
