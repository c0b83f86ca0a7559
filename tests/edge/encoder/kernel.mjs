// Runs the kernels on texts as pieces: node kernel.mjs MODULE.wasm WEIGHTS < [{ids, links?}] → the scores of each, as JSON.
import { readFileSync } from "node:fs";

const [, , module, file] = process.argv;
const weights = readFileSync(file);
const e = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(module))).exports;
e.memory.grow(Math.ceil(Math.max(0, e.weights() + weights.length - e.memory.buffer.byteLength) / 65536));
new Uint8Array(e.memory.buffer).set(weights, e.weights());
if (e.start(weights.length) !== 1) throw new Error("no weights");
const put = (at, values) => new Int32Array(e.memory.buffer, at, values.length).set(values);
const floats = (at, count) => [...new Float32Array(e.memory.buffer, at, count)];
const answers = [];
for (const { ids, hidden, tags, whole, links } of JSON.parse(readFileSync(0, "utf8"))) {
  if (e.prepare(ids.length) !== 1) throw new Error("no room");
  put(e.ids(), ids);
  e.read(ids.length);
  const made = {
    states: floats(e.states(), ids.length * hidden),
    tags: floats(e.tags(), ids.length * tags),
    whole: floats(e.whole(), whole),
  };
  const { n, labels, said } = links;
  for (const name of ["firsts", "lasts", "kinds", "places", "lines", "marks"]) put(e[name](), links[name]);
  e.link(n);
  made.said = floats(e.said(), n * said);
  made.pairs = [];
  for (let i = 0; i < n; i += 1) made.pairs.push(...floats(e.pair_row(i, i % e.pair_slots(n)), n * labels));
  answers.push(made);
}
process.stdout.write(JSON.stringify({ answers, bytes: e.memory.buffer.byteLength }));
