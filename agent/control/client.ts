import type { Socket } from "node:net";
import { connect } from "node:net";
import { LineSplitter } from "./lines.ts";
import type {
  AgentEvent,
  ControlAnswer,
  ControlRequest,
  LetterIds,
  NotificationsReport,
  ServerCommand,
  ServerOrder,
  ServerOrderOutcome,
  ServiceStatus,
  Status,
} from "./protocol.ts";
import type { ReloadOutcome } from "./target.ts";

/** The agent cannot be reached, or would not answer. The remedy is what to do next. */
export class ControlError extends Error {
  override readonly name = "ControlError";
  readonly code: string;
  readonly remedy: string;

  constructor(code: string, message: string, remedy: string) {
    super(message);
    this.code = code;
    this.remedy = remedy;
  }
}

const STATUS_TIMEOUT_MS = 5_000;
/** A reload validates the file and may add thousands of addresses. */
const RELOAD_TIMEOUT_MS = 120_000;

export const requestStatus = async (path: string): Promise<Status> =>
  // The agent is of one build with this client; a foreign server is no case to survive.
  (await request(path, "status", STATUS_TIMEOUT_MS)) as Status;

export const requestReload = async (path: string): Promise<ReloadOutcome> =>
  (await request(path, "reload", RELOAD_TIMEOUT_MS)) as ReloadOutcome;

export const requestJournal = async (path: string): Promise<string> =>
  (await request(path, "journal", RELOAD_TIMEOUT_MS)) as string;

/** In Prometheus' text format. */
export const requestMetrics = async (path: string): Promise<string> =>
  (await request(path, "metrics", STATUS_TIMEOUT_MS)) as string;

/** Of those that were given up, `ids` are first tried again, or forgotten. */
export const requestNotifications = async (
  path: string,
  first?: "retry" | "discard",
  ids: LetterIds = "all",
): Promise<NotificationsReport> => {
  const command = first === undefined ? "notifications" : (`${first}-notifications` as const);
  return (await request(path, command, STATUS_TIMEOUT_MS, ids)) as NotificationsReport;
};

export const requestServices = async (path: string): Promise<readonly ServiceStatus[]> =>
  (await request(path, "services", STATUS_TIMEOUT_MS)) as readonly ServiceStatus[];

export const orderServer = async (
  path: string,
  command: ServerCommand,
  order: ServerOrder,
): Promise<ServerOrderOutcome> =>
  (await request(path, command, STATUS_TIMEOUT_MS, undefined, order)) as ServerOrderOutcome;

function request(
  path: string,
  command: Exclude<ControlRequest["command"], "events">,
  timeoutMs: number,
  ids?: LetterIds,
  order?: ServerOrder,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = open(path, reject, (answer) => {
      socket.destroy();
      if ("event" in answer) return;
      if (answer.ok) resolve(answer.result);
      else reject(refused(answer));
    });
    limit(socket, path, timeoutMs, reject);
    socket.on("close", () => reject(hungUp(path)));
    socket.write(`${JSON.stringify({ id: 1, command, ids, order })}\n`);
  });
}

/**
 * Hands over recent events, then, with `follow`, each later one until `stop` aborts. Throws a
 * ControlError when the agent goes away meanwhile, or says nothing at first for so many milliseconds.
 */
export function readEvents(
  path: string,
  follow: boolean,
  listener: (event: AgentEvent) => void,
  stop?: AbortSignal,
  patienceMs = STATUS_TIMEOUT_MS,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let expected: number | undefined;
    const finish = (): void => {
      socket.destroy();
      resolve();
    };
    const socket = open(path, reject, (answer) => {
      if ("event" in answer) {
        listener(answer.event);
        expected = (expected ?? 1) - 1;
      } else if (answer.ok) {
        expected = (answer.result as { readonly recent: number }).recent;
        // From now on silence means that nothing happens.
        if (follow) socket.setTimeout(0);
      } else reject(refused(answer));
      if (!follow && expected === 0) finish();
    });
    stop?.addEventListener("abort", finish, { once: true });
    limit(socket, path, patienceMs, reject);
    socket.on("close", () => reject(hungUp(path)));
    socket.write(`${JSON.stringify({ id: 1, command: "events", follow })}\n`);
  });
}

/** An agent that is stopped or hangs goes on taking connections: the kernel does it. */
function limit(
  socket: Socket,
  path: string,
  timeoutMs: number,
  fail: (error: ControlError) => void,
): void {
  socket.setTimeout(timeoutMs, () => {
    socket.destroy();
    fail(
      new ControlError(
        "no-answer",
        `the agent at ${path} did not answer within ${timeoutMs / 1000} s`,
        "It is busy, stopped or hangs: see its log and systemctl status; systemctl restart holdfast ends a process that hangs.",
      ),
    );
  });
}

function open(
  path: string,
  fail: (error: ControlError) => void,
  receive: (answer: ControlAnswer) => void,
): Socket {
  const lines = new LineSplitter(undefined);
  const socket = connect(path);
  socket.on("error", (error) => fail(unreachable(path, error)));
  socket.on("data", (chunk) => {
    const found = lines.push(chunk);
    if (found === "too-long") return;
    for (const line of found) receive(JSON.parse(line) as ControlAnswer);
  });
  return socket;
}

const refused = (answer: { readonly code: string; readonly message: string }): ControlError =>
  new ControlError(answer.code, answer.message, "The agent's log may say more.");

const hungUp = (path: string): ControlError =>
  new ControlError(
    "hung-up",
    `the agent at ${path} closed the connection`,
    "It was stopped, or restarted: try again.",
  );

function unreachable(path: string, error: Error): ControlError {
  const errno = "code" in error ? String(error.code) : error.message;
  if (errno === "ECONNRESET" || errno === "EPIPE") return hungUp(path);
  if (errno === "EACCES") {
    return new ControlError("no-permission", `${path} may not be opened`, "Run this as root.");
  }
  const why =
    errno === "ENOENT"
      ? `there is no socket ${path}`
      : errno === "ECONNREFUSED"
        ? `nobody listens at ${path}; it was left by an agent that died`
        : `${path} cannot be opened (${errno})`;
  return new ControlError(
    "not-running",
    `no agent answers: ${why}`,
    "Start it (holdfast run, systemctl start holdfast), or name its socket with --control.",
  );
}
