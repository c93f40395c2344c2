import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { block } from "../lab/instance-text.ts";

/** Policies and scripts of a measurement, where only root may write: elsewhere they are refused. */
export class CheckFiles {
  readonly folder = mkdtempSync(join("/run", `hf-${process.pid}-checks-`));
  readonly policies = join(this.folder, "policies");

  constructor() {
    mkdirSync(this.policies);
    writeFileSync(this.#settings, "");
  }

  /** What Holdfast is to be started with. */
  get options(): readonly string[] {
    return ["--policies", this.policies, "--settings", this.#settings];
  }

  /** Lines of a `grant` block, for all policies. */
  grant(lines: readonly string[]): void {
    writeFileSync(this.#settings, block("policy *", block("grant", lines)).join("\n"));
  }

  /** As careful editors save. */
  policy(name: string, text: string): void {
    const fresh = join(this.policies, `.${name}.new`);
    writeFileSync(fresh, text, { mode: 0o644 });
    renameSync(fresh, this.#policy(name));
  }

  /** As simple editors save. */
  overwrite(name: string, text: string): void {
    writeFileSync(this.#policy(name), text, { mode: 0o644 });
  }

  /** A shell script of this one line; answers its path. */
  script(name: string, line: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
    return path;
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #settings(): string {
    return join(this.folder, "holdfast.conf");
  }

  #policy(name: string): string {
    return join(this.policies, `${name}.ts`);
  }
}

export interface PolicyText {
  /** Literals of TypeScript. */
  readonly permissions?: string;
  readonly state?: string;
  readonly track?: string;
  readonly every: string;
  readonly run: string;
}

/** A policy with one check. */
export const policyText = ({
  permissions = "{}",
  state,
  track,
  every,
  run,
}: PolicyText): string => `import { definePolicy } from "holdfast/sdk";

export default definePolicy({
  permissions: ${permissions},
${state === undefined ? "" : `  state: ${state},\n`}  checks: {
    alive: {
      every: "${every}",
${track === undefined ? "" : `      track: ${track},\n`}      run: ${run},
    },
  },
});
`;

/** keepalived's way: this script as so many vrrp_scripts, each every `interval` seconds. */
export const vrrpScripts = (
  count: number,
  path: string,
  interval = 1,
): { readonly blocks: readonly string[]; readonly track: readonly string[] } => {
  const names = Array.from({ length: count }, (_, at) => `check${at}`);
  return {
    blocks: names.flatMap((name) =>
      block(`vrrp_script ${name}`, [`script "${path}"`, `interval ${interval}`]),
    ),
    track: block("track_script", names),
  };
};
