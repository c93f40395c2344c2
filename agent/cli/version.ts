import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit-status.ts";

/** `holdfast version --json`. */
export interface VersionReport {
  readonly version: string;
  readonly node: string;
  readonly platform: string;
}

// A command answers a promise, whether it has to wait or not.
export function version(context: CommandContext): Promise<number> {
  const { host, terminal } = context;
  const report: VersionReport = {
    version: host.version(),
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
  };
  if (context.arguments.options.has("json")) {
    terminal.out(`${JSON.stringify(report, null, 2)}\n`);
  } else {
    terminal.out(`Holdfast v${report.version} (Node ${report.node}, ${report.platform})\n`);
  }
  return Promise.resolve(EXIT.ok);
}
