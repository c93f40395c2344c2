import { definePolicy } from "holdfast/sdk";

// Tells the chat room when an address moves, and why. Change the preset for another service; what the
// service gave you as the address of the room is a secret, in holdfast.conf: secret slack /etc/…

export default definePolicy({
  about: "Tells Slack of every change of the active node",
  permissions: { webhook: { chat: { preset: "slack", url: "${secret:slack}" } } },
  on: {
    transition(ctx, { router, from, to, reason, priority }) {
      // That a backup stays one is no news.
      if (to !== "active" && from !== "active" && to !== "fault") return;
      const addresses = ctx.routers[router]?.addresses.join(", ") ?? "";
      ctx.webhook.post("chat", {
        title: `${router} is ${to} on ${ctx.node}`,
        text: `${from} → ${to}: ${reason}, priority ${priority}. Addresses: ${addresses}`,
        severity: to === "active" ? "info" : "warning",
      });
    },
  },
});
