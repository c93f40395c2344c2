import type { Failure } from "./failures.ts";
import type { Figures } from "./measure.ts";
import type { Scene } from "./scene.ts";
import { timingOf } from "./scene.ts";

/** In what this is less than is promised; nothing: all is kept. */
export function shortfalls(
  scene: Scene,
  { expected, heal }: Failure,
  figures: Figures,
): readonly string[] {
  const { who, tcp, stale, noise, announcedAfter } = figures;
  const timing = timingOf(scene.cast);
  const owner = scene[expected.owner].mac;
  const outage = expected.outage(timing);
  const connections = expected.tcpOutage?.(timing) ?? outage;
  const gone = expected.stale?.(timing);
  // Without a processor for so long, another one takes over rightfully.
  const starved = expected.owner === "failing" && noise > timing.down;
  const announced = starved || heal?.announcedBeside?.includes(scene.cast.other) !== true;
  const found: readonly (readonly [boolean, string])[] = [
    [starved || who.last === owner, `${who.last} answers in the end, not ${owner}`],
    [starved || tcp.last === owner, `${tcp.last} answers connections in the end, not ${owner}`],
    [expected.both !== "never" || who.both === 0, `two answered for ${who.both} ms`],
    [expected.both !== "never" || tcp.both === 0, `two were connected to for ${tcp.both} ms`],
    [who.outage <= outage + noise, `no answer for ${who.outage} ms, not ${outage}`],
    [tcp.outage <= connections + noise, `no connection for ${tcp.outage} ms, not ${connections}`],
    [
      gone === undefined || (stale !== undefined && stale <= gone + noise),
      `the address was there for ${stale} ms, not ${gone}`,
    ],
    [announced || announcedAfter > 0, "the owner did not announce itself again"],
  ];
  return found.flatMap(([kept, what]) => (kept ? [] : [what]));
}

/** For people. */
export function figuresText(figures: Figures): string {
  const { who, tcp, stale, lasted, noise, heardUntil } = figures;
  const gone = stale === undefined ? `not gone after ${ms(lasted)}` : `gone after ${ms(stale)}`;
  return [
    `no answer for ${ms(who.outage)} (TCP ${ms(tcp.outage)})`,
    `two answered for ${ms(who.both)} (TCP ${ms(tcp.both)})`,
    `address ${gone}`,
    `last heard of after ${ms(heardUntil)}`,
    `noise ${ms(noise)}`,
  ].join("; ");
}

const ms = (value: number): string => `${value.toFixed(1)} ms`;
