import { connect } from "node:net";
import type { Json } from "../../sdk/index.ts";
import type { Plugin } from "../../sdk/plugin.ts";
import { atMost, optionsArgument, readDuration, readText } from "../call/arguments.ts";
import type { ActiveCall } from "../call/calls.ts";
import { openCalls } from "../call/calls.ts";
import type { Lookups } from "../network/lookup.ts";
import { since } from "../network/milliseconds.ts";
import {
  endpointPermission,
  hostText,
  permittedEndpoint,
  showEndpoint,
} from "../permission/endpoint-pattern.ts";
import { awaitText } from "./await-text.ts";

const LONGEST_SEND = 65_536;
const LONGEST_UNTIL = 1_024;
const OPTIONS = {
  timeout: readDuration,
  send: readText(LONGEST_SEND),
  until: readText(LONGEST_UNTIL),
};

/**
 * `tcp.connect(target, options)`: connects, sends, reads up to and with `until`, and closes. Without
 * `until` nothing is read: it is done when the connection stands and what is to be sent is on its way.
 * Codes besides the kernel's: `closed-early` (the other side ended before `until`), `too-long`.
 */
export function tcpPlugin(lookups: Lookups): Plugin {
  const permission = endpointPermission("tcp");

  const tcpConnect = async (args: readonly Json[], call: ActiveCall): Promise<Json> => {
    atMost(args, 2);
    const { timeout, send = "", until = "" } = optionsArgument(args[1], OPTIONS);
    call.within(timeout);
    const endpoint = permittedEndpoint(args[0], call.permission, permission);
    call.doing = `connecting to ${showEndpoint(endpoint)}`;
    const begun = performance.now();
    const socket = connect({
      host: hostText(endpoint.host),
      port: endpoint.port,
      lookup: lookups.lookup,
      noDelay: true,
    });
    call.onEnd(() => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      socket.on("error", reject);
      socket.once("connect", () => {
        // Before anything else runs: an answer may wait already.
        if (send === "") resolve();
        else socket.write(send, () => resolve());
      });
    });
    if (until === "") return { ms: since(begun), received: "" };
    call.doing = `waiting for ${showEndpoint(endpoint)} to send ${JSON.stringify(until.slice(0, 40))}`;
    const received = await awaitText(socket, Buffer.from(until));
    return { ms: since(begun), received };
  };

  return {
    name: "tcp",
    permission: "tcp",
    methods: ["connect"],
    checkPermission: permission.checkPermission,
    missing: permission.missing,
    open: () => openCalls({ connect: tcpConnect }),
  };
}
