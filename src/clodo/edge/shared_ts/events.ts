import { openaiError } from "./problems";

/** Sends one event: a string as it is, anything else as JSON. Rejects when the caller has gone away. */
export type Send = (data: unknown) => Promise<void>;

/**
 * An answer of server-sent events. `produce` runs to its end even when the caller goes away, so that its `finally` blocks run; it
 * is told by `send`, which rejects then. A failure becomes a last event, as the status has long been sent.
 */
export function eventStream(context: ExecutionContext, produce: (send: Send) => Promise<void>): Response {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  const send: Send = (data) => {
    const text = typeof data === "string" ? data : JSON.stringify(data);
    return writer.write(encoder.encode(`data: ${text}\n\n`));
  };
  context.waitUntil(pump(produce, send, writer));
  return new Response(readable, {
    headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store", "x-accel-buffering": "no" },
  });
}

async function pump(
  produce: (send: Send) => Promise<void>,
  send: Send,
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  let gone = false;
  writer.closed.catch(() => (gone = true));
  try {
    await produce(send);
    await writer.close();
  } catch (error) {
    // Nobody reads any more: there is nobody to tell either.
    if (gone) return;
    await send(openaiError(error)).catch(() => undefined);
    await writer.close().catch(() => undefined);
  }
}
