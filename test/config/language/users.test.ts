import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parseKeepalived } from "../../../agent/config/keepalived/parse-keepalived.ts";
import { memoryHost, treeText } from "./memory-host.ts";

const folder = new URL("../../vectors/configs/users/", import.meta.url);
const read = (file: string) =>
  parseKeepalived({ file, text: readFileSync(new URL(file, folder), "utf8") }, memoryHost());

/** What may be said of users' files that run. */
const expected: Readonly<Record<string, readonly string[]>> = {
  "lvs-dr-global-strict.conf": [],
  "lvs-dr-node1.conf": ["40:13 deprecated-keyword", "54:13 deprecated-keyword"],
  "lvs-dr-node4.conf": ["40:13 deprecated-keyword", "54:13 deprecated-keyword"],
  "nginx-pair-lb02-nopreempt.conf": [],
  "nginx-pair-lb02-script.conf": [],
};

test("users' files give warnings at most", () => {
  const files = readdirSync(folder).filter((file) => file.endsWith(".conf"));
  assert.deepEqual(files.sort(), Object.keys(expected).sort());
  for (const file of files) {
    const { diagnostics } = read(file);
    assert.deepEqual(
      diagnostics.filter((each) => each.severity === "error"),
      [],
      file,
    );
    const found = diagnostics.map(
      ({ position, code }) => `${position.line}:${position.column} ${code}`,
    );
    assert.deepEqual(found, expected[file], file);
  }
});

test("a user's file means what stands in it", () => {
  assert.equal(
    treeText(read("nginx-pair-lb02-nopreempt.conf").tree),
    `global_defs {
  router_id lb02
}
vrrp_instance VI_1 {
  state BACKUP
  interface ens33
  virtual_router_id 50
  priority 100
  nopreempt
  advert_int 1
  authentication {
    auth_type PASS
    auth_pass 1111
  }
  virtual_ipaddress {
    10.0.0.3
  }
}
`,
  );
});
