// Answers methods over JSON lines: a request {"id", "method", ...} on stdin is answered by {"id", "ok", ...} on stdout. It ends
// with stdin.
import { createInterface } from "node:readline";
import path from "node:path";

const reply = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

const describe = (error) => {
  const messages = error?.errors?.map((e) => `${e.location?.file ?? ""}:${e.location?.line ?? ""} ${e.text}`);
  return messages?.length ? messages.join("; ") : String(error?.message ?? error);
};

export async function driven(methods, end) {
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    try {
      reply({ id: request.id, ok: true, ...(await methods[request.method](request)) });
    } catch (error) {
      reply({ id: request.id, ok: false, error: describe(error) });
    }
  }
  await end();
  process.exit(0);
}

// One script of a Worker, bundled as wrangler bundles it; `more` are further options of esbuild.
export async function bundled(esbuild, directory, entry, more) {
  const result = await esbuild.build({
    entryPoints: [path.join(directory, entry)],
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: "es2024",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["workerd", "worker", "import"],
    external: ["cloudflare:*", "node:*"],
    absWorkingDir: directory,
    metafile: true,
    logLevel: "silent",
    ...more,
  });
  const [output] = Object.values(result.metafile.outputs);
  if (!output.exports.includes("default")) throw new Error(`${entry} has no default export`);
  return result.outputFiles[0].text;
}
