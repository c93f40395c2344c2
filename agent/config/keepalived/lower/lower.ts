import type { AnnouncementPace, Config, InstanceConfig } from "../../config.ts";
import type { Diagnostic } from "../../diagnostic.ts";
import { checkAddressSharing, checkIdentities, checkInterfaceDelays } from "../../validate.ts";
import { directServersOf } from "../../virtual-servers.ts";
import type { ConfigHost } from "../config-host.ts";
import type { Statement } from "../tree.ts";
import { lowerAddressLine } from "./address-line.ts";
import { lowerBfdInstances } from "./bfd.ts";
import {
  completeGlobal,
  globalPace,
  inheritedFrom,
  nameDirectories,
  scriptRules,
} from "./global.ts";
import type { GlobalDraft } from "./global-keywords.ts";
import { emptyGlobal, GLOBAL_KEYWORDS } from "./global-keywords.ts";
import type { DelayWord } from "./groups.ts";
import { lowerGarpGroup, readInterfaceDelays, readSyncGroup } from "./groups.ts";
import type { Inherited } from "./inherited.ts";
import { lowerInstances } from "./instances.ts";
import type { Lowering } from "./lowering.ts";
import { report, lowering as startLowering } from "./lowering.ts";
import { nameTables } from "./name-tables.ts";
import { named } from "./named.ts";
import { lowerNotifications } from "./notifications.ts";
import { lowerRouteLine } from "./route-line.ts";
import { lowerRuleLine } from "./rule-line.ts";
import { lowerTrackGroups } from "./track-groups.ts";
import { lowerTrackers, reportUnusedTrackers } from "./trackers.ts";
import { lowerBalancing } from "./virtual-server/virtual-servers.ts";

export interface Lowered {
  readonly config: Config;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Gives the statements of a configuration their meaning. The answer is complete and consistent where
 * no diagnostic is an error; otherwise it lacks what the errors are about.
 */
export function lowerKeepalived(tree: readonly Statement[], host: ConfigHost): Lowered {
  const roots = rootsByName(tree);
  const rootsOf = (name: string): readonly Statement[] => roots.get(name) ?? [];
  const { global, diagnostics } = lowerGlobal(tree, host);
  const names = nameTables(host, nameDirectories(global));
  const lowering = startLowering(host, names, scriptRules(global));
  lowering.diagnostics.push(...diagnostics);
  const trackers = lowerTrackers(rootsOf, lowering);
  const bfdInstances = lowerBfdInstances(rootsOf("bfd_instance"), lowering);
  const inherited = inheritedFrom(global);
  const groups = named(rootsOf("vrrp_sync_group"), lowering).map(({ name, statement }) =>
    readSyncGroup(name, statement, lowering),
  );
  const { instances, syncGroups, mandates } = lowerInstances(
    named(rootsOf("vrrp_instance"), lowering),
    groups,
    inherited,
    lowering,
  );
  const delays = lowerDelays(rootsOf("interface_up_down_delays"), lowering);
  const balancing = lowerBalancing(rootsOf, global, routerIds(instances), lowering);
  const config: Config = {
    global: completeGlobal(global, host.configId, bfdInstances.length > 0),
    instances,
    syncGroups,
    mandates,
    ...lowerStatics(rootsOf, inherited, lowering),
    announcementPaces: lowerPaces(rootsOf("garp_group"), globalPace(global), lowering),
    interfaceDelays: delays.map(({ delay }) => delay),
    trackers,
    bfdInstances,
    notifications: lowerNotifications(global, lowering),
    balancing,
    directServers: directServersOf(balancing),
    trackGroups: lowerTrackGroups(named(rootsOf("track_group"), lowering), instances, lowering),
  };
  checkIdentities(instances, lowering.diagnostics);
  checkAddressSharing(instances, lowering.diagnostics);
  checkInterfaceDelays(delays, instances, lowering.diagnostics);
  checkTrackGroupReferences(config, lowering);
  reportUnusedTrackers(lowering);
  return { config, diagnostics: lowering.diagnostics };
}

const routerIds = (instances: readonly InstanceConfig[]): ReadonlyMap<string, number> =>
  new Map(instances.map(({ router: { name, vrid } }) => [name, vrid]));

function rootsByName(tree: readonly Statement[]): ReadonlyMap<string, readonly Statement[]> {
  const roots = new Map<string, Statement[]>();
  for (const statement of tree) {
    const name = statement.keyword.text;
    const before = roots.get(name);
    if (before === undefined) roots.set(name, [statement]);
    else before.push(statement);
  }
  return roots;
}

/** First, as instances inherit from it wherever it stands; it names the name tables, so needs none. */
function lowerGlobal(
  tree: readonly Statement[],
  host: ConfigHost,
): { readonly global: GlobalDraft; readonly diagnostics: readonly Diagnostic[] } {
  const global = emptyGlobal();
  const lowering = startLowering(host, { resolve: () => undefined });
  const read = (statement: Statement): void => {
    GLOBAL_KEYWORDS.get(statement.keyword.text)?.(global, statement, lowering);
  };
  for (const statement of tree) {
    if (statement.keyword.text !== "global_defs") read(statement);
    else for (const line of statement.block ?? []) read(line);
  }
  return { global, diagnostics: lowering.diagnostics };
}

function lowerStatics(
  rootsOf: (name: string) => readonly Statement[],
  { addressInterface }: Inherited,
  lowering: Lowering,
): Pick<Config, "staticAddresses" | "staticRoutes" | "staticRules"> {
  const lines = (name: string): readonly Statement[] =>
    rootsOf(name).flatMap((statement) => statement.block ?? []);
  return {
    staticAddresses: lines("static_ipaddress").flatMap((line) => {
      const address = lowerAddressLine(line, lowering);
      if (address === undefined) return [];
      return { ...address, interface: address.interface ?? addressInterface };
    }),
    staticRoutes: lines("static_routes").flatMap((line) => lowerRouteLine(line, lowering) ?? []),
    staticRules: lines("static_rules").flatMap((line) => lowerRuleLine(line, lowering) ?? []),
  };
}

function lowerPaces(
  statements: readonly Statement[],
  otherwise: AnnouncementPace,
  lowering: Lowering,
): readonly AnnouncementPace[] {
  const taken = new Set<string>();
  const groups = statements.flatMap(
    (statement) => lowerGarpGroup(statement, otherwise, taken, lowering) ?? [],
  );
  return otherwise.arpInterval > 0 || otherwise.naInterval > 0 ? [...groups, otherwise] : groups;
}

function lowerDelays(statements: readonly Statement[], lowering: Lowering): readonly DelayWord[] {
  const taken = new Set<string>();
  return statements.flatMap((statement) => readInterfaceDelays(statement, taken, lowering));
}

/** A static line that names a track_group nobody defines would be watched by nobody. */
function checkTrackGroupReferences(config: Config, lowering: Lowering): void {
  const known = new Set(config.trackGroups.map(({ name }) => name));
  const lines = [...config.staticAddresses, ...config.staticRoutes, ...config.staticRules];
  for (const { trackGroup, position } of lines) {
    if (trackGroup === undefined || known.has(trackGroup)) continue;
    report(
      lowering,
      "track-group-unusable",
      position,
      `there is no track_group ${trackGroup}; the loss of this line would go unnoticed`,
      `write track_group ${trackGroup} { group { INSTANCE } }`,
    );
  }
}
