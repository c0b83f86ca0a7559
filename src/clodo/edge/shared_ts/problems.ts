const TITLES: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Authentication required",
  404: "Not found",
  405: "Method not allowed",
  413: "Body too large",
  415: "Unsupported media type",
  422: "Invalid body",
  429: "Too many requests",
  499: "Request cancelled",
  500: "Internal error",
  503: "Service unavailable",
  504: "Gateway timeout",
};

/** OpenAI's words for kinds of errors, by status. */
const OPENAI_TYPES: Readonly<Record<number, string>> = {
  401: "authentication_error",
  404: "not_found_error",
  429: "rate_limit_error",
};

/** A field of the body that is at fault, and how. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

/** What a failure carries beside its status and sentence. `param` is the field of the body that is at fault; where there are
 * several, `errors` has them all. */
export interface ProblemParts {
  readonly code?: string;
  readonly param?: string;
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** A failure that the caller is told about. */
export class Problem extends Error {
  readonly status: number;
  readonly detail: string;
  readonly parts: ProblemParts;

  constructor(status: number, detail: string, parts: ProblemParts = {}) {
    super(detail);
    this.status = status;
    this.detail = detail;
    this.parts = parts;
  }
}

/** Whether a path speaks OpenAI's dialect, errors included. */
export const isOpenAI = (path: string): boolean => /^\/v1\/(chat\/completions|completions|models|embeddings)(\/|$)/.test(path);

/** Known problems as they are; anything else is logged and told without detail. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  console.error(error);
  return new Problem(500, "Something went wrong on our side.", { code: "internal" });
}

/** The answer to a failure in the dialect of the path: OpenAI's error object, or `application/problem+json` (RFC 9457). */
export function answerProblem(error: unknown, path: string): Response {
  const problem = problemOf(error);
  const openai = isOpenAI(path);
  const body = openai ? openaiError(problem) : problemBody(problem);
  return new Response(JSON.stringify(body), {
    status: problem.status,
    headers: { "content-type": openai ? "application/json" : "application/problem+json", ...problem.parts.headers },
  });
}

function problemBody({ status, detail, parts }: Problem): object {
  const errors = parts.errors ?? (parts.param === undefined ? undefined : [{ path: parts.param, message: detail }]);
  return {
    type: "about:blank",
    title: TITLES[status] ?? "Error",
    status,
    detail,
    ...(parts.code === undefined ? {} : { code: parts.code }),
    ...(errors === undefined ? {} : { errors }),
  };
}

/** OpenAI's error object; it also ends a stream of events that failed when its status had been sent. */
export function openaiError(error: unknown): { readonly error: object } {
  const { status, detail, parts } = problemOf(error);
  const type = OPENAI_TYPES[status] ?? (status < 500 ? "invalid_request_error" : "server_error");
  return { error: { message: detail, type, param: parts.param ?? null, code: parts.code ?? null } };
}
