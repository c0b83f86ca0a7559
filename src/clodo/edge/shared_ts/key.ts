import { Problem } from "./problems";

/** Lets a request through that carries the API key, in `Authorization: Bearer` or in `X-API-Key`; throws otherwise. */
export async function admit(request: Request, secret: string | undefined): Promise<void> {
  if (secret === undefined || secret === "") {
    throw new Problem(503, "The secret API_KEY is not set, so nobody is let in.", { code: "no-key-set" });
  }
  const given = bearer(request) ?? request.headers.get("x-api-key") ?? undefined;
  if (given === undefined || !(await sameText(given, secret))) {
    throw new Problem(401, given === undefined ? "An API key is needed." : "The API key is not the right one.", {
      code: "invalid_api_key",
      headers: { "www-authenticate": "Bearer" },
    });
  }
}

const bearer = (request: Request): string | undefined =>
  /^Bearer +(\S+) *$/i.exec(request.headers.get("authorization") ?? "")?.[1];

/** Compares in constant time; hashing first makes the lengths equal. */
async function sameText(a: string, b: string): Promise<boolean> {
  const hash = (text: string) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const [left, right] = await Promise.all([hash(a), hash(b)]);
  return crypto.subtle.timingSafeEqual(left, right);
}
