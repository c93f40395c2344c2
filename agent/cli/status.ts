import { hostname } from "node:os";
import { requestStatus } from "../control/client.ts";
import type { Status } from "../control/protocol.ts";
import type { RouterSnapshot } from "../core/vrrp/snapshot.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit-status.ts";
import { DEFAULT_CONTROL, textOf } from "./run-options.ts";
import { renderStatus } from "./status/render.ts";
import { storeFails } from "./status/store.ts";
import { styleFor } from "./style.ts";

export async function status(context: CommandContext): Promise<number> {
  const { terminal } = context;
  const answer = await requestStatus(textOf(context.arguments, "control") ?? DEFAULT_CONTROL);
  if (context.arguments.options.has("json")) terminal.out(`${JSON.stringify(answer, null, 2)}\n`);
  else terminal.out(renderStatus(answer, hostname(), Date.now(), styleFor(terminal.color)));
  return isWell(answer) ? EXIT.ok : EXIT.failed;
}

/** By a store or a fence device that fails. That another node has the lease, or is being fenced, is well. */
const isKeptFromBeingActive = ({ mandate }: RouterSnapshot): boolean =>
  mandate?.state === "sought" && mandate.waiting !== null && mandate.waiting.because !== "fencing";

export const isWell = (answer: Status): boolean =>
  answer.current &&
  answer.processes.vrrp.pid !== null &&
  !(answer.store !== undefined && storeFails(answer.store)) &&
  answer.routers.every((router) => router.state !== "fault" && !isKeptFromBeingActive(router));
