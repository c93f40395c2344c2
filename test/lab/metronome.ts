import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";

/** A process that has nothing to do but to wake up on time, and tells how late it was at worst. */
const SCRIPT = `
  const period = 2;
  let due = performance.now() + period;
  let worst = 0;
  const beat = () => {
    const now = performance.now();
    worst = Math.max(worst, now - due);
    due = now + period;
    setTimeout(beat, period);
  };
  setTimeout(beat, period);
  process.send("ready");
  process.on("message", () => { process.send(worst); worst = 0; });
  process.on("disconnect", () => process.exit());
`;

/**
 * What this machine does to a process that is not under test. A lab shares its CPUs with whatever
 * else runs; a bound on lateness means: no later than that, plus the bound.
 */
export class Metronome {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** `through`: a program that starts others, as chrt does, with its arguments. */
  static async start(through: readonly string[] = []): Promise<Metronome> {
    const stdio = ["ignore", "ignore", "inherit", "ipc"] as const;
    const [program = process.execPath, ...args] = [...through, process.execPath, "-e", SCRIPT];
    const child = spawn(program, args, { stdio: [...stdio] });
    await once(child, "message");
    return new Metronome(child);
  }

  /**
   * Milliseconds of lateness, since it was asked last, that are the machine's doing: twice its own
   * worst, as a scheduler puts who works behind who sleeps.
   */
  async noise(): Promise<number> {
    const answer = once(this.#child, "message");
    this.#child.send("worst");
    const [worst] = await answer;
    return 2 * Number(worst);
  }

  close(): void {
    this.#child.kill("SIGKILL");
  }
}
