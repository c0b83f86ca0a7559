/**
 * Turns bytes into text as it may be shown: a character whose last bytes are to come is held back, and so is what may be the
 * beginning of a stop word. A stop word itself and what follows are never shown.
 */
export class TextStream {
  /** Whether a stop word was met. */
  stopped = false;
  #decoder = new TextDecoder();
  #held = "";
  #stops: readonly string[];

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** Takes more bytes and returns what may be shown now. */
  push(bytes: Uint8Array): string {
    if (this.stopped) return "";
    return this.#show(this.#decoder.decode(bytes, { stream: true }), false);
  }

  /** What is left when nothing more comes. */
  end(): string {
    return this.stopped ? "" : this.#show(this.#decoder.decode(), true);
  }

  #show(text: string, last: boolean): string {
    const all = this.#held + text;
    const places = this.#stops.map((stop) => all.indexOf(stop)).filter((place) => place >= 0);
    if (places.length > 0) {
      this.stopped = true;
      return all.slice(0, Math.min(...places));
    }
    const kept = last ? 0 : Math.max(0, ...this.#stops.map((stop) => overlap(all, stop)));
    this.#held = all.slice(all.length - kept);
    return all.slice(0, all.length - kept);
  }
}

/** How much of the end of a text is the beginning of a stop word. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
