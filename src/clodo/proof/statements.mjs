// The statements of an SQL script, told apart as SQLite itself does (sqlite3_complete): a semicolon ends one unless it
// stands in quotes, a comment or the body of a trigger, which ends with `; END ;`. Comments are dropped.

const TOKEN = /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'[^']*(?:'|$)|"[^"]*(?:"|$)|`[^`]*(?:`|$)|\[[^\]]*(?:\]|$)|[A-Za-z_$\u0080-\uffff][\w$\u0080-\uffff]*|;|\s+|[\s\S]/g;

/** The statements of `sql` without their semicolons, in order. */
export function statements(sql) {
  const found = [];
  let text = "";
  let words = []; // the first three, upper case: CREATE [TEMP] TRIGGER
  let last = ["", ""]; // the two tokens before, as [last but one, last]
  const end = () => {
    if (text.trim() !== "") found.push(text.trim());
    text = "";
    words = [];
    last = ["", ""];
  };
  for (const [token] of sql.matchAll(TOKEN)) {
    if (token.startsWith("--") || token.startsWith("/*")) {
      text += " ";
      continue;
    }
    if (token.trim() === "") {
      text += token;
      continue;
    }
    if (token === ";") {
      const trigger = words[0] === "CREATE" && (words[1] === "TRIGGER" || (/^TEMP(ORARY)?$/.test(words[1] ?? "") && words[2] === "TRIGGER"));
      if (!trigger || (last[0] === ";" && last[1] === "END")) {
        end();
        continue;
      }
    }
    text += token;
    const word = token.toUpperCase();
    if (words.length < 3) words.push(word);
    last = [last[1], word];
  }
  end();
  return found;
}
