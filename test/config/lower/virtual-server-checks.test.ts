import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { at, configOf } from "./lowered.ts";
import { check, FILES, url, virtual } from "./virtual-server-text.ts";

const ssl = (lines: string, around = "", urls = "url {\npath /\n}"): string =>
  `${around}${check("SSL_GET", `${/verify/.test(lines) ? "" : "holdfast_verify off\n"}${lines}\n${urls}`)}`;

/** Three of different names, the second one without any. */
const VHOSTS =
  "url {\npath /a\nvirtualhost a.example\n}\nurl {\npath /\n}\nurl {\npath /b\nvirtualhost b.example\n}";

const REAL = "virtualServers.0.realServers.0";
const CHECK = `${REAL}.checks.0`;
const TIMING = `${CHECK}.timing`;
const PROBE = `${CHECK}.probe`;

const TO = {
  address: "192.0.2.10",
  port: 80,
  sourceAddress: undefined,
  sourcePort: undefined,
  interface: undefined,
  fwmark: 0,
};

/** Text of a file, a value below `balancing`, and what it is. */
type Row = readonly [text: string, path: string, value: unknown];

const tcp = (lines: string, inReal = "", inVirtual = ""): string =>
  virtual(inVirtual, `${inReal}\nTCP_CHECK {\n${lines}\n}`);

const TIMES: readonly Row[] = [
  [
    tcp(""),
    TIMING,
    {
      interval: 60_000_000,
      retries: 1,
      retryInterval: 1_000_000,
      warmup: 60_000_000,
      timeout: 5_000_000,
      startsDown: false,
      logAllFailures: false,
    },
  ],
  [tcp("", "", "delay_loop 6"), `${TIMING}.interval`, 6_000_000],
  [tcp("", "", "delay_loop 6"), `${TIMING}.warmup`, 6_000_000],
  [tcp("", "delay_loop 3", "delay_loop 6"), `${TIMING}.interval`, 3_000_000],
  [tcp("delay_loop 0.1", "delay_loop 3"), `${TIMING}.interval`, 100_000],
  [tcp("delay_loop 0", "delay_loop 3"), `${TIMING}.interval`, 3_000_000],
  [tcp("", "", "retry 4"), `${TIMING}.retries`, 4],
  [tcp("retry 0", "retry 2", "retry 4"), `${TIMING}.retries`, 0],
  [tcp("", "delay_before_retry 2"), `${TIMING}.retryInterval`, 2_000_000],
  [tcp("warmup 0", "warmup 2"), `${TIMING}.warmup`, 0],
  [tcp("", "", "warmup 2"), `${TIMING}.warmup`, 2_000_000],
  [tcp("", "retry 0", "retry 4"), `${TIMING}.retries`, 4],
  [tcp("connect_timeout 0", "connect_timeout 3"), `${TIMING}.timeout`, 3_000_000],
  [tcp("connect_timeout 0.5"), `${TIMING}.timeout`, 500_000],
  [tcp("", "connect_timeout 3"), `${TIMING}.timeout`, 3_000_000],
  [tcp("", "", "connect_timeout 2"), `${TIMING}.timeout`, 2_000_000],
  [tcp("", "", "alpha"), `${TIMING}.startsDown`, true],
  [tcp("alpha off", "alpha"), `${TIMING}.startsDown`, false],
  [tcp("log_all_failures"), `${TIMING}.logAllFailures`, true],
  [`global_defs {\nchecker_log_all_failures\n}\n${tcp("")}`, `${TIMING}.logAllFailures`, true],
  [check("DNS_CHECK", ""), `${TIMING}.retries`, 3],
  [check("DNS_CHECK", "", "delay_loop 6"), `${TIMING}.retryInterval`, 6_000_000],
  [check("DNS_CHECK", "retry 1"), `${TIMING}.retries`, 1],
  [url(""), `${TIMING}.retryInterval`, 3_000_000],
  [url("").replace("url", "nb_get_retry 5\nurl"), `${TIMING}.retries`, 5],
  [ssl(""), `${TIMING}.retryInterval`, 3_000_000],
  [check("MISC_CHECK", "misc_path /bin/check"), `${TIMING}.retries`, 0],
  [check("MISC_CHECK", "misc_path /bin/check"), `${TIMING}.timeout`, 60_000_000],
];

const PROBES: readonly Row[] = [
  [tcp(""), PROBE, { kind: "tcp", to: TO }],
  [tcp("connect_ip 198.51.100.7"), `${PROBE}.to.address`, "198.51.100.7"],
  [tcp("connect_port 8443"), `${PROBE}.to.port`, 8443],
  [tcp("bindto 192.0.2.2"), `${PROBE}.to.sourceAddress`, "192.0.2.2"],
  [tcp("bind_port 1024"), `${PROBE}.to.sourcePort`, 1024],
  [tcp("bind_if eth1"), `${PROBE}.to.interface`, "eth1"],
  [tcp("fwmark 9"), `${PROBE}.to.fwmark`, 9],
  // The check keeps the port that packets do not go to.
  [virtual("lb_kind DR", "TCP_CHECK {\n}", "fwmark 5"), `${PROBE}.to.port`, 80],
  [tcp("").replace("10 80", "10"), `${PROBE}.to.port`, 80],
  [
    tcp("holdfast_grpc a.b.Service"),
    PROBE,
    { kind: "grpc", to: TO, tls: undefined, service: "a.b.Service" },
  ],
  [tcp("holdfast_grpc"), `${PROBE}.service`, ""],
  [tcp("holdfast_grpc\nretry 4"), `${TIMING}.retries`, 4],
  [tcp("holdfast_grpc\nconnect_port 8443"), `${PROBE}.to.port`, 8443],
  [
    virtual("", "TCP_CHECK {\nholdfast_grpc\nholdfast_tls\n}\nvirtualhost g.example"),
    `${PROBE}.tls.serverName`,
    "g.example",
  ],
  [tcp("holdfast_grpc\nholdfast_tls"), `${PROBE}.tls.verify`, true],
  [tcp("holdfast_grpc\nholdfast_tls\nholdfast_ca /own"), `${PROBE}.tls.caFile`, "/own"],
  [tcp("holdfast_grpc\nholdfast_tls\nholdfast_verify off"), `${PROBE}.tls.verify`, false],
  [check("PING_CHECK", ""), PROBE, { kind: "ping", to: TO }],
  [
    check("SMTP_CHECK", ""),
    PROBE,
    { kind: "smtp", to: TO, heloName: "smtpchecker.keepalived.org" },
  ],
  [check("SMTP_CHECK", "helo_name me"), `${PROBE}.heloName`, "me"],
  [
    check("SMTP_CHECK", "host {\nconnect_port 25\nretry 7\n}\nhost {\nconnect_ip 192.0.2.3\n}"),
    `${REAL}.checks.1.probe.to.address`,
    "192.0.2.3",
  ],
  [check("SMTP_CHECK", "host {\nconnect_port 25\nretry 7\n}"), `${PROBE}.to.port`, 25],
  [check("SMTP_CHECK", "host {\nretry 7\n}"), `${TIMING}.retries`, 7],
  [check("DNS_CHECK", ""), PROBE, { kind: "dns", to: TO, type: "SOA", name: "." }],
  [check("DNS_CHECK", "type a\nname example.org"), `${PROBE}.type`, "A"],
  [check("DNS_CHECK", "type a\nname example.org"), `${PROBE}.name`, "example.org"],
  [
    check("UDP_CHECK", ""),
    PROBE,
    {
      kind: "udp",
      to: TO,
      payload: undefined,
      requireReply: false,
      reply: undefined,
      minReplyLength: 0,
      maxReplyLength: 255,
    },
  ],
  [
    check("UDP_CHECK", "payload Ab12f 3 456 546443123"),
    `${PROBE}.payload`,
    "ab120f0345065464431203",
  ],
  [check("UDP_CHECK", 'payload "01 2"'), `${PROBE}.payload`, "0102"],
  [check("UDP_CHECK", "require_reply"), `${PROBE}.requireReply`, true],
  [check("UDP_CHECK", "require_reply aX xx"), `${PROBE}.reply`, "axxx"],
  [check("UDP_CHECK", "min_reply_length 4\nmax_reply_length 9"), `${PROBE}.minReplyLength`, 4],
  [check("UDP_CHECK", "min_reply_length 4\nmax_reply_length 9"), `${PROBE}.maxReplyLength`, 9],
  [
    check("MISC_CHECK", 'misc_path "/bin/check -a"\nmisc_timeout 4\nmisc_dynamic'),
    PROBE,
    {
      kind: "misc",
      command: {
        position: { file: "k.conf", line: 6, column: 11 },
        argv: ["/bin/check", "-a"],
        runAs: undefined,
      },
      timeout: 4_000_000,
      dynamic: true,
    },
  ],
  [check("MISC_CHECK", "misc_path /bin/check", "delay_loop 6"), `${PROBE}.timeout`, 6_000_000],
  [check("MISC_CHECK", "misc_path /bin/check\nuser checker"), `${PROBE}.command.runAs.uid`, 1000],
  [check("MISC_CHECK", "misc_path /no"), PROBE, { kind: "refused", reason: "there is no /no" }],
  [
    `track_file f {\nfile /run/f\nweight -2 reverse\n}\n${check("FILE_CHECK", "track_file f")}`,
    PROBE,
    { kind: "file", file: "f", weight: -2, reverse: true },
  ],
  [
    `track_file f {\nfile /run/f\n}\n${check("FILE_CHECK", "track_file f\nweight 5 reverse")}`,
    PROBE,
    { kind: "file", file: "f", weight: 5, reverse: true },
  ],
  [
    `bfd_instance b {\nneighbor_ip 192.0.2.10\n}\n${check("BFD_CHECK", "name b\nalpha")}`,
    PROBE,
    { kind: "bfd", session: "b" },
  ],
];

const HTTP: readonly Row[] = [
  [url(""), `${PROBE}.tls`, undefined],
  [url(""), `${PROBE}.version`, "1.0"],
  [url(""), `${PROBE}.to`, TO],
  [url("").replace("url", "http_protocol 1.1\nurl"), `${PROBE}.version`, "1.1"],
  [url("").replace("url", "http_protocol 1.0c\nurl"), `${PROBE}.version`, "1.0C"],
  [url("").replace("url", "fast_recovery\nurl"), `${PROBE}.version`, "1.0"],
  [url("").replace("url", "holdfast_http2\nurl"), `${PROBE}.version`, "2"],
  [
    url(""),
    `${PROBE}.urls`,
    [
      {
        path: "/",
        host: undefined,
        statusCodes: [[200, 299]],
        digest: undefined,
        regex: undefined,
      },
    ],
  ],
  [url("}\nurl {\npath /two"), `${PROBE}.urls.1.path`, "/two"],
  [url("virtualhost a.example"), `${PROBE}.urls.0.host`, "a.example"],
  [url("").replace("url", "virtualhost b.example\nurl"), `${PROBE}.urls.0.host`, "b.example"],
  [
    url("").replace("HTTP_GET", "virtualhost c.example\nHTTP_GET"),
    `${PROBE}.urls.0.host`,
    "c.example",
  ],
  [
    url("").replace("protocol TCP", "protocol TCP\nvirtualhost d.example"),
    `${PROBE}.urls.0.host`,
    "d.example",
  ],
  [
    url("status_code 200 301-302\nstatus_code 404"),
    `${PROBE}.urls.0.statusCodes`,
    [
      [200, 200],
      [301, 302],
      [404, 404],
    ],
  ],
  [url("status_code 99 300-200 600"), `${PROBE}.urls.0.statusCodes`, [[200, 299]]],
  [
    url("digest 9B3A0C85A887A256D6939DA88AABD8CD"),
    `${PROBE}.urls.0.digest`,
    "9b3a0c85a887a256d6939da88aabd8cd",
  ],
  [
    url('regex "a.b"\nregex_options caseless dotall\nregex_no_match\nregex_stack 1 2'),
    `${PROBE}.urls.0.regex`,
    { pattern: "a[\\s\\S]b", flags: "i", negated: true, minOffset: 0, maxOffset: undefined },
  ],
  [url("regex a\nregex_min_offset 3"), `${PROBE}.urls.0.regex.minOffset`, 3],
  [
    url('holdfast_json "status.db 1.0" up'),
    `${PROBE}.urls.0.json`,
    { path: ["status", "db 1", "0"], equals: "up" },
  ],
  [url("regex a\nregex_max_offset 9"), `${PROBE}.urls.0.regex.maxOffset`, 9],
  [
    ssl(""),
    `${PROBE}.tls`,
    {
      serverName: undefined,
      verify: false,
      caFile: undefined,
      certificateFile: undefined,
      keyFile: undefined,
      keyPassword: undefined,
    },
  ],
  [
    ssl("", "SSL {\nca /ca\ncertificate /cert\nkey /key\npassword word\n}\n"),
    `${PROBE}.tls`,
    {
      serverName: undefined,
      verify: false,
      caFile: "/ca",
      certificateFile: "/cert",
      keyFile: "/key",
      keyPassword: "word",
    },
  ],
  [ssl("enable_sni\nsni_name s.example\ntls_compliant"), `${PROBE}.tls.serverName`, "s.example"],
  [ssl("enable_sni\nvirtualhost v.example"), `${PROBE}.tls.serverName`, "v.example"],
  [ssl("enable_sni\nvirtualhost 192.0.2.7"), `${PROBE}.tls.serverName`, undefined],
  [ssl("virtualhost v.example"), `${PROBE}.tls.serverName`, undefined],
  [ssl("holdfast_verify on\nvirtualhost v.example"), `${PROBE}.tls.verify`, true],
  [ssl("holdfast_verify on\nvirtualhost v.example"), `${PROBE}.tls.serverName`, "v.example"],
  // Each URL asks for its own virtualhost; what is the first one's is not said again.
  [ssl("enable_sni\nvirtualhost v.example", "", VHOSTS), `${PROBE}.tls.serverName`, "a.example"],
  [ssl("enable_sni", "", VHOSTS), `${PROBE}.urls.0.serverName`, undefined],
  [ssl("enable_sni", "", VHOSTS), `${PROBE}.urls.1.serverName`, null],
  [ssl("enable_sni\nvirtualhost v.example", "", VHOSTS), `${PROBE}.urls.1.serverName`, "v.example"],
  [ssl("holdfast_verify on", "", VHOSTS), `${PROBE}.urls.2.serverName`, "b.example"],
  [ssl("enable_sni\nsni_name s.example", "", VHOSTS), `${PROBE}.urls.2.serverName`, undefined],
  [ssl("", "", VHOSTS), `${PROBE}.urls.2.serverName`, undefined],
  [ssl("holdfast_ca /own").replace("holdfast_verify off\n", ""), `${PROBE}.tls.verify`, true],
  [ssl("holdfast_ca /own", "SSL {\nca /ca\n}\n"), `${PROBE}.tls.caFile`, "/own"],
];

for (const [name, rows] of Object.entries({ TIMES, PROBES, HTTP })) {
  describe(`checks of real servers: ${name.toLowerCase()}`, () => {
    for (const [text, path, value] of rows) {
      test(`${text.replaceAll("\n", " · ")}: ${path}`, () => {
        assert.deepEqual(at(configOf(text, FILES).balancing, path), value);
      });
    }
  });
}
