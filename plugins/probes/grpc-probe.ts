import type { ProbeSockets } from "../../agent/ports/probe-sockets.ts";
import type { ProbeOf, RunProbe } from "../../agent/ports/server-probes.ts";
import { converse } from "./conversation.ts";
import { endpointText } from "./http/http-request.ts";
import { openHttp2 } from "./http/http2-stream.ts";
import type { SecureStreams } from "./tls/secure-streams.ts";

/** grpc.health.v1.HealthCheckResponse.ServingStatus. */
const STATUS = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
/** Codes of gRPC that health services answer with. */
const CODES: Readonly<Record<string, string>> = {
  "5": "the service is not known",
  "12": "there is no health service",
  "14": "unavailable",
};
/** An answer is seven bytes long, and may have fields of later versions. */
const MOST_BYTES = 1_024;

/** grpc.health.v1.Health/Check: the service says SERVING. */
export const grpcProbe =
  (sockets: ProbeSockets, secure: SecureStreams): RunProbe<ProbeOf<"grpc">> =>
  ({ to, tls, service }, signal) => {
    const parts: Buffer[] = [];
    let length = 0;
    let code: string | undefined;
    let status = 0;
    const headers = {
      ":method": "POST",
      ":scheme": tls === undefined ? "http" : "https",
      ":authority": tls?.serverName ?? endpointText(to),
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
    };
    const problem = (): string | undefined => {
      if (status !== 200) return `HTTP ${status}`;
      if (code !== "0")
        return (code !== undefined && CODES[code]) || `gRPC status ${code ?? "missing"}`;
      const answer = servingStatus(Buffer.concat(parts));
      return answer === "SERVING" ? undefined : (answer ?? "the answer is no proper gRPC");
    };
    const noteCode = (fields: { readonly "grpc-status"?: string | string[] }): void => {
      code = fields["grpc-status"]?.toString() ?? code;
    };
    return converse(
      (listener) =>
        openHttp2(
          {
            ...{ sockets, secure, to, tls, headers, name: undefined },
            payload: request(service),
            // An answer without a message has its code among the headers.
            onHeaders: (fields) => {
              status = fields[":status"] ?? 0;
              noteCode(fields as { "grpc-status"?: string });
            },
            onTrailers: (fields) => noteCode(fields as { "grpc-status"?: string }),
          },
          listener,
        ),
      signal,
      (talk) => ({
        connected() {
          talk.doing = "waiting for the answer";
        },
        received(bytes) {
          length += bytes.length;
          if (length > MOST_BYTES) talk.fail("the answer is longer than 1 KiB");
          else parts.push(Buffer.from(bytes));
        },
        ended() {
          const found = problem();
          if (found === undefined) talk.succeed("SERVING");
          else talk.fail(found);
        },
      }),
    );
  };

/** A message of one field, `service` (1, a text), behind five bytes: not compressed, its length. */
function request(service: string): Buffer {
  const name = Buffer.from(service);
  const field =
    name.length === 0 ? name : Buffer.concat([Buffer.of(0x0a), varint(name.length), name]);
  const message = Buffer.alloc(5 + field.length);
  message.writeUInt32BE(field.length, 1);
  field.copy(message, 5);
  return message;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left >>>= 7) {
    bytes.push(left > 0x7f ? (left & 0x7f) | 0x80 : left);
    if (left <= 0x7f) return Buffer.from(bytes);
  }
}

/** Its field `status` (1, a number), the first of a message; absent, as proto3 leaves zeros out: UNKNOWN. */
function servingStatus(answer: Buffer): string | undefined {
  if (answer.length < 5 || answer[0] !== 0) return undefined;
  const message = answer.subarray(5);
  if (answer.readUInt32BE(1) !== message.length) return undefined;
  if (message.length === 0) return STATUS[0];
  return message[0] === 0x08 ? STATUS[message[1] ?? -1] : undefined;
}
