import type { IpAddress } from "../core/address.ts";
import { after, milliseconds } from "../core/time.ts";
import { RELEASE_PRIORITY } from "../core/vrrp/virtual-router.ts";
import type { Endpoint } from "../ports/advertisement-sockets.ts";
import type { Clock } from "../ports/clock.ts";
import type { Hmac } from "../wire/hmac.ts";
import type { PacketTemplate } from "../wire/outgoing-packet.ts";
import { encodePacket, packetTemplate } from "../wire/outgoing-packet.ts";
import type { AdvertPath } from "./advert-path.ts";
import { advertised } from "./advertised.ts";
import type { Gatekeeper } from "./fencing/gatekeeper.ts";
import type { Holdings } from "./holdings.ts";
import type { Router } from "./router.ts";
import type { Schedule } from "./schedule.ts";
import type { Notary } from "./wills.ts";
import { Wills } from "./wills.ts";

/** A last advertisement waits no longer than this for the addresses to be gone, if the gate is shut. */
const LONGEST_WAIT = milliseconds(100);

/** Sends advertisements, as the state machine says, from the router's current values. */
export class Sender {
  readonly #clock: Clock;
  readonly #hmac: Hmac;
  readonly #schedule: Schedule;
  readonly #holdings: Holdings;
  readonly #gate: Pick<Gatekeeper, "whenShut">;
  readonly #wills: Wills;
  /** Last words that have not left yet. */
  readonly #partings = new Map<Router, Promise<unknown>>();
  #sending: Router | undefined;

  constructor(
    clock: Clock,
    hmac: Hmac,
    schedule: Schedule,
    holdings: Holdings,
    gate: Pick<Gatekeeper, "whenShut">,
    notary: Notary,
  ) {
    this.#clock = clock;
    this.#gate = gate;
    this.#hmac = hmac;
    this.#schedule = schedule;
    this.#holdings = holdings;
    this.#wills = new Wills(clock, hmac, notary);
  }

  /** Whose packet is being sent at this moment, for a failure that is told meanwhile. */
  get sending(): Router | undefined {
    return this.#sending;
  }

  send(router: Router, priority: number): void {
    if (router.state.kind === "active") this.#transmit(router, priority);
    else this.#part(router, priority);
  }

  /** The router is not active any more. */
  resigned(router: Router): void {
    this.#wills.drop(router);
  }

  /** Resolves when the last words of a router that has left `active` are out; `undefined`: they are. */
  parting(router: Router): Promise<unknown> | undefined {
    return this.#partings.get(router);
  }

  #part(router: Router, priority: number): void {
    // A fault may take the source address along before the kernel has answered.
    const prepared = router.binding.templates ?? templates(router);
    const parting = new Promise<void>((resolve) => {
      this.#whenLetGo(router, () => {
        resolve();
        if (router.state.kind === "active") return;
        if (router.binding.source === undefined) router.binding.templates = prepared;
        this.#transmit(router, priority);
      });
    });
    const all = Promise.all([this.#partings.get(router), parting]).then(() => {
      if (this.#partings.get(router) === all) this.#partings.delete(router);
    });
    this.#partings.set(router, all);
  }

  /**
   * A peer that hears the last word claims the addresses, or announces them: so it hears it when the
   * kernel has removed them here. If that takes long, when the gate in front of them is shut; without a
   * gate, after a while in any case.
   */
  #whenLetGo(router: Router, letGo: () => void): void {
    let open = true;
    let shut = false;
    let long = false;
    const end = (): void => {
      if (!open) return;
      open = false;
      limit.set(undefined);
      letGo();
    };
    const limit = this.#schedule.slot(() => {
      long = true;
      if (shut) end();
    });
    limit.set(after(this.#clock.now(), LONGEST_WAIT));
    void this.#gate.whenShut(router).then(() => {
      shut = true;
      if (long) end();
    });
    this.#holdings.whenSettled(router.id, (gone) => {
      if (gone) end();
    });
  }

  #transmit(router: Router, priority: number): void {
    const { lease } = router.binding;
    if (lease === undefined) return;
    if (router.binding.templates === undefined) {
      router.binding.templates = templates(router);
      for (const path of router.binding.paths.values()) path.template = undefined;
    }
    // Without a source address there is nothing to send.
    if (router.binding.templates.length === 0) return;
    this.#wills.sending(router);
    this.#sending = router;
    const at = this.#clock.now();
    const left = this.#leaveAll(router, router.binding.templates, lease.endpoint, priority);
    this.#sending = undefined;
    if (router.state.kind === "active") {
      if (left) router.advertisedAt = at;
      this.#wills.sent(router, router.binding.templates, lease.spec);
    }
    router.counters.advertisementsSent += 1;
    if (priority === RELEASE_PRIORITY) router.counters.priorityZeroSent += 1;
  }

  /** To all destinations, over all ways. Answers whether one of them left. */
  #leaveAll(
    router: Router,
    templates: readonly PacketTemplate[],
    endpoint: Endpoint,
    priority: number,
  ): boolean {
    let left = false;
    for (const template of templates) {
      left = this.#leave(router, template, endpoint, priority) || left;
    }
    for (const path of router.binding.paths.values()) {
      path.template ??= pathTemplate(path, templates);
      if (path.template === undefined) continue;
      left = this.#leave(router, path.template, path.lease.endpoint, priority) || left;
    }
    return left;
  }

  /** Answers whether it left. */
  #leave(router: Router, template: PacketTemplate, endpoint: Endpoint, priority: number): boolean {
    const { packet, sequences } = encodePacket(
      template,
      priority,
      router.sequences,
      this.#clock.wallClock(),
      this.#hmac,
    );
    router.sequences = sequences;
    return endpoint.send(packet, template.settings.destination);
  }
}

/** The same over another interface: from its address there, with the one that it has at home. */
function pathTemplate(
  { source }: AdvertPath,
  [template]: readonly PacketTemplate[],
): PacketTemplate | undefined {
  if (template === undefined) return undefined;
  const { settings } = template;
  return packetTemplate({
    ...settings,
    source,
    addresses: [...settings.addresses, settings.source],
  });
}

function templates(router: Router): readonly PacketTemplate[] {
  const { config, effective, binding } = router;
  const { source } = binding;
  if (source === undefined) return [];
  const { transport } = config;
  const destinations: readonly IpAddress[] =
    transport.mode === "multicast" ? [transport.group] : transport.peers.map((p) => p.address);
  return destinations.map((destination) =>
    packetTemplate({
      family: effective.family,
      version: effective.version,
      vrid: effective.vrid,
      maxAdvertiseInterval: effective.advertisementInterval,
      addresses: advertised(router),
      source,
      destination,
      unicast: transport.mode === "unicast",
      ttl: timeToLive(router),
      checksum: config.checksum,
      credentials: router.credentials,
    }),
  );
}

/** RFC 9568 §5.1.1.3; the sockets take it from the packet's header. */
export const timeToLive = ({ config: { transport } }: Pick<Router, "config">): number =>
  transport.mode === "unicast" ? (transport.ttl ?? 255) : 255;
