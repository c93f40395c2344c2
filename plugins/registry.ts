import type { ReadInterface } from "../agent/ports/interfaces.ts";
import type { ProcessTable } from "../agent/ports/watches.ts";
import type { Plugin } from "../sdk/plugin.ts";
import { dnsPlugin } from "./dns/dns-plugin.ts";
import type { ExecPorts } from "./exec/exec-plugin.ts";
import { execPlugin } from "./exec/exec-plugin.ts";
import { filePlugin } from "./file/file-plugin.ts";
import { gatewayPlugin } from "./gateway/gateway-plugin.ts";
import { httpPlugin } from "./http/http-plugin.ts";
import { icmpPlugin } from "./icmp/icmp-plugin.ts";
import { interfacePlugin } from "./interface/interface-plugin.ts";
import { kvPlugin } from "./kv/kv-plugin.ts";
import { mailPermission } from "./mail/mail-permission.ts";
import { Lookups } from "./network/lookup.ts";
import { processPlugin } from "./process/process-plugin.ts";
import { tcpPlugin } from "./tcp/tcp-plugin.ts";
import { tlsPlugin } from "./tls/tls-plugin.ts";
import { udpPlugin } from "./udp/udp-plugin.ts";
import { webhookPermission } from "./webhook/webhook-permission.ts";

/** What our own plugins need of the host. */
export interface PluginPorts extends ExecPorts {
  readonly openPings: Parameters<typeof icmpPlugin>[1];
  readonly openProbes: Parameters<typeof gatewayPlugin>[0];
  /** Called when the first policy counts processes; the same table may be handed out again. */
  readonly processTable: () => ProcessTable;
  readonly readInterface: ReadInterface;
  /** Where policies keep their small state: `<state directory>/kv`. */
  readonly kvDirectory: string;
}

/** All plugins that come with Holdfast. None does anything before a policy calls it. */
export function ownPlugins(ports: PluginPorts): readonly Plugin[] {
  const lookups = new Lookups();
  return [
    httpPlugin(lookups),
    tcpPlugin(lookups),
    udpPlugin(lookups),
    dnsPlugin(),
    icmpPlugin(lookups, ports.openPings),
    tlsPlugin(lookups),
    gatewayPlugin(ports.openProbes),
    execPlugin(ports),
    filePlugin(),
    processPlugin(ports.processTable),
    interfacePlugin(ports.readInterface),
    kvPlugin(ports.kvDirectory),
    mailPermission,
    webhookPermission,
  ];
}
