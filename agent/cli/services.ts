import { userInfo } from "node:os";
import { orderServer, requestServices } from "../control/client.ts";
import type { ServerCommand, ServerOrder } from "../control/protocol.ts";
import { UsageError } from "./arguments.ts";
import type { CommandContext, RunCommand } from "./command.ts";
import { EXIT } from "./exit-status.ts";
import { DEFAULT_CONTROL, textOf } from "./run-options.ts";
import { renderServices } from "./status/services.ts";
import { styleFor } from "./style.ts";

export async function services(context: CommandContext): Promise<number> {
  const { terminal } = context;
  const found = await requestServices(controlOf(context));
  if (isJson(context)) terminal.out(`${JSON.stringify(found, null, 2)}\n`);
  else terminal.out(renderServices(found, Date.now(), styleFor(terminal.color)));
  return found.every(({ quorum, retiring }) => quorum.up || retiring) ? EXIT.ok : EXIT.failed;
}

export const drain: RunCommand = (context) => order(context, "drain", "is drained");
export const undrain: RunCommand = (context) => order(context, "undrain", "is as configured");
export const disable: RunCommand = (context) => order(context, "disable", "is out of the pool");

export const remove: RunCommand = (context) => order(context, "remove", "is removed");

export const add: RunCommand = (context) => {
  const [service = "", server = ""] = context.arguments.operands;
  if (server.includes("/")) {
    throw new UsageError(`${server} is no ADDRESS[:PORT]`, "write SERVICE, a space, ADDRESS:PORT");
  }
  const [text, like] = [textOf(context.arguments, "weight"), textOf(context.arguments, "like")];
  return order(context, "add", "is added", {
    server: `${service}/${server}`,
    ...(text === undefined ? {} : { weight: weightOf(text) }),
    ...(like === undefined ? {} : { like }),
  });
};

export const weight: RunCommand = (context) => {
  const [, text = ""] = context.arguments.operands;
  const wanted = weightOf(text);
  return order(context, "weight", `has weight ${wanted}`, { weight: wanted });
};

function weightOf(text: string): number {
  const wanted = Number(text);
  if (/^\d{1,10}$/.test(text) && wanted <= MOST_WEIGHT) return wanted;
  throw new UsageError(`${text} is no weight`, `write a whole number from 0 to ${MOST_WEIGHT}`);
}

/** The kernel's. */
const MOST_WEIGHT = 2_147_483_647;

async function order(
  context: CommandContext,
  command: ServerCommand,
  words: string,
  more: Partial<ServerOrder> = {},
): Promise<number> {
  const { terminal } = context;
  const [server = ""] = context.arguments.operands;
  const asked: ServerOrder = { server, who: whoAsks(), ...more };
  const outcome = await orderServer(controlOf(context), command, asked);
  if (isJson(context)) terminal.out(`${JSON.stringify(outcome, null, 2)}\n`);
  else {
    for (const one of outcome.servers) terminal.out(`${one.server} of ${one.service} ${words}.\n`);
    for (const note of outcome.notes ?? []) terminal.out(`${note}.\n`);
  }
  return EXIT.ok;
}

/** Behind sudo the person, not root. */
const whoAsks = (): string => (process.env["SUDO_USER"] || userInfo().username).slice(0, 64);

const controlOf = (context: CommandContext): string =>
  textOf(context.arguments, "control") ?? DEFAULT_CONTROL;

const isJson = ({ arguments: { options } }: CommandContext): boolean => options.has("json");
