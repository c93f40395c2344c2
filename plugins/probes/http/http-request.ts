import { familyOf } from "../../../agent/core/address.ts";
import type { ProbeOf } from "../../../agent/ports/server-probes.ts";

export type HttpProbe = ProbeOf<"http">;
export type HttpUrl = HttpProbe["urls"][number];

/** Servers know keepalived's checks by it, and leave them out of their logs. */
export const USER_AGENT = "KeepAliveClient";

/** The words of the request, as keepalived says them: its Host has the port, whichever it is. */
export function requestText({ to, version }: HttpProbe, url: HttpUrl): string {
  const close = version === "1.0" ? "" : "Connection: close\r\n";
  return (
    `GET ${url.path} HTTP/${version === "1.1" ? "1.1" : "1.0"}\r\n` +
    `User-Agent: ${USER_AGENT}\r\n${close}Host: ${url.host ?? endpointText(to)}\r\n\r\n`
  );
}

/** `192.0.2.1:80`, `[2001:db8::1]:80`. */
export function endpointText({ address, port }: HttpProbe["to"]): string {
  return familyOf(address) === "ipv4" ? `${address}:${port}` : `[${address}]:${port}`;
}
