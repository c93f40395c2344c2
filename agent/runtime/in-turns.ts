import { setImmediate as nextTurn } from "node:timers/promises";

/** For routers: well under a millisecond of work. */
const ITEMS_PER_TURN = 8;

/** Between a few and the next few, advertisements and packets have their turn. */
export async function inTurns<Item>(
  items: readonly Item[],
  act: (item: Item) => void,
): Promise<void> {
  for (const [at, item] of items.entries()) {
    act(item);
    if (at % ITEMS_PER_TURN === ITEMS_PER_TURN - 1) await nextTurn();
  }
}
