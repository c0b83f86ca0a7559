/** Names that mean a machine or a network of one's own, whatever stands before them. */
const LOCAL = /(^|\.)(localhost|localdomain|local|internal|intranet|private|corp|home|lan|arpa)$/;
const MAX_LENGTH = 2000;

/**
 * What is wrong with an address to send to; `undefined` where nothing is. Only https to hosts with public names
 * is fine, so that nobody reaches through this service what only it can reach. `local` names hosts
 * (`127.0.0.1, localhost`) that are let through with http too, for development.
 */
export function urlFault(text: string, local: string | undefined): string | undefined {
  // The parser drops some of these; what is stored is to be what is called.
  const plain = text.isWellFormed() && !/[\s\p{Cc}]/u.test(text);
  const url = plain && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || text.length > MAX_LENGTH) return `must be a URL of at most ${MAX_LENGTH} characters`;
  if (url.username !== "" || url.password !== "") return "must not carry a user name or a password";
  if (url.hash !== "") return "must not have a fragment";
  const allowed = (local ?? "").split(",").map((host) => host.trim());
  if (allowed.includes(url.hostname) && /^https?:$/.test(url.protocol)) return undefined;
  if (url.protocol !== "https:") return "must begin with https://";
  // The parser has turned every way to write an IPv4 address (0x7f.1, 2130706433) into four numbers.
  const host = url.hostname.replace(/\.+$/, "");
  if (host.startsWith("[") || /^[\d.]+$/.test(host)) return "must name a host, not an address";
  if (!host.includes(".") || LOCAL.test(host)) return "must not name a local host";
  return undefined;
}
