/** The upper edges of the buckets of durations, in seconds. */
const EDGES = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

type Labels = Readonly<Record<string, string>>;

interface Duration {
  count: number;
  sum: number;
  readonly buckets: number[];
}

/**
 * Counts of this isolate, as Prometheus reads them. Cloudflare runs many isolates and ends them when it likes, so these
 * are counts since this one started, and `edge_isolate_info` tells isolates apart.
 */
export class Metrics {
  #counters = new Map<string, Map<string, number>>();
  #gauges = new Map<string, () => number>();
  #durations = new Map<string, Duration>();
  #isolate: string | undefined;

  /** Adds to a counter; names end in `_total`. */
  add(name: string, labels: Labels = {}, by = 1): void {
    const series = this.#counters.get(name) ?? new Map<string, number>();
    this.#counters.set(name, series);
    const key = shown(labels);
    series.set(key, (series.get(key) ?? 0) + by);
  }

  /** A value that is read whenever it is asked for. */
  gauge(name: string, read: () => number): void {
    this.#gauges.set(name, read);
  }

  /** Counts a request and how long it took. Time is that between inputs and outputs: computing alone moves no clock. */
  request(route: string, status: number, seconds: number): void {
    this.add("edge_requests_total", { route, status: String(status) });
    const found = this.#durations.get(route) ?? { count: 0, sum: 0, buckets: EDGES.map(() => 0) };
    this.#durations.set(route, found);
    found.count += 1;
    found.sum += seconds;
    EDGES.forEach((edge, i) => {
      if (seconds <= edge) found.buckets[i] = (found.buckets[i] ?? 0) + 1;
    });
  }

  /** The page that `GET /metrics` answers. */
  page(): string {
    // Random values may not be had when a Worker starts, only in a request.
    this.#isolate ??= crypto.randomUUID();
    const lines = ["# TYPE edge_isolate_info gauge", `edge_isolate_info${shown({ isolate: this.#isolate })} 1`];
    for (const [name, series] of this.#counters) {
      lines.push(`# TYPE ${name} counter`, ...[...series].map(([labels, value]) => `${name}${labels} ${value}`));
    }
    for (const [name, read] of this.#gauges) lines.push(`# TYPE ${name} gauge`, `${name} ${read()}`);
    if (this.#durations.size > 0) lines.push("# TYPE edge_request_duration_seconds histogram");
    for (const [route, found] of this.#durations) lines.push(...histogram(route, found));
    return `${lines.join("\n")}\n`;
  }
}

function histogram(route: string, { count, sum, buckets }: Duration): string[] {
  const name = "edge_request_duration_seconds";
  return [
    ...EDGES.map((edge, i) => `${name}_bucket${shown({ route, le: String(edge) })} ${buckets[i] ?? 0}`),
    `${name}_bucket${shown({ route, le: "+Inf" })} ${count}`,
    `${name}_sum${shown({ route })} ${sum}`,
    `${name}_count${shown({ route })} ${count}`,
  ];
}

function shown(labels: Labels): string {
  const all = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/["\\\n]/g, escaped)}"`);
  return all.length === 0 ? "" : `{${all.join(",")}}`;
}

const escaped = (sign: string): string => (sign === "\n" ? "\\n" : `\\${sign}`);

export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
