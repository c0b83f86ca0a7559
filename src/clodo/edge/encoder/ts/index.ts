import { type Characters, codePoints } from "./characters";
import wasm from "./encoder.wasm";
import { Kernel } from "./kernel";
import { layout } from "./layout";
import openapi from "./openapi.json";
import { answer, type Front, type FrontEnv, json, readObject } from "./shared/front";
import { Loading, type Progress } from "./shared/loading";
import { Metrics } from "./shared/metrics";
import { type FieldError, Problem } from "./shared/problems";
import { Queue } from "./shared/queue";
import { loadWeights, openWeights, type WeightsEnv } from "./shared/weights";
import type { Tables } from "./tables";
import { Understander, type Understanding } from "./understanding";

type Env = FrontEnv & WeightsEnv;

/** As many characters as the command line takes. */
const MOST_CHARACTERS = 20_000;
/** How many unknown fields are told. */
const MOST_ERRORS = 10;
/** As many as there is memory for, whoever comes with the longest texts. */
const MOST_WAITING = 8;
const MOST_ARRIVING = 2;

const metrics = new Metrics();
/** The network works on one text at a time, and so does all that follows it: what one text takes is had once. */
const queue = new Queue(1, MOST_WAITING);
/** Bodies are read a few at a time, for all that come at once would lie here at once. Whoever waits has no more here than its text. */
const arriving = new Queue(MOST_ARRIVING, MOST_WAITING);
/** One for the isolate: a second loading writes the same to the same place. */
const kernel = new Kernel(wasm);
let environment: Env | undefined;
const loading = new Loading(load);

async function load({ step, beat }: Progress): Promise<Understander> {
  const env = environment;
  if (env === undefined) throw new Error("Nothing can be loaded before the first request.");
  const tables = await new Response(await openWeights(env, "tables.json")).json<Tables>();
  const words = new Uint8Array(await new Response(await openWeights(env, "words.bin")).arrayBuffer());
  const bytes = layout.weights.reduce((sum, file) => sum + file.bytes, 0);
  let at = kernel.room(bytes);
  for (const file of layout.weights) {
    await loadWeights(env, file.path, kernel.memory, at, file.bytes, beat);
    at += file.bytes;
    step();
  }
  kernel.start(bytes, tables.labels);
  metrics.gauge("edge_wasm_bytes", () => kernel.memory.buffer.byteLength);
  return new Understander(tables, words, kernel);
}

async function blueprint(request: Request): Promise<Response> {
  const arrived = Date.now();
  const understander = await loading.whole();
  const text = await arriving.run(() => descriptionOf(request, understander.characters), request.signal);
  const timings = { prefill: 0, decode: 0, model: 0, build: 0, verify: 0, total: 0 };
  const made = await queue.run(async ({ beat }) => {
    // The clock stands still while a Worker computes and moves where it waits.
    const started = Date.now();
    const understanding = await understander.understand(text, async (step) => {
      await scheduler.wait(0);
      beat();
      if (step === "read") timings.prefill = Date.now() - started;
    });
    timings.model = Date.now() - started;
    timings.decode = timings.model - timings.prefill;
    return understanding;
  }, request.signal);
  timings.total = Date.now() - arrived;
  return answered(made, timings);
}

const invalid = (detail: string, code = "description"): Problem => new Problem(422, detail, { code, param: "description" });

/** The description in a body that has nothing else; throws what is wrong with each field. */
function readDescription(body: Record<string, unknown>): string {
  const { description, ...others } = body;
  const names = Object.keys(others).slice(0, MOST_ERRORS);
  const errors: FieldError[] = names.map((name) => {
    const path = name.length > 80 ? `${name.slice(0, 80)}…` : name;
    return { path, message: `There is no field ${JSON.stringify(path)} here.` };
  });
  if (typeof description !== "string") {
    errors.unshift({ path: "description", message: "The body must have a text 'description'." });
  } else if (!description.isWellFormed()) {
    errors.unshift({ path: "description", message: "The description holds half a character." });
  }
  if (errors.length > 0) {
    const code = errors[0]?.path === "description" ? "description" : "unknown-field";
    throw new Problem(422, errors.map(({ message }) => message).join(" "), { code, errors });
  }
  return description as string;
}

/** The text of a request, without white space at its ends; throws what the caller is told. */
async function descriptionOf(request: Request, characters: Characters): Promise<string> {
  const text = characters.strip(readDescription(await readObject(request)));
  if (text === "") throw invalid("The description is empty.");
  const length = codePoints(text)(text.length);
  if (length > MOST_CHARACTERS) {
    const detail = `The description has ${length} characters; ${MOST_CHARACTERS} are the most.`;
    throw invalid(detail, "too-large");
  }
  return text;
}

function answered(made: Understanding, timings: object): Response {
  const document = { ...made, provider: "edge", tried: [], timings_ms: timings };
  if (made.blueprint !== null) return json(document);
  const problem = {
    type: "about:blank",
    title: "Unclear description",
    status: 422,
    detail: "The description is not clear enough to build from.",
    code: "unclear",
  };
  return json({ ...problem, ...document }, 422, { "content-type": "application/problem+json" });
}

const front: Front<Env> = {
  routes: [{ method: "POST", path: "/v1/blueprint", answer: blueprint }],
  document: openapi,
  metrics,
  ready: () => loading.ready,
  load: (env) => {
    environment = env;
    return loading.start();
  },
};

export default {
  fetch: (request, env, context) => answer(front, request, env, context),
} satisfies ExportedHandler<Env>;
