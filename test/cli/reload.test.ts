import assert from "node:assert/strict";
import { test } from "node:test";
import { reloadText } from "../../agent/cli/reload.ts";
import { styleFor } from "../../agent/cli/style.ts";

const said = (plan: Partial<Record<"added" | "removed" | "replaced" | "kept", string[]>>): string =>
  reloadText(
    {
      accepted: true,
      generation: 2,
      diagnostics: [],
      plan: { added: [], removed: [], replaced: [], kept: [], ...plan },
    },
    styleFor(false),
  );

test("a reload says what became of routers, where there are some", () => {
  assert.match(
    said({ added: ["a", "b"], kept: ["c"] }),
    /\n {2}added: a, b\n {2}kept: 1 router\n$/,
  );
  assert.match(said({ removed: ["a"] }), /\n {2}removed: a\n {2}kept: 0 routers\n$/);
  assert.match(said({}), /^reloaded: generation 2 \(no errors, no warnings\)\n$/);
});
