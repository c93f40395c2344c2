import assert from "node:assert/strict";
import type { Party } from "./scene.ts";

/** No VRRP reaches these any more; all else does. */
export function deafen(...parties: readonly Party[]): void {
  const hook = "type filter hook prerouting priority -400";
  const table = `table inet lab {\n chain deaf {\n ${hook}\n meta l4proto 112 drop\n }\n}\n`;
  for (const { node } of parties) assert.equal(node.exec("nft", ["-f", "-"], table).stderr, "");
}

export function cure(...parties: readonly Party[]): void {
  for (const { node } of parties) node.exec("nft", ["delete", "table", "inet", "lab"]);
}
