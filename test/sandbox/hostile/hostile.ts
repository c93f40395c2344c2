import type { PolicyBundle, SandboxFailure } from "../../../agent/sandbox/sandbox.ts";

/** How an attack may end. `good`: it answers; `waits`: it never does, and is given up. */
export type End = SandboxFailure["kind"] | "good" | "waits";

/** A policy that means harm, and what must become of it. */
export interface Hostile {
  readonly name: string;
  /** Body of its check, an async function of `ctx`. */
  readonly body?: string;
  /** Code ahead of the policy, at the top level of its module. */
  readonly before?: string;
  /** All of the module, in place of `body` and `before`. */
  readonly module?: string;
  /** More members of the policy. */
  readonly more?: string;
  readonly ends: readonly End[];
  /** How often it is run in a row. Default 1. */
  readonly times?: number;
  /** Whether the realm answers another check afterwards. Default true. */
  readonly usable?: boolean;
}

export const ATTACK = { kind: "check", name: "attack" } as const;
export const FINE = { kind: "check", name: "fine" } as const;

const PERMISSIONS = {
  http: ["*"],
  read: ["/*"],
  exec: { a: ["/bin/true"] },
  process: ["nginx"],
  mail: { to: ["a@example.org"] },
  webhook: { a: "https://example.org/" },
  control: { routers: ["VI_1"], realServers: ["web/192.0.2.1:80"] },
  plugins: { own: true },
};

export const bundleOf = ({ name, body, before, module, more }: Hostile): PolicyBundle => ({
  name,
  code:
    module ??
    `${before ?? ""}
export default {
  checks: {
    attack: { every: "1s", async run(ctx) { ${body ?? "return true"} } },
    fine: { every: "1s", run: () => true },
  },
  ${more ?? ""}
};`,
  sourceMap: "",
  permissions: JSON.stringify(PERMISSIONS),
});
