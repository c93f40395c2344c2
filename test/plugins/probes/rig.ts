import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import { after } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { parseAddress } from "../../../agent/core/address.ts";
import type { Micros } from "../../../agent/core/time.ts";
import { milliseconds } from "../../../agent/core/time.ts";
import { openPings } from "../../../agent/linux/pings.ts";
import { openProbeSockets } from "../../../agent/linux/probe-sockets.ts";
import { runProgram } from "../../../agent/linux/programs.ts";
import type { ProbeEndpoint } from "../../../agent/ports/probe-sockets.ts";
import type { ProbeOf, ProbeOutcome } from "../../../agent/ports/server-probes.ts";
import type { HttpProbe, HttpUrl } from "../../../plugins/probes/http/http-request.ts";
import type { Probes } from "../../../plugins/probes/registry.ts";
import { openProbes } from "../../../plugins/probes/registry.ts";
import type { Listening } from "../servers.ts";
import { listening as openListening } from "../servers.ts";

const servers: Listening[] = [];
after(() => Promise.all(servers.map((server) => server.close())));

/** Closed after the tests of the file, also when one fails that would have closed it. */
export async function listening(server: Server): Promise<Listening> {
  const opened = await openListening(server);
  servers.push(opened);
  return opened;
}

/** A TCP server of a few lines. */
export const tcpServer = (serve: (socket: Socket) => void): Promise<Listening> =>
  listening(createServer({ allowHalfOpen: true }, serve));

/** Longer than anything here may take; what runs into it fails by its reason. */
const PATIENCE_MS = 5_000;

export type TimedKind = keyof Probes;

/** Real probes on real sockets; closed after the tests of the file. */
export function openRig(wallClock: () => number = Date.now) {
  const { probes, close } = openProbes({
    openSockets: openProbeSockets,
    openPings,
    runProgram,
    wallClock,
  });
  after(close);
  const run = (probe: ProbeOf<TimedKind>, signal: AbortSignal, timeout: Micros) => {
    // The kind of the one is the kind of the other.
    const look = probes[probe.kind] as (
      probe: ProbeOf<TimedKind>,
      signal: AbortSignal,
      timeout: Micros,
    ) => Promise<ProbeOutcome>;
    return look(probe, signal, timeout);
  };
  /** One look, given up after so long as the director would. */
  const look = async (probe: ProbeOf<TimedKind>, ms = PATIENCE_MS): Promise<ProbeOutcome> => {
    const controller = new AbortController();
    const over = new AbortController();
    const patience = delay(ms, undefined, { signal: over.signal }).then(
      () => controller.abort(),
      () => undefined,
    );
    const outcome = await run(probe, controller.signal, milliseconds(ms));
    over.abort();
    await patience;
    return outcome;
  };
  const reason = async (probe: ProbeOf<TimedKind>, ms?: number): Promise<string> => {
    const outcome = await look(probe, ms);
    return `${outcome.ok ? "up" : "down"}: ${outcome.reason}`;
  };
  return { probes, run, look, reason, close };
}

export function ip(text: string) {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
}

export const endpoint = (port: number, more: Partial<ProbeEndpoint> = {}): ProbeEndpoint => ({
  address: ip("127.0.0.1"),
  port,
  sourceAddress: undefined,
  sourcePort: undefined,
  interface: undefined,
  fwmark: 0,
  ...more,
});

export const httpUrl = (more: Partial<HttpUrl> = {}): HttpUrl => ({
  path: "/",
  host: undefined,
  statusCodes: [[200, 299]],
  digest: undefined,
  regex: undefined,
  ...more,
});

export const http = (
  port: number,
  url: Partial<HttpUrl> = {},
  more: Partial<HttpProbe> = {},
): HttpProbe => ({
  kind: "http",
  to: endpoint(port),
  tls: undefined,
  version: "1.0",
  urls: [httpUrl(url)],
  ...more,
});

type TlsProbe = NonNullable<HttpProbe["tls"]>;

export const tlsOptions = (more: Partial<TlsProbe> = {}): TlsProbe => ({
  serverName: undefined,
  verify: false,
  caFile: undefined,
  certificateFile: undefined,
  keyFile: undefined,
  keyPassword: undefined,
  ...more,
});
