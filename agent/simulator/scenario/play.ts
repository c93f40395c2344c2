import { basename } from "node:path";
import type { Simulation } from "../../../sdk/testing.ts";
import { policyNameOf } from "../../policy/discover.ts";
import type { SimulationReport } from "../../policy/simulation-report.ts";
import { simulate } from "../simulate.ts";
import { readScenario } from "./read-scenario.ts";
import type { Scenario } from "./scenario.ts";

/**
 * Plays a scenario to the policy in this file. Throws a SyntaxError for a scenario that cannot be
 * understood, and a PolicyRefused; paths are absolute.
 */
export async function playScenario(file: string, scenarioFile: string): Promise<SimulationReport> {
  const scenario = readScenario(scenarioFile);
  const sim = await simulate(file, scenario.world);
  const timeline = await play(sim, scenario);
  return {
    policy: policyNameOf(file),
    scenario: basename(scenarioFile),
    lasted: scenario.length,
    routers: sim.routers.map((name) => ({ name, history: sim.history(name) })),
    timeline,
    errors: sim.errors.map((error) => ({ ...error, message: inScenario(error.message) })),
  };
}

async function play(
  sim: Simulation,
  { steps, length }: Scenario,
): Promise<SimulationReport["timeline"]> {
  const timeline: SimulationReport["timeline"][number][] = [];
  let seen = 0;
  let now = 0;
  const advance = async (to: number): Promise<void> => {
    const micros = Math.round((to - now) * 1_000);
    if (micros > 0) await sim.advance(`${micros / 1_000}ms`);
    now = Math.max(now, to);
    const happened = sim.timeline.slice(seen);
    timeline.push(...happened.map((each) => ({ ...each, message: inScenario(each.message) })));
    seen = sim.timeline.length;
  };
  for (const { at, text, act } of steps) {
    await advance(at);
    timeline.push({ after: at, kind: "scenario", subject: "", message: text });
    try {
      // What happens at one moment happens before anybody looks.
      const acted = act(sim);
      if (acted !== undefined) await acted;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      timeline.push({ after: at, kind: "scenario", subject: "in vain", message: error.message });
    }
  }
  await advance(length);
  return timeline;
}

/** What a test would write, a scenario says in a line. */
const inScenario = (message: string): string =>
  message.replace(/; write sim\..*$/, "; say in the scenario what answers");
