import type { VirtualServerConfig } from "../../config/virtual-servers.ts";
import type { ServiceTarget } from "../../core/ipvs/service.ts";

/** The kernel's services that make up a virtual server. */
export const targetsOf = ({
  targets,
  protocol,
}: Pick<VirtualServerConfig, "targets" | "protocol">): readonly ServiceTarget[] =>
  targets.map((one) => (one.kind === "address" ? { ...one, protocol } : one));
