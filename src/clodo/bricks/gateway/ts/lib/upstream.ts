import type { AppEnv } from "../env";
import { Problem } from "./problem";

export interface UpstreamOptions {
  readonly name: string;
  readonly address: (env: AppEnv["Bindings"]) => string;
  /** From the last part of the body that came in up to the headers of the answer, all attempts included. */
  readonly timeoutMs: number;
  readonly retries: number;
  readonly breaker?: { readonly failures: number; readonly pauseMs: number };
}

export interface Exchange {
  readonly request: (signal: AbortSignal) => Request;
  /** Whether it may be sent again: its method is idempotent and it has no body that is used up. */
  readonly repeatable: boolean;
  /** Aborts, with a problem, where the caller does wrong while it goes on. */
  readonly refusal: AbortSignal;
  /** Calls back whenever a part of the body has come: who sends much is not who waits long. */
  readonly watch: (moved: () => void) => void;
}

/** Answers that say that the server behind, not the request, is in trouble. */
const TROUBLE = new Set([502, 503, 504]);
/** One more attempt for every five requests, and ten in reserve: retries must not be what keeps a server down. */
const EARNED = 0.2;
const RESERVE = 10;
const FIRST_PAUSE_MS = 25;

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** A server behind the gateway. What it remembers lives in one isolate: each finds out for itself. */
export class Upstream {
  private failures = 0;
  private closedUntil = 0;
  private budget = RESERVE;

  constructor(private readonly options: UpstreamOptions) {}

  /** The address without a slash at its end. */
  address(env: AppEnv["Bindings"]): URL {
    const url = new URL(this.options.address(env));
    url.pathname = url.pathname.replace(/\/+$/, "");
    return url;
  }

  /** The answer, whatever it says; a problem where there is none. */
  async send(exchange: Exchange): Promise<Response> {
    this.refuseWhileBroken();
    this.budget = Math.min(RESERVE, this.budget + EARNED);
    const deadline = new AbortController();
    let timer: number | null = null;
    const start = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => deadline.abort(), this.options.timeoutMs);
    };
    exchange.watch(start);
    start();
    try {
      for (let attempt = 0; ; attempt++) {
        const response = await this.attempt(exchange, deadline.signal);
        if (response !== undefined && !TROUBLE.has(response.status)) return response;
        const again = exchange.repeatable && attempt < this.options.retries && this.budget >= 1;
        if (!again && response !== undefined) return response;
        if (!again) throw new Problem(502, "The server behind this route cannot be reached.");
        this.budget -= 1;
        await response?.body?.cancel();
        // Callers that failed together must not come back together.
        await pause(FIRST_PAUSE_MS * 2 ** attempt * (0.5 + Math.random()));
      }
    } finally {
      exchange.watch(() => undefined);
      clearTimeout(timer);
    }
  }

  /** One answer, or `undefined` where the connection failed. */
  private async attempt(exchange: Exchange, deadline: AbortSignal): Promise<Response | undefined> {
    try {
      const response = await fetch(exchange.request(AbortSignal.any([deadline, exchange.refusal])));
      this.note(!TROUBLE.has(response.status));
      return response;
    } catch (error) {
      if (exchange.refusal.aborted) throw exchange.refusal.reason;
      // A caller that uploads slowly is not the server's failure.
      if (!deadline.aborted || exchange.repeatable) this.note(false);
      if (deadline.aborted) throw new Problem(504, "The server behind this route did not answer in time.");
      console.error(`${this.options.name}: ${String(error)}`);
      return undefined;
    }
  }

  private note(well: boolean): void {
    const { breaker } = this.options;
    if (breaker === undefined) return;
    this.failures = well ? 0 : this.failures + 1;
    this.closedUntil = this.failures >= breaker.failures ? Date.now() + breaker.pauseMs : 0;
  }

  /** While the breaker is open nobody waits for a server that is down. After the pause one request tries. */
  private refuseWhileBroken(): void {
    const { breaker } = this.options;
    if (breaker === undefined || this.failures < breaker.failures) return;
    const left = this.closedUntil - Date.now();
    if (left > 0) {
      throw new Problem(503, "The server behind this route is down. Try again later.", [], {
        "retry-after": String(Math.ceil(left / 1000)),
      });
    }
    this.closedUntil = Date.now() + breaker.pauseMs;
  }
}
