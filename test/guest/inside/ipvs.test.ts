import { before, describe } from "node:test";
import { openIpvs } from "../../../agent/linux/netlink/ipvs.ts";
import { portSuite } from "../../ipvs/port-suite.ts";
import { enterNamespace } from "../../linux/network-rig.ts";

describe("the kernel's ip_vs", () => {
  before(enterNamespace);
  // The same runs on the pretended one, among the unit tests.
  portSuite(openIpvs);
});
