import assert from "node:assert/strict";
import { test } from "node:test";
import type { FencingMode } from "../../../agent/config/fencing.ts";
import { brief, configOf, instanceText, load, only } from "./lowered.ts";

const file = (instance: string, global = ""): string =>
  `global_defs {\n${global}\n}\n${instanceText(instance)}`;

function fenced(instance: string, global?: string): readonly [FencingMode, boolean] {
  const { fencing, router } = only(configOf(file(instance, global)));
  return [fencing, router.fenced];
}

test("holdfast_fencing of the instance counts, else that of global_defs, else it is auto", () => {
  assert.deepEqual(fenced(""), ["auto", true]);
  assert.deepEqual(fenced("", "holdfast_fencing off"), ["off", false]);
  assert.deepEqual(fenced("", "holdfast_fencing auto"), ["auto", true]);
  assert.deepEqual(fenced("holdfast_fencing lifetime", "holdfast_fencing gate"), [
    "lifetime",
    false,
  ]);
  assert.deepEqual(fenced("holdfast_fencing gate", "holdfast_fencing off"), ["gate", true]);
});

test("who owns the addresses is not fenced: it would be cut off from itself", () => {
  assert.deepEqual(fenced("holdfast_fencing gate\npriority 255"), ["gate", false]);
  assert.deepEqual(brief(load(file("priority 255")).diagnostics), []);
});

test("a lease that would run out between two advertisements is said to be impossible", () => {
  const text = file("holdfast_fencing gate\npriority 100\ndown_timer_adverts 1");
  assert.equal(only(configOf(text)).router.fenced, false);
  assert.deepEqual(brief(load(text).diagnostics), ["5:18 fencing-impossible"]);
});

test("an interval is said to be too short where the kernel may shut later than a backup waits", () => {
  const found = (interval: number, more = ""): readonly string[] => {
    const text = file(`advert_int ${interval}\npriority 100\n${more}`, "vrrp_version 3");
    assert.equal(only(configOf(text)).router.fenced, !more.includes("off"));
    return load(text).diagnostics.map(({ code, hint }) => `${code}: ${hint}`);
  };
  const shortest = (interval: number): readonly string[] => [
    `fencing-late: write advert_int ${interval} or more, on every node`,
  ];
  assert.deepEqual(found(0.02), []);
  assert.deepEqual(found(0.01), shortest(0.02));
  assert.deepEqual(found(0.07, "down_timer_adverts 2"), shortest(0.08));
  assert.deepEqual(found(0.08, "down_timer_adverts 2"), []);
  assert.deepEqual(found(0.01, "holdfast_fencing off"), []);
});

test("lifetimes alone are said not to do where a backup is quicker than the kernel", () => {
  const found = (interval: number, more = ""): readonly string[] => {
    const instance = `holdfast_fencing lifetime\npriority 100\nadvert_int ${interval}\n${more}`;
    return brief(load(file(instance, "vrrp_version 3")).diagnostics);
  };
  assert.deepEqual(found(1), []);
  assert.deepEqual(found(0.5), ["5:18 fencing-impossible"]);
  assert.deepEqual(found(1, "down_timer_adverts 2"), ["5:18 fencing-impossible"]);
});

test("another word is refused at its place", () => {
  const { config, diagnostics } = load(file("holdfast_fencing gaet\npriority 100"));
  assert.deepEqual(brief(diagnostics), ["5:18 essential-value"]);
  assert.match(diagnostics[0]?.hint ?? "", /gate/);
  assert.equal(config, undefined, "nothing runs with another fencing than was meant");
});
