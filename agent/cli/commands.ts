import type { OptionSpec } from "./arguments.ts";
import type { CommandSpec } from "./command.ts";
import { CONTROL, DEFAULT_CONTROL, HELP, JSON_OUTPUT } from "./command.ts";
import { GENHASH } from "./genhash-command.ts";
import { KEEPALIVED_OPTIONS } from "./keepalived-options.ts";
import { NOTIFICATIONS } from "./notification-commands.ts";
import { POLICIES, POLICY, SETTINGS } from "./policy-commands.ts";
import { SERVICE_COMMANDS } from "./service-commands.ts";

const CONFIG_ID: OptionSpec = {
  name: "config-id",
  short: "i",
  value: { name: "ID" },
  about: "What @ID lines are compared with (default: host name)",
};

const STATE: OptionSpec = {
  name: "state",
  value: { name: "DIR" },
  about: "Default /var/lib/holdfast",
};

const RUN: CommandSpec = {
  name: "run",
  operands: "",
  count: [0, 0],
  about: "Run the agent in the foreground",
  details: [
    "Reads keepalived.conf and keeps its virtual addresses alive. SIGHUP reloads the",
    "file, SIGTERM and SIGINT stop gracefully: the peers take over at once.",
    "keepalived's own options work too, also without the word `run`:",
    "  holdfast -f /etc/keepalived/keepalived.conf -n -l -D",
  ],
  options: [
    {
      name: "config",
      value: { name: "FILE" },
      about: "Default /etc/keepalived/keepalived.conf",
    },
    POLICIES,
    SETTINGS,
    STATE,
    { name: "control", value: { name: "SOCKET" }, about: `Default ${DEFAULT_CONTROL}` },
    {
      name: "log-format",
      value: { name: "FORMAT" },
      about: "pretty or json (default: pretty on a terminal)",
    },
    ...KEEPALIVED_OPTIONS,
  ],
  load: async () => (await import("./run.ts")).run,
};

const CHECK: CommandSpec = {
  name: "check",
  operands: "[FILE]",
  count: [0, 1],
  about: "Check a configuration file without running it",
  details: [
    "Status 0: no errors; 1: warnings, with --strict; 2: errors. The default file is",
    "/etc/keepalived/keepalived.conf.",
  ],
  options: [
    { name: "strict", about: "Warnings give status 1" },
    JSON_OUTPUT,
    CONFIG_ID,
    POLICIES,
    SETTINGS,
    { name: "all-config", short: "e", about: "A missing include file is an error" },
    HELP,
  ],
  load: async () => (await import("./check.ts")).check,
};

const STATUS: CommandSpec = {
  name: "status",
  operands: "",
  count: [0, 0],
  about: "Show who holds the addresses, and why",
  details: [
    "Status 0: every router works; 1: a fault, a store or fence device that keeps one",
    "from being active, or no answer from the agent.",
  ],
  options: [JSON_OUTPUT, CONTROL, HELP],
  load: async () => (await import("./status.ts")).status,
};

const EVENTS: CommandSpec = {
  name: "events",
  operands: "",
  count: [0, 0],
  about: "Show what happened lately, or as it happens",
  details: [],
  options: [
    { name: "follow", short: "f", about: "Keep printing until ctrl-C" },
    { name: "json", about: "One JSON document a line; docs/schema has its form" },
    CONTROL,
    HELP,
  ],
  load: async () => (await import("./events.ts")).events,
};

const METRICS: CommandSpec = {
  name: "metrics",
  operands: "",
  count: [0, 0],
  about: "Print series of routers, virtual servers and policies, for Prometheus",
  details: ["  holdfast metrics > /var/lib/prometheus/node-exporter/holdfast.prom"],
  options: [CONTROL, HELP],
  load: async () => (await import("./metrics.ts")).metrics,
};

const RELOAD: CommandSpec = {
  name: "reload",
  operands: "",
  count: [0, 0],
  about: "Read the configuration again and wait for the outcome",
  details: [
    "A file with errors changes nothing: the running configuration stays. Status 0:",
    "the new file runs; 2: it was refused; 1: no answer from the agent.",
  ],
  options: [JSON_OUTPUT, CONTROL, HELP],
  load: async () => (await import("./reload.ts")).reload,
};

const JOURNAL: CommandSpec = {
  name: "journal",
  operands: "",
  count: [0, 0],
  about: "Print the agent's journal, to be kept in a file",
  details: ["  holdfast journal > incident.journal; holdfast replay incident.journal"],
  options: [CONTROL, HELP],
  load: async () => (await import("./journal.ts")).journal,
};

const REPLAY: CommandSpec = {
  name: "replay",
  operands: "FILE",
  count: [1, 1],
  about: "Run a journal's events through the machines again",
  details: [
    "Prints each step at which the machines now decide otherwise than the journal",
    "says. Status 0: none; 1: some; 2: the file is no journal.",
  ],
  options: [JSON_OUTPUT, HELP],
  load: async () => (await import("./replay.ts")).replay,
};

const KEYWORDS: CommandSpec = {
  name: "keywords",
  operands: "[WORD]",
  count: [0, 1],
  about: "List every keyword of keepalived.conf and what it does here",
  details: ["With WORD: only the keywords that contain it."],
  options: [JSON_OUTPUT, HELP],
  load: async () => (await import("./keywords.ts")).keywords,
};

const DOCTOR: CommandSpec = {
  name: "doctor",
  operands: "[FILE]",
  count: [0, 1],
  about: "Look for what on this host keeps addresses from moving",
  details: [
    "Looks at the packet filter, SELinux, sysctls, capabilities, kernel features,",
    "neighbours with the same VRID and leftover addresses. Listens for three seconds.",
    "Interfaces and addresses are those of FILE (default: the file `run` takes).",
    "Status 0: no problem; 1: a problem.",
  ],
  options: [
    JSON_OUTPUT,
    CONTROL,
    { name: "listen", value: { name: "SECONDS" }, about: "How long to listen (default 3)" },
    HELP,
  ],
  load: async () => (await import("./doctor.ts")).doctor,
};

const WITHDRAW: CommandSpec = {
  name: "withdraw",
  operands: "",
  count: [0, 0],
  about: "Remove what an agent that is gone left on this host",
  details: [
    "Addresses, routes, rules and virtual links that carry Holdfast's mark, and its",
    "tables of nftables; nothing else, and nothing while an agent runs in that",
    "network namespace, whatever its control socket. Needs root.",
    "Status 0: nothing of it is left; 1: something is, or an agent runs.",
  ],
  options: [
    {
      name: "net-namespace",
      value: { name: "NAME" },
      about: "Look in this namespace; default: that of the agent that died",
    },
    STATE,
    CONTROL,
    HELP,
  ],
  load: async () => (await import("./withdraw.ts")).withdraw,
};

const DEMO: CommandSpec = {
  name: "demo",
  operands: "",
  // The parts that the demo starts are told what they are.
  count: [0, 2],
  about: "Two nodes, one address and a client, on this machine",
  details: [
    "Makes a small network in namespaces, runs two nodes in it, and measures what",
    "a client sees while they fail. On a terminal: a live view with keys. Elsewhere:",
    "one failure of each kind and a table; status 0 when all of them were survived.",
    "Needs no root where user namespaces are allowed.",
  ],
  options: [{ name: "scripted", about: "The table, also on a terminal" }, JSON_OUTPUT, HELP],
  load: async () => (await import("./demo.ts")).demo,
};

const VERSION: CommandSpec = {
  name: "version",
  operands: "",
  count: [0, 0],
  about: "Print the version",
  details: [],
  options: [JSON_OUTPUT, HELP],
  load: async () => (await import("./version.ts")).version,
};

/** In the order of the overview. */
export const COMMANDS: readonly CommandSpec[] = [
  RUN,
  CHECK,
  STATUS,
  ...SERVICE_COMMANDS,
  EVENTS,
  NOTIFICATIONS,
  METRICS,
  RELOAD,
  JOURNAL,
  REPLAY,
  KEYWORDS,
  GENHASH,
  DOCTOR,
  WITHDRAW,
  POLICY,
  DEMO,
  VERSION,
];
