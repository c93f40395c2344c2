import { DEFAULT_SETTINGS_FILE } from "../config/settings.ts";
import { DEFAULT_POLICIES } from "../policy/discover.ts";
import type { OptionSpec } from "./arguments.ts";
import type { CommandSpec } from "./command.ts";
import { CONTROL, HELP, JSON_OUTPUT } from "./command.ts";

/** Of every command that looks at policies. */
export const POLICIES: OptionSpec = {
  name: "policies",
  value: { name: "DIR" },
  about: `The policies folder (default ${DEFAULT_POLICIES})`,
};

/** Of every command that looks at holdfast.conf. */
export const SETTINGS: OptionSpec = {
  name: "settings",
  value: { name: "FILE" },
  about: `holdfast.conf: grants, secrets, mail (default ${DEFAULT_SETTINGS_FILE})`,
};

const NEW: CommandSpec = {
  name: "policy new",
  operands: "NAME",
  count: [1, 1],
  about: "Write a policy, its test, and what editors need for types",
  details: [
    "Nothing that is there is overwritten. Templates: nginx, http, tcp, empty; without",
    "the option, the one that NAME is called after, else empty.",
  ],
  options: [
    POLICIES,
    { name: "template", value: { name: "NAME" }, about: "What to begin with" },
    HELP,
  ],
  load: async () => (await import("./policy/new.ts")).newPolicy,
};

const CHECK: CommandSpec = {
  name: "policy check",
  operands: "[FILE…]",
  count: [0, Number.POSITIVE_INFINITY],
  about: "Check policies without running them",
  details: [
    "Bundles each file, reads its permissions, checks its types, its owner and its",
    "grants. Without FILE: all of the policies folder. Status 0: no errors; 1:",
    "warnings, with --strict; 2: errors.",
  ],
  options: [
    POLICIES,
    SETTINGS,
    { name: "strict", about: "Warnings give status 1" },
    JSON_OUTPUT,
    HELP,
  ],
  load: async () => (await import("./policy/check.ts")).checkPolicies,
};

const GRANTS: CommandSpec = {
  name: "policy grants",
  operands: "[NAME…]",
  count: [0, Number.POSITIVE_INFINITY],
  about: "Show what policies ask for and are not granted, and the lines to add",
  details: ["Status 0: all is granted; 1: something is missing; 2: a policy cannot be read."],
  options: [
    POLICIES,
    SETTINGS,
    { name: "write", about: "Add the lines to holdfast.conf" },
    JSON_OUTPUT,
    HELP,
  ],
  load: async () => (await import("./policy/grants.ts")).policyGrants,
};

const TEST: CommandSpec = {
  name: "policy test",
  operands: "[FILE…]",
  count: [0, Number.POSITIVE_INFINITY],
  about: "Run the tests beside policies, in virtual time",
  details: [
    "FILE is a test, or a policy whose test lies beside it; without FILE: all of the",
    "policies folder. Nothing of this machine is touched by the policies: a test says",
    "what answers them. The tests themselves run with your rights. Status 0: all",
    "passed; 1: some failed.",
  ],
  options: [POLICIES, HELP],
  load: async () => (await import("./policy/test.ts")).testPolicies,
};

const SIMULATE: CommandSpec = {
  name: "policy simulate",
  operands: "FILE",
  count: [1, 1],
  about: "Show what a policy would do over a scenario, or over what an agent recorded",
  details: [
    "SCENARIO is a file with a line for each thing that happens, and the time since the",
    "start before it, or the output of holdfast journal:",
    "",
    "    router VI_1 priority 150 active",
    "    process nginx 2",
    "    http http://127.0.0.1/ replies 200",
    "    10s   http http://127.0.0.1/ fails ECONNREFUSED",
    "    30s   transition VI_1 backup",
    "    1m    end",
    "",
    "docs/manual.md lists the words. Status 0: it was played; 1: the policy made",
    "mistakes; 2: the scenario cannot be understood.",
  ],
  options: [
    { name: "scenario", value: { name: "SCENARIO" }, about: "What happens to the policy" },
    JSON_OUTPUT,
    HELP,
  ],
  load: async () => (await import("./policy/simulate.ts")).simulatePolicy,
};

const RUN: CommandSpec = {
  name: "policy run",
  operands: "FILE",
  count: [1, 1],
  about: "Let the checks of a policy look at this host once, and show what would come of it",
  details: [
    "Calls are made for real: requests are sent, commands are run, with your rights and",
    "all that the policy asks for. Hooks do not run, no message is sent, nothing is kept,",
    "and no router moves. Status 0: all is well; 1: a check found something amiss; 2: the",
    "policy cannot be loaded.",
  ],
  options: [SETTINGS, CONTROL, JSON_OUTPUT, HELP],
  load: async () => (await import("./policy/run.ts")).runPolicy,
};

export const POLICY: CommandSpec = {
  name: "policy",
  operands: "COMMAND",
  count: [0, 0],
  about: "Write, check, try and grant policies",
  details: ["holdfast help policy COMMAND says more."],
  options: [HELP],
  commands: [NEW, CHECK, TEST, SIMULATE, RUN, GRANTS],
};
