import { networkInterfaces } from "node:os";
import process from "node:process";
import { openFifo } from "../plugins/fifo/fifo.ts";
import { mailChannel } from "../plugins/mail/mail-channel.ts";
import { PolicyMetrics } from "../plugins/metrics/policy-metrics.ts";
import { openProbes } from "../plugins/probes/registry.ts";
import { syslogChannel } from "../plugins/syslog/syslog-channel.ts";
import { webhookChannel } from "../plugins/webhook/webhook-channel.ts";
import { systemClock } from "./linux/clock.ts";
import { openDataPathHost } from "./linux/data-path-host.ts";
import { watchFile } from "./linux/file-watch.ts";
import { readKernelSettings } from "./linux/kernel-settings.ts";
import { enterNamedNamespace } from "./linux/namespace.ts";
import { openIpvs } from "./linux/netlink/ipvs.ts";
import { openPings } from "./linux/pings.ts";
import { openProbeSockets } from "./linux/probe-sockets.ts";
import { runProgram } from "./linux/programs.ts";
import { openSyslog } from "./linux/syslog.ts";
import { openTimer } from "./linux/timer.ts";
import { machinePlugins, operatorPlugins, sharedProcessTable } from "./own-plugins.ts";
import type { Later } from "./ports/processes.ts";
import { Balancing } from "./runtime/balancing/balancing.ts";
import type { BalancingPorts } from "./runtime/balancing/ports.ts";
import type { OpenPart, Outlet } from "./runtime/director/part.ts";
import { Trackers } from "./runtime/director/trackers.ts";
import type { DirectorSettings } from "./runtime/ipc.ts";
import { Notifications } from "./runtime/notifications/notifications.ts";
import { policyFiles } from "./runtime/policies/policy-files.ts";
import { PolicyHost } from "./runtime/policies/policy-host.ts";
import { policyMemory } from "./runtime/policies/policy-memory.ts";
import { watchFolder } from "./runtime/policies/watch-folder.ts";
import { putSecrets } from "./runtime/secrets.ts";
import { openSandbox } from "./sandbox/pool.ts";

/** Facility `daemon` of RFC 5424. */
const DAEMON = 3;

/**
 * What the director does, in the order in which its parts are told. From here on this process is in
 * the network namespace of the configuration. Throws a KernelError where it cannot be entered.
 */
export function directorParts(settings: DirectorSettings, later: Later): readonly OpenPart[] {
  const processTable = sharedProcessTable();
  if (settings.netNamespace !== undefined) {
    // The kernel tells of processes in the first namespace only.
    processTable();
    enterNamedNamespace(settings.netNamespace);
  }
  const clocks = { clock: systemClock, openTimer };
  const trackers = { ...clocks, run: runProgram, watchFile, openProcesses: processTable };
  const opened: { notifications?: Notifications; balancing?: Balancing } = {};
  return [
    (outlet) => new Trackers(outlet, trackers),
    // Before those who tell of it: at a stop they wait for what it still has to say.
    (outlet) => {
      opened.balancing = openBalancing(outlet, (...told) => opened.notifications?.tellOf(...told));
      return opened.balancing;
    },
    (outlet) => {
      opened.notifications = openNotifications(outlet, later);
      return opened.notifications;
    },
    (outlet) =>
      new PolicyHost(outlet, {
        ...clocks,
        source: policyFiles(),
        watchFolder,
        openSandbox: (listener) => openSandbox({ listener }),
        plugins: machinePlugins(settings.stateDirectory, processTable),
        loadPlugin: operatorPlugins(),
        secret: putSecrets,
        memory: policyMemory,
        metrics: new PolicyMetrics(),
        notify: (notice) => opened.notifications?.notify(notice),
        services: {
          views: () => opened.balancing?.policies.views() ?? [],
          claim: (...claim) => opened.balancing?.policies.claim(...claim),
          names: () => opened.balancing?.policies.names() ?? [],
          look: (service) => opened.balancing?.policies.look(service) ?? NO_SERVICE,
          balance: (...said) => opened.balancing?.policies.balance(...said),
        },
      }),
  ];
}

const openNotifications = (outlet: Outlet, later: Later): Notifications =>
  new Notifications(outlet, {
    clock: systemClock,
    later,
    run: runProgram,
    openFifo,
    channels: {
      mail: mailChannel,
      webhook: webhookChannel,
      syslog: syslogChannel(() => openSyslog(DAEMON, "holdfast", process.pid)),
    },
  });

const openBalancing = (outlet: Outlet, tell: BalancingPorts["tell"]): Balancing =>
  new Balancing(outlet, {
    clock: systemClock,
    openTimer,
    openIpvs,
    openProbes: () =>
      openProbes({
        openSockets: openProbeSockets,
        openPings,
        runProgram,
        wallClock: () => systemClock.wallClock(),
      }),
    openDataPathHost,
    kernelSettings: readKernelSettings,
    hostAddresses,
    tell,
  });

/** As they are in the network namespace of this process. */
function hostAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return new Set(all.map(({ address }) => address));
}

const NO_SERVICE: Promise<undefined> = Promise.resolve(undefined);
