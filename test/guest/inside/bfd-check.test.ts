import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { LabInterface } from "../../../agent/linux/lab/lab-interface.ts";
import { Lab } from "../../../agent/linux/lab.ts";
import { Agent, STARTED_IN_GUEST_MS } from "../../lab/agent.ts";
import { Keepalived } from "../../lab/keepalived.ts";
import { weightsOf } from "./ip-vs-node.ts";
import { patiently } from "./patiently.ts";

/** A process takes seconds to start here. */
const PATIENCE_MS = 60_000;

const session = (own: number, other: number): string => `bfd_instance peer {
  source_ip 192.0.2.${own}
  neighbor_ip 192.0.2.${other}
  min_rx 200
  min_tx 200
  multiplier 4
}
`;

const real = (host: number, more: string): string => `real_server 192.0.2.${host} 80 {
    weight 7
    ${more}
    BFD_CHECK {
      name peer
    }
  }`;

const DIRECTOR = `${session(1, 2)}
virtual_server 192.0.2.100 80 {
  lb_kind DR
  protocol TCP
  ${real(2, "")}
  ${real(3, "inhibit_on_failure")}
  real_server 192.0.2.4 80 {
  }
}
`;

/** keepalived runs no BFD without somebody who looks at it. */
const NEIGHBOUR = `${session(2, 1)}
vrrp_instance V {
  interface eth0
  virtual_router_id 9
  virtual_ipaddress {
    192.0.2.99/32
  }
  track_bfd {
    peer
  }
}
`;

let lab: Lab;
let director: LabInterface;
let neighbour: LabInterface;

before(() => {
  lab = new Lab();
  const lan = lab.segment("lan");
  const attach = (name: string, host: number): LabInterface =>
    lab.attach(lab.node(name), lan, { name: "eth0", addresses: [`192.0.2.${host}/24`] });
  director = attach("director", 1);
  neighbour = attach("neighbour", 2);
});
after(() => lab.dispose());

/** `2=7 3=7 4=1`, as the kernel has it. */
const pool = (): string => weightsOf(director.node)["192.0.2.100:80"] ?? "";

const becomes = (wanted: string): Promise<void> =>
  patiently(`the kernel's pool is ${wanted}`, PATIENCE_MS, () => {
    assert.equal(pool(), wanted);
    return Promise.resolve();
  });

test("BFD_CHECK: a session that ends takes its real servers out of the kernel's pool, and brings them back", {
  timeout: 180_000,
}, async (context) => {
  const agent = new Agent(director.node, DIRECTOR, STARTED_IN_GUEST_MS);
  // All of its processes: BFD is one of its own.
  const keepalived = new Keepalived(neighbour.node, NEIGHBOUR, []);
  context.after(() => {
    keepalived.dispose();
    agent.dispose();
  });
  await keepalived.start("--bfd_pid", join(keepalived.folder, "bfd.pid"));
  await agent.start();
  await patiently("the session is up", PATIENCE_MS, async () => {
    const { sessions } = (await agent.status()).bfd;
    assert.equal(sessions[0]?.state, "up");
  });
  await becomes("2=7 3=7 4=1");
  // Without a word; to stop would say goodbye.
  neighbour.node.exec("ip", ["link", "set", "eth0", "down"]);
  await becomes("3=0 4=1");
  await patiently("it is told why", PATIENCE_MS, () => {
    const told = agent.events.filter(({ kind }) => kind === "real-server");
    assert.match(told[0]?.message ?? "", /^\[192\.0\.2\.[23]\]:tcp:80 is down: detection/);
    return Promise.resolve();
  });
  neighbour.node.exec("ip", ["link", "set", "eth0", "up"]);
  await becomes("2=7 3=7 4=1");
});
