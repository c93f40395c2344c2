import type { ControlRequest, LetterIds } from "./protocol.ts";

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
    case "metrics": {
      const { ids = command === "discard-notifications" ? [] : "all" } = value as { ids?: unknown };
      if (isLetterIds(ids)) return { ok: true, request: { id, command, ids } };
      return malformed("`ids` must be whole numbers, or all", id);
    }
    case "events":
      return { ok: true, request: { id, command, follow: follow === true } };
    default:
      return {
        ok: false,
        id,
        code: "unknown-command",
        message:
          "there are the commands status, reload, journal, events, notifications and metrics",
      };
  }
}

const isLetterIds = (value: unknown): value is LetterIds =>
  value === "all" || (Array.isArray(value) && value.every(Number.isSafeInteger));
