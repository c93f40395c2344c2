import type { ServerChange, ServerStart, Simulation, World } from "../../../sdk/testing.ts";
import type { Words } from "./words.ts";

const MOST_WEIGHT = 65_535;
const MOST_CONNECTIONS = 1_000_000_000;

/** A real server of a service, which is there with its first one. */
export function serverStart(words: Words, world: World): World {
  const name = words.text("SERVICE/ADDRESS:PORT");
  const slash = name.lastIndexOf("/");
  if (slash < 1) throw words.fault(`${name} is no real server: SERVICE/ADDRESS:PORT`);
  const service = name.slice(0, slash);
  let server: ServerStart = {};
  while (!words.empty) {
    const word = words.choice(["weight", "latency", "active"]);
    if (word === "weight") {
      server = { ...server, weight: words.wholeNumber("a weight", 0, MOST_WEIGHT) };
    } else server = { ...server, ...figure(word, words) };
  }
  const realServers = {
    ...world.services?.[service]?.realServers,
    [name.slice(slash + 1)]: server,
  };
  return { ...world, services: { ...world.services, [service]: { realServers } } };
}

/** What its checks find, or an operator says. */
export function serverChange(words: Words): (sim: Simulation) => Promise<void> {
  const name = words.text("SERVICE/ADDRESS:PORT");
  const word = words.choice(["up", "down", "drain", "disable", "undrain", "latency", "active"]);
  const change = changeOf(word, words);
  return (sim) => sim.realServer(name, change);
}

type Word = "up" | "down" | "drain" | "disable" | "undrain" | "latency" | "active";

function changeOf(word: Word, words: Words): ServerChange {
  switch (word) {
    case "up":
      return { up: true };
    case "down":
      return { up: false, reason: words.optionalText() ?? "" };
    case "undrain":
      return { order: null };
    case "latency":
    case "active":
      return figure(word, words);
    default:
      return { order: word };
  }
}

function figure(word: "latency" | "active", words: Words): ServerChange {
  if (word === "latency") return { latencyMs: words.time("a latency") / 1_000 };
  return { activeConnections: words.wholeNumber("connections", 0, MOST_CONNECTIONS) };
}
