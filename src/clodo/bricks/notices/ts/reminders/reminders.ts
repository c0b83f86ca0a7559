import type { Env } from "../env";
import { sweepNotices } from "./notices";

/** Handles `scheduled`: puts the reminders whose moment has come into the outbox, then sends what is due. The statements are over the moment. */
export const sweepReminders =
  (statements: readonly string[]) =>
  async (controller: ScheduledController, env: Env): Promise<void> => {
    const now = new Date(controller.scheduledTime).toISOString();
    try {
      await env.DB.batch(statements.map((sql) => env.DB.prepare(sql).bind(now)));
    } finally {
      // Whatever becomes of reminders, what lies in the outbox goes out.
      await sweepNotices(controller, env);
    }
  };
