import type { Json } from "../../sdk/index.ts";
import { badArgument, textArgument } from "../call/arguments.ts";
import { hostText } from "./endpoint-pattern.ts";
import type { Host, HostPattern } from "./host-pattern.ts";
import { hostCovers, hostMatches, parseHost, parseHostPattern } from "./host-pattern.ts";
import type { PatternList } from "./pattern-list.ts";
import { bad, patternList } from "./pattern-list.ts";

/** A permission that lists addresses, CIDRs, names, `*.name` and `*`. */
export const hostPermission = (permission: string, example: string): PatternList<HostPattern> =>
  patternList({
    permission,
    example,
    read(text) {
      const pattern = parseHostPattern(text);
      return pattern === undefined
        ? bad("is no address, CIDR, name or *.name")
        : { ok: true, pattern };
    },
    covers: hostCovers,
  });

/** Reads the target of a call and holds it against the permission. Throws a CallError. */
export function permittedHost(
  target: Json | undefined,
  permission: Json,
  list: PatternList<HostPattern>,
): Host {
  const host = parseHost(textArgument(target, "target", 254));
  if (host === undefined) throw badArgument("target is no address and no name");
  if (list.granted(permission).some((pattern) => hostMatches(pattern, host))) return host;
  throw list.refusal(hostText(host));
}
