import { randomInt } from "node:crypto";
import type { ProbeSockets } from "../../../agent/ports/probe-sockets.ts";
import type { ProbeOf, RunProbe } from "../../../agent/ports/server-probes.ts";
import { converse } from "../conversation.ts";
import { encodeQuery, responseCode } from "./dns-message.ts";

/**
 * DNS_CHECK: one query over UDP is answered with NOERROR, whatever the answer holds. Messages that do
 * not answer it are passed over: the kernel lets only the server's own through.
 */
export const dnsProbe =
  (sockets: ProbeSockets): RunProbe<ProbeOf<"dns">> =>
  ({ to, name, type }, signal) => {
    const id = randomInt(65_536);
    const query = encodeQuery(id, name, type);
    if (query === undefined) {
      return Promise.resolve({ ok: false, reason: `there is no query ${type} of ${name}`, ms: 0 });
    }
    return converse(
      (listener) => sockets.connect("udp", to, listener),
      signal,
      (talk) => ({
        connected() {
          talk.doing = `waiting for ${type} of ${name}`;
          talk.send(query);
        },
        received(bytes) {
          const code = responseCode(id, bytes);
          if (code === "NOERROR") talk.succeed("NOERROR");
          else if (code !== undefined) talk.fail(code);
        },
        ended: () => undefined,
      }),
    );
  };
