import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Package } from "./program.ts";
import type { Section } from "./row.ts";

/** Seconds. Longer than any of them takes on a busy machine. */
const LIMIT = 400;

const here = (name: string): string => join(import.meta.dirname, name);

/** Runs a measurement (inside/main.ts has them by name) in a guest with ip_vs. */
export async function inGuest(name: string, from: Package): Promise<Section> {
  const child = spawn(
    "setpriv",
    [
      ...["--pdeathsig", "TERM", "--", here("../guest/run-guest.sh"), "-t", String(LIMIT)],
      ...["-m", "2560M", process.execPath, here("inside/main.ts"), name, from.program],
    ],
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"] },
    },
  );
  let answer = "";
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    answer += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-4_000);
  });
  const [status] = await once(child, "close");
  if (status !== 0) throw new Error(`the guest ended with ${status}; it said:\n${said}`);
  process.stderr.write(said);
  return JSON.parse(answer);
}
