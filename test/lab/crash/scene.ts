import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { requestStatus } from "../../../agent/control/client.ts";
import type { LabInterface } from "../../../agent/linux/lab/lab-interface.ts";
import type { LabNode } from "../../../agent/linux/lab/lab-node.ts";
import { Lab } from "../../../agent/linux/lab.ts";
import type { Package, ProgramName } from "../../bench/program.ts";
import { Daemon } from "../../bench/program.ts";
import { AddressWatch } from "../address-watch.ts";
import { macText } from "../arp-frames.ts";
import { eventually } from "../eventually.ts";
import { configText, SERVICE } from "../instance-text.ts";
import type { Ensemble } from "../stores/ensemble.ts";
import { Cage } from "./cage.ts";
import { Client, PORT } from "./client.ts";
import type { Programs } from "./programs.ts";
import { WITNESS_TTL_MS, Witness } from "./witness.ts";

const SERVICE6 = "2001:db8::100";
/** Of many at the same time, on a busy machine. */
const STARTED_MS = 60_000;

/** Who stands there, and with what configuration. */
export interface Cast {
  /** What the node runs that fails, and what the other one runs. */
  readonly failing: ProgramName;
  readonly other: ProgramName;
  /** Seconds. One of a second is VRRP 2, a shorter one VRRP 3. */
  readonly interval: number;
  readonly family?: "ipv4" | "ipv6";
  /** The failing node's, and the other's. The failing one has the address because it was there first. */
  readonly priorities?: readonly [number, number];
  /** Further lines of the instance, of both. */
  readonly instance?: readonly string[];
  /** Of both. They ask the store of the props. */
  readonly witness?: "advisory" | "required";
}

/** What scenes share. */
export interface Props {
  readonly programs: Programs;
  /** Of leases, for casts with a witness. */
  readonly store?: Ensemble | undefined;
}

/** One of the two who may have the address. */
export interface Party {
  readonly node: LabNode;
  readonly eth0: LabInterface;
  readonly mac: string;
  readonly daemon: Daemon;
  /** What runs behind the address: it says the node's name. */
  readonly service: ChildProcess;
}

/** The failing node has the address, the other one follows it, and a client asks. */
export interface Scene {
  readonly cast: Cast;
  readonly failing: Party & { readonly cage: Cage };
  readonly other: Party;
  readonly watch: AddressWatch;
  readonly client: Client;
  /** What fails over, with its prefix length. */
  readonly address: string;
  readonly programs: Programs;
  /** Where the cast has one. */
  readonly witness?: Witness;
}

export const DEFAULT_PRIORITIES = [100, 250] as const;

/** Milliseconds that follow from the configuration, for a default of `down_timer_adverts`. */
export interface Timing {
  readonly interval: number;
  /** Until the other one takes over, from the last advertisement. */
  readonly down: number;
  /** Until the gate is shut, from the last advertisement. */
  readonly lease: number;
  /** That of the witness, 0 without one. */
  readonly ttl: number;
}

/** For one line of the table. */
export function castOf(
  { priorities, instance, witness }: Pick<Cast, "priorities" | "instance" | "witness">,
  failing: ProgramName,
  other: ProgramName,
  interval: number,
  family: Cast["family"] = "ipv4",
): Cast {
  return {
    ...{ failing, other, interval, family },
    ...(priorities !== undefined && { priorities }),
    ...(instance !== undefined && { instance }),
    ...(witness !== undefined && { witness }),
  };
}

export function timingOf({ interval, priorities = DEFAULT_PRIORITIES, witness }: Cast): Timing {
  const ms = interval * 1_000;
  const skew = ((256 - priorities[1]) / 256) * (interval >= 1 ? 1_000 : ms);
  const ttl = witness === undefined ? 0 : WITNESS_TTL_MS;
  return { interval: ms, down: 3 * ms + skew, lease: 2.5 * ms, ttl };
}

/** Nobody preempts: whoever takes the address keeps it, unless a row has it otherwise. */
export function configOf(cast: Cast, priority: number): string {
  const { interval, family = "ipv4", instance = ["nopreempt"], witness } = cast;
  const global = [
    ...(interval >= 1 && family === "ipv4" ? ["vrrp_version 2"] : []),
    ...(witness === undefined ? [] : [`holdfast_witness ${witness}`]),
  ];
  const addresses = family === "ipv4" ? [`${SERVICE}/24`] : ["fe80::100/64", `${SERVICE6}/64`];
  return configText([{ priority, interval, addresses, more: instance }], global);
}

/** The machine gave the failing node no processor for so long that the other one took over, or its lease ended. */
class Overtaken extends Error {}

/** So often it is begun again then. */
const ATTEMPTS = 3;

/** Builds it, hands it to `use`, and takes it down, whatever happens. */
export async function stage<Result>(
  cast: Cast,
  props: Props,
  from: Pick<Package, "program">,
  use: (scene: Scene) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await stageOnce(cast, props, from, use);
    } catch (error) {
      if (!(error instanceof Overtaken) || attempt === ATTEMPTS) throw error;
    }
  }
}

async function stageOnce<Result>(
  cast: Cast,
  props: Props,
  from: Pick<Package, "program">,
  use: (scene: Scene) => Promise<Result>,
): Promise<Result> {
  const { programs } = props;
  const lab = new Lab();
  const cage = new Cage();
  const closing: (() => void)[] = [() => lab.dispose(), () => cage.dispose()];
  const witness = witnessOf(cast, props);
  closing.unshift(() => witness?.dispose());
  const daemons: Daemon[] = [];
  try {
    const lan = lab.segment("lan");
    const attach = (name: string, host: number): LabInterface =>
      lab.attach(lab.node(name), lan, {
        name: "eth0",
        addresses: [`192.0.2.${host}/24`, `2001:db8::${host}/64`],
      });
    const [low, high] = cast.priorities ?? DEFAULT_PRIORITIES;
    const party = (name: string, host: number, program: ProgramName, priority: number): Party => {
      const eth0 = attach(name, host);
      const config = configOf(cast, priority);
      witness?.connect(eth0.node);
      const daemon = new Daemon(program, from, eth0.node, config, witness?.options);
      daemons.push(daemon);
      closing.unshift(() => daemon.dispose());
      const service = eth0.node.spawn(programs.file("service"), [String(PORT), name]);
      return { node: eth0.node, eth0, mac: macText(eth0.mac), daemon, service };
    };
    const failing = { ...party("failing", 1, cast.failing, low), cage };
    const other = party("other", 2, cast.other, high);
    const { node } = attach("client", 250);
    const asked = cast.family === "ipv6" ? SERVICE6 : SERVICE;
    const own = cast.family === "ipv6" ? "2001:db8::250" : "192.0.2.250";
    const client = new Client(programs, node, "eth0", asked, own);
    closing.unshift(() => client.close());
    const watch = await AddressWatch.start([failing.node, other.node], asked);
    closing.unshift(() => watch.close());
    const address = `${asked}/${cast.family === "ipv6" ? 64 : 24}`;
    const common = { cast, failing, other, watch, client, address, programs };
    const scene = { ...common, ...(witness !== undefined && { witness }) };
    await begin(scene);
    return await use(scene);
  } catch (error) {
    if (error instanceof Overtaken) throw error;
    for (const { name, log } of daemons) process.stderr.write(`--- ${name}\n${log.slice(-3_000)}`);
    throw error;
  } finally {
    for (const close of closing) close();
  }
}

function witnessOf({ witness }: Cast, { store }: Props): Witness | undefined {
  if (witness === undefined) return undefined;
  assert.ok(store !== undefined, "there is no store to ask");
  return new Witness(store);
}

/** Whoever starts waits for so long before it takes for granted that it has heard of everybody. */
const SETTLED_ADVERTS = 3;

async function begin({ failing, other, watch, client }: Scene): Promise<void> {
  failing.daemon.start();
  // Before it starts others: they are born there.
  failing.cage.add(failing.daemon.pids[0] ?? assert.fail("it was not started"));
  await watch.until([failing.node], STARTED_MS);
  other.daemon.start();
  await eventually("the other one is a backup", STARTED_MS, () => followsNow(other));
  const heard = client.adverts.length;
  const isSettled = (): boolean =>
    client.tcp.at(-1)?.mac === failing.mac && client.adverts.length >= heard + SETTLED_ADVERTS;
  const until = performance.now() + STARTED_MS;
  while (!isSettled()) {
    const overtaken = watch.history.some(({ node }) => node === other.node.name);
    if (overtaken) throw new Overtaken("the other one has the address already");
    assert.ok(performance.now() < until, "nobody answers for the address");
    await delay(10);
  }
}

async function followsNow({ daemon }: Party): Promise<void> {
  if (daemon.name === "keepalived") {
    assert.match(daemon.log, /Entering BACKUP STATE/);
    return;
  }
  const { routers } = await requestStatus(daemon.control);
  assert.deepEqual(
    routers.map(({ state }) => state),
    ["backup"],
  );
}

/** Resolves when an advertisement of the failing node is this share of an interval old. */
export async function untilPhase(scene: Scene, share: number): Promise<void> {
  const { cast, failing, client, watch } = scene;
  const heard = client.adverts.length;
  const isNext = () => client.adverts.slice(heard).some(({ mac }) => mac === failing.mac);
  const lost = (): boolean => !watch.holders.includes(failing.node.name);
  while (!isNext() && !lost()) await delay(2);
  await delay(share * cast.interval * 1_000);
  if (lost()) throw new Overtaken("it lost the address before it was to fail");
}
