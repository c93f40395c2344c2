import { definePolicy } from "holdfast/sdk";

// By day the chat room hears of every change. At any hour what lasts wakes somebody: a router that is
// in fault for ten minutes. Short ones of the night are left for the morning's log.

/** Hours in UTC; they may lie across midnight. */
const QUIET = { from: 21, to: 6 };
const PATIENCE_MS = 10 * 60_000;

const isQuiet = (now: number): boolean => {
  const hour = new Date(now).getUTCHours();
  const { from, to } = QUIET;
  return from < to ? hour >= from && hour < to : hour >= from || hour < to;
};

export default definePolicy({
  about: "Messages by day, escalation by night",
  permissions: {
    webhook: {
      chat: { preset: "slack", url: "${secret:slack}" },
      pager: { preset: "pagerduty", url: "${secret:pagerduty}" },
    },
  },
  // By router, since when it is in fault. It is kept when this file is changed.
  state: { version: 1, init: (): { since: Record<string, number> } => ({ since: {} }) },
  checks: {
    lasting: {
      every: "30s",
      onStale: "up",
      run(ctx) {
        const faulty = Object.values(ctx.routers).filter(({ state }) => state === "fault");
        ctx.state.since = Object.fromEntries(
          faulty.map(({ name }) => [name, ctx.state.since[name] ?? ctx.now]),
        );
        const lasting = Object.entries(ctx.state.since).filter(
          ([, at]) => ctx.now - at >= PATIENCE_MS,
        );
        return { ok: lasting.length === 0, reason: lasting.map(([name]) => name).join(", ") };
      },
    },
  },
  on: {
    transition(ctx, { router, to, reason }) {
      if (!isQuiet(ctx.now)) ctx.webhook.post("chat", { text: `${router}: ${to} (${reason})` });
    },
    checkChange(ctx, { up, reason }) {
      ctx.webhook.post("pager", {
        text: up ? "No router is in fault any more" : `In fault for ten minutes: ${reason}`,
        severity: up ? "resolved" : "critical",
        dedupe: `lasting-fault ${ctx.node}`,
      });
    },
  },
});
