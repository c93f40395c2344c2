import type { Client } from "node-zookeeper-client";
import { createClient } from "node-zookeeper-client";
import type { ZooKeeperSettings } from "../settings.ts";

/** States of the client's connection, by its numbers. */
export const STATE = {
  disconnected: 0,
  connecting: 1,
  connected: 2,
  closed: -2,
  expired: -3,
  unauthenticated: -4,
} as const;

const LARGEST_PENDING = 1 << 20;
const SPIN_MS = 100;

/**
 * A client that has not connected yet, made fit for servers that fail. As it comes, it has no time-out
 * for reading, joins the rest of a frame of one connection to the next one's, and throws out of the
 * socket's event at an answer that it does not know, which would end the process.
 */
export function zooKeeperClient(settings: ZooKeeperSettings, sessionTimeout: number): Client {
  const { servers, chroot = "", login } = settings;
  const options = { sessionTimeout, spinDelay: SPIN_MS, retries: 0 };
  const client = createClient(`${servers.join(",")}${chroot}`, options);
  const manager = client.connectionManager;
  const read = manager.onSocketData;
  manager.onSocketData = (chunk) => {
    try {
      read.call(manager, chunk);
      if ((manager.pendingBuffer?.length ?? 0) > LARGEST_PENDING) cut(client);
    } catch {
      cut(client);
    }
  };
  manager.on("state", (state) => {
    if (state === STATE.connecting) manager.pendingBuffer = null;
  });
  if (login !== undefined) {
    client.addAuthInfo("digest", Buffer.from(`${login.user}:${login.password}`));
  }
  return client;
}

/** Ends the connection, not the session: the client goes on at the next server. */
export function cut(client: Client): void {
  const { socket, connectTimeoutHandler } = client.connectionManager;
  // The client forgets it where an attempt ends without an error, and it would keep the process alive.
  clearTimeout(connectTimeoutHandler);
  socket?.destroy();
}
