import assert from "node:assert/strict";
import { test } from "node:test";
import { configOf, instanceOf, instanceText, load } from "./lowered.ts";

const found = (text: string): readonly string[] =>
  load(text).diagnostics.map(({ code, message, hint }) => `${code}: ${message}; ${hint}`);

const refused = (lines: string): readonly string[] => found(instanceText(lines));

test("holdfast_advert_interface names further interfaces, on one line or on several", () => {
  const lines = "holdfast_advert_interface eth1 eth2\nholdfast_advert_interface eth3";
  const { transport } = instanceOf(lines);
  assert.deepEqual(transport, {
    mode: "multicast",
    group: "224.0.0.18",
    alsoOn: ["eth1", "eth2", "eth3"],
  });
  assert.deepEqual(instanceOf("").transport, { mode: "multicast", group: "224.0.0.18" });
  const vmac = "use_vmac\nholdfast_advert_interface eth1";
  assert.equal(configOf(instanceText(vmac)).instances.length, 1);
});

test("what cannot be is refused where it stands, with what to write instead", () => {
  const unicast = "holdfast_advert_interface eth1\nunicast_peer {\n192.0.2.9\n}";
  assert.deepEqual(refused(unicast), [
    "advert-interface-invalid: unicast reaches its peers by their addresses, on whatever interface; " +
      "list the peers' addresses there in unicast_peer instead",
  ]);
  assert.deepEqual(refused("holdfast_advert_interface eth0"), [
    "advert-interface-invalid: eth0 is the instance's own interface; name another one",
  ]);
  assert.deepEqual(refused("holdfast_advert_interface eth1 eth1"), [
    "advert-interface-invalid: eth1 is named twice; name it once",
  ]);
  const ah =
    "version 2\nholdfast_advert_interface eth1\nauthentication {\nauth_type AH\nauth_pass secret\n}";
  assert.match(refused(ah).join("\n"), /advert-interface-invalid: the numbers of AH/);
  const many = Array.from({ length: 255 }, (_, nth) => `198.51.100.${nth}/32`).join("\n");
  const crowded = `holdfast_advert_interface eth1\nvirtual_ipaddress {\n${many}\n}`;
  assert.match(refused(crowded).join("\n"), /with more than 254 addresses there is no room/);
  assert.match(refused("holdfast_advert_interface a/b").join("\n"), /interface-name-invalid/);
});

test("another instance of that VRID on such an interface would be taken for a rival", () => {
  const first = instanceText("holdfast_advert_interface eth1", "A");
  const second = instanceText("interface eth1\nvirtual_ipaddress {\n192.0.2.2/24\n}", "B");
  assert.match(
    found(first + second).join("\n"),
    /identity-duplicate: B and A .* 51 for ipv4 on eth1/,
  );
  const both = instanceText(
    "interface eth2\nholdfast_advert_interface eth1\nvirtual_ipaddress {\n192.0.2.2/24\n}",
    "B",
  );
  assert.match(found(first + both).join("\n"), /identity-duplicate: B and A .* on eth1/);
  const other = instanceText(
    "interface eth1\nvirtual_router_id 52\nvirtual_ipaddress {\n192.0.2.2/24\n}",
    "B",
  );
  assert.deepEqual(found(first + other), []);
});
