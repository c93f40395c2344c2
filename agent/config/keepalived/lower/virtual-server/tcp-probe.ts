import type { ProbeConfig, ProbeEndpoint } from "../../../virtual-servers.ts";
import type { Statement } from "../../tree.ts";
import type { Lowering } from "../lowering.ts";
import { report } from "../lowering.ts";
import type { HttpSurroundings } from "./http-probe.ts";
import type { Lines } from "./lines.ts";
import { switchOf } from "./lines.ts";
import { readTls } from "./probe-tls.ts";

const OF_GRPC: readonly string[] = ["holdfast_tls", "holdfast_verify", "holdfast_ca"];
const OF_TLS: readonly string[] = ["holdfast_verify", "holdfast_ca"];

/**
 * TCP_CHECK, with holdfast_grpc [SERVICE] a check of gRPC's health. Lines in it rather than a block of its
 * own: keepalived loses what follows a block that it does not know, and passes over a line.
 */
export function readTcpProbe(
  { keyword }: Statement,
  lines: Lines,
  to: ProbeEndpoint,
  { host, identity }: HttpSurroundings,
  lowering: Lowering,
): Extract<ProbeConfig, { readonly kind: "tcp" | "grpc" }> {
  const grpc = lines.get("holdfast_grpc");
  if (grpc === undefined) {
    reportIdle(OF_GRPC, "without holdfast_grpc", "write holdfast_grpc in it too", lines, lowering);
    return { kind: "tcp", to };
  }
  const probe = { kind: "grpc", to, tls: undefined, service: grpc.words[0]?.text ?? "" } as const;
  if (switchOf(lines, "holdfast_tls", lowering) === true) {
    return { ...probe, tls: readTls(keyword, lines, host, identity, lowering) };
  }
  reportIdle(OF_TLS, "without TLS", "write holdfast_tls on in it too", lines, lowering);
  return probe;
}

function reportIdle(
  names: readonly string[],
  why: string,
  hint: string,
  lines: Lines,
  lowering: Lowering,
): void {
  for (const name of names) {
    const word = lines.get(name)?.keyword;
    if (word === undefined) continue;
    report(lowering, "check-invalid", word, `${name} has no effect in a check ${why}`, hint);
  }
}
