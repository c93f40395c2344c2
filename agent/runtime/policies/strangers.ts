import type { PolicyShape } from "../../policy/shape.ts";
import type { DirectorSettings } from "../ipc.ts";

/** Names of virtual routers that checks track and that there are not. */
export function strangers(
  { checks }: PolicyShape,
  subjects: DirectorSettings["subjects"],
): ReadonlySet<string> {
  const routers = new Set(checks.flatMap(({ track }) => [...track.routers.keys()]));
  for (const { kind, name } of subjects) if (kind === "instance") routers.delete(name);
  return routers;
}
