import type { ProbeSockets } from "../../agent/ports/probe-sockets.ts";
import type { ProbeOf, RunProbe } from "../../agent/ports/server-probes.ts";
import { converse } from "./conversation.ts";

/** TCP_CHECK: the other side accepts a connection. Nothing is sent. */
export const tcpProbe =
  (sockets: ProbeSockets): RunProbe<ProbeOf<"tcp">> =>
  ({ to }, signal) =>
    converse(
      (listener) => sockets.connect("tcp", to, listener),
      signal,
      (talk) => ({
        connected: () => talk.succeed("connected"),
        received: () => undefined,
        ended: () => undefined,
      }),
    );
