import { conditionText, storeFails, storeName } from "../status/store.ts";
import type { Case } from "./case.ts";
import type { Finding } from "./finding.ts";
import { ok, problem } from "./finding.ts";

const RULE = "witness";

/** What the running agent says of its store of leases. */
export function examineWitness({ store }: Case): readonly Finding[] {
  if (store === undefined) return [];
  const message = `${storeName(store)}: ${conditionText(store)}`;
  if (!storeFails(store)) return [ok(RULE, message)];
  return [problem(RULE, message, store.remedy ?? "the agent's log says more")];
}
