import type { Context, Hono } from "hono";
import * as z from "zod/mini";
import type { AppEnv } from "../env";
import { checkBody } from "./body";
import { readJsonObject, route } from "./http";
import { Problem } from "./problem";
import { admitInPerson } from "./users";

const LIFETIME_SECONDS = 600;
const AUDIENCE = z.string().check(z.minLength(1), z.maxLength(200));
const KEY_CACHE = "public, max-age=300";
/** What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410). */
const PKCS8 = Uint8Array.from([0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20]);

interface Pair {
  readonly sign: CryptoKey;
  readonly shown: Readonly<Record<"kty" | "crv" | "x" | "kid" | "use" | "alg", string>>;
}

/** `POST /api/auth/token`, and the keys that other services check such tokens with. `confirms` says whether accounts show that their
 * address is their own: where they do not, whoever registers names any address. */
export function serviceTokens(app: Hono<AppEnv>, confirms: boolean): void {
  const columns = `"email", "role"${confirms ? ', "email_confirmed"' : ""}`;

  route(app, "/.well-known/jwks.json", {
    GET: async (c) => c.json({ keys: [(await pairOf(c)).shown] }, 200, { "cache-control": KEY_CACHE }),
  });

  route(app, "/api/auth/token", {
    POST: async (c) => {
      const user = await admitInPerson(c);
      const { audience, ...rest } = await readJsonObject(c);
      checkBody({}, rest, [["audience", AUDIENCE, audience]]);
      const found = await c.env.DB.prepare(`SELECT ${columns} FROM "user" WHERE "id" = ?`)
        .bind(user.id)
        .first<{ email: string; role: string; email_confirmed?: number }>();
      if (found === null) throw new Problem(401, "This account is no longer there.");
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        iss: new URL(c.req.url).origin,
        sub: user.id,
        aud: audience,
        email: found.email,
        email_verified: found.email_confirmed === 1,
        role: found.role,
        iat: now,
        exp: now + LIFETIME_SECONDS,
      };
      return c.json({ access_token: await signed(await pairOf(c), claims), token_type: "Bearer", expires_in: LIFETIME_SECONDS });
    },
  });
}

const base64url = (bytes: ArrayBuffer | Uint8Array): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

async function signed({ sign, shown }: Pair, claims: Readonly<Record<string, unknown>>): Promise<string> {
  const header = { alg: "EdDSA", typ: "JWT", kid: shown.kid };
  const content = `${base64url(encode(JSON.stringify(header)))}.${base64url(encode(JSON.stringify(claims)))}`;
  return `${content}.${base64url(await crypto.subtle.sign("Ed25519", sign, encode(content)))}`;
}

let known: { readonly secret: string; readonly pair: Promise<Pair> } | undefined;

/** The key pair of this service. */
function pairOf(c: Context<AppEnv>): Promise<Pair> {
  const secret = c.env.JWT_SECRET;
  if (!secret) throw new Problem(500, "The secret JWT_SECRET is not set.");
  if (known?.secret !== secret) known = { secret, pair: derived(secret) };
  return known.pair;
}

/** Ed25519 takes any 32 bytes for a key, so that one can follow from the secret (HKDF, RFC 5869). */
async function derived(secret: string): Promise<Pair> {
  const material = await crypto.subtle.importKey("raw", encode(secret), "HKDF", false, ["deriveBits"]);
  const hkdf = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: encode("tokens for other services") };
  const seed = new Uint8Array(await crypto.subtle.deriveBits(hkdf, material, 256));
  const sign = await crypto.subtle.importKey("pkcs8", Uint8Array.from([...PKCS8, ...seed]), "Ed25519", true, ["sign"]);
  const { x } = (await crypto.subtle.exportKey("jwk", sign)) as JsonWebKey;
  if (x === undefined) throw new Error("The public key cannot be worked out.");
  // The thumbprint of RFC 7638: its members in the order of their names.
  const print = await crypto.subtle.digest("SHA-256", encode(JSON.stringify({ crv: "Ed25519", kty: "OKP", x })));
  return { sign, shown: { kty: "OKP", crv: "Ed25519", x, kid: base64url(print), use: "sig", alg: "EdDSA" } };
}
