import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { at, brief, instanceText, load } from "./lowered.ts";
import { check, url, virtual } from "./virtual-server-text.ts";

const UNSAID = new Set(["no-effect-yet", "deprecated-keyword", "duplicate-keyword"]);

const group = (lines: string): string => `virtual_server_group G {\n${lines}\n}\n`;

type Row = readonly [text: string, findings: readonly string[], hint?: RegExp];

/** keepalived runs with these, and so does Holdfast: each is said where it stands. */
const WARNINGS: readonly Row[] = [
  [virtual("").replace("protocol TCP", ""), ["1:16 protocol-missing"], /protocol TCP/],
  [virtual("protocol tcp").replace("protocol TCP\n", ""), []],
  [virtual("", "", "fwmark 5"), ["2:10 setting-ignored"]],
  [virtual("", "", "192.0.2.1"), ["1:16 port-missing", "4:13 port-missing"], /192|port/],
  [virtual("persistence_timeout 9", "", "192.0.2.1"), ["4:13 port-missing"]],
  [virtual("lb_kind DR", "", "192.0.2.1 81"), ["4:13 server-port"], /connect_port 80/],
  [virtual("lb_kind DR", "", "fwmark 5"), ["2:10 setting-ignored", "4:13 server-port"]],
  [virtual("quorum 3"), ["3:8 value-adjusted"], /quorum 1 or less/],
  [virtual("hysteresis 3"), ["3:12 value-adjusted"]],
  [virtual("", "weight 0"), ["1:16 pool-empty"]],
  [virtual("").replace(/real_server.*\n\n\}\n/, ""), ["1:16 pool-empty"]],
  [virtual("lvs_sched xyz"), ["3:11 value-invalid"], /wlc/],
  [virtual("lvs_sched RR"), ["3:11 value-invalid"], /write rr/],
  [virtual("sh-port"), ["3:1 setting-ignored"], /lvs_sched sh/],
  [virtual("ops"), ["3:1 setting-ignored"]],
  [virtual("ops\nprotocol UDP\npersistence_timeout"), ["3:1 setting-ignored"], /persistence/],
  [virtual("ha_suspend", "", "fwmark 5"), ["2:10 setting-ignored", "3:1 setting-ignored"]],
  [virtual("ip_family inet6"), ["3:11 setting-ignored"]],
  [virtual("delay_loop 0"), ["3:12 value-invalid"]],
  [virtual("persistence_granularity 24"), ["3:25 value-invalid"], /255\.255\.255\.0/],
  [virtual("", "weight 2147483648"), ["5:8 value-invalid"]],
  [virtual("", "weight -1"), ["5:8 value-invalid"]],
  [virtual("real_server 192.0.2.10 80 {\n}"), ["5:13 server-duplicate"]],
  [virtual("real_server 192.0.2.10 {\n}"), ["5:13 server-duplicate"]],
  [`${virtual("")}${virtual("")}`, ["8:16 virtual-server-duplicate"], /one/],
  [virtual("real_server 2001:db8::1 80 {\n}"), ["3:13 server-family"], /lvs_method TUN/],
  [virtual("lb_kind TUN\nreal_server 2001:db8::1 80 {\n}"), []],
  [
    `global_defs {\nlvs_sync_daemon eth0\n}\n${virtual("lb_kind TUN\nreal_server 2001:db8::1 80 {\n}")}`,
    ["7:13 server-family"],
    /lvs_sync_daemon/,
  ],
  [
    virtual("lb_kind TUN\nreal_server 2001:db8::1 {\n}", "", "fwmark 5"),
    ["1:23 server-family", "2:10 setting-ignored", "6:13 server-port"],
  ],
  [virtual("sorry_server 2001:db8::2 80"), ["3:14 server-family"]],
  [check("SSL_GET", "url {\npath /\n}"), ["5:1 certificate-unverified"], /holdfast_verify on/],
  [check("SSL_GET", "holdfast_verify off\nurl {\npath /\n}"), []],
  [check("SSL_GET", "holdfast_ca /ca\nurl {\npath /\n}"), []],
  [url("status_code 99 200"), ["8:13 value-invalid"]],
  [url("regex_no_match"), ["8:1 setting-ignored"], /regex PATTERN/],
  [url("regex a\nregex_options no_such"), ["9:15 value-invalid"], /caseless/],
  [check("DNS_CHECK", "type XX"), ["6:6 value-invalid"], /SOA/],
  [check("MISC_CHECK", "misc_path /no"), ["6:11 program-refused"]],
  [virtual("quorum_up /no"), ["3:11 program-refused"]],
  [virtual("lb_kind DR type gue"), ["3:12 extra-words"]],
  [`global_defs {\nlvs_timeouts tcp 0 sctp 9\n}\n`, ["2:18 value-invalid", "2:20 value-invalid"]],
  [
    `global_defs {\nlvs_sync_daemon eth0 id 300 colour red\n}\n`,
    ["2:25 value-invalid", "2:29 value-invalid", "2:36 value-invalid"],
  ],
  [
    `global_defs {\nlvs_sync_daemon eth0 VI_2\n}\n${instanceText("", "VI_1")}`,
    ["2:22 setting-ignored"],
  ],
  [
    `track_file f {\nfile /f\n}\ntrack_file g {\nfile /g\n}\n${check("FILE_CHECK", "track_file f")}`,
    ["4:12 tracker-unused"],
  ],
];

/** keepalived goes on without what these say: a server would count as good, or nobody serve. */
const ERRORS: readonly Row[] = [
  [virtual("", "", "192.0.2.300 80"), ["1:16 virtual-server-invalid"], /fwmark NUMBER/],
  [virtual("", "", "192.0.2.1 http"), ["1:26 virtual-server-invalid"]],
  [virtual("", "", "192.0.2.1 70000"), ["1:26 virtual-server-invalid"]],
  [virtual("", "", "fwmark 0"), ["1:23 virtual-server-invalid"]],
  [virtual("", "", "group"), ["1:16 virtual-server-invalid"]],
  [virtual("", "", "group G"), ["1:22 virtual-server-invalid"], /virtual_server_group G/],
  [group(""), ["1:22 virtual-server-invalid"]],
  [group("192.0.2.0/33 80"), ["1:22 virtual-server-invalid", "2:1 virtual-server-invalid"]],
  [group("192.0.2.1/24 80"), ["1:22 virtual-server-invalid", "2:1 virtual-server-invalid"]],
  [group("192.0.2.9-1 80"), ["1:22 virtual-server-invalid", "2:1 virtual-server-invalid"]],
  [group("192.0.2.9-300 80"), ["1:22 virtual-server-invalid", "2:1 virtual-server-invalid"]],
  [group("10.0.0.0/8 80"), ["1:22 virtual-server-invalid", "2:1 virtual-server-invalid"], /fwmark/],
  [group("fwmark x"), ["1:22 virtual-server-invalid", "2:8 virtual-server-invalid"]],
  [group("192.0.2.1 x"), ["1:22 virtual-server-invalid", "2:11 virtual-server-invalid"]],
  [
    virtual("real_server 192.0.2.1000 80 {\n}"),
    ["3:13 value-invalid", "3:13 virtual-server-invalid"],
  ],
  [virtual("sorry_server nowhere 80"), ["3:14 value-invalid", "3:14 virtual-server-invalid"]],
  [virtual("lvs_method TUN type gue"), ["3:12 virtual-server-invalid"], /gue port N/],
  [virtual("lvs_method TUN type gre port 4"), ["3:12 virtual-server-invalid"]],
  [virtual("lvs_method TUN csum"), ["3:12 virtual-server-invalid"]],
  [virtual("lvs_method TUN type gre remcsum"), ["3:12 virtual-server-invalid"]],
  [virtual("lvs_method TUN type vxlan"), ["3:12 virtual-server-invalid"]],
  [virtual("lvs_method TUN fast"), ["3:16 virtual-server-invalid"]],
  [check("HTTP_GET", ""), ["5:1 check-invalid"], /url \{/],
  [check("HTTP_GET", "url {\n}"), ["6:1 check-invalid"], /path/],
  [url("digest 12"), ["8:8 check-invalid"], /genhash/],
  [url("regex a++"), ["8:7 regex-unsupported"], /holdfast_check/],
  [url("regex a\nregex_options ucp"), ["9:15 regex-unsupported"]],
  [check("TCP_CHECK", "holdfast_grpc\nholdfast_ca /own"), ["7:1 check-invalid"], /holdfast_tls/],
  [check("TCP_CHECK", "holdfast_tls"), ["6:1 check-invalid"], /holdfast_grpc/],
  [check("TCP_CHECK", "bindto 2001:db8::1"), ["5:1 check-invalid"], /family/],
  [check("TCP_CHECK", "connect_ip fe80::1"), ["5:1 check-invalid"], /bind_if/],
  [check("UDP_CHECK", "payload zz"), ["6:9 check-invalid"]],
  [check("UDP_CHECK", "min_reply_length 300"), ["5:1 check-invalid"]],
  [check("MISC_CHECK", ""), ["5:1 check-invalid"], /misc_path/],
  [check("FILE_CHECK", ""), ["5:1 check-invalid"], /track_file/],
  [check("FILE_CHECK", "track_file no"), ["6:12 check-invalid"], /track_file no/],
  [check("BFD_CHECK", ""), ["5:1 check-invalid"]],
  [check("BFD_CHECK", "name no"), ["6:6 check-invalid"], /bfd_instance no/],
  [
    `bfd_instance b {\nneighbor_ip 192.0.2.10\nvrrp\n}\n${check("BFD_CHECK", "name b")}`,
    ["10:6 check-invalid"],
  ],
  [virtual("", "holdfast_check nginx"), ["5:16 check-invalid"], /policy:NAME\/CHECK/],
  [
    virtual("persistence_timeout", "TCP_CHECK {\n}", "fwmark 5").replace("10 80", "10"),
    ["2:10 setting-ignored", "5:1 check-invalid"],
    /connect_port/,
  ],
];

function hold([text, findings, hint]: Row, refused: boolean): void {
  const { config, diagnostics } = load(text);
  const found = diagnostics.filter(({ code }) => !UNSAID.has(code));
  const wanted = findings.filter((each) => !each.endsWith("no-effect-yet"));
  assert.deepEqual(brief(found), wanted);
  assert.equal(config === undefined, refused);
  // What the words themselves say has a hint only where a near one is known.
  for (const each of found) assert.ok(each.hint !== undefined || each.code === "value-invalid");
  if (hint !== undefined) assert.ok(found.some((each) => hint.test(each.hint ?? "")));
}

describe("what is said of virtual servers that run", () => {
  for (const row of WARNINGS) test(row[0].replaceAll("\n", " · "), () => hold(row, false));
});

describe("what is refused of virtual servers", () => {
  for (const row of ERRORS) test(row[0].replaceAll("\n", " · "), () => hold(row, true));
});

test("words that objects have are no words of the language", () => {
  for (const word of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
    const text = `global_defs {\nlvs_sync_daemon eth0 x ${word} 1\nlvs_timeouts ${word} 1\n}\nSSL {\n${word} x\n}\n${group(`fwmark 1 ${word}\n${word} 80`)}${virtual(`protocol ${word}\nip_family ${word}\nlvs_sched ${word}\nlvs_method TUN ${word}\n${word} 1`, `${word} {\n${word} 2\n}\nDNS_CHECK {\ntype ${word}\n}\nUDP_CHECK {\npayload ${word}\n}\nHTTP_GET {\nurl {\npath /\nregex [[:${word}:]]\nregex_options ${word}\nstatus_code ${word}\n}\n}`)}`;
    const { config, diagnostics } = load(text);
    assert.equal(config, undefined);
    assert.ok(diagnostics.filter(({ text: said }) => said.includes(word)).length >= 10, word);
  }
});

test("of two virtual servers for one address the second keeps what is its own", () => {
  const text = `${group("192.0.2.1 80\n192.0.2.2 80")}${virtual("")}${virtual("", "", "group G")}`;
  const { config } = load(text);
  assert.deepEqual(at(config, "balancing.virtualServers.1.targets"), [
    { kind: "address", address: "192.0.2.2", port: 80 },
  ]);
});

test("a server of the other family is in no pool, a tunnel's is", () => {
  const servers = "real_server 2001:db8::1 80 {\n}";
  const without = load(virtual(servers)).config?.balancing.virtualServers[0]?.realServers;
  assert.deepEqual(
    without?.map(({ address }) => address),
    ["192.0.2.10"],
  );
  const tunnels = load(virtual(`lb_kind TUN\n${servers}`)).config;
  const all = tunnels?.balancing.virtualServers[0]?.realServers;
  assert.deepEqual(
    all?.map(({ address }) => address),
    ["2001:db8::1", "192.0.2.10"],
  );
});

const node = (name: string): string =>
  readFileSync(new URL(`../../vectors/configs/users/${name}.conf`, import.meta.url), "utf8");

for (const name of ["lvs-dr-node1", "lvs-dr-node4"]) {
  test(`the users' director ${name}, as it stands`, () => {
    const { config } = load(node(name));
    const [server, ...others] = config?.balancing.virtualServers ?? [];
    assert.deepEqual(others, []);
    assert.equal(server?.name, "[192.168.1.100]:tcp:80");
    assert.equal(server?.scheduler, "rr");
    assert.equal(server?.persistence, undefined);
    assert.equal(server?.quorum, 1);
    const reals = server?.realServers.map((real) => [real.name, real.forwarding.kind, real.weight]);
    assert.deepEqual(reals, [
      ["[192.168.1.11]:tcp:80", "dr", 1],
      ["[192.168.1.12]:tcp:80", "dr", 1],
    ]);
    for (const real of server?.realServers ?? []) {
      const [{ timing, probe } = assert.fail(), ...rest] = real.checks;
      assert.deepEqual(rest, []);
      assert.deepEqual(timing, {
        interval: 6_000_000,
        retries: 3,
        retryInterval: 3_000_000,
        warmup: 6_000_000,
        timeout: 3_000_000,
        startsDown: false,
        logAllFailures: false,
      });
      assert.equal(at(probe, "urls.0.path"), "/");
      assert.deepEqual(at(probe, "urls.0.statusCodes"), [[200, 200]]);
      assert.equal(at(probe, "to.address"), real.address);
    }
  });
}
