import type { Json } from "../../sdk/index.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { PolicyGrant, Settings } from "../config/settings.ts";
import { covers } from "./grant-cover.ts";
import { grantLine, grantWords } from "./grant-lines.ts";
import type { Manifest } from "./manifest.ts";
import { mergePermissions, partsOf } from "./permission-parts.ts";
import type { PermissionRule } from "./permission-rule.ts";
import { problem, writtenName } from "./problem.ts";

type PermissionSet = Readonly<Record<string, Json>>;

/** A part of what a policy asks for that holdfast.conf does not grant. */
export interface MissingGrant {
  readonly permission: string;
  /** The line that grants it: `http http://127.0.0.1:8080/*`. */
  readonly line: string;
}

/** What a policy asks for, held against what the operator grants. */
export interface GrantComparison {
  /** What was both asked for and granted, in the SDK's form: what calls are held against. */
  readonly effective: PermissionSet;
  readonly missing: readonly MissingGrant[];
  /** One for each missing part, at its place in the policy, and for each part that means nothing. */
  readonly problems: readonly Diagnostic[];
}

/** Everything that holdfast.conf grants a policy, by its name and by `*`. */
export const grantedTo = (policy: string, grants: readonly PolicyGrant[]): PermissionSet =>
  grants
    .filter((each) => each.policy === policy || each.policy === "*")
    .reduce<PermissionSet>((sum, { grant }) => mergePermissions(sum, grant), {});

/**
 * Compares what a policy asks for with what it is granted, part by part.
 *
 * @param rules plugins know what their permissions mean; without its plugin, a permission covers what
 *   is written in it, and `*` in a grant stands for any text
 */
export function compareGrants(
  policy: string,
  manifest: Manifest,
  settings: Settings,
  rules: readonly PermissionRule[],
): GrantComparison {
  const granted = grantedTo(policy, settings.grants);
  const missing: MissingGrant[] = [];
  const problems: Diagnostic[] = [];
  let effective: PermissionSet = {};
  for (const [permission, asked] of Object.entries(manifest.permissions)) {
    const rule = rules.find((each) => each.permission === permission);
    const wrong = rule?.checkPermission(asked);
    if (wrong !== undefined) {
      const place = manifest.places.at(["permissions", permission]);
      problems.push(problem("policy-permissions", place, { message: wrong, text: permission }));
      continue;
    }
    for (const part of partsOf(permission, asked)) {
      if (covers(part, granted[permission], rules)) {
        effective = mergePermissions(effective, { [permission]: part.value });
        continue;
      }
      const line = grantLine(part);
      missing.push({ permission, line });
      const place = manifest.places.at(["permissions", permission, ...part.path]);
      const hint = `add to ${settings.file}: policy ${policy} { grant { ${line} } }`;
      const message = `${grantWords(part)} is not granted`;
      problems.push(
        problem("policy-grant", place, { message, hint, text: writtenName(part.path) }),
      );
    }
  }
  return { effective, missing, problems };
}
