import model from "./index";
import { history, note } from "./keep-warm/arrivals";
import { fit, shouldWake } from "./keep-warm/policy";

type Env = Parameters<typeof model.fetch>[1] & { readonly ARRIVALS?: D1Database; readonly KEEP_WARM_THRESHOLD?: string };

/** The least chance of a request in five minutes for which it is worth to wake. */
const THRESHOLD = 0.05;

/** How long an idle isolate is taken to stay. Cloudflare does not say; it is no more than a guess. */
const LIFETIME_MS = 10 * 60_000;

const PERIOD_MS = 5 * 60_000;

/** When this isolate was last used or woken. */
let used = 0;

/** Notes a request once it was let in: strangers do not tell when the model is needed. */
async function noted(answer: Promise<Response>, env: Env, now: number): Promise<void> {
  try {
    if (!env.API_KEY || (await answer).status === 401) return;
    used = Math.max(used, now);
    if (env.ARRIVALS !== undefined) await note(env.ARRIVALS, now);
  } catch (error) {
    console.error(error);
  }
}

/** The model's front, which notes when requests come, and stays loaded at the times when they are likely. */
export default {
  fetch(request, env, context) {
    const now = Date.now();
    const answer = model.fetch(request, env, context);
    if (new URL(request.url).pathname.startsWith("/v1/")) context.waitUntil(noted(answer, env, now));
    return answer;
  },

  async scheduled(event, env, context) {
    if (env.ARRIVALS === undefined) return;
    const now = event.scheduledTime;
    const known = await history(env.ARRIVALS, now);
    const terms = { threshold: Number(env.KEEP_WARM_THRESHOLD ?? THRESHOLD), lifetime: LIFETIME_MS, period: PERIOD_MS };
    if (!shouldWake(fit(known, now), known, now, used, terms)) return;
    used = now;
    // Whatever asks for its health makes the front load what is not loaded.
    await model.fetch(new Request("https://front.local/health"), env, context);
    console.log(JSON.stringify({ message: "kept warm" }));
  },
} satisfies ExportedHandler<Env>;
