import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import type { Server } from "node:net";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { macText } from "../../lab/arp-frames.ts";
import { Capture } from "../../lab/capture.ts";
import { GateRig, VIP, VIP6 } from "../../linux/gate-rig.ts";
import { ip } from "../../linux/network-rig.ts";

/*
 * What a shut gate goes by, where this host is a real server: ip_vs sends on what came for the address as it
 * is, and from the MAC of the director's own interface. This kernel has no gate; the host's tests have.
 */

const PORT = 8080;
const OWN = { [VIP]: "192.0.2.200", [VIP6]: "2001:db8::200" } as const;

describe("direct routing", { timeout: 60_000 }, () => {
  let rig: GateRig;
  let server: Server;
  before(async () => {
    execFileSync("modprobe", ["-a", "ip_vs", "ip_vs_rr"]);
    rig = new GateRig();
    server = createServer((socket) => socket.end("served")).listen(PORT, "::");
    await once(server, "listening");
  });
  after(() => {
    server?.close();
    rig?.dispose();
  });

  /** The director is its own client: ip_vs balances what leaves it as well. */
  async function served(target: string, patienceS: number): Promise<boolean> {
    const host = target.includes(":") ? `[${target}]` : target;
    const child = rig.client.spawn(
      "curl",
      ["-s", "-m", `${patienceS}`, `telnet://${host}:${PORT}`],
      {
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    let text = "";
    child.stdout?.on("data", (chunk) => {
      text += chunk;
    });
    await once(child, "close");
    return text === "served";
  }

  test("a frame has the director's own MAC and the address as it was asked for, over IPv6 as over IPv4", async () => {
    const capture = await Capture.start(rig.client, "v1", `dst port ${PORT}`);
    const [{ address: own }] = JSON.parse(ip("-j link show v0"));
    for (const [target, real] of Object.entries(OWN)) {
      const [service, one] = [target, real].map((text) =>
        text.includes(":") ? `[${text}]` : text,
      );
      // Nobody has it there: what reaches the real server came by way of ip_vs.
      rig.inClient(`ip neigh replace ${target} lladdr 02:00:00:00:00:99 dev v1`);
      assert.equal(await served(target, 1), false);
      rig.inClient(`ipvsadm -A -t ${service}:${PORT} -s rr`);
      rig.inClient(`ipvsadm -a -t ${service}:${PORT} -r ${one}:${PORT} -g`);
      const mark = capture.frames.length;
      assert.equal(await served(target, 20), true);
      await capture.until((frames) => frames.length > mark, 20_000);
      for (const { bytes } of capture.frames.slice(mark)) {
        assert.equal(macText(bytes.subarray(0, 6)), own);
        assert.equal(macText(bytes.subarray(6, 12)), macText(rig.asker.mac));
      }
    }
    await capture.stop();
  });
});
