import type { Config } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import { balancingNodeOf, settingDiagnostics, unfitSettings } from "../config/kernel-settings.ts";
import { KernelError } from "../ports/error.ts";
import type { CliHost } from "./host.ts";

/** What of this host goes against a file. */
export interface HostProblems {
  readonly diagnostics: readonly Diagnostic[];
  /** What cannot be said here. */
  readonly notes: readonly string[];
}

/** The kernel's settings beside the virtual servers of a file. */
export async function hostProblems(
  config: Config | undefined,
  host: Pick<CliHost, "readKernelSettings">,
): Promise<HostProblems> {
  const none = { diagnostics: [], notes: [] };
  if (config === undefined || config.balancing.virtualServers.length === 0) return none;
  const { balancing, global } = config;
  const settings = await host.readKernelSettings(balancing.ipvsNamespace ?? global.netNamespace);
  if (settings instanceof KernelError) {
    const { message, remedy } = settings;
    return { ...none, notes: [`${message}, so settings of ip_vs were not looked at: ${remedy}`] };
  }
  if (settings === undefined) return { ...none, notes: [NOT_LOADED] };
  const unfit = unfitSettings(balancingNodeOf(config), settings);
  return { ...none, diagnostics: settingDiagnostics(unfit) };
}

const NOT_LOADED =
  "ip_vs is not loaded here, and its settings were not looked at: modprobe ip_vs, and check again";
