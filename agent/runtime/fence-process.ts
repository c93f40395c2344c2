import type { FenceProblem } from "../core/witness/mandate.ts";
import { KernelError } from "../ports/error.ts";
import type { ParentChannel } from "../ports/processes.ts";
import type { FromFence, ToFence } from "./ipc.ts";
import type { FencePorts } from "./witness/fence-run.ts";
import { runFence } from "./witness/fence-run.ts";

export interface FenceProcessPorts extends FencePorts {
  /** Throws a KernelError. */
  readonly enterNamespace: (name: string) => void;
  /** Called when the answer is on its way, or nobody waits for it any more. */
  readonly exit: () => void;
}

/**
 * The process that runs the fence agents of one take-over, answers, and is gone. It alone has the rights that
 * they may need; who talks to stores can run nothing, and may only ask for devices that the files name.
 */
export function serveFence(channel: ParentChannel, ports: FenceProcessPorts): void {
  channel.listen((message) => {
    const order = message as ToFence;
    if (order.kind !== "fence") return;
    void fence(order, ports).then((problem) => {
      const answer: FromFence = { kind: "fenced", problem: problem ?? null };
      channel.send(answer);
      ports.exit();
    });
  }, ports.exit);
}

/** All of them, in their order; the first that fails ends it. */
async function fence(
  { devices, secrets, netNamespace }: ToFence,
  ports: FenceProcessPorts,
): Promise<FenceProblem | undefined> {
  try {
    if (netNamespace !== undefined) ports.enterNamespace(netNamespace);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    return { reason: error.message, remedy: error.remedy };
  }
  for (const device of devices) {
    const problem = await runFence(device, secrets, ports);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
