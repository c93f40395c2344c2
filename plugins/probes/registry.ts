import type { ProbeSockets } from "../../agent/ports/probe-sockets.ts";
import type { PingSource, Pings } from "../../agent/ports/probes.ts";
import type { RunProgram } from "../../agent/ports/programs.ts";
import type { ProbeKind, ProbeOf, RunProbe } from "../../agent/ports/server-probes.ts";
import { dnsProbe } from "./dns/dns-probe.ts";
import { grpcProbe } from "./grpc-probe.ts";
import { httpProbe } from "./http/http-probe.ts";
import { miscProbe } from "./misc-probe.ts";
import { PingProbes } from "./ping-probe.ts";
import { smtpProbe } from "./smtp-probe.ts";
import { tcpProbe } from "./tcp-probe.ts";
import { SecureStreams } from "./tls/secure-streams.ts";
import { udpProbe } from "./udp-probe.ts";

/** What probes need of the host. */
export interface ProbePorts {
  readonly openSockets: () => ProbeSockets;
  readonly openPings: (source: PingSource) => Pings;
  readonly runProgram: RunProgram;
  /** Milliseconds since 1970, for the end of certificates. */
  readonly wallClock: () => number;
}

/** Kinds that somebody else answers for. */
type OtherKind = "file" | "bfd" | "policy" | "refused";

export type Probes = {
  readonly [Kind in Exclude<ProbeKind, OtherKind>]: RunProbe<ProbeOf<Kind>>;
};

/** How each kind of check looks at a server, and how to be rid of their sockets. */
export function openProbes(ports: ProbePorts): { readonly probes: Probes; close(): void } {
  const sockets = ports.openSockets();
  const secure = new SecureStreams(sockets, ports.wallClock);
  const pings = new PingProbes(ports.openPings);
  return {
    probes: {
      tcp: tcpProbe(sockets),
      http: httpProbe(sockets, secure),
      smtp: smtpProbe(sockets),
      dns: dnsProbe(sockets),
      udp: udpProbe(sockets),
      ping: pings.run,
      misc: miscProbe(ports.runProgram),
      grpc: grpcProbe(sockets, secure),
    },
    close() {
      pings.close();
      sockets.close();
    },
  };
}
