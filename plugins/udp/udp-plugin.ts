import type { Socket } from "node:dgram";
import { createSocket } from "node:dgram";
import type { Json } from "../../sdk/index.ts";
import type { Plugin } from "../../sdk/plugin.ts";
import {
  atMost,
  optionsArgument,
  readBoolean,
  readDuration,
  textArgument,
} from "../call/arguments.ts";
import type { ActiveCall } from "../call/calls.ts";
import { openCalls } from "../call/calls.ts";
import type { Lookups } from "../network/lookup.ts";
import { since } from "../network/milliseconds.ts";
import {
  endpointPermission,
  permittedEndpoint,
  showEndpoint,
} from "../permission/endpoint-pattern.ts";

/** One IPv4 datagram. */
const LONGEST_PAYLOAD = 65_507;
const OPTIONS = { timeout: readDuration, reply: readBoolean };

/**
 * `udp.exchange(target, payload, options)`: sends one datagram and answers the first one that comes
 * back from there, and only from there. A port that nobody listens on is ECONNREFUSED where the host
 * says so.
 */
export function udpPlugin(lookups: Lookups): Plugin {
  const permission = endpointPermission("udp");

  const exchange = async (args: readonly Json[], call: ActiveCall): Promise<Json> => {
    atMost(args, 3);
    const { timeout, reply = true } = optionsArgument(args[2], OPTIONS);
    call.within(timeout);
    const payload = Buffer.from(textArgument(args[1], "payload", LONGEST_PAYLOAD));
    const endpoint = permittedEndpoint(args[0], call.permission, permission);
    call.doing = `asking ${showEndpoint(endpoint)}`;
    const begun = performance.now();
    const address = await lookups.addressOf(endpoint.host);
    if (call.ended) return null;
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    call.onEnd(() => socket.close());
    await connected(socket, endpoint.port, address);
    const received = await sent(socket, payload, reply);
    return { ms: since(begun), received };
  };

  return {
    name: "udp",
    permission: "udp",
    methods: ["exchange"],
    checkPermission: permission.checkPermission,
    missing: permission.missing,
    open: () => openCalls({ exchange }),
  };
}

/** A connected socket hears of refusals, and the kernel drops what others send. */
function connected(socket: Socket, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.connect(port, address, () => resolve());
  });
}

function sent(socket: Socket, payload: Buffer, reply: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    if (reply) socket.once("message", (message) => resolve(message.toString("utf8")));
    socket.send(payload, (error) => {
      if (error !== null) reject(error);
      else if (!reply) resolve("");
    });
  });
}
