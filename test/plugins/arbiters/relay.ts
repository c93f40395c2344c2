import type { Socket } from "node:net";
import { connect } from "node:net";
import type { Listening } from "../servers.ts";
import { tcpServer } from "../servers.ts";

/** A holder's own way to a store, which a test may cut: the holder then is as dead as one without power. */
export interface Relay {
  readonly port: number;
  /** From now on nothing passes, and nothing is told to either side. */
  fallSilent(): void;
  close(): Promise<void>;
}

export async function relayTo(port: number): Promise<Relay> {
  let isSilent = false;
  const ends = new Set<Socket>();
  const listening: Listening = await tcpServer((near) => {
    if (isSilent) return;
    const far = connect({ host: "127.0.0.1", port });
    for (const end of [near, far]) {
      ends.add(end);
      end.on("error", () => {});
      end.on("close", () => {
        ends.delete(end);
        if (isSilent) return;
        near.destroy();
        far.destroy();
      });
    }
    near.on("data", (chunk) => isSilent || far.write(chunk));
    far.on("data", (chunk) => isSilent || near.write(chunk));
  });
  return {
    port: listening.port,
    fallSilent() {
      isSilent = true;
    },
    async close() {
      isSilent = true;
      for (const end of ends) end.destroy();
      await listening.close();
    },
  };
}
