import { plan } from "./plan";
import type { TextPlan } from "./plan_types";
import { type Env, Service } from "./service";
import { answer } from "./shared/front";

let service: Service | undefined;

export default {
  fetch(request, env, context): Promise<Response> {
    // At the first request, for a Worker does little before one.
    service ??= new Service(plan, plan.text as TextPlan, env);
    return answer(service, request, env, context);
  },
} satisfies ExportedHandler<Env>;
