import type { GrpcProbe, ProbeEndpoint } from "../../../virtual-servers.ts";
import type { Statement } from "../../tree.ts";
import type { Lowering } from "../lowering.ts";
import { report } from "../lowering.ts";
import type { HttpSurroundings } from "./http-probe.ts";
import type { Lines } from "./lines.ts";
import { switchOf } from "./lines.ts";
import { readTls } from "./probe-tls.ts";

const OF_TLS: readonly string[] = ["holdfast_verify", "holdfast_ca", "sni_name"];

/** holdfast_grpc [SERVICE] { … }. */
export function readGrpcProbe(
  { keyword, words }: Statement,
  lines: Lines,
  to: ProbeEndpoint,
  { host, identity }: HttpSurroundings,
  lowering: Lowering,
): GrpcProbe {
  const probe = { kind: "grpc", to, tls: undefined, service: words[0]?.text ?? "" } as const;
  if (switchOf(lines, "holdfast_tls", lowering) === true) {
    return { ...probe, tls: readTls(keyword, lines, host, identity, lowering) };
  }
  for (const name of OF_TLS) {
    const word = lines.get(name)?.keyword;
    if (word === undefined) continue;
    const message = `${name} has no effect in a check without TLS`;
    report(lowering, "check-invalid", word, message, "write holdfast_tls on in it too");
  }
  return probe;
}
