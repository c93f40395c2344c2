import { setTimeout as wait } from "node:timers/promises";
import type { IpAddress } from "../../agent/core/address.ts";
import type { Pings } from "../../agent/ports/probes.ts";
import type { Json } from "../../sdk/index.ts";
import type { Plugin } from "../../sdk/plugin.ts";
import { CallError } from "../../sdk/plugin.ts";
import { atMost, optionsArgument, readDuration, readInteger } from "../call/arguments.ts";
import type { ActiveCall, Method } from "../call/calls.ts";
import { openCalls } from "../call/calls.ts";
import { after, failureOf } from "../call/failure.ts";
import type { Lookups } from "../network/lookup.ts";
import { since } from "../network/milliseconds.ts";
import { hostText } from "../permission/endpoint-pattern.ts";
import { hostPermission, permittedHost } from "../permission/host-permission.ts";

const MOST_REQUESTS = 20;
/** Between two requests of one call, at most; all are sent within half of its time. */
const SPACING_MS = 100;
const OPTIONS = { timeout: readDuration, count: readInteger(1, MOST_REQUESTS) };

/**
 * `icmp.ping(target, options)`: sends `count` echo requests (1 by default), a tenth of a second apart,
 * and answers how many came back and their mean time. It is done as soon as all are back. When some
 * are missing it waits for as long as it may, less a twentieth; when none is back then, it rejects
 * with `timeout`.
 */
export function icmpPlugin(lookups: Lookups, openPings: () => Pings): Plugin {
  const permission = hostPermission("icmp", "10.0.0.1");

  const pingMethod =
    (pings: () => Pings): Method =>
    async (args, call) => {
      atMost(args, 2);
      const { timeout, count = 1 } = optionsArgument(args[1], OPTIONS);
      call.within(timeout);
      const host = permittedHost(args[0], call.permission, permission);
      call.doing = `pinging ${hostText(host)}`;
      const address = await lookups.addressOf(host);
      return call.ended ? null : series(pings(), address, count, call);
    };

  return {
    name: "icmp",
    permission: "icmp",
    methods: ["ping"],
    checkPermission: permission.checkPermission,
    missing: permission.missing,
    open() {
      let pings: Pings | undefined;
      const opened = (): Pings => {
        pings ??= openPings();
        return pings;
      };
      return openCalls({ ping: pingMethod(opened) }, () => pings?.close());
    },
  };
}

async function series(
  pings: Pings,
  address: IpAddress,
  count: number,
  call: ActiveCall,
): Promise<Json> {
  const enough = new AbortController();
  call.onEnd(() => enough.abort());
  const times: number[] = [];
  const patience = wait(call.timeoutMs * 0.95, undefined, { signal: enough.signal }).catch(
    () => {},
  );
  const spacing = Math.min(SPACING_MS, (call.timeoutMs / count) * 0.5);
  let sent = 0;
  const send = (): void => {
    const begun = performance.now();
    const ping = pings.send(address, () => {
      times.push(since(begun));
      if (times.length === count) enough.abort();
    });
    if (ping.errno !== undefined) throw unsendable(ping.errno, call.doing);
    sent += 1;
    call.onEnd(ping.forget);
  };
  send();
  while (sent < count && !enough.signal.aborted) {
    await wait(spacing, undefined, { signal: enough.signal }).catch(() => {});
    if (!enough.signal.aborted) send();
  }
  await patience;
  const [first] = times;
  if (first === undefined) {
    throw new CallError("timeout", after(call.doing, `no answer to ${sent} requests`));
  }
  const total = times.reduce((sum, time) => sum + time, 0);
  return { sent, received: times.length, ms: Math.round((total / times.length) * 100) / 100 };
}

const unsendable = (code: string, doing: string): CallError =>
  failureOf(Object.assign(new Error(code), { code }), doing);
