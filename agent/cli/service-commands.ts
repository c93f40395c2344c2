import type { CommandSpec } from "./command.ts";
import { CONTROL, HELP, JSON_OUTPUT } from "./command.ts";

const SERVER = "[SERVICE/]ADDRESS[:PORT]";
const WHICH = [
  "Of all services, or of SERVICE alone, as `holdfast services` names it.",
  "It holds over a reload and a restart, until `holdfast undrain`.",
  "Status 1: there is no such server.",
];

const SERVICES: CommandSpec = {
  name: "services",
  operands: "",
  count: [0, 0],
  about: "Show virtual servers, their real servers, and why they are as they are",
  details: ["Status 0: every service has its quorum; 1: one has not, or no answer."],
  options: [JSON_OUTPUT, CONTROL, HELP],
  load: async () => (await import("./services.ts")).services,
};

const DRAIN: CommandSpec = {
  name: "drain",
  operands: SERVER,
  count: [1, 1],
  about: "Give a real server no new connections; those it has go on",
  details: WHICH,
  options: [JSON_OUTPUT, CONTROL, HELP],
  load: async () => (await import("./services.ts")).drain,
};

const UNDRAIN: CommandSpec = {
  name: "undrain",
  operands: SERVER,
  count: [1, 1],
  about: "Take back drain, disable, weight and remove",
  details: ["Of all services, or of SERVICE alone. Status 1: there is no such server."],
  options: [JSON_OUTPUT, CONTROL, HELP],
  load: async () => (await import("./services.ts")).undrain,
};

const DISABLE: CommandSpec = {
  name: "disable",
  operands: SERVER,
  count: [1, 1],
  about: "Take a real server out of its pools at once",
  details: ["Connections that it has are cut; drain lets them end.", ...WHICH],
  options: [JSON_OUTPUT, CONTROL, HELP],
  load: async () => (await import("./services.ts")).disable,
};

const WEIGHT: CommandSpec = {
  name: "weight",
  operands: `${SERVER} N`,
  count: [2, 2],
  about: "Give a real server another weight than the file, checks and policies do",
  details: ["N is 0 to 2147483647.", ...WHICH],
  options: [JSON_OUTPUT, CONTROL, HELP],
  load: async () => (await import("./services.ts")).weight,
};

const ADD: CommandSpec = {
  name: "add",
  operands: "SERVICE ADDRESS[:PORT]",
  count: [2, 2],
  about: "Give a service one more real server, without a change of the file",
  details: [
    "SERVICE is as `holdfast services` names it, or its ADDRESS:PORT. The new one",
    "has method and checks of another, moved to its own address. It holds over a",
    "reload and a restart, until `holdfast remove`, or until the file has it. One",
    "that was removed is there again, as the file has it. Status 1: it cannot be.",
  ],
  options: [
    { name: "weight", value: { name: "N" }, about: "Default: as the one that it is like" },
    { name: "like", value: { name: "SERVER" }, about: "ADDRESS[:PORT] (default: the first one)" },
    JSON_OUTPUT,
    CONTROL,
    HELP,
  ],
  load: async () => (await import("./services.ts")).add,
};

const REMOVE: CommandSpec = {
  name: "remove",
  operands: SERVER,
  count: [1, 1],
  about: "Take a real server away, once its connections have ended",
  details: [
    "Those it has may end within holdfast_drain, or an hour where the file does not",
    "say. Of all services, or of SERVICE alone. One of the file stays away over a",
    "reload and a restart, until `holdfast add` or `undrain`; one that was added is",
    "forgotten. Status 1: there is no such server.",
  ],
  options: [JSON_OUTPUT, CONTROL, HELP],
  load: async () => (await import("./services.ts")).remove,
};

/** Load balancing. */
export const SERVICE_COMMANDS: readonly CommandSpec[] = [
  SERVICES,
  DRAIN,
  UNDRAIN,
  DISABLE,
  WEIGHT,
  ADD,
  REMOVE,
];
