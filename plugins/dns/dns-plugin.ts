import { Resolver } from "node:dns/promises";
import type { IpAddress } from "../../agent/core/address.ts";
import { addressBytes } from "../../agent/core/address.ts";
import type { Json } from "../../sdk/index.ts";
import type { Plugin } from "../../sdk/plugin.ts";
import { CallError } from "../../sdk/plugin.ts";
import {
  atMost,
  badArgument,
  optionsArgument,
  readDuration,
  textArgument,
} from "../call/arguments.ts";
import type { ActiveCall, Method } from "../call/calls.ts";
import { openCalls } from "../call/calls.ts";
import { after, failureOf } from "../call/failure.ts";
import { hostText } from "../permission/endpoint-pattern.ts";
import type { Host } from "../permission/host-pattern.ts";
import { hostMatches, parseHost } from "../permission/host-pattern.ts";
import type { NameServer } from "./name-permission.ts";
import { namePermission, parseNameServer, serverFits, showNameServer } from "./name-permission.ts";
import { RECORDS } from "./record-text.ts";

/** A try of c-ares; it asks the next server, or again, until the call's own time is over. */
const TRY_MS = 1_000;
const TRIES = 3;
const MOST_RESOLVERS = 64;

const OPTIONS = {
  timeout: readDuration,
  server: (value: Json, what: string): NameServer => {
    const server = parseNameServer(textArgument(value, what, 100));
    if (server === undefined) throw badArgument(`${what} is not "address" or "address:port"`);
    return server;
  },
};

/**
 * `dns.resolve(name, type, options)`: asks name servers, not /etc/hosts. Answers records as texts; a
 * name without a record of the type is an empty answer, one that does not exist is ENOTFOUND.
 */
export function dnsPlugin(): Plugin {
  return {
    name: "dns",
    permission: "dns",
    methods: ["resolve"],
    checkPermission: namePermission.checkPermission,
    missing: namePermission.missing,
    open() {
      const resolvers = new Resolvers();
      return openCalls({ resolve: resolveMethod(resolvers) }, () => resolvers.close());
    },
  };
}

const resolveMethod =
  (resolvers: Resolvers): Method =>
  async (args, call) => {
    atMost(args, 3);
    const { timeout, server } = optionsArgument(args[2], OPTIONS);
    call.within(timeout);
    const { type, records } = recordsArgument(args[1]);
    const host = permittedName(nameArgument(args[0], type), server, call);
    const name = host.kind === "address" ? reverseName(host.address) : host.name;
    call.doing = `asking ${server === undefined ? "" : `${showNameServer(server)} `}for ${type} of ${name}`;
    try {
      return await records(resolvers.for(server), name);
    } catch (error) {
      return noRecords(error, call.doing);
    }
  };

function recordsArgument(value: Json | undefined) {
  const type = value === undefined || value === null ? "A" : textArgument(value, "type", 10);
  const records = Object.hasOwn(RECORDS, type) ? RECORDS[type] : undefined;
  if (records === undefined) throw badArgument(`type is none of ${Object.keys(RECORDS).join(" ")}`);
  return { type, records };
}

/** An address stands for its name in the reverse zones. */
function nameArgument(value: Json | undefined, type: string): Host {
  const host = parseHost(textArgument(value, "name", 254));
  if (host === undefined) throw badArgument("name is not a name such as www.example.org");
  if (host.kind === "address" && type !== "PTR") throw badArgument("name is an address");
  return host;
}

function permittedName(host: Host, server: NameServer | undefined, call: ActiveCall): Host {
  const fits = namePermission
    .granted(call.permission)
    .some((pattern) => hostMatches(pattern.name, host) && serverFits(pattern, server));
  if (fits) return host;
  const at = server === undefined ? "" : `@${showNameServer(server)}`;
  throw namePermission.refusal(`${hostText(host)}${at}`);
}

/** An empty answer for a name that has other records; throws the CallError of all else. */
function noRecords(error: unknown, doing: string): readonly string[] {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENODATA") return [];
  if (code === "ETIMEOUT") throw new CallError("timeout", after(doing, "no server answers"));
  throw failureOf(error, doing);
}

/** RFC 1035 §3.5, RFC 3596 §2.5. */
function reverseName(address: IpAddress): string {
  const bytes = [...addressBytes(address)].reverse();
  if (bytes.length === 4) return `${bytes.join(".")}.in-addr.arpa`;
  const digits = bytes.flatMap((byte) => [(byte & 15).toString(16), (byte >> 4).toString(16)]);
  return `${digits.join(".")}.ip6.arpa`;
}

/** One for each server that was asked lately: making one takes longer than a question. */
class Resolvers {
  readonly #byServer = new Map<string, Resolver>();

  for(server: NameServer | undefined): Resolver {
    const key = server === undefined ? "" : showNameServer(server);
    const resolver = this.#byServer.get(key) ?? this.#make(server);
    // Behind the others: the first is the one that was not asked for longest.
    this.#byServer.delete(key);
    this.#byServer.set(key, resolver);
    return resolver;
  }

  close(): void {
    for (const resolver of this.#byServer.values()) resolver.cancel();
    this.#byServer.clear();
  }

  #make(server: NameServer | undefined): Resolver {
    const [oldest] = this.#byServer.keys();
    if (this.#byServer.size >= MOST_RESOLVERS && oldest !== undefined) {
      this.#byServer.get(oldest)?.cancel();
      this.#byServer.delete(oldest);
    }
    const resolver = new Resolver({ timeout: TRY_MS, tries: TRIES });
    if (server !== undefined) resolver.setServers([socketText(server)]);
    return resolver;
  }
}

const socketText = ({ address, port }: NameServer): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
