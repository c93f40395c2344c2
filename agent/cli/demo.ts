import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { UsageError } from "./arguments.ts";
import type { CommandContext } from "./command.ts";
import { Live } from "./demo/live.ts";
import { askForName, serveName } from "./demo/parts.ts";
import { Scene } from "./demo/scene.ts";
import { playScript, reportText } from "./demo/scripted.ts";
import { EXIT } from "./exit-status.ts";
import { styleFor } from "./style.ts";

/** `holdfast demo`, and the parts that it starts in its network: `demo web NAME`, `demo client IP`. */
export function demo(context: CommandContext): Promise<number> {
  const [part, subject = ""] = context.arguments.operands;
  switch (part) {
    case undefined:
      return start(context);
    case "web":
      return serveName(subject);
    case "client":
      return askForName(subject, context.terminal.out);
    default:
      throw new UsageError(`${part} is one word too many`, "see holdfast help demo");
  }
}

async function start(context: CommandContext): Promise<number> {
  const own = [process.execPath, ...process.argv.slice(1)];
  const command = await context.host.labCommand(own);
  return command.length === own.length ? play(context) : elsewhere(command);
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

async function play(context: CommandContext): Promise<number> {
  const { host, terminal } = context;
  const [, program = ""] = process.argv;
  const scene = new Scene(await host.openLab(), [process.execPath, program]);
  const abandon = (signal: (typeof SIGNALS)[number]): void => {
    scene.dispose();
    // A terminal that the live view had taken over works again.
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
    if (terminal.isTerminal) terminal.out("\u001b[?25h\u001b[?1049l");
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of SIGNALS) process.on(signal, abandon);
  try {
    return await perform(scene, context);
  } finally {
    scene.dispose();
    for (const signal of SIGNALS) process.off(signal, abandon);
  }
}

async function perform(scene: Scene, context: CommandContext): Promise<number> {
  const { terminal } = context;
  const { options } = context.arguments;
  const style = styleFor(terminal.color);
  const scripted = options.has("scripted") || options.has("json");
  if (!scripted && terminal.isTerminal && process.stdin.isTTY) {
    await new Live(scene, style).run();
    return EXIT.ok;
  }
  const report = await playScript(scene, terminal);
  terminal.out(
    options.has("json") ? `${JSON.stringify(report, null, 2)}\n` : reportText(report, style),
  );
  if (!report.recovered) terminal.err(evidence(scene));
  return report.recovered ? EXIT.ok : EXIT.failed;
}

/** What the nodes said lately, for whoever has to find out why one did not recover. */
function evidence(scene: Scene): string {
  const events = scene.events.map(
    ({ at, node, subject, message }) =>
      `${new Date(at).toISOString()} ${node} ${subject}: ${message}`,
  );
  const logs = scene.stations.map(({ name, logFile }) => `${name} logged:\n${tail(logFile)}`);
  return `${[...events.slice(-LINES), ...logs].join("\n")}\n`;
}

const LINES = 40;

function tail(file: string): string {
  try {
    return readFileSync(file, "utf8").split("\n").slice(-LINES).join("\n");
  } catch {
    return "nothing";
  }
}

/** Without root: the same command line in a user namespace. Its end becomes ours. */
function elsewhere(command: readonly string[]): Promise<number> {
  const [program = "", ...words] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: "inherit" });
    for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
    child.on("error", () =>
      reject(
        new UsageError(
          `the program ${program} is not installed`,
          "install util-linux, or run holdfast demo as root",
        ),
      ),
    );
    child.on("exit", (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
}
