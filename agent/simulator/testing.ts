import { resolve } from "node:path";
import type { Simulation, World } from "../../sdk/testing.ts";
import { callerFolder } from "./caller-folder.ts";
import { simulate as simulatePath } from "./simulate.ts";

// What `holdfast/sdk/testing` is when it runs; its types are in sdk/testing.ts.

/** A test names its policy as it lies beside itself. */
export function simulate(file: string, world: World = {}): Promise<Simulation> {
  return simulatePath(resolve(callerFolder(simulate), file), world);
}
