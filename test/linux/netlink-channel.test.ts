import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Channel } from "../../agent/linux/netlink/channel.ts";
import { encodeLinkUp, linkDumpBody } from "../../agent/linux/netlink/link-message.ts";
import { openNetwork } from "../../agent/linux/netlink/network.ts";
import { encodeMessage, FLAG } from "../../agent/wire/netlink/message.ts";
import { RTM } from "../../agent/wire/netlink/rtnetlink.ts";
import { eventually } from "../lab/eventually.ts";
import { enterNamespace, skip } from "./network-rig.ts";

describe("requests", { skip }, () => {
  let channel: Channel;
  before(() => {
    enterNamespace();
    channel = new Channel();
  });
  after(() => channel.close());

  test("answers come in the order of the requests, refusals among them", async () => {
    const names = Array.from({ length: 300 }, (_, at) => (at % 7 === 3 ? "nope" : "v0"));
    const answers = await channel.request(names.map(encodeLinkUp));
    assert.deepEqual(
      answers.map(({ errno }) => errno),
      names.map((name) => (name === "nope" ? "ENODEV" : undefined)),
    );
  });

  test("what is carried out says nothing; refusals are told by their place", async () => {
    const names = Array.from({ length: 300 }, (_, at) => (at % 64 > 61 ? "nope" : "v0"));
    const silent = names.map((name) => encodeLinkUp(name).fill(FLAG.request, 6, 7));
    const refusals = await channel.carryOut(silent);
    assert.deepEqual(
      [...refusals].map(([at, { errno }]) => [at, errno]),
      [62, 63, 126, 127, 190, 191, 254, 255].map((at) => [at, "ENODEV"]),
    );
    assert.deepEqual([...(await channel.carryOut([]))], []);
    const [answer] = await channel.request([encodeLinkUp("v0")]);
    assert.equal(answer?.errno, undefined, "and nothing is left over");
  });

  test("what waits when it is closed was refused, all of it", async () => {
    const closing = new Channel();
    const waiting = closing.carryOut(Array.from({ length: 70 }, () => encodeLinkUp("v0")));
    closing.close();
    assert.deepEqual(
      [...(await waiting)].map(([at, { errno }]) => [at, errno]),
      Array.from({ length: 70 }, (_, at) => [at, "ECANCELED"]),
    );
  });

  test("a request that the kernel never answers ends, and holds up none behind it for good", async () => {
    const unanswered = encodeMessage(RTM.getLink, FLAG.request, linkDumpBody()).fill(0, 6, 8);
    const [lost, next] = await Promise.all([
      channel.request([unanswered]),
      channel.request([encodeLinkUp("v0")]),
    ]);
    assert.equal(lost[0]?.errno, "ETIMEDOUT");
    assert.equal(next[0]?.errno, undefined);
  });

  test("a loop that stalls for longer than that loses no answer", async () => {
    const pending = channel.request([encodeLinkUp("v0"), encodeLinkUp("nope")]);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2200);
    const answers = await pending;
    assert.deepEqual(
      answers.map(({ errno }) => errno),
      [undefined, "ENODEV"],
    );
  });

  test("closing gives every descriptor back", async () => {
    const descriptors = () => readdirSync("/proc/self/fd").length;
    const before = descriptors();
    for (let round = 0; round < 5; round += 1) (await openNetwork()).close();
    await turn();
    await eventually("they are back", 5_000, () => assert.equal(descriptors(), before));
  });
});
