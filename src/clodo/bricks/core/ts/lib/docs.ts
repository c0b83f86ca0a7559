/** Renders /openapi.json in the browser. Everything is inline: no other host is ever asked. */
const SCRIPT = `
const el = (tag, props = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children);
  return node;
};
const resolve = (doc, schema) => schema?.$ref ? doc.components.schemas[schema.$ref.split("/").pop()] : schema;
const typeOf = (s) => [].concat(s.type ?? (s.enum ? "enum" : s.anyOf ? s.anyOf.map(typeOf) : "any")).join(" | ") + (s.format ? " (" + s.format + ")" : "");
const rules = (s) => Object.entries(s).filter(([k]) => ["minimum","maximum","exclusiveMinimum","exclusiveMaximum","minLength","maxLength","pattern","enum","default","multipleOf"].includes(k)).map(([k, v]) => k + ": " + JSON.stringify(v)).join(", ");
const table = (doc, schema) => {
  const s = resolve(doc, schema) ?? {};
  const rows = Object.entries(s.properties ?? {}).map(([name, raw]) => {
    const p = resolve(doc, raw);
    return el("tr", {}, el("td", {}, el("code", { textContent: name }), (s.required ?? []).includes(name) ? " *" : ""), el("td", { textContent: typeOf(p) }), el("td", { textContent: rules(p) }));
  });
  return rows.length ? el("table", {}, el("tr", {}, el("th", { textContent: "Field" }), el("th", { textContent: "Type" }), el("th", { textContent: "Rules" })), ...rows) : "";
};
fetch("openapi.json").then((r) => r.json()).then((doc) => {
  document.title = doc.info.title;
  const main = document.querySelector("main");
  main.replaceChildren(el("h1", { textContent: doc.info.title }), el("p", { textContent: doc.info.description ?? "" }));
  const tags = new Map();
  for (const [path, item] of Object.entries(doc.paths)) for (const [method, op] of Object.entries(item)) {
    if (method === "parameters") continue;
    const tag = op.tags?.[0] ?? "service";
    tags.set(tag, [...(tags.get(tag) ?? []), { path, method, op, shared: item.parameters ?? [] }]);
  }
  for (const [tag, list] of tags) {
    main.append(el("h2", { textContent: tag }));
    for (const { path, method, op, shared } of list) {
      const parameters = [...shared, ...(op.parameters ?? [])];
      const body = op.requestBody?.content?.["application/json"]?.schema;
      main.append(el("details", {},
        el("summary", {}, el("b", { className: method, textContent: method.toUpperCase() }), " ", el("code", { textContent: path }), " ", el("span", { textContent: op.summary ?? "" })),
        parameters.length ? el("p", { textContent: "Parameters: " + parameters.map((p) => p.name).join(", ") }) : "",
        body ? table(doc, body) : "",
        el("p", { textContent: "Answers: " + Object.entries(op.responses).map(([k, v]) => k + " " + v.description).join(" · ") })));
    }
  }
}).catch(() => { document.querySelector("main").textContent = "The description of this service could not be loaded."; });
`;

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; } main { max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
h1 { margin: .5rem 0; } h2 { margin: 2rem 0 .5rem; text-transform: capitalize; }
details { border: 1px solid #8884; border-radius: .5rem; padding: .5rem .8rem; margin: .4rem 0; }
summary { cursor: pointer; } summary span { opacity: .7; }
summary b { display: inline-block; min-width: 4.5rem; }
b.get { color: #2a7ae2; } b.post { color: #1a8f4c; } b.put, b.patch { color: #b7791f; } b.delete { color: #d0453e; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; } th, td { text-align: left; padding: .25rem .5rem; border-bottom: 1px solid #8883; vertical-align: top; }
code { font: .9em ui-monospace, monospace; }
`;

const PAGE = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>API</title><style>${STYLE}</style></head><body><main>Loading…</main><script>${SCRIPT}</script></body></html>`;

const sha256 = async (text: string): Promise<string> => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `'sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}'`;
};

export async function docs(): Promise<Response> {
  const policy = `default-src 'none'; connect-src 'self'; script-src ${await sha256(SCRIPT)}; style-src ${await sha256(STYLE)}; base-uri 'none'; frame-ancestors 'none'`;
  return new Response(PAGE, { headers: { "content-type": "text/html; charset=UTF-8", "content-security-policy": policy } });
}
