import process from "node:process";
import type { Section } from "../row.ts";
import type { Program } from "./director.ts";
import { failures } from "./failures.ts";
import { load } from "./load.ts";

// In a guest with ip_vs: main.ts NAME PROGRAM. Measures, and writes the section as JSON to stdout.

const MEASUREMENTS: Readonly<Record<string, (from: Program) => Promise<Section>>> = {
  load,
  failures,
};

const [name = "", program = ""] = process.argv.slice(2);
const measure = MEASUREMENTS[name];
if (measure === undefined) throw new TypeError(`there is no measurement ${name}`);
const section = await measure({ program });
process.stdout.write(`${JSON.stringify(section)}\n`, () => process.exit());
