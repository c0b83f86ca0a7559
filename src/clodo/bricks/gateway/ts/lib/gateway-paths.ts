import { Problem } from "./problem";

const UNRESERVED = /[A-Za-z0-9._~-]/;
const MALFORMED = /%(?![0-9A-Fa-f]{2})/;
/** What two servers may read differently: empty, dot and hidden segments, slashes and control signs in disguise, once or twice. */
const TRICKS = /\/\/|\\|(^|\/)\.{1,2}(;[^/]*)?(\/|$)|%(2F|5C|[01][0-9A-F]|7F)|%25(2F|5C|2E|[01][0-9A-F])/i;

/** The path of a URL as it was sent, with letters and digits that need no escape written plainly, so that `/%61dmin` is `/admin`. */
export function plainPath(url: string): string {
  const path = /^[a-z]+:\/\/[^/?#]*([^?#]*)/i.exec(url)?.[1] ?? "/";
  return path.replace(/%([0-9A-Fa-f]{2})/g, (escape, hex: string) => {
    const sign = String.fromCharCode(Number.parseInt(hex, 16));
    return UNRESERVED.test(sign) ? sign : escape.toUpperCase();
  });
}

export const ambiguous = (): Problem => new Problem(400, "This path can be read in two ways. Write it plainly.");

/** Refuses a path that the gateway and the server behind it might take for two different ones. */
export function refuseTricks(path: string): void {
  if (MALFORMED.test(path) || TRICKS.test(path)) throw ambiguous();
}

/** The path as servers read it that drop what follows a semicolon and do not tell capitals from small letters. */
export const loosePath = (path: string): string => path.replace(/(;|%3B)[^/]*/gi, "").toLowerCase();
