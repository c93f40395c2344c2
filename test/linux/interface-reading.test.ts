import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, describe, test } from "node:test";
import { readInterface } from "../../agent/linux/interface-reading.ts";
import { createNamespace } from "../../agent/linux/namespace.ts";
import { eventually } from "../lab/eventually.ts";

const namespace = createNamespace();
after(() => namespace.close());
const ip = (...words: readonly string[]) =>
  namespace.run(() => assert.equal(spawnSync("ip", words).status, 0, words.join(" ")));

describe("an interface of the agent's namespace", () => {
  test("is read there, not where /sys was mounted", async () => {
    ip("link", "add", "hf-one", "mtu", "1400", "type", "veth", "peer", "name", "hf-two");
    const read = (name: string) => namespace.run(() => readInterface(name));
    assert.equal(readInterface("hf-one"), undefined);
    const down = read("hf-one");
    assert.deepEqual(
      [down?.up, down?.carrier, down?.mtu, down?.addresses],
      [false, false, 1_400, []],
    );
    ip("address", "add", "192.0.2.1/24", "dev", "hf-one");
    ip("link", "set", "hf-one", "up");
    assert.deepEqual([read("hf-one")?.up, read("hf-one")?.carrier], [true, false]);
    ip("link", "set", "hf-two", "up");
    // The kernel tells of a carrier once a second, when there was another change of late.
    const up = await eventually("there is a carrier", 5_000, () => {
      const now = read("hf-one");
      assert.deepEqual([now?.up, now?.carrier], [true, true]);
      return now;
    });
    assert.ok(up?.addresses.includes("192.0.2.1"));
    assert.equal(up?.errors, 0);
    ip("link", "set", "lo", "up");
    namespace.run(() => spawnSync("ping", ["-c", "1", "-W", "1", "127.0.0.1"]));
    const lo = read("lo");
    assert.ok(lo !== undefined && lo.receivedBytes === lo.sentBytes);
    assert.equal(read("hf-on"), undefined);
    assert.equal(read(""), undefined);
  });
});
