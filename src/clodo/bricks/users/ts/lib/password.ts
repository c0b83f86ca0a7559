import * as z from "zod/mini";

/** What a password may be. */
export const PASSWORD = z.string().check(
  z.minLength(8),
  z.maxLength(200),
  z.refine<string>((text) => text.isWellFormed(), "must be well-formed text"),
);

/** PBKDF2 with SHA-256; 100,000 rounds are the most that Workers' WebCrypto allows. */
const ITERATIONS = 100_000;
const SALT_BYTES = 16;

const toBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
const fromBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

async function derive(password: string, salt: Uint8Array, iterations: number): Promise<Uint8Array> {
  const material = new TextEncoder().encode(password.normalize("NFKC"));
  const key = await crypto.subtle.importKey("raw", material, "PBKDF2", false, ["deriveBits"]);
  const parameters = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, 256));
}

/** A salted hash that carries its own parameters. */
export async function hashPassword(password: string): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const hash = await derive(password, salt, ITERATIONS);
  return ["pbkdf2-sha256", ITERATIONS, toBase64(salt), toBase64(hash)].join("$");
}

/** Stands in for the hash of an unknown account, so that both answers take the same time. */
const NOBODY = `pbkdf2-sha256$${ITERATIONS}$${btoa("0".repeat(SALT_BYTES))}$${btoa("0".repeat(32))}`;

export async function verifyPassword(password: string, stored: string | null): Promise<boolean> {
  const [, iterations, salt, hash] = (stored ?? NOBODY).split("$");
  const expected = fromBase64(hash ?? "");
  const actual = await derive(password, fromBase64(salt ?? ""), Number(iterations));
  const equal =
    actual.byteLength === expected.byteLength && crypto.subtle.timingSafeEqual(actual, expected);
  return equal && stored !== null;
}
