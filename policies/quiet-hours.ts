import { definePolicy } from "holdfast/sdk";

// By day a message; at night only what lasts: a router in fault for ten minutes wakes somebody.

/** Hours in UTC. */
const QUIET = { from: 21, to: 6 };
const PATIENCE_MS = 10 * 60_000;

const isQuiet = (now: number): boolean => {
  const hour = new Date(now).getUTCHours();
  return hour >= QUIET.from || hour < QUIET.to;
};

export default definePolicy({
  about: "Messages by day, escalation by night",
  permissions: {
    webhook: {
      chat: { preset: "slack", url: "${secret:slack}" },
      pager: { preset: "pagerduty", url: "${secret:pagerduty}" },
    },
  },
  state: { version: 1, init: (): { faultSince: Record<string, number> } => ({ faultSince: {} }) },
  checks: {
    lasting: {
      every: "30s",
      onStale: "up",
      run(ctx) {
        const since = Object.entries(ctx.state.faultSince);
        const lasting = since.filter(([, at]) => ctx.now - at > PATIENCE_MS).map(([name]) => name);
        return { ok: lasting.length === 0, reason: lasting.join(", ") };
      },
    },
  },
  on: {
    transition(ctx, { router, to, reason, at }) {
      if (to === "fault") ctx.state.faultSince[router] ??= at;
      else delete ctx.state.faultSince[router];
      if (!isQuiet(ctx.now)) ctx.webhook.post("chat", { text: `${router}: ${to} (${reason})` });
    },
    checkChange(ctx, { up, reason }) {
      ctx.webhook.post("pager", {
        text: up ? "No router is in fault any more" : `In fault for ten minutes: ${reason}`,
        severity: up ? "resolved" : "critical",
        dedupe: "lasting-fault",
      });
    },
  },
});
