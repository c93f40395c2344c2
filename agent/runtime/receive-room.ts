import type { InstanceConfig } from "../config/config.ts";

const IP_HEADER = { ipv4: 20, ipv6: 40 } as const;
const ADDRESS = { ipv4: 4, ipv6: 16 } as const;
/** The VRRP header, and the longest of what authentication adds: the trailer of auth_hmac. */
const VRRP_HEADER = 8;
const LONGEST_AUTHENTICATION = 28;
/** Before the interface is known. */
const USUAL_MTU = 1_500;

/** Bytes of received packets that an instance wants room for; `undefined`: as the system has it. */
export function receiveRoom(
  { receiveBuffer, router, addresses }: InstanceConfig,
  mtu: number = USUAL_MTU,
): number | undefined {
  switch (receiveBuffer.policy) {
    case "system":
      return undefined;
    case "bytes":
      return receiveBuffer.bytes;
    case "mtu":
      return receiveBuffer.multiplier * mtu;
    case "advertisement": {
      const { family } = router;
      const fixed = IP_HEADER[family] + VRRP_HEADER + LONGEST_AUTHENTICATION;
      return receiveBuffer.multiplier * (fixed + addresses.length * ADDRESS[family]);
    }
  }
}
