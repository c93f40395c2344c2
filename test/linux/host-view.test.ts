import assert from "node:assert/strict";
import { test } from "node:test";
import { HostView } from "../../agent/linux/netlink/host-view.ts";
import { BodyWriter } from "../../agent/wire/netlink/attribute.ts";
import { AF, IFLA, RTM } from "../../agent/wire/netlink/rtnetlink.ts";

const message = (type: number, index: number, name: string) => ({
  type,
  flags: 0,
  sequence: 0,
  body: new BodyWriter()
    .u8(AF.unspecified)
    .u8(0)
    .u16(1)
    .u32(index)
    .u32(1)
    .u32(0)
    .attributeText(IFLA.name, name)
    .finish(),
});

function view() {
  const host = new HostView(
    () => false,
    () => undefined,
  );
  const put = (index: number, name: string) => host.apply(message(RTM.newLink, index, name));
  const drop = (index: number, name: string) => host.apply(message(RTM.deleteLink, index, name));
  const indexOf = (name: string) => host.linkByName(name)?.index;
  return { put, drop, indexOf };
}

test("a link is found by its name, also after it got another", () => {
  const { put, drop, indexOf } = view();
  put(2, "eth0");
  assert.equal(indexOf("eth0"), 2);
  put(2, "lan0");
  assert.equal(indexOf("eth0"), undefined);
  assert.equal(indexOf("lan0"), 2);
  drop(2, "lan0");
  assert.equal(indexOf("lan0"), undefined);
});

test("a name that went to another link stays there when the first one goes", () => {
  const { put, drop, indexOf } = view();
  put(2, "eth0");
  put(3, "eth0");
  drop(2, "eth0");
  assert.equal(indexOf("eth0"), 3);
  put(4, "eth1");
  put(3, "eth2");
  put(4, "eth0");
  assert.deepEqual(["eth0", "eth1", "eth2"].map(indexOf), [4, undefined, 3]);
});
