import type { Diagnostic } from "../diagnostic.ts";
import type { ConfigHost } from "../keepalived/config-host.ts";
import type { Lowering } from "../keepalived/lower/lowering.ts";
import { lowering as startLowering } from "../keepalived/lower/lowering.ts";
import { named } from "../keepalived/lower/named.ts";
import type { Statement } from "../keepalived/tree.ts";
import type { PolicyGrant, Settings } from "../settings.ts";
import { lowerFence } from "./fence.ts";
import type { Known } from "./grant.ts";
import { lowerGrant } from "./grant.ts";
import { readOptions } from "./options.ts";
import { Secrets } from "./secrets.ts";
import { lowerSmtp } from "./smtp.ts";
import { lowerWitness } from "./witness.ts";

/** Words with a meaning of their own; every other block has the options of a plugin. */
const NO_OPTIONS: ReadonlySet<string> = new Set([
  "policy",
  "secret",
  "smtp",
  "plugin",
  "witness",
  "fence",
]);

/** Gives the statements of holdfast.conf their meaning. */
export function lowerSettings(
  file: string,
  tree: readonly Statement[],
  host: ConfigHost,
  routers: ReadonlySet<string> | undefined,
): { readonly settings: Settings; readonly diagnostics: readonly Diagnostic[] } {
  const lowering = startLowering(host, { resolve: () => undefined });
  const statements = (keyword: string): readonly Statement[] =>
    tree.filter((each) => each.keyword.text === keyword);
  const secrets = new Secrets(named(statements("secret"), lowering), lowering);
  const known = { secrets, routers };
  const settings: Settings = {
    file,
    grants: statements("policy").flatMap((policy) => lowerPolicy(policy, known, lowering)),
    secrets: secrets.files,
    smtp: lowerSmtp(statements("smtp").at(-1), secrets, lowering),
    plugins: named(statements("plugin"), lowering).map(({ name, statement }) => ({
      position: name.position,
      name: name.text,
      package: statement.words[1]?.text ?? "",
      options: readOptions(statement, secrets, lowering),
    })),
    pluginOptions: Object.fromEntries(
      tree
        .filter(({ keyword }) => !NO_OPTIONS.has(keyword.text))
        .map((each) => [each.keyword.text, readOptions(each, secrets, lowering)]),
    ),
    witness: lowerWitness(statements("witness"), secrets, lowering),
    fences: named(statements("fence"), lowering).flatMap(
      (fence) => lowerFence(fence, secrets, lowering) ?? [],
    ),
  };
  secrets.reportUnreadable();
  return { settings, diagnostics: lowering.diagnostics };
}

function lowerPolicy(
  statement: Statement,
  known: Known,
  lowering: Lowering,
): readonly PolicyGrant[] {
  const name = statement.words[0];
  if (name === undefined) return [];
  const lines = (statement.block ?? []).flatMap(({ block = [] }) => block);
  const grant = lowerGrant(lines, known, lowering);
  return [{ position: name.position, policy: name.text, grant }];
}
