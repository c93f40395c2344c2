import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { LabNode } from "../../../agent/linux/lab/lab-node.ts";
import { eventually } from "../../lab/eventually.ts";

const PROGRAM = join(import.meta.dirname, "client-program.ts");

/** The program's own start included. */
const PATIENCE_MS = 20_000;
/** Longer than TCP asks again for a connection three times. */
const ANSWER_MS = 8_000;

export interface ClientOrder {
  readonly id: number;
  readonly host: string;
  readonly path: string;
  /** After an answer asks again on the same connection; 0: closes it. `undefined`: neither. */
  readonly againMs?: number;
}

export type ClientReport = { readonly id: number } & (
  | { readonly kind: "connected"; readonly port: number }
  | { readonly kind: "data"; readonly bytes: number; readonly page?: string }
  | { readonly kind: "over"; readonly reason: string }
);

/** One TCP connection to port 80. */
export class Connection {
  readonly id: number;
  readonly #pages: string[] = [];
  #port = 0;
  #bytes = 0;
  #over: string | undefined;

  constructor(id: number) {
    this.id = id;
  }

  /** Of the client's end. */
  get port(): number {
    return this.#port;
  }

  take(report: ClientReport): void {
    if (report.kind === "connected") this.#port = report.port;
    else if (report.kind === "over") this.#over = report.reason;
    else {
      this.#bytes += report.bytes;
      if (report.page !== undefined) this.#pages.push(report.page);
    }
  }

  /** The first page. Rejects when the connection is over before, or nothing comes. */
  first(timeoutMs: number): Promise<string> {
    return eventually("an answer", timeoutMs, () => this.#pages[0] ?? this.#over ?? assert.fail());
  }

  /** Resolves with the last page when so many more bytes have come; rejects when they do not. */
  async more(bytes: number, timeoutMs: number): Promise<string> {
    const wanted = this.#bytes + bytes;
    await eventually(`${bytes} bytes more from port ${this.#port}`, timeoutMs, () => {
      const came = this.#bytes - wanted + bytes;
      assert.ok(this.#bytes >= wanted, `${came} have come; ${this.#over ?? "it is open"}`);
    });
    assert.equal(this.#over, undefined);
    return this.#pages.at(-1) ?? "";
  }
}

/** Who asks from a node. */
export class Client {
  readonly #child: ChildProcess;
  readonly #connections = new Map<number, Connection>();

  constructor(node: LabNode) {
    this.#child = node.spawn(process.execPath, [PROGRAM], { stdio: ["pipe", "pipe", "inherit"] });
    if (this.#child.stdout === null) throw new TypeError("no output");
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      const report: ClientReport = JSON.parse(line);
      this.#connections.get(report.id)?.take(report);
    });
  }

  /** A connection that stays: it asks for short pages again and again, or for one that takes long. */
  async open(host: string, what: "again" | "long"): Promise<Connection> {
    const order = what === "long" ? { path: "/long" } : { path: "/", againMs: 100 };
    const connection = this.#order({ host, ...order });
    await connection.more(1, PATIENCE_MS);
    return connection;
  }

  /** What is answered on a connection of its own: a page, or why there is none. */
  async ask(host: string): Promise<string> {
    const connection = this.#order({ host, path: "/", againMs: 0 });
    return await connection.first(ANSWER_MS).catch(() => "no answer");
  }

  async askTimes(host: string, times: number): Promise<readonly string[]> {
    const answers: string[] = [];
    for (let time = 0; time < times; time += 1) answers.push(await this.ask(host));
    return answers;
  }

  close(): void {
    this.#child.kill("SIGKILL");
  }

  #order(order: Omit<ClientOrder, "id">): Connection {
    const connection = new Connection(this.#connections.size);
    this.#connections.set(connection.id, connection);
    this.#child.stdin?.write(`${JSON.stringify({ id: connection.id, ...order })}\n`);
    return connection;
  }
}
