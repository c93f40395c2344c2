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
const ROUNDS = 3;
const LOOK = { everyMs: 20, limitMs: 120_000 };

/** Milliseconds. */
interface Loaded {
  /** From the start of the program to the last real server. */
  readonly start: number;
  /** From the first service to that. */
  readonly commands: number;
}

/** How long it takes until the kernel has a large table. */
export async function load(from: Program): Promise<Section> {
  const loaded: Record<ProgramName, Loaded[]> = { holdfast: [], keepalived: [] };
  const restored: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const program of round % 2 === 0 ? PROGRAMS : PROGRAMS.toReversed()) {
      loaded[program].push(await loadWith(program, from));
    }
    restored.push(restore());
  }
  const of = (program: ProgramName, what: keyof Loaded): number =>
    median(loaded[program].map((each) => each[what])) / 1_000;
  const adm = median(restored) / 1_000;
  const shape = `${SERVICES.toLocaleString("en")} services × ${REAL_SERVERS} real servers`;
  return {
    title: "A large table",
    method:
      `${shape}, without checks, in an empty network namespace; medians of ${ROUNDS}, the programs in turn. The end is ` +
      `when the last real server is seen in the kernel; then all are counted. The kernel is a guest (User ` +
      `Mode Linux, one processor), where a system call costs many times as much: what counts is the ratio.`,
    rows: [
      {
        what: `start → ${shape} in the kernel`,
        holdfast: ms(of("holdfast", "start"), 0),
        keepalived: ms(of("keepalived", "start"), 0),
        ratio: of("holdfast", "start") / of("keepalived", "start"),
        aim: "faster than keepalived",
        met: of("holdfast", "start") < of("keepalived", "start"),
      },
      {
        what: "of that, from the first service in the kernel to the last",
        holdfast: ms(of("holdfast", "commands"), 0),
        keepalived: ms(of("keepalived", "commands"), 0),
        ratio: of("holdfast", "commands") / of("keepalived", "commands"),
        aim: "stated",
        met: true,
      },
      {
        what: `start → the same table, beside \`ipvsadm -R\``,
        holdfast: ms(of("holdfast", "start"), 0),
        keepalived: `ipvsadm: ${ms(adm, 0)}`,
        ratio: of("holdfast", "start") / adm,
        aim: "faster than ipvsadm",
        met: of("holdfast", "start") < adm,
      },
    ],
  };
}

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
    return { start: last - started, commands: last - first };
  } finally {
    await daemon.kill();
    daemon.dispose();
    director.dispose();
  }
}

function restore(): number {
  const director = new DirectorNode();
  try {
    const started = performance.now();
    const { status, stderr } = director.node.exec("ipvsadm", ["--restore"], rules());
    const took = performance.now() - started;
    if (status !== 0) throw new Error(`ipvsadm: ${stderr}`);
    expectAll(director);
    return took;
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
