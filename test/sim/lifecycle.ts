import { INITIAL } from "../../agent/core/vrrp/state.ts";
import type { Node } from "./node.ts";
import { SHUT } from "./wishes.ts";
import type { World } from "./world.ts";
import { linkFault } from "./world.ts";

/** The supervisor has carried out the last will by then, microseconds. */
const LAST_WILL = 20_000;
/** How long an agent may stand still before its supervisor kills it: its bounds, and what is late. */
const SHORTEST_STALL = 1_000_000;
const LONGEST_STALL = 3_000_000;

/** Starts the agent of the node's host. */
export function start(world: World, node: Node): void {
  if (node.alive) return;
  node.coupling?.reset();
  for (const mate of node.mates) {
    mate.alive = true;
    mate.powered = true;
    mate.state = INITIAL;
    mate.inbox.length = 0;
    // A starting agent first removes what an earlier run left behind.
    mate.addresses.remove();
    mate.gate.shut();
  }
  for (const mate of node.mates) {
    world.step(mate, { kind: "startup" });
    if (!mate.linkUp) world.step(mate, { kind: "fault-raised", fault: linkFault });
  }
  world.sessions?.start(node.mates[0] ?? node);
}

/** SIGKILL of everything: no farewell, and the kernel keeps what it has. */
export function crash(node: Node): void {
  dieOf(node);
  wishesOf(node)?.witness.die();
}

const wishesOf = ({ coupling }: Node) => coupling?.wishes;

function dieOf(node: Node): void {
  for (const mate of node.mates) {
    end(mate);
    mate.state = INITIAL;
  }
}

/** The host loses its power: nothing of it is left. */
export function cutPower(node: Node): void {
  crash(node);
  for (const mate of node.mates) {
    mate.powered = false;
    mate.addresses.remove();
    mate.gate.shut();
  }
}

/** The vrrp process dies alone: its supervisor takes its addresses away, then resigns for it. */
export function dieAlone(world: World, node: Node): void {
  if (!node.alive) return;
  const wills = node.mates.filter(({ state }) => state.kind === "active");
  dieOf(node);
  world.at(world.now + 500 + world.prng.next() * LAST_WILL, () => {
    if (node.alive || !node.powered) return;
    for (const mate of node.mates) {
      mate.gate.shut();
      mate.addresses.remove();
    }
    for (const mate of wills) world.broadcast(mate, 0);
    wishesOf(node)?.nobodyWants();
  });
}

/** SIGTERM. */
export function stop(world: World, node: Node): void {
  if (!node.running) return;
  for (const mate of node.mates) world.step(mate, { kind: "shutdown" });
  world.sessions?.stop(node.mates[0] ?? node);
  for (const mate of node.mates) end(mate);
  const wishes = wishesOf(node);
  if (wishes === undefined) return;
  const last = Math.max(world.now, ...node.mates.map(({ gate }) => gate.shutAt));
  world.at(last + SHUT, () => {
    if (!node.alive) wishes.nobodyWants();
  });
}

/** All that runs on the host stands still. */
export function pause(node: Node): void {
  standStill(node);
  pauseWitness(node);
}

export function pauseWitness(node: Node): void {
  const witness = wishesOf(node)?.witness;
  if (witness?.alive) witness.paused = true;
}

function standStill(node: Node): void {
  for (const mate of node.mates) mate.paused = mate.alive;
}

/** The vrrp process alone stands still; its supervisor kills it when that takes too long. */
export function stall(world: World, node: Node): void {
  standStill(node);
  if (!node.paused) return;
  const { advertisementInterval: interval } = node.router;
  const budget = Math.min(Math.max(interval, SHORTEST_STALL), LONGEST_STALL);
  const { life } = node;
  world.at(world.now + budget * (1 + world.prng.next() / 2), () => {
    // It went on meanwhile, and stands still again: another stall's budget counts.
    if (!node.paused || node.life !== life) return;
    dieAlone(world, node);
    world.at(world.now + world.prng.between(0.1, 1) * budget, () => start(world, node));
  });
}

/** Drains what waited in the sockets before an expired deadline acts, as the runtime does. */
export function resume(world: World, node: Node): void {
  const paused = node.mates.filter((mate) => mate.paused);
  for (const mate of paused) {
    mate.paused = false;
    mate.life += 1;
  }
  for (const mate of paused) for (const event of mate.inbox.splice(0)) world.step(mate, event);
  for (const mate of paused) world.step(mate, { kind: "tick" });
  if (paused.length > 0) {
    wishesOf(node)?.resume();
    world.sessions?.resume(node.mates[0] ?? node);
  }
  wishesOf(node)?.witness.resume();
  // The kernel may have removed what was not refreshed: who is still active puts it back.
  for (const mate of paused) if (mate.addresses.overdue) world.keep(mate);
}

/** The agent is gone; nothing that was due happens any more. */
function end(node: Node): void {
  node.alive = false;
  node.paused = false;
  node.life += 1;
  node.inbox.length = 0;
  node.tickAt = undefined;
  node.tickNumber++;
  node.addresses.overdue = false;
}
