import { ARGUMENTS, THROWN } from "./arguments.ts";
import { BUILTINS } from "./builtins.ts";
import { FLOODS, IMPORTS } from "./floods.ts";
import type { Hostile } from "./hostile.ts";
import { LOADING } from "./loading.ts";
import { LOOPS } from "./loops.ts";
import { MEMORY, STACK } from "./memory.ts";
import { PROMISES } from "./promises.ts";
import { PROTOTYPES } from "./prototypes.ts";

/** Every hostile policy, by family. */
export const FAMILIES: ReadonlyMap<string, readonly Hostile[]> = new Map([
  ["loops", LOOPS],
  ["loops of the engine", BUILTINS],
  ["memory", MEMORY],
  ["stack", STACK],
  ["promises", PROMISES],
  ["prototypes", PROTOTYPES],
  ["arguments and answers", ARGUMENTS],
  ["thrown", THROWN],
  ["floods", FLOODS],
  ["reaching out", IMPORTS],
  ["loading", LOADING],
]);
