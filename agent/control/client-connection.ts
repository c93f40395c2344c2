import type { Socket } from "node:net";
import type { ControlLimits } from "./limits.ts";
import { LineSplitter } from "./lines.ts";
import type { AgentEvent, ControlAnswer, ControlRequest } from "./protocol.ts";
import { readRequest } from "./request.ts";
import type { ControlTarget } from "./target.ts";

/** The server's end of one connection. Owns the socket; cuts it off when it takes too much. */
export class Client {
  readonly #socket: Socket;
  readonly #target: ControlTarget;
  readonly #limits: ControlLimits;
  readonly #log: (message: string) => void;
  #pending = 0;
  #slow: NodeJS.Timeout | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(
    socket: Socket,
    target: ControlTarget,
    limits: ControlLimits,
    log: (message: string) => void,
  ) {
    this.#socket = socket;
    this.#target = target;
    this.#limits = limits;
    this.#log = log;
    const lines = new LineSplitter(limits.lineBytes);
    socket.setTimeout(limits.idleMs, () => {
      if (this.#unsubscribe === undefined && this.#pending === 0) socket.destroy();
    });
    socket.on("error", () => socket.destroy());
    socket.on("drain", () => this.#disarm());
    socket.on("close", () => {
      this.#disarm();
      this.#unsubscribe?.();
    });
    socket.on("data", (chunk) => {
      const found = lines.push(chunk);
      if (found === "too-long") this.#cutOff(`sent a line longer than ${limits.lineBytes} bytes`);
      else for (const line of found) this.#receive(line);
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #receive(line: string): void {
    if (line.trim() === "" || this.#socket.destroyed) return;
    const read = readRequest(line);
    if (!read.ok) {
      this.#answer({ id: read.id, ok: false, code: read.code, message: read.message });
      return;
    }
    if (this.#pending >= this.#limits.pending) {
      this.#cutOff(`asked for more than ${this.#limits.pending} things at once`);
      return;
    }
    this.#pending += 1;
    void this.#obey(read.request).then(() => {
      this.#pending -= 1;
    });
  }

  async #obey(request: ControlRequest): Promise<void> {
    try {
      if (request.command === "events") this.#sendEvents(request.id, request.follow);
      else this.#answer({ id: request.id, ok: true, result: await this.#ask(request) });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#log(`control request ${request.command} failed: ${message}`);
      this.#answer({ id: request.id, ok: false, code: "internal", message });
    }
  }

  #ask(request: Exclude<ControlRequest, { readonly command: "events" }>): Promise<unknown> {
    switch (request.command) {
      case "status":
      case "reload":
      case "journal":
        return this.#target[request.command]();
      case "drain":
      case "undrain":
      case "disable":
      case "weight":
      case "add":
      case "remove":
        return this.#target.director(request.command, "all", request.order);
      default:
        return this.#target.director(request.command, request.ids);
    }
  }

  /** Recent events first; what comes later follows without a gap, as nothing runs in between. */
  #sendEvents(id: number, follow: boolean): void {
    const recent = this.#target.events.recent();
    this.#answer({ id, ok: true, result: { recent: recent.length } });
    for (const event of recent) this.#answer({ id, event });
    if (!follow || this.#unsubscribe !== undefined) return;
    this.#unsubscribe = this.#target.events.subscribe((event) => this.#sendLater(id, event));
  }

  #sendLater(id: number, event: AgentEvent): void {
    if (this.#socket.writableLength > this.#limits.backlogBytes) {
      this.#cutOff("does not read the events that it follows");
    } else this.#answer({ id, event });
  }

  #answer(answer: ControlAnswer): void {
    if (this.#socket.destroyed) return;
    if (this.#socket.write(`${JSON.stringify(answer)}\n`) || this.#slow !== undefined) return;
    this.#slow = setTimeout(
      () => this.#cutOff(`left an answer unread for ${this.#limits.slowMs} ms`),
      this.#limits.slowMs,
    ).unref();
  }

  #disarm(): void {
    clearTimeout(this.#slow);
    this.#slow = undefined;
  }

  #cutOff(why: string): void {
    this.#log(`control client cut off: it ${why}`);
    this.#socket.destroy();
  }
}
