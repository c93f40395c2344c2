import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getuid } from "node:process";
import { after, test } from "node:test";
import { keywordTable } from "../../agent/config/keepalived/keyword-table.ts";
import { loadConfig } from "../../agent/config/load.ts";
import { configHost } from "../../agent/linux/config-host.ts";

/*
 * What keepalived makes of the same virtual servers: of our own words it says only that it does not know
 * them, and it finds the same wrong that we find.
 */

const folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-balancing-`));
after(() => rmSync(folder, { recursive: true, force: true }));

const usable = getuid?.() === 0 && spawnSync("keepalived", ["--version"]).status === 0;
const skip = usable ? false : "needs keepalived, and root to run it";
const file = join(folder, "k.conf");

/** All that keepalived says of a file, each thing once, without where it stands. */
function theirWords(text: string): readonly string[] {
  writeFileSync(file, text);
  const { stdout, stderr } = spawnSync("keepalived", ["-t", "-l", "-f", file], {
    encoding: "utf8",
    timeout: 20_000,
  });
  const lines = `${stdout}${stderr}`.split("\n").map((line) => line.replace(/^\(.*?\) /, ""));
  return [...new Set(lines.filter((line) => line !== ""))];
}

const host = configHost({ configId: "k", workingDirectory: folder });
const ours = (text: string) => loadConfig({ file, text }, host);

const OWN = `virtual_server 192.0.2.1 443 {
  holdfast_drain 30
  lvs_sched rr
  holdfast_slow_start 5
  lvs_method NAT
  holdfast_panic 50
  holdfast_data_path
  protocol TCP
  real_server 192.0.2.10 443 {
    holdfast_check "policy:web/alive"
    weight 3
    SSL_GET {
      holdfast_verify on
      holdfast_ca /etc/ssl/own.pem
      holdfast_http2
      url {
        holdfast_json status.code ok
        path /health
      }
      retry 2
    }
    TCP_CHECK {
      connect_port 8443
      holdfast_grpc a.Service
      holdfast_tls
      retry 1
    }
  }
  real_server 192.0.2.11 443 {
    weight 5
  }
  quorum 8
}
`;

test("keepalived passes over our own words, and over nothing else", { skip }, () => {
  const own = keywordTable.nodes.filter(
    ({ path, keyword }) =>
      path.startsWith("virtual_server.") && keyword.name.startsWith("holdfast_"),
  );
  const names = [...new Set(own.map(({ keyword }) => keyword.name))];
  for (const name of names) assert.ok(OWN.includes(name), `${name} is not tried`);
  // A block that was lost would be told by the quorum: it is the weight of both servers together.
  const unknown = names.map((name) => `Unknown keyword '${name}'`);
  assert.deepEqual([...theirWords(OWN)].sort(), unknown.sort());
  assert.ok(ours(OWN).config !== undefined);
});

/** A mistake, what keepalived says of it, and what we do. */
const MISTAKES: readonly (readonly [lines: string, theirs: RegExp, code: string])[] = [
  ["quorum 9", /reducing quorum to 1$/, "value-adjusted"],
  ["hysteresis 4", /hysteresis 4 >= quorum/, "value-adjusted"],
  ["ops", /one packet scheduling requires UDP/, "setting-ignored"],
  ["sh-port", /only applies to sh scheduler/, "setting-ignored"],
  ["lvs_sched xx", /Invalid lvs_scheduler/, "value-invalid"],
  ["delay_loop 0", /delay loop '0' invalid/, "value-invalid"],
  ["sorry_server 2001:db8::1 80", /family.*skipping sorry server/, "server-family"],
  ["real_server 2001:db8::1 80 {\n}", /family.*skipping real server/, "server-family"],
  ["real_server 192.0.2.10 80 {\n}", /duplicated/, "server-duplicate"],
  ["lvs_method DR\nreal_server 192.0.2.9 81 {\n}", /ports don't match/, "server-port"],
  ["lvs_method TUN type gue", /require port/, "virtual-server-invalid"],
  ["lvs_method TUN type ipip csum", /do not support checksum/, "virtual-server-invalid"],
  ["real_server 192.0.2.9 80 {\nHTTP_GET {\n}\n}", /no urls/, "check-invalid"],
  ["real_server 192.0.2.9 80 {\nHTTP_GET {\nurl {\n}\n}\n}", /no path/, "check-invalid"],
  ["real_server 192.0.2.9 80 {\nUDP_CHECK {\npayload zz\n}\n}", /hex string/, "check-invalid"],
  ["real_server 192.0.2.9 80 {\nBFD_CHECK {\nname b\n}\n}", /not configured/, "check-invalid"],
  ["real_server 192.0.2.9 80 {\nFILE_CHECK {\ntrack_file f\n}\n}", /not found/, "check-invalid"],
];

for (const [lines, theirs, code] of MISTAKES) {
  test(`both see it: ${lines.replaceAll("\n", " · ")}`, { skip }, () => {
    const text = `virtual_server 192.0.2.1 80 {\nprotocol TCP\n${lines}\nreal_server 192.0.2.10 80 {\n}\n}\n`;
    assert.ok(
      theirWords(text).some((each) => theirs.test(each)),
      theirWords(text).join("\n"),
    );
    const codes = ours(text).diagnostics.map((each) => each.code);
    assert.ok(codes.includes(code as (typeof codes)[number]), codes.join());
  });
}
