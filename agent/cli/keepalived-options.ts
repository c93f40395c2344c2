import type { OptionSpec } from "./arguments.ts";

/** An option of keepalived's command line, and what became of it here. */
export interface KeepalivedOption extends OptionSpec {
  /** Why it does nothing; `undefined`: it works. */
  readonly noEffect?: string;
}

const FILE = { name: "FILE" } as const;

/** keepalived's options that work here as they do there. */
const WORKING: readonly KeepalivedOption[] = [
  { name: "use-file", short: "f", value: FILE, about: "The same as --config" },
  { name: "dont-fork", short: "n", about: "Stay in the foreground: it always does" },
  { name: "log-console", short: "l", about: "The same as --log-format pretty" },
  { name: "log-detail", short: "D", about: "Say more" },
  {
    name: "log-facility",
    short: "S",
    value: { name: "N" },
    about: "Log to syslog too: 0-7, local0-7, user, daemon",
  },
  {
    name: "config-test",
    short: "t",
    value: { name: "LOGFILE", optional: true },
    about: "Check the file and stop; status 0, 4, 5 or 6",
  },
  { name: "vrrp", short: "P", about: "VRRP only: no director process" },
  { name: "check", short: "C", about: "No VRRP: the director process only" },
  { name: "pid", short: "p", value: FILE, about: "Write the supervisor's process id there" },
  { name: "vrrp_pid", short: "r", value: FILE, about: "Write the vrrp process's id there" },
  { name: "checkers_pid", short: "c", value: FILE, about: "Write the director's id there" },
  {
    name: "dont-release-ipvs",
    short: "I",
    about: "Leave virtual servers in the kernel at a stop",
  },
  { name: "dont-respawn", short: "R", about: "Do not start a process again that died" },
  {
    name: "config-id",
    short: "i",
    value: { name: "ID" },
    about: "What @ID lines are compared with (default: host name)",
  },
  { name: "address-monitoring", short: "a", about: "Log every address that comes or goes" },
  { name: "all-config", short: "e", about: "A missing include file is an error" },
  {
    name: "namespace",
    short: "s",
    value: { name: "NAME" },
    about: "Run in the network namespace NAME",
  },
  { name: "umask", short: "u", value: { name: "MASK" }, about: "umask for new files, in octal" },
  {
    name: "signum",
    value: { name: "NAME" },
    about: "Print a signal's number: STOP, RELOAD, DATA, STATS …",
  },
  { name: "version", short: "v", about: "Print the version" },
  { name: "help", short: "h", about: "Print this text" },
];

/** Accepted, so that units and scripts start unchanged; each says in one line that it does nothing. */
const WITHOUT_EFFECT: readonly KeepalivedOption[] = [
  { name: "all", noEffect: "both processes always run unless -P or -C is given" },
  {
    name: "no_bfd",
    short: "B",
    noEffect: "BFD runs in the vrrp process: leave out the bfd_instances",
  },
  {
    name: "bfd_pid",
    short: "b",
    value: FILE,
    noEffect: "BFD runs in the vrrp process, and -r names its file",
  },
  { name: "dump-conf", short: "d", noEffect: "see holdfast check --json" },
  { name: "release-vips", short: "X", noEffect: "addresses are always removed with the role" },
  { name: "dont-release-vrrp", short: "V", noEffect: "a stop always removes the addresses" },
  { name: "log-file", short: "g", value: FILE, noEffect: "the log goes to the standard output" },
  { name: "flush-log-file", noEffect: "the log goes to the standard output, line by line" },
  { name: "no-syslog", short: "G", noEffect: "nothing goes to syslog unless -S is given" },
  { name: "snmp", short: "x", noEffect: "there is no SNMP yet" },
  { name: "snmp-agent-socket", short: "A", value: FILE, noEffect: "there is no SNMP yet" },
  { name: "core-dump", short: "m", noEffect: "set LimitCORE= in the systemd unit" },
  {
    name: "core-dump-pattern",
    short: "M",
    value: { name: "PATTERN", optional: true },
    noEffect: "set kernel.core_pattern with sysctl",
  },
  { name: "no-mem-check", noEffect: "it was for keepalived's developers" },
  {
    name: "perf",
    value: { name: "TYPE", optional: true },
    noEffect: "it was for keepalived's developers",
  },
  {
    name: "debug",
    value: { name: "OPTS", optional: true },
    noEffect: "it was for keepalived's developers",
  },
  { name: "ignore-sigint", noEffect: "SIGINT stops the agent, as SIGTERM does" },
];

export const KEEPALIVED_OPTIONS: readonly KeepalivedOption[] = [...WORKING, ...WITHOUT_EFFECT];

/** Signal numbers that keepalived's scripts ask for with --signum. Linux, x86 and ARM. */
export const SIGNALS: Readonly<Record<string, number>> = {
  STOP: 15,
  RELOAD: 1,
  DATA: 10,
  STATS: 12,
  STATS_CLEAR: 63,
  JSON: 36,
  TDUMP: 64,
};
