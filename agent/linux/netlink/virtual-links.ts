import type { VirtualLink } from "../../config/config.ts";
import { KernelError } from "../../ports/error.ts";
import type { Link, RequestOutcome } from "../../ports/network.ts";
import type { Channel } from "./channel.ts";
import type { HostView } from "./host-view.ts";
import { encodeLinkCreation, encodeLinkRemoval, encodeLinkUp } from "./link-message.ts";
import { DONE, FOREIGN, meaningOf, outcomeOf } from "./outcome.ts";
import { VirtualLinkSysctls } from "./virtual-link-sysctls.ts";

/** Makes, adopts and removes macvlans and ipvlans. */
export class VirtualLinks {
  readonly #channel: Channel;
  readonly #view: HostView;
  readonly #refresh: () => Promise<unknown>;
  readonly #sysctls = new VirtualLinkSysctls();

  constructor(channel: Channel, view: HostView, refresh: () => Promise<unknown>) {
    this.#channel = channel;
    this.#view = view;
    this.#refresh = refresh;
  }

  async create(spec: VirtualLink, parentIndex: number, mac: string | undefined): Promise<Link> {
    const wanted = mac ?? (spec.kind === "macvlan" ? spec.mac : undefined);
    await this.#refresh();
    const existing = this.#view.linkByName(spec.name);
    const adopted = existing !== undefined && fits(existing, spec, parentIndex, wanted);
    if (existing !== undefined && !adopted) await this.#clear(existing);
    if (!adopted) await this.#make(spec, parentIndex, wanted);
    const made = this.#view.linkByName(spec.name);
    const parent = this.#view.links.get(parentIndex);
    if (made === undefined || parent === undefined) throw vanished(spec.name);
    this.#sysctls.prepare(made.name);
    this.#sysctls.use(
      parent,
      made.index,
      Array.from(this.#view.links.values(), ({ name }) => name),
    );
    const [answer] = await this.#channel.request([encodeLinkUp(made.name)]);
    // Under a parent that is down it cannot start: that is the parent's fault, and told as such.
    if (answer?.errno !== undefined && answer.errno !== "ENETDOWN") {
      throw failure(answer.errno, `switch on ${made.name}`, answer.text);
    }
    await this.#refresh();
    return this.#view.links.get(made.index) ?? made;
  }

  async remove(index: number): Promise<RequestOutcome> {
    const link = this.#view.links.get(index);
    if (link?.ours === false) return FOREIGN;
    const [answer] = await this.#channel.request([encodeLinkRemoval(index)]);
    const name = link?.name ?? `interface ${index}`;
    const outcome = answer ? outcomeOf(answer, `remove ${name}`, ["ENODEV"]) : DONE;
    if (outcome.ok) this.#sysctls.release(index);
    return outcome;
  }

  /** Somebody removed a link; perhaps one of ours. */
  gone(index: number): void {
    this.#sysctls.release(index);
  }

  async removeLeftovers(): Promise<number> {
    const ours = Array.from(this.#view.links.values()).filter((link) => link.ours);
    const outcomes = await Promise.all(ours.map(({ index }) => this.remove(index)));
    return outcomes.filter(({ ok }) => ok).length;
  }

  async #make(spec: VirtualLink, parentIndex: number, mac: string | undefined): Promise<void> {
    const answers = await this.#channel.request(encodeLinkCreation(spec, parentIndex, mac));
    const refused = answers.find(({ errno }) => errno !== undefined);
    if (refused?.errno !== undefined) {
      throw failure(refused.errno, `make the ${spec.kind} ${spec.name}`, refused.text);
    }
    await this.#refresh();
  }

  /** Makes room: ours from an earlier configuration goes, anybody else's stays. */
  async #clear(existing: Link): Promise<void> {
    if (!existing.ours) {
      throw new KernelError(
        "virtual-link-exists",
        `the interface ${existing.name} exists already and Holdfast did not make it`,
        `remove it (ip link delete ${existing.name}), or name the virtual link differently`,
      );
    }
    const outcome = await this.remove(existing.index);
    if (!outcome.ok) throw failure(outcome.errno, `replace ${existing.name}`, undefined);
  }
}

function fits(
  link: Link,
  spec: VirtualLink,
  parentIndex: number,
  mac: string | undefined,
): boolean {
  const sameMac = mac === undefined || mac.toLowerCase() === link.mac;
  return link.ours && link.kind === spec.kind && link.parentIndex === parentIndex && sameMac;
}

function failure(errno: string, what: string, text: string | undefined): KernelError {
  const said = text === undefined ? "" : ` (the kernel says: ${text})`;
  return new KernelError(errno, `cannot ${what}: ${errno}${said}`, meaningOf(errno));
}

const vanished = (name: string): KernelError =>
  new KernelError(
    "virtual-link-vanished",
    `the interface ${name} or its parent vanished while it was being set up`,
    "see what else manages interfaces on this host (NetworkManager, systemd-networkd)",
  );
