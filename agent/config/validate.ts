import { micros, seconds } from "../core/time.ts";
import type { InstanceConfig, InterfaceDelay } from "./config.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { diagnose } from "./diagnostic-codes.ts";
import type { Position } from "./position.ts";

const place = ({ file, line }: Position): string => `${file}:${line}`;

/** What an advertisement tells one virtual router from another by: on each interface where it is heard. */
function identitiesOf({
  router,
  interface: name,
  vrf,
  transport,
  sourceAddress,
}: InstanceConfig): readonly string[] {
  const multicast = transport.mode === "multicast";
  const channel = multicast ? transport.group : `unicast ${sourceAddress ?? ""}`;
  const places = [name ?? vrf ?? "", ...(multicast ? (transport.alsoOn ?? []) : [])];
  return places.map((at) => `${at} ${router.family} ${router.vrid} ${channel}`);
}

/** Two instances with one identity would each take the other's advertisements for a rival's. */
export function checkIdentities(
  instances: readonly InstanceConfig[],
  diagnostics: Diagnostic[],
): void {
  const first = new Map<string, InstanceConfig>();
  for (const instance of instances) {
    const identities = identitiesOf(instance);
    const taken = identities.find((identity) => first.has(identity));
    const before = taken === undefined ? undefined : first.get(taken);
    if (taken === undefined || before === undefined) {
      for (const identity of identities) first.set(identity, instance);
      continue;
    }
    const { name, vrid, family } = instance.router;
    const [on = ""] = taken.split(" ");
    diagnostics.push(
      diagnose(
        "identity-duplicate",
        instance.position,
        name,
        `${name} and ${before.router.name} (${place(before.position)}) have the same virtual_router_id ${vrid} for ${family} on ${on === "" ? "one source address" : on}`,
        "give each instance of an interface and family its own virtual_router_id",
      ),
    );
  }
}

/** One address in two instances: both would hold it, or each would take it from the other. */
export function checkAddressSharing(
  instances: readonly InstanceConfig[],
  diagnostics: Diagnostic[],
): void {
  const holder = new Map<string, InstanceConfig>();
  for (const instance of instances) {
    const { addresses, excludedAddresses } = instance;
    const all = excludedAddresses.length === 0 ? addresses : addresses.concat(excludedAddresses);
    for (const { address, position } of all) {
      const before = holder.get(address);
      if (before === undefined || before === instance) {
        holder.set(address, instance);
        continue;
      }
      diagnostics.push(
        diagnose(
          "address-shared",
          position,
          address,
          `${address} belongs to ${before.router.name} (${place(before.position)}) as well; when either gives it up, it is gone`,
          "keep it in one instance",
        ),
      );
    }
  }
}

/** A link that is down must be seen before others take over. */
export function checkInterfaceDelays(
  delays: readonly {
    readonly delay: InterfaceDelay;
    readonly at: { readonly position: Position; readonly text: string };
  }[],
  instances: readonly InstanceConfig[],
  diagnostics: Diagnostic[],
): void {
  if (delays.length === 0) return;
  const shortest = new Map<string, InstanceConfig>();
  for (const instance of instances) {
    const name = instance.interface;
    if (name === undefined) continue;
    const before = shortest.get(name);
    if (before === undefined || patience(instance) < patience(before)) shortest.set(name, instance);
  }
  for (const { delay, at } of delays) {
    const instance = shortest.get(delay.interface);
    if (instance === undefined || delay.down < patience(instance)) continue;
    diagnostics.push(
      diagnose(
        "delay-too-long",
        at.position,
        at.text,
        `${instance.router.name} is taken over before ${delay.interface} counts as down: the delay must be less than ${patience(instance) / seconds(1)} s`,
        "shorten the down delay, or raise advert_int or down_timer_adverts",
      ),
    );
  }
}

/** How long the others wait at least before they take over. */
const patience = ({ router }: InstanceConfig) =>
  micros((router.downTimerAdverts - 1) * router.advertisementInterval);
