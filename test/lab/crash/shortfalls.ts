import type { Expected, Failure } from "./failure.ts";
import { bothAtMost } from "./failure.ts";
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
  // Without a processor for so long, another one takes over rightfully, once a lease is over.
  const starved = expected.owner === "failing" && noise > timing.down;
  const late = starved ? noise + timing.ttl : noise;
  const outage = expected.outage(timing);
  const connections = expected.tcpOutage?.(timing) ?? outage;
  const gone = expected.stale?.(timing);
  const both = bothAtMost(expected, timing);
  const announced = starved || heal?.announcedBeside?.includes(scene.cast.other) !== true;
  const found: readonly (readonly [boolean, string])[] = [
    ...(starved ? [] : owners(scene, expected, figures)),
    [who.both <= both, `two answered for ${who.both} ms, not ${both}`],
    [tcp.both <= both, `two were connected to for ${tcp.both} ms, not ${both}`],
    [who.outage <= outage + late, `no answer for ${who.outage} ms, not ${outage}`],
    [tcp.outage <= connections + late, `no connection for ${tcp.outage} ms, not ${connections}`],
    [
      gone === undefined || (stale !== undefined && stale <= gone + noise),
      `the address was there for ${stale} ms, not ${gone}`,
    ],
    [announced || announcedAfter > 0, "the owner did not announce itself again"],
  ];
  return found.flatMap(([kept, what]) => (kept ? [] : [what]));
}

/** Whether the right one answers in the end. */
function owners(
  scene: Scene,
  { owner }: Expected,
  { who, tcp, noise }: Figures,
): readonly (readonly [boolean, string])[] {
  if (owner === "nobody") {
    const { ttl } = timingOf(scene.cast);
    return [
      [who.last !== scene.other.mac, `${who.last} answered last`],
      [who.until <= ttl, `somebody answers after ${who.until} ms, not ${ttl}`],
      // What was asked before may be answered by a service that had to wait for a processor.
      [tcp.until <= ttl + noise, `somebody answers connections after ${tcp.until} ms, not ${ttl}`],
    ];
  }
  const { mac } = scene[owner];
  return [
    [who.last === mac, `${who.last} answers in the end, not ${mac}`],
    [tcp.last === mac, `${tcp.last} answers connections in the end, not ${mac}`],
  ];
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
