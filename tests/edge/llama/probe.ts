// Stands in for the front in tests: the same service, and ways to look into it.
import { plan } from "./plan";
import type { TextPlan } from "./plan_types";
import { type Env, Service } from "./service";
import { chatTokens, type Message } from "./chat";
import { Tokenizer } from "./tokenizer";
import { readBlob } from "./engine";
import { answer } from "./shared/front";

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
    if (pathname === "/chat") {
      tokenizer ??= await tokens(env);
      const { chat } = text;
      return Response.json(chat === null ? [] : chatTokens(chat, tokenizer, await request.json<Message[]>()));
    }
    return answer(service, request, env, context);
  },
} satisfies ExportedHandler<Env>;
