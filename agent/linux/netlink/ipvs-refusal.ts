import { familyOf } from "../../core/address.ts";
import type { SyncDaemon, SyncRole } from "../../core/ipvs/connections.ts";
import type { IpvsCommand } from "../../core/ipvs/reconcile.ts";
import type { Destination, Service, ServiceKey, ServiceTarget } from "../../core/ipvs/service.ts";
import { destinationKey, familyOfService, serviceKey } from "../../core/ipvs/service.ts";
import { KernelError } from "../../ports/error.ts";
import type { IpvsErrorCode } from "../../ports/ipvs.ts";

/** A refusal: its code, what is the matter, and what to do. */
type Meaning = readonly [code: IpvsErrorCode, matter: string, remedy: string];
type Meanings = Readonly<Record<string, Meaning>>;

const PRIVILEGE: Meaning = [
  "not-permitted",
  "this process may not change load balancing",
  "run Holdfast as root or give it CAP_NET_ADMIN",
];
const NO_MEMORY: Meaning = ["out-of-memory", "the kernel is out of memory", "free some"];
const OFTEN: Meanings = {
  EPERM: PRIVILEGE,
  EACCES: PRIVILEGE,
  ENOMEM: NO_MEMORY,
  ENOBUFS: NO_MEMORY,
  EAFNOSUPPORT: [
    "family-missing",
    "the kernel balances no IPv6",
    "load ipv6 (modprobe ipv6), or take IPv6 out of it",
  ],
  ETIMEDOUT: ["no-answer", "the kernel gave no answer within 2 seconds", "it is tried again"],
  ECANCELED: ["closed", "load balancing is being closed", "start Holdfast again"],
};

const SOMEBODY = "see what else on this host changes ip_vs; the next look at it mends that";

/**
 * Why the kernel refused some of `commands`, by index. What failed only because its service could not
 * be added says so with that very error: one cause is one line for whoever reads it.
 */
export function refusedCommands(
  commands: readonly IpvsCommand[],
  errnos: ReadonlyMap<number, string>,
): ReadonlyMap<number, KernelError> {
  const notAdded = new Map<ServiceKey, KernelError>();
  const refusals = new Map<number, KernelError>();
  for (const [index, errno] of errnos) {
    const command = commands[index];
    if (command === undefined) continue;
    const key = serviceKey(targetOf(command));
    const cause = errno === "ESRCH" ? notAdded.get(key) : undefined;
    const error = cause ?? refusedCommand(errno, command);
    if (command.kind === "add-service") notAdded.set(key, error);
    refusals.set(index, error);
  }
  return refusals;
}

function refusedCommand(errno: string, command: IpvsCommand): KernelError {
  switch (command.kind) {
    case "add-service":
    case "edit-service":
      return refusal(errno, nameOf(command), serviceMeanings(command.service));
    case "delete-service":
      return refusal(errno, nameOf(command), SERVICE_GONE);
    default:
      return refusal(
        errno,
        nameOf(command),
        destinationMeanings(command.target, command.destination),
      );
  }
}

/** Why sync could not be started or stopped. */
export const refusedSync = (errno: string, daemon: SyncDaemon | SyncRole): KernelError =>
  refusal(
    errno,
    typeof daemon === "string"
      ? `stop connection sync as ${daemon}`
      : `start connection sync as ${daemon.role} on ${daemon.interface}`,
    syncMeanings(daemon),
  );

export const refusedTimeouts = (errno: string): KernelError =>
  refusal(errno, "set the timeouts of connections", {
    EINVAL: ["invalid", "the kernel finds one of them too long", "take at most 24 days"],
  });

/** Why the kernel refused a question, or something without a name of its own. */
export const refusal = (errno: string, what: string, meanings: Meanings = {}): KernelError => {
  const known = meanings[errno] ?? OFTEN[errno];
  const [code, matter, remedy] = known ?? [
    "refused" satisfies IpvsErrorCode,
    `the kernel says ${errno}`,
    "see the kernel's log (dmesg)",
  ];
  return new KernelError(code, `cannot ${what}: ${matter}`, remedy);
};

/** The kernel found no module for the family. */
export const ipvsMissing = (): KernelError =>
  new KernelError(
    "ip-vs-missing" satisfies IpvsErrorCode,
    "cannot balance load: the kernel has no ip_vs",
    "modprobe ip_vs on the host; where there is no such module, install the kernel's extra modules",
  );

/** `add 192.0.2.10:80 of tcp 192.0.2.1:80` */
function nameOf(command: IpvsCommand): string {
  const [verb] = command.kind.split("-");
  const member = "destination" in command ? `${destinationKey(command.destination)} of ` : "";
  return `${verb} ${member}${serviceKey(targetOf(command))}`;
}

const targetOf = (command: IpvsCommand): ServiceTarget =>
  "service" in command ? command.service.target : command.target;

const SERVICE_GONE: Meanings = {
  ESRCH: ["service-missing", "the service is not there", SOMEBODY],
};

function serviceMeanings({ scheduler, persistence }: Service): Meanings {
  const { engine } = persistence ?? {};
  const schedulerMissing: Meaning = [
    "unknown-scheduler",
    `the kernel has no scheduler ${scheduler}`,
    `modprobe ip_vs_${scheduler}, or choose another`,
  ];
  return {
    ...SERVICE_GONE,
    EEXIST: ["service-exists", "the service is there already", SOMEBODY],
    // The same for both of what it names, and the scheduler is looked up first.
    ENOENT:
      engine === undefined
        ? schedulerMissing
        : [
            "unknown-persistence-engine",
            `the kernel has no persistence engine ${engine}, or no scheduler ${scheduler}`,
            `modprobe ip_vs_pe_${engine} ip_vs_${scheduler}, or choose others`,
          ],
    EINVAL: [
      "invalid",
      "the kernel finds its values unfit",
      "check its persistence, and that its scheduler fits",
    ],
  };
}

function destinationMeanings(target: ServiceTarget, destination: Destination): Meanings {
  return {
    ...SERVICE_GONE,
    EEXIST: ["destination-exists", "it is there already", SOMEBODY],
    ENOENT: ["destination-missing", "it is not there", SOMEBODY],
    ERANGE: [
      "invalid",
      "its weight or its thresholds are out of range",
      "take a weight up to 2147483647, and a lower threshold that is not above the upper one",
    ],
    EINVAL: unfit(target, destination),
  };
}

function unfit(target: ServiceTarget, { address, forwarding }: Destination): Meaning {
  if (forwarding.kind === "tunnel") {
    const { type, port } = forwarding.tunnel;
    if (type === "gue" && port === 0) {
      return ["invalid", "GUE needs a port", "give the tunnel's port"];
    }
  }
  if (familyOf(address) !== familyOfService(target)) {
    return forwarding.kind === "tunnel"
      ? [
          "invalid",
          "its family is not the service's, which cannot be while connections are synchronised",
          "take out lvs_sync_daemon, or the real server",
        ]
      : [
          "invalid",
          "its family is not the service's, and only tunnels carry one in the other",
          "take TUN for it, or an address of the service's family",
        ];
  }
  return ["invalid", "its address is not a unicast one", "give the real server's own address"];
}

function syncMeanings(daemon: SyncDaemon | SyncRole): Meanings {
  if (typeof daemon === "string") {
    return { ESRCH: ["daemon-missing", "it does not run", "nothing is to be done"] };
  }
  return {
    EEXIST: ["daemon-runs", "it runs already", "stop it first"],
    ENODEV: [
      "interface-missing",
      `there is no interface ${daemon.interface}`,
      "check its name, or wait until it appears",
    ],
    EINVAL: [
      "invalid",
      "the kernel finds its values unfit",
      "check the sync daemon's values; real servers of another family than their service rule it out",
    ],
    EADDRNOTAVAIL: [
      "invalid",
      `${daemon.interface} has no address of the multicast group's family`,
      "give it one",
    ],
  };
}
