import { ControlError, requestStatus } from "../control/client.ts";
import { KernelError } from "../ports/error.ts";
import type { NamespaceHolder, Withdrawn, WithdrawOutcome } from "../ports/last-will.ts";
import { withdrawnText } from "../ports/last-will.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit-status.ts";
import type { CliHost } from "./host.ts";
import { DEFAULT_CONTROL, DEFAULT_STATE, textOf } from "./run-options.ts";

/** So long a process whose supervisor is gone has for its end. */
const ORPHAN_MS = 3_000;

/** `holdfast withdraw`: for a host on which no agent runs any more. */
export async function withdraw({ host, terminal, ...context }: CommandContext): Promise<number> {
  const socket = textOf(context.arguments, "control") ?? DEFAULT_CONTROL;
  if (await isRunning(socket)) throw stillRunning(`${socket} answers`, "");
  const stateDirectory = textOf(context.arguments, "state") ?? DEFAULT_STATE;
  const namespace =
    textOf(context.arguments, "net-namespace") ?? (await host.namespaceLeftBy(stateDirectory));
  const { withdrawn, problems } = await withdrawFrom(host, namespace);
  const none = problems.length === 0 ? "nothing: nothing of ours was there" : "nothing";
  terminal.out(`removed ${withdrawnText(withdrawn) ?? none}\n`);
  for (const { message, remedy } of problems) {
    terminal.err(`holdfast: ${message}\n          ${remedy}\n`);
  }
  return problems.length === 0 ? EXIT.ok : EXIT.failed;
}

/**
 * Whoever asks for another control socket than the agent's, or whose own agent was refused as another one runs,
 * would take addresses from a living one. One whose supervisor is gone keeps nobody: it is not waited for.
 */
async function withdrawFrom(
  host: CliHost,
  namespace: string | undefined,
): Promise<WithdrawOutcome> {
  const holder = await host.namespaceHolder(namespace);
  if (holder !== undefined && holder.kind !== "orphan") throw heldBy(holder);
  const outcome = await host.withdraw(namespace);
  if (holder === undefined) return outcome;
  const gone = await host.ended(holder.pid, ORPHAN_MS);
  // What it may have put back before it noticed that it is alone.
  const again = await host.withdraw(namespace);
  return {
    withdrawn: sum(outcome.withdrawn, again.withdrawn),
    problems: gone ? again.problems : [...again.problems, hangs(holder.pid)],
  };
}

const sum = (a: Withdrawn, b: Withdrawn): Withdrawn => ({
  addresses: a.addresses + b.addresses,
  routes: a.routes + b.routes,
  rules: a.rules + b.rules,
  links: a.links + b.links,
  filter: a.filter || b.filter,
});

/** Throws the ControlError of one that may run. */
async function isRunning(socket: string): Promise<boolean> {
  try {
    await requestStatus(socket);
    return true;
  } catch (error) {
    if (error instanceof ControlError && error.code === "not-running") return false;
    throw error;
  }
}

function heldBy(holder: Exclude<NamespaceHolder, { readonly kind: "orphan" }>): KernelError {
  if (holder.kind === "unseen") {
    return new KernelError(
      "agent-runs",
      "an agent in another namespace of processes (a container, or its host) holds addresses in this network " +
        "namespace, and would put everything back",
      "stop it there",
    );
  }
  const { pid, supervisor, controlSocket } = holder;
  const where = controlSocket === undefined ? "" : `, control socket ${controlSocket}`;
  return stillRunning(
    `process ${supervisor}${where}; its process ${pid} holds addresses in this network namespace`,
    `, or kill -9 ${supervisor} ${pid} if it hangs`,
  );
}

const stillRunning = (which: string, more: string): KernelError =>
  new KernelError(
    "agent-runs",
    `an agent runs here (${which}), and would put everything back`,
    `stop it first: systemctl stop holdfast${more}`,
  );

const hangs = (pid: number): KernelError =>
  new KernelError(
    "orphan-hangs",
    `process ${pid}, whose agent is gone, does not end, and may put addresses back`,
    `kill -9 ${pid}, and run holdfast withdraw again`,
  );
