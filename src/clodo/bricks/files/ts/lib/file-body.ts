import { Problem } from "./problem";

/** R2 takes parts of an upload from this size on; all but the last have to be of one size. */
const PART_BYTES = 5 * 1024 * 1024;
/** Beyond this the rest of a refused body is not even read: the connection is dropped. */
const MAX_DRAINED_BYTES = 16 * 1024 * 1024;
const DRAINED_AT_ONCE = 64 * 1024;

/** The body of an upload, read once. */
export class Body {
  private reader: ReadableStreamBYOBReader | undefined;

  constructor(
    private readonly stream: ReadableStream<Uint8Array> | null,
    /** As `Content-Length` says. */
    readonly length: number | undefined,
  ) {
    this.reader = stream?.getReader({ mode: "byob" });
  }

  /** The next bytes: as many as asked for, and fewer only at the end. */
  async take(count: number): Promise<Uint8Array> {
    const read = await this.reader?.readAtLeast(count, new Uint8Array(count));
    return read?.value ?? new Uint8Array();
  }

  /** Lets all that is left flow into a stream. */
  async pour(into: WritableStream<Uint8Array>): Promise<void> {
    this.reader?.releaseLock();
    this.reader = undefined;
    await this.stream?.pipeTo(into);
  }

  /** Reads what is left of a body that is refused, so that the refusal arrives. */
  async drain(): Promise<void> {
    if ((this.length ?? 0) > MAX_DRAINED_BYTES) return;
    for (let left = MAX_DRAINED_BYTES; left > 0; ) {
      // Whoever sends it may be gone.
      const chunk = await this.take(DRAINED_AT_ONCE).catch(() => new Uint8Array());
      if (chunk.byteLength === 0) return;
      left -= chunk.byteLength;
    }
  }
}

/** The most that is taken, and the refusal of what is more. */
export interface Limit {
  readonly max: number;
  /** The limit as it is told. */
  readonly size: string;
}

export const tooLarge = ({ size }: Limit): Problem => new Problem(413, `The file is larger than ${size}.`);

/**
 * Stores a body that begins with `head` as an object, and gives its size. Of a known length it streams through; of
 * one that is not known R2 wants parts, of which one at a time is held in memory.
 */
export async function put(
  bucket: R2Bucket,
  key: string,
  head: Uint8Array,
  body: Body,
  limit: Limit,
  httpMetadata: R2HTTPMetadata,
): Promise<number> {
  if (body.length === undefined) return putParts(bucket, key, head, body, limit, httpMetadata);
  const { readable, writable } = new FixedLengthStream(body.length);
  await Promise.all([bucket.put(key, readable, { httpMetadata }), pump(head, body, writable)]);
  return body.length;
}

async function pump(head: Uint8Array, body: Body, writable: WritableStream<Uint8Array>): Promise<void> {
  const writer = writable.getWriter();
  await writer.write(head);
  writer.releaseLock();
  await body.pour(writable);
}

async function putParts(
  bucket: R2Bucket,
  key: string,
  head: Uint8Array,
  body: Body,
  limit: Limit,
  httpMetadata: R2HTTPMetadata,
): Promise<number> {
  const room = Math.min(PART_BYTES, limit.max + 1);
  let part = joined(head, await body.take(room - head.byteLength));
  let size = part.byteLength;
  if (size > limit.max) throw tooLarge(limit);
  if (size < room) {
    await bucket.put(key, part, { httpMetadata });
    return size;
  }
  const upload = await bucket.createMultipartUpload(key, { httpMetadata });
  try {
    const parts: R2UploadedPart[] = [];
    while (part.byteLength > 0) {
      parts.push(await upload.uploadPart(parts.length + 1, part));
      part = await body.take(PART_BYTES);
      size += part.byteLength;
      if (size > limit.max) throw tooLarge(limit);
    }
    await upload.complete(parts);
    return size;
  } catch (error) {
    await upload.abort().catch(console.error);
    throw error;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.byteLength + second.byteLength);
  bytes.set(first);
  bytes.set(second, first.byteLength);
  return bytes;
}
