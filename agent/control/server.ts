import { unlinkSync } from "node:fs";
import type { Socket } from "node:net";
import { createServer } from "node:net";
import { Client } from "./client-connection.ts";
import type { ControlLimits } from "./limits.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { listenOnSocket } from "./listen.ts";
import type { ControlTarget } from "./target.ts";

export interface ControlServerOptions {
  readonly path: string;
  readonly target: ControlTarget;
  /** Hears one line about each client that was cut off, and each failure of the target. */
  readonly log: (message: string) => void;
  readonly limits?: ControlLimits;
}

export interface ControlServer {
  /** Cuts all clients off and removes the socket. */
  close(): Promise<void>;
}

/**
 * Serves the control protocol on a unix socket: newline-delimited JSON, one answer per request, in any
 * order. Throws a KernelError when the socket cannot be had.
 */
export async function serveControl(options: ControlServerOptions): Promise<ControlServer> {
  const { path, target, log } = options;
  const limits = options.limits ?? DEFAULT_LIMITS;
  const clients = new Set<Client>();
  const server = createServer((socket) => {
    if (clients.size >= limits.clients) {
      turnAway(socket, limits.clients);
      return;
    }
    const client = new Client(socket, target, limits, log);
    clients.add(client);
    socket.once("close", () => clients.delete(client));
  });
  await listenOnSocket(server, path);
  server.on("error", (error) => log(`control socket: ${error.message}`));
  return {
    close: () =>
      new Promise((resolve) => {
        for (const client of clients) client.destroy();
        removeSocket(path);
        server.close(() => resolve());
      }),
  };
}

function turnAway(socket: Socket, most: number): void {
  socket.on("error", () => socket.destroy());
  const message = `${most} clients are connected already`;
  socket.end(`${JSON.stringify({ id: 0, ok: false, code: "busy", message })}\n`);
  socket.resume();
}

function removeSocket(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Already gone: an operator cleaned up, or the directory went.
  }
}
