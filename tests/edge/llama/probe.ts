// Stands in for the front in tests: the same service, and ways to look into it.
import { plan } from "./plan";
import type { TextPlan } from "./plan_types";
import { type Env, Service } from "./service";
import { chatTokens, type Message } from "./chat";
import { Tokenizer } from "./tokenizer";
import { Constraint } from "./constraint";
import { programOf, readForm } from "./formats";
import { readBlob } from "./engine";
import { answer } from "./shared/front";
import { answerProblem } from "./shared/problems";

let service: Service | undefined;
let tokenizer: Tokenizer | undefined;
const text = plan.text as TextPlan;

async function tokens(env: Env, other: Partial<TextPlan> = {}): Promise<Tokenizer> {
  const buffer = new ArrayBuffer(text.tokens.reduce((sum, { bytes }) => sum + bytes, 0));
  await readBlob(env, text.tokens, { buffer }, 0, () => undefined);
  return new Tokenizer({ ...text, ...other }, buffer);
}

/** The scores after each of the tokens from `from` on: f32 [count][vocabulary]. `from` tokens are computed in one go before. */
async function scores(here: Service, all: number[], from: number): Promise<Response> {
  const conversation = here.decoder.begin(() => undefined);
  const rows = new Float32Array((all.length - from) * plan.shape.vocabulary);
  for (let i = from; i < all.length; i++) {
    rows.set(await conversation.score(all.slice(0, i + 1)), (i - from) * plan.shape.vocabulary);
  }
  await conversation.close();
  return new Response(rows);
}

interface Followed {
  readonly grammar?: string;
  readonly response_format?: object;
  readonly answers: number[][];
}

/** How many tokens of each answer a grammar takes, and whether the answer may end there. */
function followed(asked: Followed, used: Tokenizer): Response {
  try {
    const grammar = readForm(asked);
    if (grammar === null) return new Response("There is no grammar.", { status: 500 });
    const program = programOf(grammar);
    const ends = new Set(text.ends);
    const found = asked.answers.map((answer) => {
      const constraint = new Constraint(program, used, ends);
      let taken = 0;
      for (; taken < answer.length && constraint.allows(answer[taken] as number); taken++) constraint.take(answer[taken] as number);
      return { taken, ends: text.ends.every((end) => constraint.allows(end)), over: constraint.over };
    });
    return Response.json(found);
  } catch (error) {
    return answerProblem(error, "/v1/completions");
  }
}

export default {
  async fetch(request, env, context): Promise<Response> {
    service ??= new Service(plan, text, env);
    const { pathname } = new URL(request.url);
    if (pathname === "/scores") {
      context.waitUntil(service.load(env));
      const { all, from } = await request.json<{ all: number[]; from: number }>();
      return scores(service, all, from);
    }
    if (pathname === "/encode") {
      const { texts, plan: other } = await request.json<{ texts: string[]; plan: Partial<TextPlan> }>();
      const used = await tokens(env, other);
      return Response.json(texts.map((one) => used.encode(one)));
    }
    if (pathname === "/follow") {
      tokenizer ??= await tokens(env);
      return followed(await request.json<Followed>(), tokenizer);
    }
    if (pathname === "/chat") {
      tokenizer ??= await tokens(env);
      const { chat } = text;
      return Response.json(chat === null ? [] : chatTokens(chat, tokenizer, await request.json<Message[]>()));
    }
    return answer(service, request, env, context);
  },
} satisfies ExportedHandler<Env>;
