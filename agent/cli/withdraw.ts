import { ControlError, requestStatus } from "../control/client.ts";
import { KernelError } from "../ports/error.ts";
import { withdrawnText } from "../ports/last-will.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit-status.ts";
import { DEFAULT_CONTROL, DEFAULT_STATE, textOf } from "./run-options.ts";

/** `holdfast withdraw`: for a host on which no agent runs any more. */
export async function withdraw({ host, terminal, ...context }: CommandContext): Promise<number> {
  const socket = textOf(context.arguments, "control") ?? DEFAULT_CONTROL;
  if (await isRunning(socket)) throw stillRunning(socket);
  const stateDirectory = textOf(context.arguments, "state") ?? DEFAULT_STATE;
  const namespace =
    textOf(context.arguments, "net-namespace") ?? (await host.namespaceLeftBy(stateDirectory));
  const { withdrawn, problems } = await host.withdraw(namespace);
  const none = problems.length === 0 ? "nothing: nothing of ours was there" : "nothing";
  terminal.out(`removed ${withdrawnText(withdrawn) ?? none}\n`);
  for (const { message, remedy } of problems) {
    terminal.err(`holdfast: ${message}\n          ${remedy}\n`);
  }
  return problems.length === 0 ? EXIT.ok : EXIT.failed;
}

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

const stillRunning = (socket: string): KernelError =>
  new KernelError(
    "agent-runs",
    `an agent runs here (${socket} answers), and would put everything back`,
    "stop it first: systemctl stop holdfast",
  );
