import type { FakeProgram } from "./fake-sandbox.ts";
import { PolicyBench } from "./policy-bench.ts";

export const ALIVE = "policy nginx/alive";

/** A policy of one check, whose verdict a test changes. */
export class Health {
  answer: unknown = true;
  runs = 0;
  /** Called in each run, when its answer stands. */
  whenRun: () => void = () => undefined;

  program(declared: Readonly<Record<string, unknown>> = {}, more: FakeProgram = {}): FakeProgram {
    const run = (): unknown => {
      this.runs += 1;
      const { answer } = this;
      this.whenRun();
      if (answer instanceof Error) throw answer;
      return answer;
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
