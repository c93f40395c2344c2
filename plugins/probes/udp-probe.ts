import { randomBytes } from "node:crypto";
import type { ProbeSockets } from "../../agent/ports/probe-sockets.ts";
import type { ProbeOf, RunProbe } from "../../agent/ports/server-probes.ts";
import { converse } from "./conversation.ts";
import type { ReplyPattern } from "./reply-pattern.ts";
import { fitsPattern, parseReplyPattern } from "./reply-pattern.ts";

const RANDOM_LENGTH = 32;
/** Of the time there is: silence is an answer before its end. */
const PATIENCE = 0.95;

type UdpProbe = ProbeOf<"udp">;

/**
 * UDP_CHECK: one datagram. Without a required reply the server is up when nothing comes back that says
 * otherwise (ICMP), which takes nearly all of the time there is; any reply ends the wait.
 */
export const udpProbe =
  (sockets: ProbeSockets): RunProbe<UdpProbe> =>
  (probe, signal, timeout) => {
    const pattern = parseReplyPattern(probe.reply ?? "");
    const payload =
      probe.payload === undefined ? randomBytes(RANDOM_LENGTH) : Buffer.from(probe.payload, "hex");
    if (pattern === undefined) {
      return Promise.resolve({ ok: false, reason: `no reply can be ${probe.reply}`, ms: 0 });
    }
    let patience: NodeJS.Timeout | undefined;
    const asked = converse(
      (listener) => sockets.connect("udp", probe.to, listener),
      signal,
      (talk) => ({
        connected() {
          talk.doing = "waiting for a reply";
          talk.send(payload);
          if (probe.requireReply) return;
          patience = setTimeout(() => talk.succeed("no refusal"), (timeout / 1_000) * PATIENCE);
        },
        received(bytes) {
          const problem = probe.requireReply ? problemOf(bytes, probe, pattern) : undefined;
          if (problem === undefined) talk.succeed(`a reply of ${bytes.length} bytes`);
          else talk.fail(problem);
        },
        ended: () => undefined,
        timedOut() {
          if (patience !== undefined) talk.succeed("no refusal");
        },
      }),
    );
    return asked.finally(() => clearTimeout(patience));
  };

function problemOf(
  reply: Uint8Array,
  { minReplyLength, maxReplyLength }: UdpProbe,
  pattern: ReplyPattern,
): string | undefined {
  if (reply.length < minReplyLength || reply.length > maxReplyLength) {
    return `a reply of ${reply.length} bytes, not ${minReplyLength} to ${maxReplyLength}`;
  }
  return fitsPattern(pattern, reply) ? undefined : "another reply than required";
}
