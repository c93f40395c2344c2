import type { Family } from "../../core/address.ts";
import { inPrefix } from "../../core/address.ts";
import { KernelError } from "../../ports/error.ts";
import { NO_MARKS } from "../../ports/last-will.ts";
import type { HostAddress, Link } from "../../ports/network.ts";
import { RTM } from "../../wire/netlink/rtnetlink.ts";
import { interfaceSysctl, readSysctl, writeSysctl } from "../sysctl.ts";
import type { AddressRecord } from "./address-message.ts";
import { addressDumpBody, decodeAddress, encodeRecordRemoval } from "./address-message.ts";
import { decodeLink, encodeLinkRemoval, linkDumpBody } from "./link-message.ts";
import { ADDRESS_MARK } from "./mark.ts";
import { meaningOf } from "./outcome.ts";
import {
  decodeRoute,
  encodeShownRouteRemoval,
  ROUTE_MARK,
  routeDumpBody,
} from "./route-message.ts";
import { decodeRule, encodeShownRuleRemoval, isOurRule, ruleDumpBody } from "./rule-message.ts";
import type { SideSocket } from "./side-socket.ts";

const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];
/** What is not there any more needs no removal. */
const GONE = ["EADDRNOTAVAIL", "ENODEV", "ESRCH", "ENOENT", "ENETDOWN"];
/** Of the removal of addresses: the last look finds none. */
const LOOKS = 4;

/** Runs in the namespace that is meant; see insideNamedNamespace. */
export type Inside = <Result>(work: () => Result) => Result;

/** Throws a KernelError. */
export async function countAddresses(socket: SideSocket): Promise<number> {
  return (await shownAddresses(socket)).filter(isOurs).length;
}

/**
 * How many were removed. Throws a KernelError when some may still be there.
 *
 * @param marked the kernel tells our addresses from others
 */
export async function withdrawAddresses(
  socket: SideSocket,
  inside: Inside,
  marked: boolean,
): Promise<number> {
  if (!marked) throw withoutMarks();
  let removed = 0;
  let refused: string | undefined;
  for (let look = 1; look <= LOOKS; look += 1) {
    const records = await shownAddresses(socket);
    const ours = records.filter(isOurs);
    if (ours.length === 0) return removed;
    if (look === LOOKS) break;
    // The first of a subnet goes last, so that it makes none of ours move up.
    const order = [...ours].sort((a, b) => rank(a) - rank(b));
    const answers = await promoting(socket, inside, records, () =>
      socket.request(order.map(encodeRecordRemoval)),
    );
    removed += answers.filter((answer) => answer === undefined).length;
    refused = answers.find((answer) => answer !== undefined && !GONE.includes(answer)) ?? refused;
  }
  throw refusal("remove addresses of ours", refused ?? "EBUSY");
}

async function shownAddresses(socket: SideSocket): Promise<readonly AddressRecord[]> {
  const { messages, errno } = await socket.dump(RTM.getAddress, addressDumpBody());
  if (errno !== undefined) throw refusal("list the addresses", errno);
  return messages.flatMap(({ body }) => decodeAddress(body) ?? []);
}

const isOurs = ({ protocol }: AddressRecord): boolean => protocol === ADDRESS_MARK;

/** How many were removed. Throws a KernelError. */
export async function withdrawRoutes(socket: SideSocket): Promise<number> {
  const bodies: Uint8Array[] = [];
  for (const family of FAMILIES) {
    const { messages } = await socket.dump(RTM.getRoute, routeDumpBody(family, ROUTE_MARK));
    bodies.push(...messages.map(({ body }) => body));
  }
  const ours = bodies.filter((body) => decodeRoute(body)?.protocol === ROUTE_MARK);
  return removed("remove routes of ours", await socket.request(ours.map(encodeShownRouteRemoval)));
}

/** How many were removed. Throws a KernelError. */
export async function withdrawRules(socket: SideSocket): Promise<number> {
  const bodies: Uint8Array[] = [];
  for (const family of FAMILIES) {
    const { messages } = await socket.dump(RTM.getRule, ruleDumpBody(family));
    bodies.push(...messages.map(({ body }) => body));
  }
  const ours = bodies.filter((body) => {
    const rule = decodeRule(body);
    return rule !== undefined && isOurRule(rule);
  });
  return removed("remove rules of ours", await socket.request(ours.map(encodeShownRuleRemoval)));
}

/** Virtual links. How many were removed. Throws a KernelError. */
export async function withdrawLinks(socket: SideSocket): Promise<number> {
  const ours = (await linksOf(socket)).filter((link) => link.ours);
  const requests = ours.map(({ index }) => encodeLinkRemoval(index));
  return removed("remove virtual links of ours", await socket.request(requests));
}

function removed(what: string, answers: readonly (string | undefined)[]): number {
  const refused = answers.find((answer) => answer !== undefined && !GONE.includes(answer));
  if (refused !== undefined) throw refusal(what, refused);
  return answers.filter((answer) => answer === undefined).length;
}

async function linksOf(socket: SideSocket): Promise<readonly Link[]> {
  const { messages, errno } = await socket.dump(RTM.getLink, linkDumpBody());
  if (errno !== undefined) throw refusal("list the interfaces", errno);
  return messages.flatMap(({ body }) => decodeLink(body) ?? []);
}

/** See Promotion: addresses of others are not to go with ours. */
async function promoting<Result>(
  socket: SideSocket,
  inside: Inside,
  records: readonly AddressRecord[],
  remove: () => Promise<Result>,
): Promise<Result> {
  const places = endangered(records);
  if (places.size === 0) return remove();
  const names = (await linksOf(socket)).filter(({ index }) => places.has(index));
  const paths = names.map(({ name }) => interfaceSysctl("ipv4", name, "promote_secondaries"));
  const off = inside(() =>
    paths.filter((path) => readSysctl(path) === "0" && writeSysctl(path, "1") === undefined),
  );
  try {
    return await remove();
  } finally {
    inside(() => {
      for (const path of off) writeSysctl(path, "0");
    });
  }
}

/** Interfaces where an address of somebody else is secondary to one of ours. */
function endangered(records: readonly AddressRecord[]): ReadonlySet<number> {
  const primaries = records.filter(
    (one) => isOurs(one) && one.host.family === "ipv4" && !one.host.secondary,
  );
  const others = records.filter((one) => !isOurs(one) && one.host.secondary);
  return new Set(
    others
      .filter(({ host }) => primaries.some((primary) => sameSubnet(primary.host, host)))
      .map(({ host }) => host.interfaceIndex),
  );
}

type Place = Omit<HostAddress, "ours">;

const sameSubnet = (a: Place, b: Place): boolean =>
  a.interfaceIndex === b.interfaceIndex &&
  a.prefixLength === b.prefixLength &&
  inPrefix(b.address, { address: a.address, length: a.prefixLength });

const rank = ({ host }: AddressRecord): number => (host.secondary ? 0 : 1);

const refusal = (what: string, errno: string): KernelError =>
  new KernelError(errno, `cannot ${what}: ${errno}`, meaningOf(errno));

const withoutMarks = (): KernelError =>
  new KernelError(
    NO_MARKS,
    "this kernel does not tell our addresses from others (it is older than 5.18)",
    "see `ip address`, and remove what is left by hand; or let the agent start, which removes what it knows",
  );
