import assert from "node:assert/strict";
import { getuid } from "node:process";
import { test } from "node:test";
import { Lab } from "../../agent/linux/lab.ts";
import { Agent } from "./agent.ts";
import { announcements } from "./arp-frames.ts";
import { Capture } from "./capture.ts";
import { eventually } from "./eventually.ts";

const skip = getuid?.() === 0 ? false : "needs root";
const GRACE_MS = 15_000;

const configuration = (words: string): string => `
global_defs {
    vrrp_version 3
    vmac_addr_prefix addr
}
vrrp_instance V {
    interface eth0
    virtual_router_id 51
    advert_int 0.1
    ${words}
    virtual_ipaddress {
        192.0.2.100/24
        198.51.100.100/24 dev eth1
    }
}
`;

test("use_vmac_addr puts an address on another interface under the virtual MAC", {
  skip,
  timeout: 60_000,
}, async () => {
  const lab = new Lab();
  const node = lab.node("vmac");
  const inside = lab.attach(node, lab.segment("one"), {
    name: "eth0",
    addresses: ["192.0.2.1/24"],
  });
  const outside = lab.segment("two");
  lab.attach(node, outside, { name: "eth1", addresses: ["198.51.100.1/24"] });
  const client = lab.node("client");
  lab.attach(client, outside, { name: "eth0", addresses: ["198.51.100.2/24"] });
  const agent = new Agent(inside.node, configuration("use_vmac_addr"));
  const shown = (words: string): string => node.exec("ip", words.split(" ")).stdout;
  const capture = await Capture.start(client, "eth0", "arp");
  try {
    await agent.start();
    await eventually("the address is on the link", GRACE_MS, () =>
      assert.match(shown("-o addr show dev addr.51"), /198\.51\.100\.100\/24/),
    );
    assert.match(shown("-o -d link show dev addr.51"), /addr\.51@eth1.*00:00:5e:00:01:33/);
    await eventually("so is the other one", GRACE_MS, () =>
      assert.match(shown("-o addr show dev eth0"), /192\.0\.2\.100\/24/),
    );
    await capture.until((frames) => announcements(frames).length > 0, GRACE_MS);
    const told = announcements(capture.frames).map(({ address, mac }) => `${address} ${mac}`);
    assert.deepEqual([...new Set(told)], ["198.51.100.100 00:00:5e:00:01:33"]);
    await eventually("it answers", GRACE_MS, () =>
      assert.equal(client.exec("ping", ["-c", "1", "-W", "2", "198.51.100.100"]).status, 0),
    );

    agent.configure(configuration(""));
    process.kill(agent.pid, "SIGHUP");
    await eventually("the address is on the interface itself", GRACE_MS, () =>
      assert.match(shown("-o addr show dev eth1"), /198\.51\.100\.100\/24/),
    );
    await eventually("the link is gone", GRACE_MS, () =>
      assert.equal(shown("-o link show dev addr.51"), ""),
    );
    assert.equal((await agent.status()).routers[0]?.state, "active");
    assert.equal(await agent.stop(), 0);
    assert.doesNotMatch(shown("-o addr show"), /\.100\/24/);
  } finally {
    await capture.stop();
    agent.dispose();
    lab.dispose();
  }
});
