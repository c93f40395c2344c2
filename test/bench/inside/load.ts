import type { IpAddress } from "../../../agent/core/address.ts";
import { reconcile } from "../../../agent/core/ipvs/reconcile.ts";
import type { ServiceEntry } from "../../../agent/core/ipvs/service.ts";
import { serviceKey } from "../../../agent/core/ipvs/service.ts";
import type { ProgramName } from "../program.ts";
import { PROGRAMS } from "../program.ts";
import type { Section } from "../row.ts";
import { ms } from "../row.ts";
import { realAddress, serversText, serviceAddress } from "../servers-text.ts";
import { median } from "../statistics.ts";
import type { Program } from "./director.ts";
import { DirectorNode, service } from "./director.ts";

const SERVICES = 10_000;
const REAL_SERVERS = 2;
const COMMANDS = SERVICES * (1 + REAL_SERVERS);
const ROUNDS = 2;
const LOOK = { everyMs: 50, limitMs: 90_000 };
/** Commands that the director hands over in one piece. */
const SLICE = 500;

/** Seconds. */
interface Loaded {
  /** From the start of the program to the last real server. */
  readonly start: number;
  /** From the first service to that. */
  readonly commands: number;
}

/** How long it takes until the kernel has a large table. */
export async function load(from: Program): Promise<Section> {
  const loaded: Record<ProgramName, (Loaded | string)[]> = { holdfast: [], keepalived: [] };
  const written: number[] = [];
  const restored: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    written.push(await write());
    restored.push(restore());
    for (const program of round % 2 === 0 ? PROGRAMS : PROGRAMS.toReversed()) {
      // What failed once is not waited for again.
      if (typeof loaded[program].at(-1) === "string") continue;
      loaded[program].push(await loadWith(program, from).catch(String));
    }
  }
  const [own, adm] = [median(written), median(restored)];
  const [started, theirs] = [medianOf(loaded.holdfast), medianOf(loaded.keepalived)];
  const shape = `${SERVICES.toLocaleString("en")} services × ${REAL_SERVERS} real servers`;
  return {
    title: "A large table",
    method:
      `${shape}, without checks, in an empty network namespace; means of ${ROUNDS}, in turn; all are counted in the end. In the ` +
      `first row Holdfast is its reconciler with its netlink, from the table wanted to the last answer; ipvsadm is a process. The ` +
      `others count from the start of the program until the last real server is seen. The kernel is a guest (User Mode ` +
      `Linux, one processor), where system calls and new memory cost many times as much: the latter is what most of Holdfast's ` +
      `start is there.`,
    rows: [
      {
        what: `${shape} into the kernel (beside \`ipvsadm -R\`)`,
        holdfast: ms(own, 0),
        keepalived: `ipvsadm: ${ms(adm, 0)}`,
        ratio: own / adm,
        aim: "faster than ipvsadm",
        met: own < adm,
      },
      {
        what: `start → ${shape} in the kernel`,
        holdfast: textOf(started, "start"),
        keepalived: textOf(theirs, "start"),
        ratio: started && theirs && started.start / theirs.start,
        aim: "faster than keepalived",
        met: started !== undefined && theirs !== undefined && started.start < theirs.start,
      },
      {
        what: "of that, from the first service in the kernel to the last",
        holdfast: textOf(started, "commands"),
        keepalived: textOf(theirs, "commands"),
        ratio: started && theirs && started.commands / theirs.commands,
        aim: "stated",
        met: true,
      },
    ],
  };
}

/** `undefined`: it was not so in every round. */
function medianOf(rounds: readonly (Loaded | string)[]): Loaded | undefined {
  const all = rounds.filter((each) => typeof each !== "string");
  if (all.length < rounds.length) {
    process.stderr.write(`${rounds.find((each) => typeof each === "string")}\n`);
    return undefined;
  }
  return {
    start: median(all.map(({ start }) => start)),
    commands: median(all.map(({ commands }) => commands)),
  };
}

const textOf = (loaded: Loaded | undefined, what: keyof Loaded): string =>
  loaded === undefined ? `not in ${ms(LOOK.limitMs / 1_000, 0)}` : ms(loaded[what], 0);

async function loadWith(program: ProgramName, from: Program): Promise<Loaded> {
  const director = new DirectorNode();
  const text = serversText({ services: SERVICES, realServers: REAL_SERVERS });
  const daemon = director.daemon(program, from, text);
  const look = { ...LOOK, log: () => daemon.log };
  try {
    await director.weights(service(serviceAddress(0)));
    const started = performance.now();
    daemon.start();
    const first = await director.until(service(serviceAddress(0)), () => true, look);
    const last = await director.until(
      service(serviceAddress(SERVICES - 1)),
      ({ size }) => size === REAL_SERVERS,
      look,
    );
    expectAll(director);
    return { start: (last - started) / 1_000, commands: (last - first) / 1_000 };
  } finally {
    await daemon.kill();
    daemon.dispose();
    director.dispose();
  }
}

/** As the director does it, at its start and at any change. */
async function write(): Promise<number> {
  const director = new DirectorNode();
  try {
    const ipvs = await director.ipvs();
    const wanted = new Map(entries().map((each) => [serviceKey(each.service.target), each]));
    const started = performance.now();
    const commands = reconcile(wanted, new Map(), new Set());
    for (let at = 0; at < commands.length; at += SLICE) {
      const refused = await ipvs.apply(commands.slice(at, at + SLICE));
      for (const error of refused.values()) throw error;
    }
    const took = performance.now() - started;
    expectAll(director);
    return took / 1_000;
  } finally {
    director.dispose();
  }
}

const entries = (): readonly ServiceEntry[] =>
  Array.from({ length: SERVICES }, (_, at) => ({
    service: {
      target: service(serviceAddress(at)),
      scheduler: "rr",
      schedulerFlags: [false, false, false],
      onePacket: false,
      persistence: undefined,
    },
    destinations: Array.from({ length: REAL_SERVERS }, (__, real) => ({
      address: realAddress(at * REAL_SERVERS + real) as IpAddress,
      port: 80,
      forwarding: { kind: "nat" },
      ...{ weight: 1, upperThreshold: 0, lowerThreshold: 0 },
    })),
  }));

function restore(): number {
  const director = new DirectorNode();
  try {
    const started = performance.now();
    const { status, stderr } = director.node.exec("ipvsadm", ["--restore"], rules());
    const took = performance.now() - started;
    if (status !== 0) throw new Error(`ipvsadm: ${stderr}`);
    expectAll(director);
    return took / 1_000;
  } finally {
    director.dispose();
  }
}

const rules = (): string =>
  Array.from({ length: SERVICES }, (_, at) => {
    const to = `-t ${serviceAddress(at)}:80`;
    const reals = Array.from(
      { length: REAL_SERVERS },
      (__, real) => `-a ${to} -r ${realAddress(at * REAL_SERVERS + real)}:80 -m -w 1\n`,
    );
    return `-A ${to} -s rr\n${reals.join("")}`;
  }).join("");

function expectAll(director: DirectorNode): void {
  const size = director.size();
  if (size !== COMMANDS) throw new Error(`the kernel has ${size} of ${COMMANDS}`);
}
