import type { ChatPlan, Piece } from "./plan_types";
import type { Tokenizer } from "./tokenizer";

/** One thing that was said. */
export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** The tokens of a conversation up to where the answer begins. What people said never becomes a control token. */
export function chatTokens(chat: ChatPlan, tokenizer: Tokenizer, messages: readonly Message[]): number[] {
  const { defaultSystem } = chat;
  const all: readonly Message[] =
    defaultSystem !== null && messages[0]?.role !== "system" ? [{ role: "system", content: defaultSystem }, ...messages] : messages;
  const turns = all.flatMap(({ role, content }) => {
    const said = chat.trim ? content.trim() : content;
    // By a function, for in a replacing text `$` would have a meaning.
    return chat.turns[role].map((piece) => (typeof piece === "number" ? piece : piece.replace("{content}", () => said)));
  });
  return encodePieces(tokenizer, [...chat.begin, ...turns, ...chat.reply]);
}

/** Texts that touch are one text: words may reach over where they meet. */
function encodePieces(tokenizer: Tokenizer, pieces: readonly Piece[]): number[] {
  let tokens: number[] = [];
  let text = "";
  for (const piece of pieces) {
    if (typeof piece === "string") {
      text += piece;
    } else {
      // No `push(...)`: it has no room for as many arguments as a long text has tokens.
      tokens = tokens.concat(tokenizer.encode(text), piece);
      text = "";
    }
  }
  return tokens.concat(tokenizer.encode(text));
}
