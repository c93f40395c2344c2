import { readFileSync } from "node:fs";
import type { Config } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import { nearest } from "../config/keepalived/suggest.ts";
import type { Position } from "../config/position.ts";
import { discoverPolicies } from "../policy/discover.ts";
import { problem } from "../policy/problem.ts";

interface Wrong {
  readonly message: string;
  readonly hint: string;
}

/** Of each vrrp_script and holdfast_check that names the check of a policy: whether the folder has it. */
export async function namedCheckProblems(
  config: Config | undefined,
  directory: string,
): Promise<readonly Diagnostic[]> {
  const named = config === undefined ? [] : [...ofScripts(config), ...ofServers(config)];
  if (named.length === 0) return [];
  const folder = new Folder(directory);
  const found: Diagnostic[] = [];
  for (const { owner, position, policy, check } of named) {
    const wrong = await folder.lookFor(policy, check);
    if (wrong === undefined) continue;
    const text = `policy:${policy}/${check}`;
    const message = `${owner}: ${wrong.message}`;
    found.push(problem("policy-check", position, { message, hint: wrong.hint, text }));
  }
  return found;
}

/** A check of a policy where a configuration names it. */
interface NamedCheck {
  readonly owner: string;
  readonly position: Position;
  readonly policy: string;
  readonly check: string;
}

const ofScripts = ({ trackers }: Config): readonly NamedCheck[] =>
  trackers.flatMap((tracker) => {
    if (tracker.kind !== "script" || tracker.run.kind !== "policy") return [];
    return [{ owner: `vrrp_script ${tracker.name}`, ...tracker.run }];
  });

const ofServers = ({ balancing }: Config): readonly NamedCheck[] =>
  balancing.virtualServers.flatMap(({ realServers }) =>
    realServers.flatMap(({ name, checks }) =>
      checks.flatMap(({ position, probe }) =>
        probe.kind === "policy" ? [{ owner: `real_server ${name}`, position, ...probe }] : [],
      ),
    ),
  );

/** The policies folder as far as configurations refer to it. Nothing in it is run. */
class Folder {
  readonly #directory: string;
  readonly #files: ReadonlyMap<string, string>;

  constructor(directory: string) {
    this.#directory = directory;
    const { policies } = discoverPolicies(directory);
    this.#files = new Map(policies.map(({ name, file }) => [name, file]));
  }

  async lookFor(policy: string, check: string): Promise<Wrong | undefined> {
    const file = this.#files.get(policy);
    if (file === undefined) {
      const meant = nearest(policy, this.#files.keys())?.word;
      const message = `there is no policy ${policy} in ${this.#directory}`;
      const hint = `write ${this.#directory}/${policy}.ts, or name another folder with --policies`;
      return { message, hint: meant === undefined ? hint : `did you mean "${meant}"?` };
    }
    const checks = await checksOf(file);
    if (checks === undefined || checks.includes(check)) return undefined;
    const meant = nearest(check, checks)?.word;
    const known = checks.length === 0 ? "it has none" : `it has ${checks.join(", ")}`;
    const message = `the policy ${policy} has no check ${check}`;
    return { message, hint: meant === undefined ? known : `did you mean "${meant}"?` };
  }
}

/** `undefined`: they cannot be known; `holdfast policy check` says why. */
async function checksOf(file: string): Promise<readonly string[] | undefined> {
  // What reads policies is large, and most configurations name none.
  const { readManifest } = await import("../policy/manifest.ts");
  const outcome = await readManifest(readFileSync(file, "utf8"), file).catch(() => undefined);
  return outcome?.ok === true ? outcome.manifest.checks : undefined;
}
