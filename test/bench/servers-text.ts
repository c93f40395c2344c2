import { block } from "../lab/instance-text.ts";

/** So many virtual servers of so many real servers each, as keepalived.conf has them. */
export interface ServersText {
  readonly services: number;
  readonly realServers: number;
  /** Seconds between the looks at a real server. */
  readonly interval?: number;
  /** Lines of each real server: its check, and the like. */
  readonly lines?: readonly string[];
  /** Of each real server, which are counted from 0. */
  readonly port?: (at: number) => number;
  readonly weight?: (at: number) => number;
}

/** Of the virtual servers, as they are counted from 0. */
export const serviceAddress = (at: number): string => `10.200.${at >> 8}.${at & 255}`;

export const realAddress = (at: number): string => {
  const from = at + 1;
  return `10.${from >> 16}.${(from >> 8) & 255}.${from & 255}`;
};

/** Where all real servers of such a file are, for a route. */
export const REAL_ADDRESSES = "10.0.0.0/12";

export function serversText(text: ServersText): string {
  const { services, realServers, interval = 60 } = text;
  const lines = Array.from({ length: services }, (_, service) =>
    block(`virtual_server ${serviceAddress(service)} 80`, [
      `delay_loop ${interval}`,
      ...["lb_algo rr", "lb_kind NAT", "protocol TCP"],
      ...Array.from({ length: realServers }, (__, at) =>
        realServer(text, service * realServers + at),
      ).flat(),
    ]),
  );
  return `${lines.flat().join("\n")}\n`;
}

const realServer = (
  { lines = [], port = () => 80, weight = () => 1 }: ServersText,
  at: number,
): readonly string[] =>
  block(`real_server ${realAddress(at)} ${port(at)}`, [`weight ${weight(at)}`, ...lines]);
