import type { ServiceNotifier } from "../ports/processes.ts";
import { datagramSender } from "./datagram.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Tells the service manager that started `pid` (sd_notify(3)). Call it once, in the process that the
 * manager started, and take the variables out of the environment of children (`withoutNotifier`).
 */
export function serviceNotifier(environment: Environment, pid: number): ServiceNotifier {
  const { NOTIFY_SOCKET: path = "" } = environment;
  // Other families (vsock) are for virtual machines' managers.
  if (!/^[/@]./.test(path)) return { notify: () => {}, watchdogMs: undefined };
  const sender = datagramSender(path);
  return {
    notify: (state) => {
      // A manager that does not listen is not worth a failure of ours.
      sender.send(withTime(state));
    },
    watchdogMs: watchdogOf(environment, pid),
  };
}

/** The environment for children: they are not the service's main process. */
export function withoutNotifier(environment: Environment): Environment {
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, ...rest } = environment;
  return rest;
}

/** Half of the time after which the manager would give up, as sd_watchdog_enabled(3) advises. */
function watchdogOf(environment: Environment, pid: number): number | undefined {
  const { WATCHDOG_USEC: micros, WATCHDOG_PID: forPid } = environment;
  if (forPid !== undefined && Number(forPid) !== pid) return undefined;
  const half = Math.floor(Number(micros ?? "") / 2_000);
  return half >= 1 ? half : undefined;
}

/** RELOADING=1 is taken only together with the moment (systemd 253, Type=notify-reload). */
function withTime(state: string): string {
  if (!/^RELOADING=1$/m.test(state) || state.includes("MONOTONIC_USEC=")) return state;
  return `${state}\nMONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`;
}
