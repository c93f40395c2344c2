import { definePolicy } from "holdfast/sdk";

// While this node is active nobody else should advertise. Who does, does not hear us.

export default definePolicy({
  about: "Alarm when another node advertises while this one is active",
  permissions: { webhook: { alarm: { preset: "pagerduty", url: "${secret:pagerduty}" } } },
  checks: {
    alone: {
      every: "2s",
      fall: 2,
      rise: 5,
      onStale: "up",
      run(ctx) {
        const rivals = ctx.peers.filter(
          ({ router, lastHeardAt }) =>
            ctx.routers[router]?.state === "active" && ctx.now - lastHeardAt < 4_000,
        );
        const names = rivals.map(({ router, address }) => `${router} from ${address}`);
        return { ok: rivals.length === 0, reason: names.join(", ") };
      },
    },
  },
  on: {
    checkChange(ctx, { up, reason }) {
      ctx.webhook.post("alarm", {
        title: up ? "One active node again" : "Two nodes are active",
        text: up
          ? `${ctx.node} hears no rival any more.`
          : `${ctx.node} is active and hears ${reason}.`,
        severity: up ? "resolved" : "critical",
        dedupe: "split-brain",
      });
    },
  },
});
