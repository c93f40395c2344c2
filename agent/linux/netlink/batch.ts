import type { RequestOutcome } from "../../ports/network.ts";
import type { Answer } from "./channel.ts";
import { DONE } from "./outcome.ts";

/**
 * Works off items in one batch. `prepare` gives an item's message, or its outcome where nothing need
 * be asked; `conclude` turns an answer into an outcome. Outcomes come in the order of the items.
 */
export async function inBatch<Item>(
  items: readonly Item[],
  prepare: (item: Item) => Uint8Array | RequestOutcome,
  ask: (messages: readonly Uint8Array[]) => Promise<readonly Answer[]>,
  conclude: (item: Item, answer: Answer) => RequestOutcome,
): Promise<readonly RequestOutcome[]> {
  const plans = items.map((item) => ({ item, prepared: prepare(item) }));
  const asked = plans.flatMap(({ item, prepared }) =>
    prepared instanceof Uint8Array ? [{ item, message: prepared }] : [],
  );
  const answers = await ask(asked.map(({ message }) => message));
  const concluded = asked.map(({ item }, at) =>
    conclude(item, answers[at] ?? { errno: "ECANCELED", text: undefined }),
  );
  let next = 0;
  return plans.map(({ prepared }) => {
    if (!(prepared instanceof Uint8Array)) return prepared;
    next += 1;
    return concluded[next - 1] ?? DONE;
  });
}
