import type { LastWill, WillOutcome, WillRequest } from "../../agent/ports/last-will.ts";

const NOTHING = { addresses: 0, routes: 0, rules: 0, links: 0, filter: false };

/** Takes down what it is asked for. */
export class FakeLastWill implements LastWill {
  readonly requests: WillRequest[] = [];
  prepared = false;
  outcome: WillOutcome = { withdrawn: NOTHING, sent: 0, problems: [] };
  /** What the next answers wait for. */
  until: Promise<void> = Promise.resolve();

  prepare(): void {
    this.prepared = true;
  }

  async execute(request: WillRequest): Promise<WillOutcome> {
    this.requests.push(request);
    await this.until;
    return this.outcome;
  }
}
