import type { SecureContext, TLSSocket } from "node:tls";
import { connect } from "node:tls";
import type { Json } from "../../sdk/index.ts";
import type { Plugin } from "../../sdk/plugin.ts";
import {
  atMost,
  badArgument,
  optionsArgument,
  readDuration,
  textArgument,
} from "../call/arguments.ts";
import type { ActiveCall, Method } from "../call/calls.ts";
import { openCalls } from "../call/calls.ts";
import type { Lookups } from "../network/lookup.ts";
import { tlsFailure } from "../network/tls-failure.ts";
import { readTrust } from "../network/trust.ts";
import type { Endpoint } from "../permission/endpoint-pattern.ts";
import {
  endpointPermission,
  hostText,
  permittedEndpoint,
  showEndpoint,
} from "../permission/endpoint-pattern.ts";
import { parseName } from "../permission/host-pattern.ts";
import { describeCertificate } from "./describe-certificate.ts";

const OPTIONS = {
  timeout: readDuration,
  serverName: (value: Json, what: string): string => {
    const name = parseName(textArgument(value, what, 254));
    if (name === undefined) throw badArgument(`${what} is not a name such as www.example.org`);
    return name;
  },
};

/**
 * `tls.certificate(target, options)`: shakes hands, looks at the server's certificate and closes. A
 * bad one is an answer: `valid` is false and `problem` says why. Option in holdfast.conf: `ca_file`.
 */
export function tlsPlugin(lookups: Lookups): Plugin {
  const permission = endpointPermission("tls");

  const certificateMethod =
    (secureContext: SecureContext, wallClock: () => number): Method =>
    async (args, call) => {
      atMost(args, 2);
      const { timeout, serverName } = optionsArgument(args[1], OPTIONS);
      call.within(timeout);
      const endpoint = permittedEndpoint(args[0], call.permission, permission);
      call.doing = `shaking hands with ${showEndpoint(endpoint)}`;
      const { host } = endpoint;
      const name = serverName ?? (host.kind === "name" ? host.name : undefined);
      const socket = await handshake({ endpoint, name, secureContext, lookups, call });
      return describeCertificate(socket, wallClock());
    };

  return {
    name: "tls",
    permission: "tls",
    methods: ["certificate"],
    checkPermission: permission.checkPermission,
    missing: permission.missing,
    open: ({ options, wallClock }) =>
      openCalls({ certificate: certificateMethod(readTrust("tls", options), wallClock) }),
  };
}

interface Handshake {
  readonly endpoint: Endpoint;
  /** Told to the server (SNI), and what its certificate must be good for. */
  readonly name: string | undefined;
  readonly secureContext: SecureContext;
  readonly lookups: Lookups;
  readonly call: ActiveCall;
}

function handshake({
  endpoint,
  name,
  secureContext,
  lookups,
  call,
}: Handshake): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostText(endpoint.host),
      port: endpoint.port,
      lookup: lookups.lookup,
      secureContext,
      // It is looked at whatever it is worth; what it is worth is the answer.
      rejectUnauthorized: false,
      ...(name === undefined ? {} : { servername: name }),
    });
    call.onEnd(() => socket.destroy());
    socket.on("error", (error) => reject(tlsFailure(error, call.doing)));
    socket.once("secureConnect", () => resolve(socket));
  });
}
