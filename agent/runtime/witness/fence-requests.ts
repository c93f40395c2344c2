import type { FenceProblem } from "../../core/witness/mandate.ts";
import type { FenceAnswer, FenceRequest } from "../ipc.ts";

/** What others are asked to fence, and has not been answered. */
export class FenceRequests {
  readonly #say: (request: FenceRequest) => void;
  readonly #waiting = new Map<number, (problem: FenceProblem | undefined) => void>();
  #asked: number;

  /** @param seed so that an answer to another process before this one is none to this one */
  constructor(seed: number, say: (request: FenceRequest) => void) {
    this.#asked = seed;
    this.#say = say;
  }

  /** Answers why nobody may rely on it; `undefined`: done. */
  run(devices: readonly string[]): Promise<FenceProblem | undefined> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#say({ kind: "fence", id, devices });
    });
  }

  hear({ id, problem }: FenceAnswer): void {
    const answered = this.#waiting.get(id);
    this.#waiting.delete(id);
    answered?.(problem ?? undefined);
  }
}
