/** What is read at once. The peak of loading is the WebAssembly memory and one such buffer. */
const CHUNK_BYTES = 256 * 1024;

/** Where weights lie: static assets of the Worker, or a bucket of R2 where it has one. */
export interface WeightsEnv {
  readonly ASSETS?: Fetcher;
  readonly WEIGHTS?: R2Bucket;
  /** What keys begin with in the bucket, which the Workers of a model share. */
  readonly WEIGHTS_PREFIX?: string;
}

/** The bytes of a weights file. `path` is as under `assets/`. */
export async function openWeights(env: WeightsEnv, path: string): Promise<ReadableStream<Uint8Array>> {
  if (env.WEIGHTS !== undefined) {
    const found = await env.WEIGHTS.get(`${env.WEIGHTS_PREFIX ?? ""}${path}`);
    if (found === null) throw new Error(`The bucket of weights holds no ${path}.`);
    return found.body;
  }
  if (env.ASSETS === undefined) throw new Error("The Worker has no binding of weights: neither ASSETS nor WEIGHTS.");
  const answer = await env.ASSETS.fetch(`https://assets.local/${path}`);
  if (!answer.ok || answer.body === null) throw new Error(`The weights ${path} cannot be read (status ${answer.status}).`);
  return answer.body;
}

/**
 * Streams a weights file to a place in WebAssembly memory and never holds it twice. The file must have exactly `bytes` bytes;
 * one that is longer is not read on, so that nothing beyond its place is written. `beat` is called as bytes arrive.
 */
export async function loadWeights(
  env: WeightsEnv,
  path: string,
  memory: WebAssembly.Memory,
  pointer: number,
  bytes: number,
  beat: () => void = () => undefined,
): Promise<void> {
  const written = await streamInto(await openWeights(env, path), memory, pointer, bytes, beat);
  if (written !== bytes) throw new Error(`The weights ${path} have ${written} bytes and not ${bytes}.`);
}

/** Writes a stream to memory from `pointer` on and returns its bytes; throws where it has more than `room`. */
export async function streamInto(
  body: ReadableStream<Uint8Array>,
  memory: WebAssembly.Memory,
  pointer: number,
  room: number,
  beat: () => void = () => undefined,
): Promise<number> {
  const reader = body.getReader({ mode: "byob" });
  let buffer = new ArrayBuffer(CHUNK_BYTES);
  let written = 0;
  for (;;) {
    const { done, value } = await reader.readAtLeast(CHUNK_BYTES, new Uint8Array(buffer));
    if (value !== undefined) {
      if (written + value.byteLength > room) {
        await reader.cancel("too long");
        throw new Error(`A weights file has more than the ${room} bytes that there is room for.`);
      }
      // The view is made anew each time: memory that grows gets another buffer.
      new Uint8Array(memory.buffer, pointer + written, value.byteLength).set(value);
      written += value.byteLength;
      buffer = value.buffer as ArrayBuffer;
      beat();
    }
    if (done) return written;
  }
}
