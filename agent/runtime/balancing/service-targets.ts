import type { VirtualServerConfig } from "../../config/virtual-servers.ts";
import type { ServiceKey, ServiceTarget } from "../../core/ipvs/service.ts";
import { serviceKey } from "../../core/ipvs/service.ts";

/** Of a virtual server: what names its services in the kernel. */
type Named = Pick<VirtualServerConfig, "targets" | "protocol">;

/** The kernel's services that make up a virtual server. */
export const targetsOf = ({ targets, protocol }: Named): readonly ServiceTarget[] =>
  targets.map((one) => (one.kind === "address" ? { ...one, protocol } : one));

export const serviceKeysOf = (config: Named): readonly ServiceKey[] =>
  targetsOf(config).map(serviceKey);
