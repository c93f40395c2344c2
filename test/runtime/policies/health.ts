import type { FakeProgram } from "./fake-sandbox.ts";
import { PolicyBench } from "./policy-bench.ts";

export const ALIVE = "policy nginx/alive";

/** A policy of one check, whose verdict a test changes. */
export class Health {
  answer: unknown = true;
  runs = 0;

  program(declared: Readonly<Record<string, unknown>> = {}, more: FakeProgram = {}): FakeProgram {
    const run = (): unknown => {
      this.runs += 1;
      if (this.answer instanceof Error) throw this.answer;
      return this.answer;
    };
    const alive = { every: "1s", track: { routers: { VI_1: -30 } }, ...declared, run };
    return { ...more, checks: { alive } };
  }
}

export async function benchWith(program: FakeProgram | "broken"): Promise<PolicyBench> {
  const bench = new PolicyBench();
  bench.put("nginx", program);
  await bench.start();
  return bench;
}
