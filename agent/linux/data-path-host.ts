import { networkInterfaces } from "node:os";
import type { IpAddress } from "../core/address.ts";
import type { DataPathHost } from "../ports/data-path-host.ts";
import { decodeAttributes, integerIn } from "../wire/netlink/attribute.ts";
import { RTA, RTM, RTN } from "../wire/netlink/rtnetlink.ts";
import { linkRequest, routeRequest } from "./neighbour-way.ts";
import { Channel } from "./netlink/channel.ts";
import { decodeLink } from "./netlink/link-message.ts";
import { readSysctl, writeSysctl } from "./sysctl.ts";

const HEADER = 12;
/** Of struct rtmsg: what kind of route it is. */
const TYPE = 7;

export function openDataPathHost(): DataPathHost {
  let channel: Channel | undefined;
  return {
    async interfaceTo(address) {
      channel ??= new Channel();
      const { messages } = await channel.ask(RTM.getRoute, routeRequest(address));
      const body = messages[0]?.body;
      const type = body?.[TYPE];
      if (body === undefined || (type !== RTN.unicast && type !== RTN.local)) return undefined;
      const index = integerIn(decodeAttributes(body, HEADER).get(RTA.outputInterface));
      if (index === undefined) return undefined;
      const link = await channel.ask(RTM.getLink, linkRequest(index).finish());
      const answer = link.messages[0]?.body;
      return answer && decodeLink(answer)?.name;
    },
    holders,
    readSysctl,
    writeSysctl,
    close() {
      channel?.close();
      channel = undefined;
    },
  };
}

function holders(address: IpAddress): readonly string[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.some((each) => each.address === address) ? [name] : [],
  );
}
