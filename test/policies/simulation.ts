import { simulate } from "../../agent/simulator/simulate.ts";
import type { Simulation, World } from "../../sdk/testing.ts";
import { PolicyFolder, policyText } from "../policy/folder.ts";

const folder = new PolicyFolder();
let count = 0;

/** A file with a policy of these members. */
export function policyFile(members: string): string {
  count += 1;
  return folder.write(`p${count}.ts`, policyText(members));
}

/** Simulates a policy with these members. */
export const simulated = (members: string, world: World = {}): Promise<Simulation> =>
  simulate(policyFile(members), world);

/** Writes another version of the policy that was simulated last; answers its name. */
export function another(members: string): string {
  folder.write("another.ts", policyText(members));
  return "another.ts";
}

/** A check of VI_1 with these members. */
export const checking = (permissions: string, check: string, more = ""): string =>
  `permissions: { ${permissions}, control: { routers: ["VI_1"] } }, checks: { it: { ${check} } }, ${more}`;
