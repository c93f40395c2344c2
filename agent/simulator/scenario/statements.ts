import type { RouterStart, Simulation, World } from "../../../sdk/testing.ts";
import { parseAddress } from "../../core/address.ts";
import type { Act } from "./answers.ts";
import {
  certificateAnswer,
  commandAnswer,
  httpAnswer,
  nameAnswer,
  probeAnswer,
  talkAnswer,
} from "./answers.ts";
import { serverChange, serverStart } from "./servers.ts";
import type { Words } from "./words.ts";

/** A line that says how the world is when it begins. */
interface Beginning {
  readonly usage: string;
  readonly world: (words: Words, world: World) => World;
}

/** A line that says what happens, at the start or later. */
interface Happens {
  readonly usage: string;
  readonly act: (words: Words) => (sim: Simulation) => void | Promise<void>;
}

const FAILS = "fails CODE | hangs";

export const BEGINNINGS: ReadonlyMap<string, Beginning> = new Map([
  [
    "node",
    { usage: "node NAME", world: (words, world) => ({ ...world, node: words.text("a name") }) },
  ],
  [
    "clock",
    {
      usage: "clock 2025-01-01T12:00:00Z",
      world: (words, world) => ({ ...world, start: wallClock(words) }),
    },
  ],
  [
    "seed",
    {
      usage: "seed NUMBER",
      world: (words, world) => ({ ...world, seed: words.wholeNumber("a seed", 0, 2 ** 31) }),
    },
  ],
  [
    "router",
    {
      usage: "router NAME [priority N] [active|backup] [interface NAME] [address ADDRESS/LENGTH]…",
      world: (words, world) => {
        const name = words.text("a name");
        return { ...world, routers: { ...world.routers, [name]: routerStart(words) } };
      },
    },
  ],
  [
    "server",
    {
      usage: "server SERVICE/ADDRESS:PORT [weight N] [latency TIME] [active N]",
      world: serverStart,
    },
  ],
]);

export const HAPPENINGS: ReadonlyMap<string, Happens> = new Map<string, Happens>([
  ["http", { usage: `http URL replies STATUS [BODY] [after TIME] | ${FAILS}`, act: httpAnswer }],
  [
    "tcp",
    {
      usage: `tcp HOST:PORT [sends TEXT] replies [TEXT] [after TIME] | ${FAILS}`,
      act: (words) => talkAnswer("tcp", words),
    },
  ],
  [
    "udp",
    {
      usage: `udp HOST:PORT [sends TEXT] replies [TEXT] [after TIME] | ${FAILS}`,
      act: (words) => talkAnswer("udp", words),
    },
  ],
  ["dns", { usage: `dns NAME resolves [RECORD]… [after TIME] | ${FAILS}`, act: nameAnswer }],
  [
    "icmp",
    {
      usage: `icmp HOST replies [after TIME] | ${FAILS}`,
      act: (words) => probeAnswer("icmp", words),
    },
  ],
  [
    "gateway",
    {
      usage: `gateway ADDRESS replies [after TIME] | ${FAILS}`,
      act: (words) => probeAnswer("gateway", words),
    },
  ],
  ["tls", { usage: `tls HOST:PORT days N | invalid PROBLEM | ${FAILS}`, act: certificateAnswer }],
  ["exec", { usage: `exec NAME exits CODE [OUTPUT] [after TIME] | ${FAILS}`, act: commandAnswer }],
  ["process", { usage: "process NAME COUNT", act: processCount }],
  ["file", { usage: "file PATH is TEXT | gone", act: fileText }],
  ["interface", { usage: "interface NAME up | down | gone", act: interfaceState }],
  [
    "transition",
    { usage: "transition ROUTER active|backup|fault|initialize [REASON]", act: transition },
  ],
  ["peer", { usage: "peer ROUTER ADDRESS [priority N] | silent", act: peer }],
  [
    "change",
    {
      usage:
        "change SERVICE/ADDRESS:PORT up | down [REASON] | drain | disable | undrain | " +
        "latency TIME | active N",
      act: serverChange,
    },
  ],
  ["kill", { usage: "kill", act: () => (sim) => sim.kill() }],
]);

function wallClock(words: Words): number {
  const text = words.text("a time of day");
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw words.fault(`${text} is no date and time`);
  return at;
}

function routerStart(words: Words): RouterStart {
  let start: RouterStart = {};
  while (!words.empty) {
    const word = words.choice(["priority", "active", "backup", "interface", "address"]);
    if (word === "priority") {
      start = { ...start, priority: words.wholeNumber("a priority", 1, 255) };
    } else if (word === "interface") start = { ...start, interface: words.text("its name") };
    else if (word === "address") {
      const address = words.text("an address");
      start = { ...start, addresses: [...(start.addresses ?? []), address] };
    } else start = { ...start, state: word };
  }
  return start;
}

function processCount(words: Words): Act {
  const name = words.text("the name of a program");
  const count = words.wholeNumber("a count", 0, 100_000);
  return (sim) => sim.processes(name, count);
}

function fileText(words: Words): Act {
  const path = words.text("a path");
  if (words.choice(["is", "gone"]) === "gone") return (sim) => sim.file(path).gone();
  const text = words.text("its text");
  return (sim) => sim.file(path).is(text);
}

function interfaceState(words: Words): Act {
  const name = words.text("a name");
  const state = words.choice(["up", "down", "gone"]);
  if (state === "gone") return (sim) => sim.interface(name).gone();
  const up = state === "up";
  return (sim) => sim.interface(name).is({ up, carrier: up });
}

function transition(words: Words): (sim: Simulation) => Promise<void> {
  const router = words.text("the name of a router");
  const to = words.choice(["active", "backup", "fault", "initialize"]);
  const reason = words.optionalText();
  return (sim) => sim.transition(router, to, reason);
}

function peer(words: Words): (sim: Simulation) => Promise<void> {
  const router = words.text("the name of a router");
  const address = words.text("an address");
  if (parseAddress(address) === undefined) throw words.fault(`${address} is no address`);
  if (words.optionalChoice(["silent"]) !== undefined) {
    return (sim) => sim.peer(router, { address, heard: false });
  }
  const said = words.optionalChoice(["priority"]);
  const priority = said === undefined ? 100 : words.wholeNumber("a priority", 0, 255);
  return (sim) => sim.peer(router, { address, priority });
}
