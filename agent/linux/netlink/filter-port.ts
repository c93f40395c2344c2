import { KernelError } from "../../ports/error.ts";
import type { FilterEvent } from "../../ports/filter-event.ts";
import type { FilterErrnoMeaning } from "./filter-errno.ts";
import { meaningOf } from "./filter-errno.ts";
import type { FilterKeeper } from "./filter-keeper.ts";
import type { FilterPart } from "./filter-part.ts";

/** What is said of a kernel that refuses. */
export interface FilterWords {
  /** What cannot be done. */
  readonly failure: string;
  /** What to do about missing permissions. */
  readonly permission: string;
  /** What to do about a kernel that lacks something. */
  readonly lacking: string;
}

/** What ports that keep a part of our tables have in common. */
export interface FilterPort {
  probe(): Promise<KernelError | undefined>;
  /** Brings the kernel to what the part wants. */
  apply(): Promise<KernelError | undefined>;
  subscribe(listener: (event: FilterEvent) => void): () => void;
  close(): Promise<void>;
}

/** `closed` is called when it has let go of everything. */
export function filterPort(
  part: FilterPart,
  keeper: FilterKeeper,
  words: FilterWords,
  closed: () => void,
): FilterPort {
  const unsubscribes = new Set<() => void>();
  return {
    probe: async () => problemOf(await keeper.tryOut(part), words),
    apply: async () => problemOf(await keeper.apply(), words),
    subscribe(listener) {
      const unsubscribe = keeper.subscribe(part, (errno) => {
        const error = problemOf(errno, words);
        listener(error === undefined ? { kind: "restored" } : { kind: "lost", error });
      });
      unsubscribes.add(unsubscribe);
      return unsubscribe;
    },
    async close() {
      part.clear();
      await keeper.apply();
      for (const unsubscribe of unsubscribes) unsubscribe();
      closed();
    },
  };
}

function problemOf(errno: string | undefined, words: FilterWords): KernelError | undefined {
  if (errno === undefined) return undefined;
  const message = `${words.failure}: the kernel says ${errno}`;
  const meaning = meaningOf(errno);
  const remedies: Readonly<Record<FilterErrnoMeaning, string>> = {
    passing: "it is tried again; if that goes on, see the kernel's log (dmesg)",
    forbidden: words.permission,
    lacking: words.lacking,
  };
  return new KernelError(errno, message, remedies[meaning], meaning === "passing");
}
