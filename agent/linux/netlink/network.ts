import type { AddressConfig, RouteConfig, RuleConfig, VirtualLink } from "../../config/config.ts";
import type { Family, Prefix } from "../../core/address.ts";
import { KernelError } from "../../ports/error.ts";
import type { AddressRequest, Network, NetworkEvent } from "../../ports/network.ts";
import type { NetlinkMessage } from "../../wire/netlink/message.ts";
import { GROUP } from "../../wire/netlink/rtnetlink.ts";
import { readSysctl, writeSysctl } from "../sysctl.ts";
import { Channel } from "./channel.ts";
import { HostView } from "./host-view.ts";
import type { AddressMarks, RememberedAddress } from "./installed-addresses.ts";
import { InstalledAddresses } from "./installed-addresses.ts";
import { InstalledRoutes } from "./installed-routes.ts";
import { InstalledRules } from "./installed-rules.ts";
import { ADDRESS_MARK, keepsMarks } from "./mark.ts";
import { Monitor } from "./monitor.ts";
import type { ReceiveBufferSize } from "./netlink-socket.ts";
import { throwLater } from "./netlink-socket.ts";
import { meaningOf } from "./outcome.ts";
import { requireAdministration } from "./permission.ts";
import { Resynchronization } from "./resynchronization.ts";
import { VirtualLinks } from "./virtual-links.ts";

/** All may be left out. */
export interface NetworkOptions {
  /** Of the socket that hears the kernel's announcements; 8 MiB by default. */
  readonly receiveBuffer?: ReceiveBufferSize | undefined;
  /** Of the sockets that hear its answers; 1 MiB by default. */
  readonly answerBuffer?: ReceiveBufferSize | undefined;
  /** IFA_PROTO of our addresses, 4–255. Two agents in one namespace need different ones. */
  readonly mark?: number | undefined;
  /** What an earlier run added, for kernels before 5.18, which keep no marks. */
  readonly remembered?: readonly RememberedAddress[] | undefined;
  /** Between two comparisons with a dump, in milliseconds; 5000 by default. */
  readonly auditInterval?: number | undefined;
  /** For tests: as `uname -r` has it. */
  readonly kernelRelease?: string | undefined;
}

const DEFAULT_BUFFER: ReceiveBufferSize = { bytes: 8 << 20, force: true };
const AUDIT_MS = 5000;
/** Several signs of one change are one reason to look. */
const SUSPICION_MS = 10;

const ALWAYS = [GROUP.link, GROUP.ipv4Address, GROUP.ipv6Address];
const ROUTES = [GROUP.ipv4Route, GROUP.ipv6Route];
const RULES = [GROUP.ipv4Rule, GROUP.ipv6Rule];

/**
 * Opens the host's network in the namespace that the main thread is in. Main thread only. Throws a
 * KernelError when netlink cannot be had. A listener that throws ends the process: its error is
 * thrown again outside of the library that would swallow it.
 */
export async function openNetwork(options: NetworkOptions = {}): Promise<Network> {
  const network = new KernelNetwork(options);
  const errno = await network.begin();
  if (errno === undefined) return network;
  network.close();
  throw new KernelError(
    "netlink-refused",
    `cannot list the host's interfaces and addresses: ${errno}`,
    meaningOf(errno),
  );
}

class KernelNetwork implements Network {
  readonly #listeners = new Set<(event: NetworkEvent) => void>();
  /** What somebody waits for never stands behind a dump. */
  readonly #requests: Channel;
  readonly #dumps: Channel;
  readonly #view: HostView;
  readonly #monitor: Monitor;
  readonly #resynchronization: Resynchronization;
  readonly #addresses: InstalledAddresses;
  readonly #routes: InstalledRoutes;
  readonly #rules: InstalledRules;
  readonly #virtualLinks: VirtualLinks;
  readonly #audit: NodeJS.Timeout;
  #suspicion: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: NetworkOptions) {
    const tell = (event: NetworkEvent): void => this.#tell(event);
    this.#requests = new Channel("route", options.answerBuffer);
    this.#dumps = new Channel("route", options.answerBuffer);
    this.#view = new HostView((record) => this.#addresses.isOurs(record), tell);
    this.#monitor = new Monitor(
      options.receiveBuffer ?? DEFAULT_BUFFER,
      (message) => this.#heard(message),
      () => this.#resynchronization.overrun(),
    );
    this.#resynchronization = new Resynchronization(
      this.#dumps,
      this.#view,
      this.#monitor,
      (cause) => {
        this.#suspect();
        this.#tell({ kind: "resynchronized", cause });
      },
    );
    const refresh = () => this.#resynchronization.refresh();
    this.#addresses = new InstalledAddresses(this.#requests, this.#view, refresh, marksOf(options));
    const indexOf = (name: string) => this.#view.linkByName(name)?.index;
    this.#routes = new InstalledRoutes(this.#requests, this.#dumps, indexOf, tell);
    this.#rules = new InstalledRules(this.#requests, this.#dumps, tell);
    this.#virtualLinks = new VirtualLinks(this.#requests, this.#view, refresh);
    this.#audit = setInterval(() => this.#look(true), options.auditInterval ?? AUDIT_MS).unref();
  }

  /** Answers the errno name when the kernel refuses to list what it has. */
  begin(): Promise<string | undefined> {
    this.#monitor.join(ALWAYS);
    return this.#resynchronization.refresh();
  }

  links() {
    return this.#view.links;
  }

  linkByName(name: string) {
    return this.#view.linkByName(name);
  }

  addresses(interfaceIndex: number) {
    return this.#view.addresses(interfaceIndex);
  }

  subscribe(listener: (event: NetworkEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  installAddresses(requests: readonly AddressRequest[]) {
    return this.#addresses.install(requests);
  }

  refreshAddresses(requests: readonly AddressRequest[]) {
    return this.#addresses.refresh(requests);
  }

  removeAddresses(requests: readonly AddressRequest[]) {
    return this.#addresses.remove(requests);
  }

  installRoutes(routes: readonly RouteConfig[], interfaceIndex: number | undefined) {
    if (routes.length > 0) this.#monitor.join(ROUTES);
    return this.#routes.install(routes, interfaceIndex);
  }

  removeRoutes(routes: readonly RouteConfig[], interfaceIndex: number | undefined) {
    return this.#routes.remove(routes, interfaceIndex);
  }

  installRules(rules: readonly RuleConfig[]) {
    if (rules.length > 0) this.#monitor.join(RULES);
    return this.#rules.install(rules);
  }

  removeRules(rules: readonly RuleConfig[]) {
    return this.#rules.remove(rules);
  }

  async createVirtualLink(
    spec: VirtualLink,
    parentIndex: number,
    _family: Family,
    mac: string | undefined,
  ) {
    const link = await this.#virtualLinks.create(spec, parentIndex, mac);
    const prefix = spec.kind === "ipvlan" ? spec.address : undefined;
    if (prefix === undefined) return link;
    const [outcome] = await this.#addresses.install([
      { interfaceIndex: link.index, address: plainAddress(prefix) },
    ]);
    if (outcome?.ok === false)
      throw new KernelError(outcome.errno, outcome.message, meaningOf(outcome.errno));
    return link;
  }

  removeVirtualLink(index: number) {
    return this.#virtualLinks.remove(index);
  }

  async removeLeftovers() {
    await requireAdministration(this.#requests);
    await this.#routes.removeLeftovers();
    await this.#rules.removeLeftovers();
    const { removed: addresses, left } = await this.#addresses.removeLeftovers();
    return { addresses, links: await this.#virtualLinks.removeLeftovers(), left };
  }

  readSysctl(path: string) {
    return readSysctl(path);
  }

  writeSysctl(path: string, value: string) {
    return writeSysctl(path, value);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#audit);
    clearTimeout(this.#suspicion);
    this.#listeners.clear();
    this.#monitor.close();
    this.#requests.close();
    this.#dumps.close();
  }

  #heard(message: NetlinkMessage): void {
    this.#view.apply(message);
    if (this.#routes.concerns(message) || this.#rules.concerns(message)) this.#suspect();
  }

  #tell(event: NetworkEvent): void {
    if (event.kind === "link-removed") this.#virtualLinks.gone(event.index);
    // The kernel drops the routes by a link or from an address without a word.
    if (event.kind !== "address-added" && event.kind !== "route-removed") this.#suspect();
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        throwLater(error);
      }
    }
  }

  /** Looks after routes and rules soon. */
  #suspect(): void {
    if (this.#closed) return;
    this.#suspicion ??= setTimeout(() => {
      this.#suspicion = undefined;
      this.#look(false);
    }, SUSPICION_MS);
  }

  #look(everything: boolean): void {
    const looks = [this.#routes.look(), this.#rules.look()];
    if (everything) looks.push(this.#resynchronization.audit());
    Promise.all(looks).catch(throwLater);
  }
}

/** An ipvlan's own address, as one without any further words. */
const plainAddress = ({ address, length }: Prefix): AddressConfig => ({
  position: { file: "", line: 0, column: 0 },
  address,
  prefixLength: length,
  interface: undefined,
  broadcast: undefined,
  scope: undefined,
  label: undefined,
  peer: undefined,
  flags: [],
  preferredLifetime: undefined,
  noTrack: false,
  trackGroup: undefined,
  useVirtualMac: false,
});

function marksOf(options: NetworkOptions): AddressMarks {
  const mark = options.mark ?? ADDRESS_MARK;
  return keepsMarks(options.kernelRelease)
    ? { by: "kernel", mark }
    : { by: "memory", mark, remembered: options.remembered ?? [] };
}
