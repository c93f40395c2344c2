import type { Advertisement } from "./advertisement.ts";
import type { VrrpEffect } from "./effect.ts";
import type { VirtualRouter } from "./virtual-router.ts";
import { OWNER_PRIORITY, RELEASE_PRIORITY } from "./virtual-router.ts";

/** Our own priority from our own address: a loop, or a duplicate of our address. */
export const isOwnAddress = (router: VirtualRouter, advertisement: Advertisement): boolean =>
  advertisement.source === router.primaryAddress && advertisement.priority === router.priority;

/** What is wrong with an advertisement that counts nevertheless. */
export function alarms(
  router: VirtualRouter,
  { priority, source, maxAdvertiseInterval }: Advertisement,
): readonly VrrpEffect[] {
  // A resigning router is gone; what it was configured with matters no more.
  if (priority === RELEASE_PRIORITY) return [];
  const found: VrrpEffect[] = [];
  if (router.version === 3 && maxAdvertiseInterval !== router.advertisementInterval) {
    found.push({ kind: "alarm", alarm: "interval-mismatch", from: source });
  }
  if (source === router.primaryAddress) {
    found.push({ kind: "alarm", alarm: "own-address-heard", from: source });
  } else if (priority === OWNER_PRIORITY && router.priority === OWNER_PRIORITY) {
    found.push({ kind: "alarm", alarm: "owner-conflict", from: source });
  }
  return found;
}
