/** How the bytes of each type of image begin, as one character for each byte. */
const SIGNATURES: Readonly<Record<string, RegExp>> = {
  "image/png": /^\x89PNG\r\n\x1a\n/,
  "image/jpeg": /^\xff\xd8\xff/,
  "image/gif": /^GIF8[79]a/,
  "image/webp": /^RIFF[\s\S]{4}WEBP/,
  // Its first box names the brands that the file can be read as.
  "image/avif": /^[\s\S]{4}ftyp(?:[\s\S]{4}){0,12}?avi[fs]/,
};

/** As many of the first bytes as the signatures look at. */
export const HEAD_BYTES = 64;

/** Whether bytes begin as an image of that type does. */
export const beginsAs = (type: string, head: Uint8Array): boolean =>
  SIGNATURES[type]?.test(String.fromCharCode(...head)) ?? false;

const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,49}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,79}$/;

/** The media type of a `Content-Type`, without its parameters; `undefined` where it is none. */
export function mediaType(header: string | undefined): string | undefined {
  const type = header?.split(";")[0]?.trim().toLowerCase();
  return type !== undefined && MEDIA_TYPE.test(type) ? type : undefined;
}

/** Forms hold files among other things; a file itself has another type. */
export const isForm = (type: string): boolean =>
  type === "multipart/form-data" || type === "application/x-www-form-urlencoded";

const MAX_NAME = 100;
/** No name is longer than this before it is looked at closely. */
const MAX_GIVEN = 1000;

/** The file name of a `Content-Disposition`, made safe to store and to show; `undefined` where there is none. */
export function fileName(disposition: string): string | undefined {
  const extended = /(?:^|;)\s*filename\*\s*=\s*utf-8'[^';]*'([^;\s]+)/i.exec(disposition)?.[1];
  const plain = /(?:^|;)\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]+))/i.exec(disposition);
  const given = decoded(extended) ?? plain?.[1]?.replaceAll(/\\(["\\])/g, "$1") ?? plain?.[2];
  return given === undefined ? undefined : safeName(given.slice(-MAX_GIVEN));
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** A name without folders, hidden or odd characters; what is too long loses its middle, never its ending. */
function safeName(given: string): string | undefined {
  const name = given
    .replaceAll(/^[\s\S]*[/\\]/g, "")
    .normalize("NFC")
    // Controls, and marks that turn the direction of what follows.
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "")
    .replaceAll(/["*:<>?|]/g, "_")
    .replaceAll(/^[\s.]+|[\s.]+$/g, "");
  const ending = /\.[A-Za-z0-9]{1,9}$/.exec(name)?.[0] ?? "";
  const stem = [...name.slice(0, name.length - ending.length)].slice(0, MAX_NAME - ending.length).join("");
  return `${stem}${ending}` || undefined;
}

/** A `Content-Disposition` that names a file, for old readers in ASCII and for others in full. */
export function disposition(kind: "inline" | "attachment", name: string): string {
  const ascii = name.replaceAll(/[^\x20-\x7e]|["\\%]/g, "_");
  const full = encodeURIComponent(name).replaceAll(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `${kind}; filename="${ascii}"; filename*=UTF-8''${full}`;
}
