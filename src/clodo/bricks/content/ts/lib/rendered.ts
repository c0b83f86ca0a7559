import type { Hook } from "./hooks";
import { markdownToHtml } from "./markdown";

/** Keeps the HTML of a field of Markdown beside it. It is made when the field is stored, and not each time that it is read. */
export const rendered = (source: string, html: string): Hook => ({
  check(_c, { after }) {
    if (after === null || after[source] === undefined) return;
    const text = after[source];
    after[html] = typeof text === "string" ? markdownToHtml(text) : null;
  },
});
