import { describe } from "node:test";
import { FakeIpvs } from "../../ipvs/fake-ipvs.ts";
import { portSuite } from "../../ipvs/port-suite.ts";

// The same runs on the kernel's own, in test/guest/inside.
describe("the pretended ip_vs", () => {
  portSuite(async () => new FakeIpvs());
});
