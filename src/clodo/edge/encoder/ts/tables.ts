/** What the build carries over from Python: every table and pattern, so that there is one source of each. */
export interface Tables {
  readonly model: string;
  readonly curves: Readonly<Record<string, readonly [slope: number, offset: number, company: number, wishes: number]>>;
  readonly labels: Labels;
  readonly tokenizer: TokenizerTables;
  readonly characters: CharacterTables;
  readonly decoding: {
    readonly leastEntity: number;
    readonly leastField: number;
    /** The most pieces that are read to find the sentence by which a text contradicts itself. */
    readonly mostRead: number;
    readonly asWell: number;
    readonly shared: number;
    readonly leastShort: number;
    readonly leastShortField: number;
    readonly mostPieces: number;
    /** How sure it must be of a value for it to need an explanation. */
    readonly leastHeard: number;
  };
  readonly naming: NamingTables;
  readonly plurals: PluralTables;
  readonly spelling: SpellingTables;
  readonly numbers: {
    readonly words: Readonly<Record<string, number>>;
    readonly scales: Readonly<Record<string, number>>;
    readonly cardinals: readonly string[];
  };
  readonly verbs: VerbTables;
  readonly nominals: NominalTables;
  readonly compiler: CompilerTables;
  readonly checks: CheckTables;
  readonly secrecy: SecrecyTables;
  readonly coverage: CoverageTables;
  readonly quoting: QuotingTables;
  readonly questions: {
    readonly general: Readonly<Record<string, readonly string[]>>;
    /** With `{}` for each quotation. */
    readonly quoting: Readonly<Record<string, string>>;
    /** How many words are quoted of a sentence or a wish, how many of a name, and how many names and questions at most. */
    readonly words: number;
    readonly nameWords: number;
    readonly names: number;
    readonly most: number;
  };
  readonly uploadNotes: {
    /** With `{}` for the thing, its file, and for whoever the text has upload it. */
    readonly told: Readonly<Record<string, string>>;
    /** How many words are quoted of a role, and how many notes there are at most. */
    readonly nameWords: number;
    readonly most: number;
  };
  readonly mailNotes: {
    /** With `{}` for what is quoted, and for the thing that a mail is about. */
    readonly told: Readonly<Record<string, string>>;
    /** How many words are quoted of a name and of a sentence, and how many notes there are of each kind at most, and sentences in one. */
    readonly nameWords: number;
    readonly words: number;
    readonly most: number;
  };
}

export interface QuotingTables {
  readonly odd: string;
  readonly quotes: string;
  readonly ends: string;
  readonly word: number;
}

export interface Labels {
  readonly kinds: readonly string[];
  readonly tags: readonly string[];
  readonly types: readonly string[];
  /** Types of fields, then kinds of cue: what a mention is one of. */
  readonly classes: readonly string[];
  /** The kinds of cue, with the slots that each may have. */
  readonly cues: Readonly<Record<string, readonly string[]>>;
  readonly of_one: readonly string[];
  readonly often_several: readonly string[];
  readonly beyond_doubt: number;
  /** Kinds of cue that are steps on a row. */
  readonly steps: readonly string[];
  readonly least_clear: number;
  readonly field_flags: readonly string[];
  readonly entity_flags: readonly string[];
  readonly value_roles: readonly string[];
  readonly reference_flags: readonly string[];
  readonly pairs: readonly string[];
  readonly access: readonly string[];
  readonly verdicts: readonly string[];
  readonly service_types: readonly string[];
}

/** Runs of code points are flat: first, last, first, last … */
export interface TokenizerTables {
  /** A line for each piece, in the order of their ids. */
  readonly vocabulary: string;
  readonly special: readonly string[];
  readonly unknown: string;
  readonly prefix: string;
  readonly longest: number;
  readonly spaced: readonly number[];
  readonly removed: readonly number[];
  readonly mapped: Readonly<Record<string, string>>;
  readonly punctuation: readonly number[];
}

export interface CharacterTables {
  readonly space: readonly number[];
  readonly digit: readonly number[];
  readonly zeros: readonly number[];
}

export interface NamingTables {
  /** Patterns of a word or figure, and of a phrase that ends in the letter that tells it from others. */
  readonly word: string;
  readonly lettered: string;
  readonly carriers: readonly string[];
  readonly scales: readonly string[];
  readonly heads: readonly string[];
  readonly cycles: readonly string[];
  readonly fillers: readonly string[];
  readonly notPlural: string;
  readonly irregular: Readonly<Record<string, string>>;
  readonly abbreviations: Readonly<Record<string, string>>;
  /** Letters that are no other letter with a mark, in plain ones. */
  readonly letters: Readonly<Record<string, string>>;
}

type Family = readonly [last: string, ends: readonly string[], gone: number, instead: string];

export interface PluralTables {
  readonly same: readonly string[];
  readonly sameEnds: readonly string[];
  readonly singular: readonly string[];
  readonly pronouns: Readonly<Record<string, string>>;
  readonly irregular: Readonly<Record<string, string>>;
  readonly manEnds: readonly string[];
  readonly lice: readonly string[];
  readonly families: readonly Family[];
  readonly uses: readonly string[];
  readonly ies: readonly string[];
  readonly oes: readonly string[];
  readonly sses: readonly string[];
  readonly singularS: readonly string[];
  readonly singularSEnds: readonly string[];
  readonly zes: readonly string[];
  readonly zzes: readonly string[];
  readonly ches: readonly string[];
  readonly xes: readonly string[];
  readonly ves: readonly string[];
  readonly os: readonly string[];
  readonly osEnds: readonly string[];
  readonly esIs: readonly string[];
}

export interface SpellingTables {
  /** Words that names are made of, a line each, and how many names have them. */
  readonly names: string;
  readonly counts: readonly number[];
  readonly alike: readonly string[];
  readonly vowels: string;
  readonly least: number;
  readonly muchUsed: number;
}

export interface CompilerTables {
  readonly types: Readonly<Record<string, string>>;
  readonly access: Readonly<Record<string, readonly [read: string, write: string]>>;
  readonly who: Readonly<Record<string, string>>;
  /** Kinds of rule: the higher, the fewer they let in. */
  readonly narrowness: Readonly<Record<string, number>>;
  readonly true: readonly string[];
  readonly false: readonly string[];
  readonly opposites: Readonly<Record<string, string>>;
  /** What a thing holds of which the text names no field. */
  readonly held: Readonly<Record<string, readonly [name: string, type: string]>>;
  readonly cues: CueTables;
  /** Cues that need people who log in. */
  readonly needUsers: readonly string[];
  /** Kinds of field that are files beside the row, and no columns. */
  readonly files: readonly string[];
  /** Things that are files themselves, and what is stored of one. */
  readonly pictures: readonly string[];
  readonly picture: string;
  /** The access that a cue takes for granted where the text says nothing of it. */
  readonly cueAccess: Readonly<Record<string, string>>;
  /** The same of a service of nothing but routes. */
  readonly routesAccess: Readonly<Record<string, string>>;
  readonly storeless: StorelessTables;
  /** What lengths of time can become in a line, by their units: how many of another one. */
  readonly lengths: Readonly<Record<string, readonly number[]>>;
}

/** Kinds of cue that only services of one type have, where nothing is stored, and what services of these types are called. */
export interface StorelessTables {
  readonly typeOf: Readonly<Record<string, string>>;
  readonly called: Readonly<Record<string, string>>;
}

/** Blocks in their order and their lines in theirs, lines that say what is so anyway, and what a part of a service keeps to itself. */
export interface BlockTables {
  readonly kinds: readonly string[];
  readonly order: readonly string[];
  readonly usual: readonly string[];
  readonly ownPaths: readonly string[];
  readonly routeHeaders: readonly string[];
  readonly siteOwnPaths: readonly string[];
  readonly siteHeaders: readonly string[];
  /** Folders that are none of pages. */
  readonly siteFolders: readonly string[];
}

/** Signs around addresses, words for all paths, and first parts of hosts that name no service. */
export interface AddressTables {
  readonly signs: string;
  readonly all: readonly string[];
  readonly fillers: readonly string[];
  readonly plainHosts: readonly string[];
  /** Words beside the name of a folder or page, and a pattern of words for what a site does not have. */
  readonly beside: readonly string[];
  readonly unknown: string;
}

export interface GatewayTables {
  readonly methods: readonly string[];
  readonly methodWords: Readonly<Record<string, readonly string[]>>;
  /** Headers that answers have, and how further ones begin. */
  readonly ofAnswers: readonly string[];
  readonly ofAnswersBegin: readonly string[];
  readonly seconds: Readonly<Record<string, number>>;
  readonly usualRetries: number;
}

/** What people call kinds of file, and the media types of pictures. */
export interface MediaTables {
  readonly types: Readonly<Record<string, readonly string[]>>;
  readonly imageTypes: readonly string[];
}

type Placed = readonly [where: string, line: string, construct: string];

export interface CueTables {
  /** The kinds of cue in the order in which their lines stand. */
  readonly order: readonly string[];
  readonly units: Readonly<Record<string, string>>;
  readonly milliseconds: readonly string[];
  /** A pattern of words that say no. */
  readonly false: string;
  /** The periods that moments are cut to. */
  readonly periods: readonly string[];
  /** Words for whoever made a row. */
  readonly makers: readonly string[];
  /** Words that want a number. */
  readonly bounds: readonly string[];
  /** Units of which the language has lengths of time. */
  readonly lengthUnits: readonly string[];
  readonly lengths: LengthTables;
  /** Units that reminders know by the name of a smaller one: how many of which. */
  readonly smaller: Readonly<Record<string, readonly [many: number, unit: string]>>;
  /** Cues of one line for each entity: the line, and the name of its construct. */
  readonly plain: Readonly<Record<string, readonly [line: string, construct: string]>>;
  /** Cues of one line in one place. */
  readonly once: Readonly<Record<string, Placed>>;
  /** Kinds of figure: the function and how a report of it begins. */
  readonly figures: Readonly<Record<string, readonly [verb: string, label: string]>>;
  /** Constructs that may stand once in their place. */
  readonly single: readonly string[];
  /** Kinds of cue that are steps on a row, and what the language says of one that is done in the background, if anything. */
  readonly steps: readonly string[];
  readonly later: string;
  /** Words that name no step: they stand for one, or beside one. */
  readonly aside: readonly string[];
  /** A pattern of words of redirects that stand for now only. */
  readonly brief: string;
  /** What folders of pages are called. */
  readonly folders: readonly string[];
  readonly blocks: BlockTables;
  readonly addresses: AddressTables;
  readonly gateways: GatewayTables;
  readonly media: MediaTables;
  /** Kinds of cue that reports are made of, and units of which a schedule has each. */
  readonly mailed: { readonly figures: readonly string[]; readonly units: readonly string[] };
  readonly times: TimeTables;
  /** Where what is said of something ends. */
  readonly sentence: string;
  /** Characters to either side beyond which nothing is looked at. */
  readonly reach: number;
  /** Signs with the words in front of a number, and behind it, that stand for them. */
  readonly comparisons: {
    readonly front: readonly (readonly [sign: string, said: string])[];
    readonly back: readonly (readonly [sign: string, said: string])[];
    readonly between: string;
    /** Words that turn what stands beside a number into its opposite. */
    readonly negated: string;
  };
  /** What a parameter is called whose words make no name, what none is called, and the pattern of names. */
  readonly givens: { readonly figure: string; readonly taken: readonly string[]; readonly name: string };
  /** How whoever made a row is spoken of as its own; `maker` stands for a role. */
  readonly takers: {
    readonly maker: string;
    readonly user: string;
    readonly owning: string;
    readonly theirs: string;
    readonly doubtful: string;
    readonly called: string;
    readonly possessive: string;
    readonly possessed: string;
    readonly belonging: string;
    readonly definite: string;
    readonly it: readonly string[];
    /** Words by which a text says whose rows a step is not taken with, and what stands behind people who take none with theirs. */
    readonly own: readonly string[];
    readonly disowning: string;
  };
  /** Kinds of cue that speak of files, and formats in their place. */
  readonly transfers: {
    readonly kinds: readonly string[];
    readonly format: string;
    readonly goesOn: string;
    readonly leadsTo: string;
    readonly followed: string;
    readonly before: string;
    readonly ended: string;
  };
}

/** Patterns and words of lengths of time. */
export interface LengthTables {
  /** Kinds of cue that speak of one, and those of them that may share one. */
  readonly kinds: readonly string[];
  readonly shared: readonly string[];
  /** Units of which the language has no lengths, and halves of units: how many of another. */
  readonly long: Readonly<Record<string, readonly [many: number, unit: string]>>;
  readonly halves: Readonly<Record<string, readonly [many: number, unit: string]>>;
  readonly words: readonly string[];
  readonly unit: string;
  readonly last: string;
  readonly half: string;
  readonly count: string;
  /** What makes a unit a time at which something is done, and an hour of a number. */
  readonly again: string;
  readonly once: string;
  /** One, by an article or a number; and days that are no lengths. */
  readonly single: string;
  readonly lastDay: string;
  readonly clock: string;
  /** In front and behind: what makes a number less than all that is said, one of a unit, and what leaves open how many there are. */
  readonly more: readonly [front: string, back: string];
  readonly one: readonly [front: string, back: string];
  readonly untold: readonly [front: string, back: string];
  /** What stands behind a length that is before or after a moment. */
  readonly sides: readonly (readonly [side: string, said: string])[];
  /** Words for what keeps rows. */
  readonly kept: string;
}

/** Patterns and words of the times at which something is done. */
export interface TimeTables {
  /** Steps of minutes that divide an hour. */
  readonly steps: readonly number[];
  /** Part of the day → the time where none is said; of no part: the empty one. */
  readonly usual: Readonly<Record<string, string>>;
  /** Words for a time of day → its hour. */
  readonly named: Readonly<Record<string, number>>;
  /** Hours in words, from one. */
  readonly hours: readonly string[];
  readonly hour: string;
  readonly clock: string;
  /** Parts of an hour: how many minutes. */
  readonly parts: Readonly<Record<string, number>>;
  /** Several days of the week in one word. */
  readonly spans: Readonly<Record<string, readonly string[]>>;
  readonly ordinal: string;
  readonly odd: string;
  /** Days of a month, of which only the first is a time. */
  readonly month: string;
  readonly first: string;
  /** Units of which several are meant. */
  readonly several: string;
  readonly afternoon: string;
  /** A part of the day that stands right behind the day. */
  readonly partOfDay: string;
  readonly night: string;
}

/** Inflected verbs by what their base form ends in, and plurals that no rule makes. */
export interface VerbTables {
  readonly participles: Readonly<Record<string, string>>;
  readonly particles: readonly string[];
  readonly objects: readonly string[];
  readonly noun: string;
  readonly past: Readonly<Record<string, string>>;
  readonly changes: Readonly<Record<string, string>>;
  /** What is a lock only where its condition leaves nothing else that it can be. */
  readonly mild: Readonly<Record<string, string>>;
  /** What stands in front of verbs, and where it is written apart. */
  readonly fronts: readonly string[];
  readonly fronted: string;
  /** Third persons that end like a plural of another kind. */
  readonly third: Readonly<Record<string, string>>;
  readonly hissing: string;
  readonly short: string;
  /** Verbs that carry a rule and are no step; those that do where they have a condition. */
  readonly rules: readonly string[];
  readonly refusals: readonly string[];
  /** Pasts that people say, without their `ed`. */
  readonly said: string;
  /** Forms of much said verbs, how near a slip of one is, and words that are near and mean themselves. */
  readonly forms: readonly string[];
  readonly alike: number;
  readonly meant: string;
  readonly locked: readonly string[];
  /** What makes a row. */
  readonly adding: readonly string[];
  /** What else is done with a file where it is all that is said of it. */
  readonly attaching: readonly string[];
  readonly joined: string;
  /** Verbs of forms that do not tell them by their spelling; pasts that double a letter. */
  readonly bases: Readonly<Record<string, string>>;
  readonly doubled: string;
  /** Forms of which an ending leaves two letters; what the ending of a verb that nobody knows was put to: what is kept, and what follows it. */
  readonly tiny: readonly (readonly [pattern: string, tail: string])[];
  readonly spelt: readonly (readonly [pattern: string, tail: string])[];
  readonly plurals: Readonly<Record<string, string>>;
}

/** Verbs and their nouns: those that are no nouns themselves, those that are nouns of another thing too, and what verbs follow. */
export interface NominalTables {
  readonly verbs: Readonly<Record<string, string>>;
  readonly both: Readonly<Record<string, string>>;
  readonly before: readonly string[];
  readonly doers: readonly string[];
  readonly phrasal: Readonly<Record<string, readonly string[]>>;
  readonly light: readonly string[];
  readonly near: number;
}

export interface CheckTables {
  readonly rowKeys: readonly string[];
  readonly routeNames: readonly string[];
  readonly tableNames: readonly string[];
  readonly objectKeys: readonly string[];
  readonly listParameters: readonly string[];
  readonly userKeys: readonly string[];
  readonly mostColumns: number;
  /** A unique field of users has at least so many values. */
  readonly many: number;
  readonly types: Readonly<Record<string, Traits>>;
  readonly lengths: Readonly<Record<string, number>>;
  readonly shortest: Readonly<Record<string, number>>;
  readonly safeInteger: number;
  readonly mostMoney: number;
  readonly mostDigits: number;
  readonly email: string;
  readonly url: string;
  readonly uuid: string;
  readonly date: string;
  readonly time: string;
  readonly moment: string;
}

/** Types that can hold a secret, and patterns of names. */
export interface SecrecyTables {
  readonly bearing: readonly string[];
  readonly password: string;
  readonly secret: string;
  readonly postal: string;
  readonly address: string;
}

/** What kind of type a field's type is. */
export interface Traits {
  readonly number: boolean;
  readonly temporal: boolean;
  readonly textual: boolean;
}

export interface CoverageTables {
  readonly figure: string;
  readonly quoted: string;
  /** How sure the model must be that words are chatter for them to need no explanation; the same of what is quoted. */
  readonly leastChatter: number;
  readonly leastQuoted: number;
  /** Numbers in words. */
  readonly worded: string;
  readonly sentenceEnd: string;
  readonly cues: Readonly<Record<string, string>>;
  readonly bounds: readonly string[];
  readonly flags: Readonly<Record<string, string>>;
  readonly deletion: readonly string[];
  readonly everyday: string;
}
