import { definePolicy } from "holdfast/sdk";

// A real server whose checks take twice as long as those of the fastest gets half of its weight. Give the
// servers weight 100 or so in keepalived.conf: of 1 there are no parts. The quorum counts the weights that
// hold, so leave it room.

/** Never less than this part of the configured weight: who gets no connections shows no latency. */
const LEAST = 0.1;
/** Times below are all as good, in milliseconds: their differences are noise. */
const FAST_MS = 2;
/** Part of the way that one step goes: who is slow for a moment keeps its weight. */
const PACE = 0.2;

export default definePolicy({
  about: "Real servers that answer faster get more connections",
  permissions: { control: { services: ["[192.0.2.1]:tcp:80"] } },
  state: { version: 1, init: (): { parts: Record<string, number> } => ({ parts: {} }) },
  balance: {
    every: "2s",
    run(ctx, { realServers }) {
      const times = realServers.flatMap(({ up, latencyMs }) =>
        up && latencyMs !== undefined ? [Math.max(latencyMs.p50, FAST_MS)] : [],
      );
      const fastest = Math.min(...times);
      const weights: Record<string, number> = {};
      for (const { key, name, up, configuredWeight, latencyMs } of realServers) {
        const before = ctx.state.parts[name] ?? 1;
        // Who is down, or was not looked at yet, stays as it was.
        const time = up && latencyMs !== undefined ? Math.max(latencyMs.p50, FAST_MS) : undefined;
        const aim = time === undefined ? before : Math.max(LEAST, fastest / time);
        const part = before + PACE * (aim - before);
        ctx.state.parts[name] = part;
        // Weight 0 in the file stays 0, and no other comes to it.
        const least = Math.min(1, configuredWeight);
        weights[key] = Math.min(65_535, Math.max(least, Math.round(configuredWeight * part)));
      }
      return weights;
    },
  },
});
