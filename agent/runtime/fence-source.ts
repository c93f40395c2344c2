import type { FenceSettings } from "../config/mandates.ts";
import type { FenceProblem } from "../core/witness/mandate.ts";
import type { Later, StartProcess } from "../ports/processes.ts";
import type { AcceptedConfig } from "./accepted.ts";
import type { FromFence, ToFence } from "./ipc.ts";

/** What fencing needs of the world. */
export interface FencingPorts {
  readonly start: StartProcess<"fence">;
  readonly later: Later;
}

/** Far more than a process takes to start and to end, on a busy machine. */
const SPARE_MS = 15_000;

/**
 * Runs fence devices of holdfast.conf, by their names, in a process of their own, which has the rights of
 * the agent and hears nobody else. Answers why nobody may rely on it; `undefined`: done.
 */
export function fenceInProcess(
  names: readonly string[],
  accepted: Pick<AcceptedConfig, "config" | "settings"> | undefined,
  { start, later }: FencingPorts,
): Promise<FenceProblem | undefined> {
  const devices = devicesOf(names, accepted?.settings.fences ?? []);
  if (accepted === undefined || devices.length === 0) return Promise.resolve(NO_DEVICE);
  const limitMs = devices.reduce((sum, { timeout }) => sum + timeout / 1_000, SPARE_MS);
  return new Promise((resolve) => {
    const child = start("fence", {
      message: (message) => {
        const { kind, problem } = message as FromFence;
        if (kind === "fenced") finish(problem ?? undefined);
      },
      // A promise resolves once: after an answer this says nothing new.
      ended: (_, cause) => finish(ended(cause)),
    });
    const cancel = later(limitMs, () => {
      child.kill("SIGKILL");
      finish(ended(`it did not answer for ${limitMs / 1_000} s`));
    });
    const finish = (problem: FenceProblem | undefined): void => {
      cancel();
      resolve(problem);
    };
    const order: ToFence = {
      kind: "fence",
      devices,
      secrets: accepted.settings.secrets,
      netNamespace: accepted.config.global.netNamespace,
    };
    child.send(order);
  });
}

/** All of them, or none may be relied on. */
function devicesOf(
  names: readonly string[],
  all: readonly FenceSettings[],
): readonly FenceSettings[] {
  const found = names.flatMap((name) => all.find((device) => device.name === name) ?? []);
  return found.length === names.length ? found : [];
}

const NO_DEVICE: FenceProblem = {
  reason: "holdfast.conf has none of its fence devices",
  remedy: "add them there",
};

const ended = (cause: string): FenceProblem => ({
  reason: `the process that runs fence agents ended without an answer: ${cause}`,
  remedy: "the lines before this one say why",
});
