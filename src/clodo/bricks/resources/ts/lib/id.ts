/** The last moment that an id was made for, and the count within it. */
let last = 0;
let count = 0;
const MAX_COUNT = 0xfff;

/**
 * A UUIDv7: time-ordered, so that the order of ids is the order of creation. Ids of one millisecond
 * are counted (RFC 9562, 6.2, method 1); only those of two instances of the service within one
 * millisecond come in any order.
 */
export function uuidv7(): string {
  const now = Date.now();
  count = now > last ? 0 : count + 1;
  // The clock may stand still or go back; ids go on.
  last = Math.max(now, last) + (count > MAX_COUNT ? 1 : 0);
  if (count > MAX_COUNT) count = 0;
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(last / 0x10000));
  view.setUint16(4, last % 0x10000);
  view.setUint16(6, 0x7000 | count);
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
