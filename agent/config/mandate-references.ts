import type { Config } from "./config.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { diagnose } from "./diagnostic-codes.ts";
import { nearest } from "./keepalived/suggest.ts";
import type { Statement } from "./keepalived/tree.ts";
import type { Settings } from "./settings.ts";

const OWNERS: ReadonlySet<string> = new Set(["global_defs", "vrrp_sync_group", "vrrp_instance"]);

/** Names that a misspelt one is compared with. */
const MOST_SUGGESTIONS = 200;

/**
 * What groups ask for and holdfast.conf does not have.
 *
 * @param tree of keepalived.conf
 */
export function missingForMandates(
  tree: readonly Statement[],
  settings: Settings,
): readonly Diagnostic[] {
  const lines = tree
    .filter(({ keyword }) => OWNERS.has(keyword.text))
    .flatMap(({ block = [] }) => block);
  return [...missingStore(lines, settings), ...unknownFences(lines, settings)];
}

function missingStore(
  lines: readonly Statement[],
  { witness, file }: Settings,
): readonly Diagnostic[] {
  if (witness !== undefined) return [];
  return lines
    .filter(({ keyword, words: [mode] }) => keyword.text === "holdfast_witness" && isOn(mode?.text))
    .map(({ keyword: { position, text } }) => {
      const message = `${file} has no witness block, which says where leases are asked for`;
      const hint = `write witness etcd { endpoint https://HOST:2379 } into ${file}, or holdfast_witness off`;
      return diagnose("witness-missing", position, text, message, hint);
    });
}

const isOn = (mode: string | undefined): boolean => mode === "advisory" || mode === "required";

function unknownFences(
  lines: readonly Statement[],
  { fences, file }: Settings,
): readonly Diagnostic[] {
  const known = new Set(fences.map(({ name }) => name));
  const near = [...known].slice(0, MOST_SUGGESTIONS);
  return lines
    .filter(({ keyword }) => keyword.text === "holdfast_fence")
    .flatMap(({ words }) => words.filter(({ text }) => !known.has(text)))
    .map(({ position, text }) => {
      const meant = nearest(text, near)?.word;
      const hint =
        meant === undefined
          ? `write fence ${text} { program /usr/sbin/fence_… } into ${file}`
          : `did you mean "${meant}"?`;
      return diagnose("fence-unknown", position, text, `${file} has no fence ${text}`, hint);
    });
}

/** A store or a device that nobody asks, though its block looks like protection. */
export function idleForMandates(
  { mandates }: Config,
  { witness, fences }: Settings,
): readonly Diagnostic[] {
  const asked = new Set(mandates.flatMap((mandate) => mandate.fences));
  const devices = fences
    .filter(({ name }) => !asked.has(name))
    .map(({ name, position }) => {
      const message = `no group or instance has the fence ${name}; it never runs`;
      const hint = `write holdfast_fence ${name} into a vrrp_sync_group or vrrp_instance`;
      return diagnose("mandate-idle", position, name, message, hint);
    });
  if (witness === undefined || mandates.some(({ lease }) => lease !== undefined)) return devices;
  const { position, store } = witness;
  const message = "nothing in keepalived.conf asks this store for a lease; it protects nothing";
  const hint = "write holdfast_witness advisory or required into global_defs, or into a group";
  return [diagnose("mandate-idle", position, store, message, hint), ...devices];
}
