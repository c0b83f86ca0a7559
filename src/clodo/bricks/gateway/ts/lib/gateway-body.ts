import type { Context } from "hono";
import type { AppEnv } from "../env";
import { Problem } from "./problem";

/** Beyond this the rest of a body that is too large is not even read: the connection is dropped. */
const MAX_DRAINED_BYTES = 16 * 1024 * 1024;

export interface Body {
  readonly stream: ReadableStream | null;
  /** Aborts with the refusal, once more has come than may. */
  readonly signal: AbortSignal;
  /** Calls back whenever a part has come. */
  readonly watch: (moved: () => void) => void;
}

/** The body of a request, handed on as it comes in and never held as a whole. */
export async function boundedBody(c: Context<AppEnv>, maxBytes: number): Promise<Body> {
  const length = c.req.header("content-length");
  const none = c.req.method === "GET" || c.req.method === "HEAD" || length === "0";
  const stream = none ? null : c.req.raw.body;
  const stop = new AbortController();
  let moved = (): void => undefined;
  const body = { signal: stop.signal, watch: (listener: () => void) => (moved = listener) };
  if (stream === null) return { ...body, stream };
  const tooLarge = new Problem(413, `The body is larger than ${maxBytes} bytes.`);
  if (Number(length ?? 0) > maxBytes) {
    await drain(stream);
    throw tooLarge;
  }
  let size = 0;
  const counted = stream.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        moved();
        size += chunk.byteLength;
        if (size <= maxBytes) return controller.enqueue(chunk);
        // A stream that merely fails would reach the upstream as a shorter body that ends well.
        stop.abort(tooLarge);
        controller.error(tooLarge);
      },
    }),
  );
  const known = length === undefined ? counted : counted.pipeThrough(new FixedLengthStream(Number(length)));
  return { ...body, stream: known };
}

/** Reads a body to its end, so that the refusal arrives. */
async function drain(stream: ReadableStream): Promise<void> {
  const reader = (stream as ReadableStream<Uint8Array>).getReader();
  for (let size = 0; size <= MAX_DRAINED_BYTES; ) {
    const { done, value } = await reader.read();
    if (done) return;
    size += value.byteLength;
  }
}
