import type { TimedCommand } from "../config/notifications.ts";
import type {
  DirectorCommand,
  DirectorStatus,
  LetterIds,
  ServerOrder,
} from "../control/protocol.ts";
import type { Later } from "../ports/processes.ts";
import type { DirectorSettings, EventReport, FromDirector, ToDirector } from "./ipc.ts";
import { parts } from "./ipc.ts";
import type { NodeSnapshot } from "./vrrp-client.ts";

/** Events that wait for a director; one that is away this long has its oldest forgotten. */
const EVENTS_KEPT = 1_000;
/** So many directors may end over one event: it could be what ends them. */
const MOST_TRIES = 3;

/** An event that was not told to its end. */
interface Untold {
  readonly report: EventReport;
  /** Of those that the director was sent, from 1; 0: it was not. */
  nth: number;
  /** Directors that ended while this was their first. */
  tries: number;
}

/** Scripts end by themselves within their time; the director that runs them may not. */
const SCRIPT_MARGIN_MS = 3_000;

type Reply = Extract<
  FromDirector,
  { readonly kind: "director-status" | "answer" | "no-answer" | "script-ended" }
>;

/** Asks the director process, over its channel, and keeps for it what happens while there is none. */
export class DirectorClient {
  readonly #send: (message: ToDirector) => void;
  readonly #later: Later;
  readonly #pending = new Map<number, (reply: Reply | undefined) => void>();
  /** Events that would be lost with the director, oldest first; all of them were sent to it. */
  readonly #untold: Untold[] = [];
  /** Events that this director was sent. */
  #sent = 0;
  /** The director that runs now has its configuration. */
  #configured = false;
  #id = 0;

  constructor(send: (message: ToDirector) => void, later: Later) {
    this.#send = send;
    this.#later = later;
  }

  configure(settings: DirectorSettings): void {
    this.#send({ kind: "configure", settings });
    if (this.#configured) return;
    this.#configured = true;
    for (const untold of this.#untold) this.#tell(untold);
  }

  /** A vrrp process runs that wants to hear everything. */
  vrrpConfigured(): void {
    if (this.#configured) this.#send({ kind: "vrrp-configured" });
  }

  event(report: EventReport): void {
    const untold: Untold = { report, nth: 0, tries: 0 };
    this.#untold.push(untold);
    if (this.#configured) this.#tell(untold);
    if (this.#untold.length >= 2 * EVENTS_KEPT) this.#untold.splice(0, EVENTS_KEPT);
  }

  /** The nth event that this director was sent would not be lost with it. */
  told(nth: number): void {
    const at = this.#untold.findIndex((untold) => untold.nth === nth);
    if (at >= 0) this.#untold.splice(at, 1);
  }

  #tell(untold: Untold): void {
    this.#sent += 1;
    untold.nth = this.#sent;
    this.#send({ kind: "event", report: untold.report });
  }

  /** Answers a request for a snapshot. */
  snapshot(id: number, { routers, groups, bfd }: NodeSnapshot): void {
    for (const part of parts(routers)) this.#send({ kind: "snapshot", id, routers: part });
    for (const sessions of parts(bfd.sessions)) {
      this.#send({ kind: "snapshot", id, routers: [], sessions });
    }
    this.#send({ kind: "snapshot", id, routers: [], groups });
  }

  /** `undefined`: no answer within the time. */
  async status(limitMs: number): Promise<DirectorStatus | undefined> {
    const reply = await this.#ask(limitMs, (id) => ({ kind: "status", id }));
    return reply?.kind === "director-status" ? reply.status : undefined;
  }

  /** Rejects with an Error for people when there is no answer. */
  async command(
    command: DirectorCommand,
    ids: LetterIds,
    limitMs: number,
    order?: ServerOrder,
  ): Promise<unknown> {
    const more = order === undefined ? {} : { order };
    const reply = await this.#ask(limitMs, (id) => ({
      kind: "command",
      id,
      command,
      ids,
      ...more,
    }));
    if (reply?.kind === "answer") return reply.result;
    const problem = reply?.kind === "no-answer" ? reply.problem : "the director does not answer";
    throw new Error(problem);
  }

  /** Answers in words how it failed, to be read after its name; `undefined`: it did not. */
  async runScript(script: TimedCommand): Promise<string | undefined> {
    const limitMs = script.timeout / 1_000 + SCRIPT_MARGIN_MS;
    const reply = await this.#ask(limitMs, (id) => ({ kind: "run-script", id, script }));
    return reply?.kind === "script-ended" ? reply.outcome : "was lost with the director";
  }

  hear(message: Reply): void {
    const answer = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    answer?.(message);
  }

  /** The process is gone: nothing more will be answered. */
  ended(): void {
    const [first] = this.#untold;
    if (this.#configured && first !== undefined) {
      first.tries += 1;
      if (first.tries >= MOST_TRIES) this.#untold.shift();
    }
    this.#configured = false;
    this.#sent = 0;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const answer of pending) answer(undefined);
  }

  #ask(limitMs: number, message: (id: number) => ToDirector): Promise<Reply | undefined> {
    // Without a configuration it has nothing to say, and nobody to say it.
    if (!this.#configured) return Promise.resolve(undefined);
    this.#id += 1;
    const id = this.#id;
    return new Promise((resolve) => {
      const cancel = this.#later(limitMs, () => {
        this.#pending.delete(id);
        resolve(undefined);
      });
      this.#pending.set(id, (reply) => {
        cancel();
        resolve(reply);
      });
      this.#send(message(id));
    });
  }
}
