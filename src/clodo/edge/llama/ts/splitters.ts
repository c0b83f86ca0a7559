// How texts are split into words before merges, by GGUF's name of it (`tokenizer.ggml.pre`). The rules are those that models
// were trained with. White space is what Unicode calls so, which differs from `\s` of JavaScript in two characters.
const S = "\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const WORDS = `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${S}\\p{L}\\p{N}]+|[${S}]+(?![^${S}])|[${S}]+`;
const later = (digits: string): string =>
  `'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^${S}\\p{L}\\p{N}]+[\\r\\n]*|[${S}]*[\\r\\n]+|[${S}]+(?![^${S}])|[${S}]+`;

/** Each rule splits what the one before left, and what a rule does not match stays as a piece. */
const RULES: Readonly<Record<string, readonly string[]>> = {
  words: [WORDS],
  "digits, words": ["\\p{N}", WORDS],
  "later, digits by three": [later("\\p{N}{1,3}")],
  "later, digits by one": [later("\\p{N}")],
};

/** A function that splits a text into words; joined, they are the text again. */
export function splitter(name: string): (text: string) => string[] {
  const rules = RULES[name];
  if (rules === undefined) throw new Error(`There is no splitter ${name}.`);
  const patterns = rules.map((rule) => new RegExp(rule, "gu"));
  return (text) => patterns.reduce((pieces, pattern) => pieces.flatMap((piece) => split(piece, pattern)), [text]);
}

function split(text: string, pattern: RegExp): string[] {
  const pieces: string[] = [];
  let at = 0;
  for (const { 0: found, index } of text.matchAll(pattern)) {
    if (index > at) pieces.push(text.slice(at, index));
    if (found !== "") pieces.push(found);
    at = index + found.length;
  }
  if (at < text.length) pieces.push(text.slice(at));
  return pieces;
}
