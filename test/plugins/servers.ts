import { once } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";
import { createServer } from "node:net";

/** A server on the loopback interface, and how to be rid of it. */
export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1; closing breaks what is connected. */
export async function listening(server: Server): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      if (server.listening) await once(server, "close");
    },
  };
}

/** A TCP server of a few lines. */
export const tcpServer = (serve: (socket: Socket) => void): Promise<Listening> =>
  listening(createServer({ allowHalfOpen: true }, serve));

/**
 * Below those that the kernel gives to connections: one of them would come to whoever connects next, before
 * a server of a test has it.
 */
const PORTS = { first: 11_000, count: 20_000 };
/** Other processes of tests begin elsewhere. */
let nextPort = process.pid * 131;

/** A port that nobody listens on; another one each time. */
export async function closedPort(): Promise<number> {
  for (let tried = 0; tried < PORTS.count; tried += 1) {
    const port = PORTS.first + (nextPort++ % PORTS.count);
    if (await isFree(port)) return port;
  }
  throw new Error("no port is free");
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.on("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
