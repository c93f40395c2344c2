import type { ControlRequest, LetterIds, ServerCommand, ServerOrder } from "./protocol.ts";

/** Why a request line is refused. Closed: the token is the answer's code. */
export type RequestRefusal = "malformed" | "unknown-command";

export type ReadRequest =
  | { readonly ok: true; readonly request: ControlRequest }
  | {
      readonly ok: false;
      readonly id: number;
      readonly code: RequestRefusal;
      readonly message: string;
    };

const malformed = (message: string, id = 0): ReadRequest => ({
  ok: false,
  id,
  code: "malformed",
  message,
});

/** Reads one line from a client. Total: anything at all may come. */
export function readRequest(line: string): ReadRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return malformed("a request is one line of JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return malformed("a request is a JSON object");
  }
  const { id, command, follow } = value as Record<string, unknown>;
  if (typeof id !== "number" || !Number.isSafeInteger(id)) {
    return malformed("`id` must be a whole number");
  }
  switch (command) {
    case "status":
    case "reload":
    case "journal":
      return { ok: true, request: { id, command } };
    case "notifications":
    case "retry-notifications":
    case "discard-notifications":
    case "metrics":
    case "services": {
      const { ids = command === "discard-notifications" ? [] : "all" } = value as { ids?: unknown };
      if (isLetterIds(ids)) return { ok: true, request: { id, command, ids } };
      return malformed("`ids` must be whole numbers, or all", id);
    }
    case "drain":
    case "undrain":
    case "disable":
    case "weight":
    case "add":
    case "remove": {
      const { order } = value as { order?: unknown };
      const read = readOrder(order, command);
      if (typeof read === "string") return malformed(read, id);
      return { ok: true, request: { id, command, order: read } };
    }
    case "events":
      return { ok: true, request: { id, command, follow: follow === true } };
    default:
      return {
        ok: false,
        id,
        code: "unknown-command",
        message:
          "there are the commands status, reload, journal, events, notifications, metrics, services, " +
          "drain, undrain, disable, weight, add and remove",
      };
  }
}

const isLetterIds = (value: unknown): value is LetterIds =>
  value === "all" || (Array.isArray(value) && value.every(Number.isSafeInteger));

const LONGEST_SERVER = 200;
const LONGEST_WHO = 64;
/** The kernel's. */
const MOST_WEIGHT = 2_147_483_647;

/** Answers in words what is wrong with it. */
function readOrder(value: unknown, command: ServerCommand): ServerOrder | string {
  if (typeof value !== "object" || value === null) return "`order` must be an object";
  const { server, weight, like, who } = value as Record<string, unknown>;
  if (!isShortText(server, LONGEST_SERVER))
    return "`server` must be a text: [SERVICE/]ADDRESS[:PORT]";
  if (!isShortText(who, LONGEST_WHO)) return "`who` must be a text of at most 64 characters";
  if (command === "weight") return isWeight(weight) ? { server, weight, who } : NO_WEIGHT;
  if (command !== "add") return { server, who };
  if (weight !== undefined && !isWeight(weight)) return NO_WEIGHT;
  if (like !== undefined && !isShortText(like, LONGEST_SERVER))
    return "`like` must be a text: ADDRESS[:PORT]";
  return {
    ...{ server, who },
    ...(weight === undefined ? {} : { weight }),
    ...(like === undefined ? {} : { like }),
  };
}

const isWeight = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MOST_WEIGHT;

const NO_WEIGHT = `\`weight\` must be a whole number from 0 to ${MOST_WEIGHT}`;

/** On one line, without control characters. */
const isShortText = (value: unknown, longest: number): value is string =>
  typeof value === "string" && value !== "" && value.length <= longest && !/\p{C}/u.test(value);
