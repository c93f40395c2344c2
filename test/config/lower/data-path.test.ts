import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ProbeEndpoint, VirtualServerConfig } from "../../../agent/config/virtual-servers.ts";
import { brief, configOf, load } from "./lowered.ts";

const CHECK = "TCP_CHECK {\n}";

/** A virtual server whose real servers are these lines, each with such a check. */
const server = (reals: readonly string[], lines = "lvs_method DR", target = "192.0.2.1 80") =>
  `virtual_server ${target} {\nprotocol TCP\n${lines}\nholdfast_data_path\n${reals
    .map((real) => (real.includes("{") ? real : `${real} {\n${CHECK}\n}`))
    .map((real) => `real_server ${real}\n`)
    .join("")}}\n`;

const GROUP = "virtual_server_group G {\n192.0.2.1-2 80\n2001:db8::1 80\n}\n";

const serversOf = (text: string): readonly VirtualServerConfig[] =>
  configOf(text).balancing.virtualServers;

/** Where its checks look, as `ADDRESS:PORT by the path to …`. */
const looks = (text: string): readonly string[] =>
  serversOf(text).flatMap(({ realServers }) =>
    realServers.flatMap(({ checks }) =>
      checks.map(({ probe }) => {
        if (!("to" in probe)) return probe.kind;
        const { address, port, dataPath } = probe.to;
        return `${address} ${port}${dataPath === undefined ? "" : ` by ${dataPath.server}`}`;
      }),
    ),
  );

const endpoint = (text: string): ProbeEndpoint | undefined => {
  const probe = serversOf(text)[0]?.realServers[0]?.checks[0]?.probe;
  return probe !== undefined && "to" in probe ? probe.to : undefined;
};

const said = (text: string): readonly string[] =>
  brief(load(text).diagnostics.filter(({ code }) => code === "data-path-refused"));

const wrong = (text: string): readonly string[] =>
  brief(load(text).diagnostics.filter(({ severity }) => severity === "error"));

describe("holdfast_data_path", () => {
  test("sends checks to the virtual address, by the way to their real server", () => {
    const text = server(["192.0.2.10 80", "192.0.2.11 80"], "lvs_method TUN");
    assert.deepEqual(looks(text), ["192.0.2.1 80 by 192.0.2.10", "192.0.2.1 80 by 192.0.2.11"]);
    const tunnel = { type: "ipip", port: 0, checksum: "none" };
    assert.deepEqual(endpoint(text)?.dataPath, {
      server: "192.0.2.10",
      forwarding: { kind: "tunnel", tunnel },
    });
    assert.deepEqual(said(text), []);
  });

  test("off, it changes nothing", () => {
    const text = server(["192.0.2.10 80"]).replace("holdfast_data_path", "holdfast_data_path off");
    assert.deepEqual(looks(text), ["192.0.2.10 80"]);
  });

  test("each address of a group is a check", () => {
    const reals = ["192.0.2.10 80", "2001:db8::10 80"];
    assert.deepEqual(looks(`${GROUP}${server(reals, "lvs_method DR", "group G")}`), [
      "192.0.2.1 80 by 192.0.2.10",
      "192.0.2.2 80 by 192.0.2.10",
      "2001:db8::1 80 by 2001:db8::10",
    ]);
  });

  test("marks of its range are nobody else's", () => {
    const mark = 0x4846_0007;
    const theirs = `virtual_server fwmark ${mark} {\nlvs_method DR\nreal_server 192.0.2.20 80 {\n}\n}\n`;
    assert.deepEqual(wrong(`${server(["192.0.2.10 80"])}${theirs}`), ["10:23 mark-reserved"]);
    assert.deepEqual(wrong(theirs), []);
    const sent = `192.0.2.20 80 {\nTCP_CHECK {\nconnect_ip 192.0.2.9\nfwmark ${mark}\n}\n}`;
    assert.deepEqual(wrong(server(["192.0.2.10 80", sent])), ["10:1 mark-reserved"]);
  });

  test("what looks elsewhere goes on doing so", () => {
    const own = `192.0.2.10 80 {\nPING_CHECK {\n}\nTCP_CHECK {\nconnect_ip 192.0.2.77\n}\nTCP_CHECK {\nconnect_port 81\n}\n}`;
    assert.deepEqual(looks(server([own])), [
      "192.0.2.10 80",
      "192.0.2.77 80",
      "192.0.2.1 81 by 192.0.2.10",
    ]);
  });

  const refused: readonly (readonly [what: string, text: string, where: string])[] = [
    ["NAT", server(["192.0.2.10 80"], "lvs_method NAT"), "5:13"],
    ["a mark", server(["192.0.2.10 80"], "lvs_method DR", "fwmark 5"), "4:1"],
    ["another namespace", `${server(["192.0.2.10 80"])}net_namespace_ipvs lb\n`, "4:1"],
    ["another family", server(["2001:db8::10 80"], "lvs_method TUN"), "5:13"],
    [
      "a check with a mark of its own",
      server(["192.0.2.10 80 {\nTCP_CHECK {\nfwmark 7\n}\n}"]),
      "6:1",
    ],
    [
      "too many addresses",
      `${server(["192.0.2.10 80"], "lvs_method DR", "group H")}virtual_server_group H {\n192.0.2.1-17 80\n}\n`,
      "4:1",
    ],
  ];
  for (const [what, text, where] of refused) {
    test(`${what} is refused at its line, and checked as ever`, () => {
      assert.deepEqual(said(text), [`${where} data-path-refused`]);
      assert.ok(looks(text).every((look) => !look.includes(" by ")));
    });
  }
});
