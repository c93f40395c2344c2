import type {
  NeighbourOutcome,
  NeighbourProbes,
  NeighbourTarget,
} from "../../agent/ports/probes.ts";
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
import type { Method } from "../call/calls.ts";
import { openCalls } from "../call/calls.ts";
import { after, failureOf } from "../call/failure.ts";
import { since } from "../network/milliseconds.ts";
import type { HostPattern } from "../permission/host-pattern.ts";
import {
  hostCovers,
  hostMatches,
  parseHost,
  parseHostPattern,
} from "../permission/host-pattern.ts";
import type { ReadPattern } from "../permission/pattern-list.ts";
import { bad, patternList } from "../permission/pattern-list.ts";

const OPTIONS = { timeout: readDuration };

/** Addresses, on any interface or on one. */
interface NeighbourPattern {
  readonly host: HostPattern;
  readonly interfaceName: string | undefined;
}

const permission = patternList<NeighbourPattern>({
  permission: "gateway",
  example: "10.0.0.1",
  read: readPattern,
  covers: (wide, narrow) =>
    hostCovers(wide.host, narrow.host) &&
    (wide.interfaceName === undefined || wide.interfaceName === narrow.interfaceName),
});

/**
 * `gateway.probe(address, options)`: asks with ARP or a neighbour solicitation, past the kernel's own
 * table, on the interface that the route leads to. A link-local address names it: `fe80::1%eth0`.
 * Codes besides the kernel's: `timeout` (no answer), `not-a-neighbour`.
 */
export function gatewayPlugin(openProbes: () => NeighbourProbes): Plugin {
  return {
    name: "gateway",
    permission: "gateway",
    methods: ["probe"],
    checkPermission: permission.checkPermission,
    missing: permission.missing,
    open() {
      let probes: NeighbourProbes | undefined;
      const opened = (): NeighbourProbes => {
        probes ??= openProbes();
        return probes;
      };
      return openCalls({ probe: probeMethod(opened) }, () => probes?.close());
    },
  };
}

const probeMethod =
  (probes: () => NeighbourProbes): Method =>
  async (args, call) => {
    atMost(args, 2);
    const { timeout } = optionsArgument(args[1], OPTIONS);
    call.within(timeout);
    const target = permittedTarget(args[0], call.permission);
    call.doing = `asking ${showTarget(target)}`;
    const over = new AbortController();
    call.onEnd(() => over.abort());
    const begun = performance.now();
    const outcome = await probes().probe(target, over.signal);
    if (outcome.kind === "answered") return { ms: since(begun) };
    throw outcomeFailure(outcome, call.doing);
  };

function outcomeFailure(
  outcome: Exclude<NeighbourOutcome, { kind: "answered" }>,
  doing: string,
): CallError {
  if (outcome.kind === "silent") return new CallError("timeout", after(doing, "no answer"));
  if (outcome.kind === "refused") {
    return failureOf(Object.assign(new Error("refused"), { code: outcome.errno }), doing);
  }
  const why = "the way there leads over a router, or ends on this host";
  return new CallError("not-a-neighbour", after(doing, why));
}

function permittedTarget(value: Json | undefined, granted: Json): NeighbourTarget {
  const { host: text, interfaceName } = splitZone(textArgument(value, "address", 100));
  const host = parseHost(text);
  if (host?.kind !== "address" || interfaceName === "") throw badArgument("address is no address");
  const target = { address: host.address, interfaceName };
  const fits = (pattern: NeighbourPattern): boolean =>
    hostMatches(pattern.host, host) &&
    (pattern.interfaceName === undefined || pattern.interfaceName === interfaceName);
  if (permission.granted(granted).some(fits)) return target;
  throw permission.refusal(showTarget(target));
}

function readPattern(text: string): ReadPattern<NeighbourPattern> {
  const { host: before, interfaceName } = splitZone(text);
  const host = parseHostPattern(before);
  if (host === undefined || host.kind === "name" || host.kind === "below" || interfaceName === "") {
    return bad("is no address or CIDR, with %interface or without");
  }
  return { ok: true, pattern: { host, interfaceName } };
}

/** An empty interface name is a wrong one. IFNAMSIZ: at most 15 bytes. */
function splitZone(text: string): {
  readonly host: string;
  readonly interfaceName: string | undefined;
} {
  const at = text.indexOf("%");
  if (at < 0) return { host: text, interfaceName: undefined };
  const name = text.slice(at + 1);
  return { host: text.slice(0, at), interfaceName: /^[\w.@-]{1,15}$/.test(name) ? name : "" };
}

const showTarget = ({ address, interfaceName }: NeighbourTarget): string =>
  interfaceName === undefined ? address : `${address}%${interfaceName}`;
