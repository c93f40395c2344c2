import type { Server, Socket } from "node:net";
import { connect, createServer } from "node:net";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";

/** A node's way to a store on this machine's loopback interface, by the same ports on its own. */
export class StoreLine {
  readonly #servers: readonly Server[];
  readonly #ends = new Set<Socket>();
  #isCut = false;
  /** Bytes that the node sent. */
  sent = 0;

  constructor(node: LabNode, ports: readonly number[]) {
    this.#servers = ports.map((port) => {
      const server = createServer((near) => this.#join(near, port));
      // Without an address it is bound at once, so inside.
      node.run(() => server.listen(port));
      return server;
    });
  }

  /** As a network that carries nothing any more: nobody is told. */
  cut(): void {
    this.#isCut = true;
  }

  heal(): void {
    this.#isCut = false;
    for (const end of this.#ends) end.destroy();
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const end of this.#ends) end.destroy();
  }

  #join(near: Socket, port: number): void {
    const far = connect({ host: "127.0.0.1", port });
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#ends.add(end);
      end.on("error", () => undefined);
      end.on("close", () => {
        this.#ends.delete(end);
        if (!this.#isCut) other.destroy();
      });
      end.on("data", (chunk) => {
        if (this.#isCut) return;
        if (end === near) this.sent += chunk.length;
        other.write(chunk);
      });
    }
  }
}
