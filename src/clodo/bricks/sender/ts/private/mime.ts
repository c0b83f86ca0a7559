/** A mail of plain text. */
export interface Letter {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

const LINE = 76;
/** So many bytes of an encoded word make 52 signs of base64: with what is around them, and the header's name, they stay below the 76 of RFC 2047. */
const WORD_BYTES = 39;
const ADDRESS = /^[A-Za-z0-9._'+%&-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/;
const encoder = new TextEncoder();

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** A text of a header: as it is where it is short and plain, else in encoded words, none of which cuts a sign apart (RFC 2047). */
function phrase(text: string): string {
  if (/^[\x20-\x7e]{0,60}$/.test(text) && !text.includes("=?")) return text;
  const words: number[][] = [[]];
  for (const sign of text.toWellFormed()) {
    const bytes = encoder.encode(sign);
    if ((words.at(-1)?.length ?? 0) + bytes.length > WORD_BYTES) words.push([]);
    words.at(-1)?.push(...bytes);
  }
  return words.map((word) => `=?UTF-8?B?${base64(Uint8Array.from(word))}?=`).join("\r\n ");
}

/** An address that can stand in a header. What is none could bring a header of its own. */
function address(text: string): string {
  if (text.length > 254 || !ADDRESS.test(text)) throw new TypeError("no e-mail address");
  return text;
}

/** The mail as it goes over the line (RFC 5322, 2045): all of it is ASCII, and no line is longer than may be. */
export function mime({ id, from, to, subject, text }: Letter): string {
  const body = base64(encoder.encode(text.toWellFormed().replace(/\r\n|\r|\n/g, "\r\n")));
  const lines = body.match(new RegExp(`.{1,${LINE}}`, "g")) ?? [];
  return [
    `From: <${address(from)}>`,
    `To: <${address(to)}>`,
    `Subject: ${phrase(subject)}`,
    // The same for every try, so that a mail that arrives twice is known as one.
    `Message-ID: <${id.replace(/[^A-Za-z0-9-]/g, "")}@${from.slice(from.lastIndexOf("@") + 1)}>`,
    `Date: ${new Date().toUTCString().replace("GMT", "+0000")}`,
    "Auto-Submitted: auto-generated",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: base64",
    "",
    ...lines,
    "",
  ].join("\r\n");
}
