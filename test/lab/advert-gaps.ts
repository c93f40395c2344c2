import type { SeenAdvertisement } from "./vrrp-frames.ts";

/** The longest time between two advertisements of one router on the wire, in milliseconds. */
export function worstGap(adverts: readonly SeenAdvertisement[], source: string, vrid = 51): number {
  const own = adverts.filter((advert) => advert.source === source && advert.vrid === vrid);
  let worst = 0;
  for (const [at, advert] of own.entries()) {
    const before = own[at - 1];
    if (before !== undefined) worst = Math.max(worst, (advert.at - before.at) * 1_000);
  }
  return worst;
}
