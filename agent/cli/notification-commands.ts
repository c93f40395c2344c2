import type { CommandSpec } from "./command.ts";
import { CONTROL, HELP, JSON_OUTPUT } from "./command.ts";

const STATUS = "Status 0: nothing was given up; 1: something was, or no answer from the agent.";

const RETRY: CommandSpec = {
  name: "notifications retry",
  operands: "[ID…]",
  count: [0, Number.POSITIVE_INFINITY],
  about: "Give what was given up another try",
  details: ["Without ID: everything. What waits for its next try is tried at once.", STATUS],
  options: [JSON_OUTPUT, CONTROL, HELP],
  load: async () => (await import("./notifications.ts")).retry,
};

const DISCARD: CommandSpec = {
  name: "notifications discard",
  operands: "ID…",
  count: [1, Number.POSITIVE_INFINITY],
  about: "Forget what was given up",
  details: ["`all` in place of IDs: everything.", STATUS],
  options: [JSON_OUTPUT, CONTROL, HELP],
  load: async () => (await import("./notifications.ts")).discard,
};

export const NOTIFICATIONS: CommandSpec = {
  name: "notifications",
  operands: "",
  count: [0, 0],
  about: "Show what waits to be told, and what could not be",
  details: [STATUS],
  options: [JSON_OUTPUT, CONTROL, HELP],
  commands: [RETRY, DISCARD],
  load: async () => (await import("./notifications.ts")).notifications,
};
