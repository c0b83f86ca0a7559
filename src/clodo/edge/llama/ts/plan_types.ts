/** A file of weights: its path under `assets/`, and its bytes. */
export interface Part {
  readonly path: string;
  readonly bytes: number;
}

/** Weights that lie in one piece in memory and in one or more files. */
export type Blob = readonly Part[];

/** The numbers of a decoder that the kernels need. `frequencies` are those of the rotary pairs, `split`: a pair is half of
 * `ropeSize` apart. */
export interface Shape {
  readonly width: number;
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly vocabulary: number;
  readonly epsilon: number;
  readonly ropeSize: number;
  readonly split: boolean;
  readonly frequencies: readonly number[];
}

/** A piece of a chat turn: a token, or text in which `{content}` stands for what was said. */
export type Piece = number | string;

/** How a conversation becomes tokens. `reply` opens the answer. */
export interface ChatPlan {
  readonly begin: readonly Piece[];
  readonly turns: Readonly<Record<"system" | "user" | "assistant", readonly Piece[]>>;
  readonly reply: readonly Piece[];
  readonly defaultSystem: string | null;
  readonly trim: boolean;
}

/** What turns text into tokens and back. */
export interface TextPlan {
  readonly tokens: Blob;
  readonly splitter: string;
  /** A word that is a token as a whole is taken as such, whatever the merges say. */
  readonly wholeWords: boolean;
  /** The token that begins every text, if one does. */
  readonly begin: number | null;
  /** Tokens that end an answer. */
  readonly ends: readonly number[];
  /** Tokens that are never text. */
  readonly control: readonly number[];
  /** Tokens that are taken out of a text before anything else. */
  readonly userDefined: readonly number[];
  readonly chat: ChatPlan | null;
  /** Why it answers no chats, as a sentence, where `chat` is null. */
  readonly noChat: string | null;
}

/** A Worker that holds the vocabulary's rows of tokens `first` … `last - 1`: embedding and head. */
export interface Table {
  readonly binding: string;
  readonly first: number;
  readonly last: number;
}

/** What one Worker of a model does. The front has `text`; the vocabulary is in the front or in `tables`, layers are here or in `stages`, never
 * in both. */
export interface Plan {
  readonly model: string;
  readonly shape: Shape;
  readonly context: number;
  readonly slots: number;
  readonly layers: readonly Blob[];
  readonly vocabulary: Blob | null;
  /** How many tokens have their scores in this Worker's memory: all in the front, those of its rows in a Worker with a part of the vocabulary. */
  readonly scored: number;
  readonly text: TextPlan | null;
  /** Bindings of the layer Workers, in order. */
  readonly stages: readonly string[];
  /** Workers that hold the vocabulary, in order of their tokens; none where it is here. */
  readonly tables: readonly Table[];
}
