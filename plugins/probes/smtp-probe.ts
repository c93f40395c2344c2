import type { ProbeSockets } from "../../agent/ports/probe-sockets.ts";
import type { ProbeOf, RunProbe } from "../../agent/ports/server-probes.ts";
import type { Talk, Talker } from "./conversation.ts";
import { converse } from "./conversation.ts";

/** RFC 5321 §4.5.3.1.5 has 512 octets; some servers greet at greater length. */
const LONGEST_LINE = 2_048;
/** Lines of one answer; a server that never comes to its last one fails sooner than its time is over. */
const MOST_LINES = 256;

interface Step {
  readonly name: string;
  readonly code: string;
  /** What is said when the answer is there; `undefined`: all is well. */
  readonly next: string | undefined;
}

/** SMTP_CHECK: the greeting, HELO and QUIT get the answers that they should. RFC 5321 §4.3.2. */
export const smtpProbe =
  (sockets: ProbeSockets): RunProbe<ProbeOf<"smtp">> =>
  ({ to, heloName }, signal) =>
    converse(
      (listener) => sockets.connect("tcp", to, listener),
      signal,
      (talk) =>
        new Dialogue(talk, [
          { name: "the greeting", code: "220", next: `HELO ${heloName}\r\n` },
          { name: "HELO", code: "250", next: "QUIT\r\n" },
          { name: "QUIT", code: "221", next: undefined },
        ]),
    );

class Dialogue implements Talker {
  readonly #talk: Talk;
  readonly #steps: readonly Step[];
  #at = 0;
  #line = "";
  #lines = 0;

  constructor(talk: Talk, steps: readonly Step[]) {
    this.#talk = talk;
    this.#steps = steps;
  }

  connected(): void {
    this.#wait();
  }

  received(bytes: Uint8Array): void {
    this.#line += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    for (let end = this.#line.indexOf("\n"); end >= 0; end = this.#line.indexOf("\n")) {
      const line = this.#line.slice(0, end).replace(/\r$/, "");
      this.#line = this.#line.slice(end + 1);
      if (!this.#read(line)) return;
    }
    if (this.#line.length > LONGEST_LINE) {
      this.#talk.fail(`${this.#name}: a line of more than ${LONGEST_LINE} bytes`);
    }
  }

  ended(): void {
    this.#talk.fail(`${this.#name}: the server closed the connection`);
  }

  get #name(): string {
    return this.#steps[this.#at]?.name ?? "";
  }

  #wait(): void {
    this.#talk.doing = `waiting for the answer to ${this.#name}`;
    if (this.#at === 0) this.#talk.doing = "waiting for the greeting";
  }

  /** Whether the conversation goes on. */
  #read(line: string): boolean {
    const step = this.#steps[this.#at];
    this.#lines += 1;
    const fits = step !== undefined && line.startsWith(step.code) && /^\d{3}(?:[ -]|$)/.test(line);
    if (!fits || this.#lines > MOST_LINES) {
      this.#talk.fail(`${this.#name}: ${fits ? "an answer without end" : oneLine(line)}`);
      return false;
    }
    if (line[3] === "-") return true;
    this.#lines = 0;
    if (step.next === undefined) {
      this.#talk.succeed("SMTP 221");
      return false;
    }
    this.#at += 1;
    this.#wait();
    this.#talk.send(Buffer.from(step.next));
    return true;
  }
}

/** A server may send anything. */
const oneLine = (text: string): string =>
  text === "" ? "an empty line" : text.slice(0, 80).replace(/[^ -~]/g, "?");
