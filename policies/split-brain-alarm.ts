import { definePolicy } from "holdfast/sdk";

// While this node is active nobody else should advertise. Who does, does not hear us: both have the
// address, and a person is needed. The secret is https://events.pagerduty.com/v2/enqueue?routing_key=…

export default definePolicy({
  about: "Alarm when another node advertises while this one is active",
  permissions: { webhook: { alarm: { preset: "pagerduty", url: "${secret:pagerduty}" } } },
  state: { version: 1, init: () => ({ heardAt: 0 }) },
  checks: {
    alone: {
      // Who gave the address up is still counted as heard for three of its advertisements and a second.
      // Those of a second are meant here: who is heard at two looks in a row goes on.
      every: "4s",
      rise: 2,
      onStale: "up",
      run(ctx) {
        const rivals = ctx.peers.filter(({ router }) => ctx.routers[router]?.state === "active");
        const names = rivals.map(({ router, address }) => `${router} from ${address}`);
        // Not by `fall`: the first result of all needs one look only, and may come after a take-over.
        const goesOn = rivals.length > 0 && ctx.now - ctx.state.heardAt < 10_000;
        ctx.state.heardAt = rivals.length > 0 ? ctx.now : 0;
        return { ok: !goesOn, reason: names.join(", ") };
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
        // One incident: what is resolved is the one that was raised.
        dedupe: `split-brain ${ctx.node}`,
      });
    },
  },
});
