import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { PORT } from "./traffic-net.ts";

/** Of one answer; the guest is slow. */
const PATIENCE_MS = 30_000;

/** Which real server answered, and whom it saw. */
export interface Answer {
  readonly server: string;
  readonly client: string;
}

const answerOf = (line: string): Answer => {
  const [server = "", client = ""] = line.trim().split(" ");
  return { server, client: client.replace(/^::ffff:/, "") };
};

/** One connection of TCP to a service; several questions may be asked on it, one after the other. */
export class Connection {
  readonly socket: Socket;
  #ended: string | undefined;
  #text = "";
  #heard: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    const end = (why: string) => () => {
      this.#ended ??= why;
      this.#heard();
    };
    socket
      .setEncoding("latin1")
      .on("data", (text: string) => {
        this.#text += text;
        this.#heard();
      })
      .on("error", (error) => end(String(error))())
      .on("close", end("closed"));
  }

  /** Rejects when nobody takes it. */
  static open(to: string, from: string): Promise<Connection> {
    const socket = connect({ host: to, port: PORT, localAddress: from });
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => socket.destroy(new Error(`${to} is silent`)), PATIENCE_MS);
      socket.once("error", reject).once("connect", () => {
        clearTimeout(late);
        resolve(new Connection(socket));
      });
      socket.once("close", () => clearTimeout(late));
    });
  }

  async ask(): Promise<Answer> {
    const said = await this.get("/", /\r\n\r\n(.*\n)/);
    return answerOf(said[1] ?? "");
  }

  /** Asks for a path, and waits until what came looks so. */
  async get(path: string, wanted: RegExp): Promise<RegExpExecArray> {
    this.#text = "";
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: web\r\n\r\n`);
    return await this.until((text) => wanted.exec(text) ?? undefined);
  }

  /** Waits until what came since the last question is enough. */
  async until<Found>(look: (text: string) => Found | undefined): Promise<Found> {
    const late = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const found = look(this.#text);
      if (found !== undefined) return found;
      assert.equal(this.#ended, undefined, `after ${this.#text.length} bytes`);
      assert.ok(!late.aborted, `it says no more after ${this.#text.length} bytes`);
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
        late.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  /** What came since the last question, its header too. */
  get bytes(): number {
    return this.#text.length;
  }

  /** `undefined`: it goes on. */
  get ended(): string | undefined {
    return this.#ended;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Asks once on a connection of its own. */
export async function askTcp(to: string, from: string): Promise<Answer> {
  const connection = await Connection.open(to, from);
  try {
    return await connection.ask();
  } finally {
    connection.close();
  }
}

/** Asks over UDP from one port, `times` times, one after the other. */
export async function askUdp(to: string, from: string, times = 1): Promise<readonly Answer[]> {
  const socket = createSocket(to.includes(":") ? "udp6" : "udp4");
  const answers: Answer[] = [];
  try {
    await new Promise<void>((resolve) => socket.bind(0, from, resolve));
    for (let at = 0; at < times; at += 1) {
      const answer = new Promise<string>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`${to} is silent (UDP)`)), PATIENCE_MS);
        socket.once("message", (message) => {
          clearTimeout(late);
          resolve(message.toString());
        });
      });
      socket.send("?", PORT, to);
      answers.push(answerOf(await answer));
    }
    return answers;
  } finally {
    socket.close();
  }
}

/** How often each server answered: `rs1=4 rs2=2`. */
export function tally(answers: readonly Answer[]): string {
  const counts = new Map<string, number>();
  for (const { server } of answers) counts.set(server, (counts.get(server) ?? 0) + 1);
  return [...counts]
    .map(([server, count]) => `${server}=${count}`)
    .sort()
    .join(" ");
}

export const serversIn = (answers: readonly Answer[]): number =>
  new Set(answers.map(({ server }) => server)).size;
