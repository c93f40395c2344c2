import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { formatDiagnostic } from "../../../agent/config/format-diagnostic.ts";
import type { ConfigHost, PathEntry } from "../../../agent/config/keepalived/config-host.ts";
import type { Settings } from "../../../agent/config/settings.ts";
import { noSettings } from "../../../agent/config/settings.ts";
import { WEBHOOK_PRESETS } from "../../../agent/config/settings-file/grant.ts";
import { loadSettings } from "../../../agent/config/settings-file/load-settings.ts";
import { PRESET_NAMES } from "../../../plugins/webhook/presets.ts";
import { staysInProportion } from "../../proportion.ts";
import { memoryHost } from "../language/memory-host.ts";
import { at, brief, instanceText, load } from "../lower/lowered.ts";
import { PRIVATE } from "./own-settings.ts";

const FILE = "/etc/holdfast/holdfast.conf";
const SECRET = "/etc/holdfast/secrets/slack";

/** Loads a text as holdfast.conf of a node with the instances VI_1 and VI_2. */
function settingsOf(
  text: string,
  entries: Readonly<Record<string, PathEntry>> = {},
  more: Partial<ConfigHost> = {},
) {
  const usual = memoryHost({
    [FILE]: text,
    [SECRET]: "x",
    "/etc/holdfast/more.conf": "policy m {\n}",
  });
  const own: Readonly<Record<string, PathEntry>> = { [SECRET]: PRIVATE, ...entries };
  const entry = (path: string) => own[path] ?? usual.entry(path);
  const routers = new Set(["VI_1", "VI_2"]);
  const { settings, diagnostics } = loadSettings(FILE, { ...usual, entry, ...more }, routers);
  return { settings, diagnostics, findings: brief(diagnostics) };
}

const granted = (lines: string): string => `policy p {\ngrant {\n${lines}\n}\n}`;

describe("grants, in the form of the SDK's permissions", () => {
  const ROWS: readonly (readonly [string, Settings["grants"][number]["grant"]])[] = [
    ["http http://a/* https://b/x", { http: ["http://a/*", "https://b/x"] }],
    ["http http://a/*\nhttp http://b/*", { http: ["http://a/*", "http://b/*"] }],
    ["tcp 10.0.0.0/24:5432", { tcp: ["10.0.0.0/24:5432"] }],
    ["udp [fe80::1]:53", { udp: ["[fe80::1]:53"] }],
    ["dns *.example.org", { dns: ["*.example.org"] }],
    ["icmp 10.0.0.0/8 gw", { icmp: ["10.0.0.0/8", "gw"] }],
    ["tls www:443", { tls: ["www:443"] }],
    [
      'exec reload /usr/sbin/nginx -s reload\nexec test /bin/sh -c "exit 0"',
      { exec: { reload: ["/usr/sbin/nginx", "-s", "reload"], test: ["/bin/sh", "-c", "exit 0"] } },
    ],
    ["read /proc/loadavg /run/*.pid", { read: ["/proc/loadavg", "/run/*.pid"] }],
    ["process nginx", { process: ["nginx"] }],
    ["interface eth0 eth1", { interface: ["eth0", "eth1"] }],
    ["gateway 10.0.0.1 fe80::1", { gateway: ["10.0.0.1", "fe80::1"] }],
    ["mail a@b.c\nmail *@d.e", { mail: { to: ["a@b.c", "*@d.e"] } }],
    ["webhook slack", { webhook: { slack: null } }],
    ["webhook w https://x/y", { webhook: { w: "https://x/y" } }],
    [
      "webhook w slack https://x/y\nwebhook v ntfy https://n/t",
      {
        webhook: {
          w: { preset: "slack", url: "https://x/y" },
          v: { preset: "ntfy", url: "https://n/t" },
        },
      },
    ],
    ["control VI_1\ncontrol VI_2", { control: { routers: ["VI_1", "VI_2"] } }],
    [
      "control VI_1\nreal_server web/10.0.1.1:80",
      { control: { routers: ["VI_1"], realServers: ["web/10.0.1.1:80"] } },
    ],
    ["service [192.0.2.1]:tcp:80 web*", { control: { services: ["[192.0.2.1]:tcp:80", "web*"] } }],
    ["plugin lamp red green", { plugins: { lamp: ["red", "green"] } }],
    ["plugin lamp", { plugins: { lamp: true } }],
    ["http *\nread *", { http: ["*"], read: ["*"] }],
  ];
  for (const [lines, grant] of ROWS) {
    test(lines.replaceAll("\n", " · "), () => {
      const { settings, findings } = settingsOf(granted(lines));
      assert.deepEqual(findings, []);
      assert.deepEqual(settings.grants, [
        { position: { file: FILE, line: 1, column: 8 }, policy: "p", grant },
      ]);
    });
  }

  test("one secret, in a webhook with a preset", () => {
    const reference = "$" + "{secret:slack}";
    const text = `secret slack ${SECRET}\n${granted(`webhook w slack ${reference}`)}`;
    const { settings, findings } = settingsOf(text);
    assert.deepEqual(findings, []);
    assert.deepEqual(settings.secrets, { slack: SECRET });
    assert.deepEqual(at(settings.grants[0], "grant.webhook.w.url"), reference);
  });

  test("every policy, and several blocks", () => {
    const text =
      "policy * {\ngrant {\nprocess a\n}\n}\npolicy p {\ngrant {\nprocess b\n}\ngrant {\nprocess c\n}\n}";
    const { settings } = settingsOf(text);
    const grants = settings.grants.map(({ policy, grant }) => [policy, grant]);
    assert.deepEqual(grants, [
      ["*", { process: ["a"] }],
      ["p", { process: ["b", "c"] }],
    ]);
  });

  test("presets are those of the plugin", () => {
    assert.deepEqual(WEBHOOK_PRESETS.toSorted(), PRESET_NAMES.toSorted());
  });
});

describe("mail and plugins", () => {
  const SMTP = {
    host: "mx",
    port: 587,
    tls: "starttls",
    caFile: undefined,
    user: undefined,
    passwordSecret: undefined,
    from: undefined,
  } as const;
  const ROWS: readonly (readonly [string, Partial<Settings["smtp"]>])[] = [
    ["", {}],
    ["tls implicit", { tls: "implicit", port: 465 }],
    ["tls none", { tls: "none", port: 25 }],
    ["port 2525\ntls none", { tls: "none", port: 2525 }],
    ["from a@b.c\nca_file /etc/ca.pem", { from: "a@b.c", caFile: "/etc/ca.pem" }],
    ["user u\npassword_secret slack", { user: "u", passwordSecret: "slack" }],
  ];
  for (const [lines, difference] of ROWS) {
    test(`smtp ${lines.replaceAll("\n", " · ")}`, () => {
      const { settings, findings } = settingsOf(
        `secret slack ${SECRET}\nsmtp {\nhost mx\n${lines}\n}`,
      );
      assert.deepEqual(findings, []);
      assert.deepEqual(settings.smtp, { ...SMTP, ...difference });
    });
  }

  test("options: numbers, switches, texts and lists", () => {
    const { settings, findings } = settingsOf(
      'dns {\nserver 192.0.2.1 192.0.2.2\nserver 192.0.2.3\nretries 2\ntcp\nedns off\nlabel "12"\n}\nplugin lamp @acme/lamp {\ncolour red\n}\nplugin bell bell {\n}',
    );
    assert.deepEqual(findings, []);
    assert.deepEqual(settings.pluginOptions, {
      dns: {
        server: ["192.0.2.1", "192.0.2.2", "192.0.2.3"],
        retries: 2,
        tcp: true,
        edns: false,
        label: "12",
      },
    });
    assert.deepEqual(settings.plugins, [
      {
        position: { file: FILE, line: 9, column: 8 },
        name: "lamp",
        package: "@acme/lamp",
        options: { colour: "red" },
      },
      { position: { file: FILE, line: 12, column: 8 }, name: "bell", package: "bell", options: {} },
    ]);
  });
});

test("every plugin that comes with Holdfast may have options", () => {
  const names = globSync("plugins/*/*-plugin.ts").flatMap(
    (file) => /^ +name: "([a-z]+)",$/m.exec(readFileSync(file, "utf8"))?.[1] ?? [],
  );
  assert.ok(names.length > 5);
  for (const name of names) {
    const { settings, findings } = settingsOf(`${name} {\nx 1\n}`);
    assert.deepEqual(findings, []);
    assert.deepEqual(settings.pluginOptions, { [name]: { x: 1 } });
  }
});

describe("what is wrong in holdfast.conf grants nothing", () => {
  const ROWS: readonly (readonly [string, finding: string, hint?: RegExp])[] = [
    [granted("http 127.0.0.1/*"), "3:6 grant-invalid", /http:\/\//],
    [granted("tcp localhost"), "3:5 grant-invalid", /:5432/],
    [granted("exec reload nginx"), "3:13 grant-invalid", /from \/ on/],
    [granted("exec a /b\nexec a /c"), "4:6 grant-invalid", /own name/],
    [granted("read loadavg"), "3:6 grant-invalid"],
    [granted("mail ops"), "3:6 grant-invalid"],
    [granted("webhook w slak https://x/y"), "3:11 grant-invalid", /did you mean "slack"/],
    [granted("webhook w slack"), "3:11 grant-invalid", /https/],
    [granted("webhook w $" + "{secret:slak}"), "3:11 secret-invalid"],
    [granted("htpp http://a/*"), "3:1 essential-unknown", /did you mean "http"/],
    [granted("http"), "3:1 missing-argument"],
    ["polcy p {\n}", "1:1 essential-unknown", /did you mean "policy"/],
    ["policy p {\nhttp http://a/\n}", "2:1 essential-misplaced", /policy\.grant/],
    ["secret a secrets/a", "1:10 secret-invalid"],
    [`secret a ${SECRET}\nsecret a ${SECRET}`, "2:8 name-duplicate"],
    ["smtp {\ntls none\n}", "1:1 smtp-invalid", /host/],
    ["smtp {\nhost mx\ntls ssl\n}", "3:5 essential-value", /none or starttls or implicit/],
    ["smtp {\nhost mx\nuser u\n}", "3:6 smtp-invalid", /password_secret/],
    ["smtp {\nhost mx\npassword_secret p\nuser u\n}", "3:17 secret-invalid", /secret p/],
    [
      `secret p ${SECRET}\nsmtp {\nhost mx\nuser u\npassword_secret p\ntls none\n}`,
      "6:5 smtp-invalid",
      /starttls/,
    ],
    ["plugin lamp", "1:1 missing-argument"],
    ["policy p {\ngrant {\nhttp http://a/\n", "1:10 missing-closing-brace"],
    ["include nothing.conf\nincluder /nowhere", "1:9 include-unmatched"],
  ];
  for (const [text, finding, hint = /./] of ROWS) {
    test(`${text.replaceAll("\n", " · ")}: ${finding}`, () => {
      const { settings, diagnostics, findings } = settingsOf(text);
      assert.ok(findings.includes(finding), findings.join());
      const found = diagnostics[findings.indexOf(finding)];
      assert.match(found?.hint ?? ".", hint);
      const shown = diagnostics.map((each) => formatDiagnostic(each)).join("\n");
      assert.doesNotMatch(shown, /effect: .*keepalived/, "this file is none of keepalived's");
      if (diagnostics.some(({ severity }) => severity === "error")) {
        assert.deepEqual(settings, noSettings(FILE));
      }
    });
  }

  test("an error refuses the configuration, with its place", () => {
    const files = { [FILE]: granted("http nothing") };
    const { config, settings, diagnostics } = load(instanceText(""), files);
    assert.equal(config, undefined);
    assert.deepEqual(settings, noSettings(FILE));
    assert.equal(diagnostics[0]?.position.file, FILE);
  });

  test("a router that is not there is no error: it may come", () => {
    const { settings, diagnostics, findings } = settingsOf(granted("control VI_3"));
    assert.deepEqual(findings, ["3:9 grant-idle"]);
    assert.match(diagnostics[0]?.hint ?? "", /did you mean "VI_/);
    assert.equal(settings.grants.length, 1);
  });
});

describe("who can write holdfast.conf", () => {
  const file = (more: object): PathEntry => ({ ...PRIVATE, ...more }) as PathEntry;

  test("a file that is not there grants nothing, and is no finding", () => {
    const { settings, diagnostics } = loadSettings(FILE, memoryHost(), new Set());
    assert.deepEqual(settings, noSettings(FILE));
    assert.deepEqual(diagnostics, []);
  });

  const ROWS: readonly (readonly [string, object, path: string, uid: number, string[]])[] = [
    ["root's own", { mode: 0o644 }, FILE, 0, []],
    ["writable for its group, even root's", { mode: 0o664 }, FILE, 0, ["1:1 settings-exposed"]],
    ["writable for everybody", { mode: 0o646 }, FILE, 0, ["1:1 settings-exposed"]],
    ["another user's", { uid: 1000 }, FILE, 0, ["1:1 settings-exposed"]],
    ["the agent's own", { uid: 1000 }, FILE, 1000, []],
    [
      "in a folder of another's",
      { uid: 1000, kind: "directory", mode: 0o755 },
      "/etc/holdfast",
      0,
      ["1:1 settings-exposed"],
    ],
    ["a secret of everybody", { mode: 0o604 }, SECRET, 0, ["1:10 secret-exposed"]],
    ["a secret that others may write", { mode: 0o662 }, SECRET, 0, ["1:10 secret-exposed"]],
    ["a secret of root and a group", { mode: 0o640, gid: 50 }, SECRET, 0, []],
  ];
  for (const [name, entry, path, uid, findings] of ROWS) {
    test(name, () => {
      const text = `secret a ${SECRET}\n${granted("process x")}`;
      const own = { [FILE]: file({ uid, mode: 0o600 }), [path]: file(entry) };
      const found = settingsOf(text, own, { uid });
      assert.deepEqual(found.findings, findings);
      assert.equal(found.settings.grants.length, findings.length === 0 ? 1 : 0);
    });
  }

  test("a secret that is not there is a warning", () => {
    assert.deepEqual(settingsOf("secret a /nowhere").findings, ["1:10 secret-missing"]);
  });

  test("what it includes is held to the same", () => {
    const text = "include /etc/holdfast/more.conf";
    assert.equal(settingsOf(text).settings.grants[0]?.policy, "m");
    const open = { "/etc/holdfast/more.conf": file({ mode: 0o666 }) };
    const { findings, diagnostics, settings } = settingsOf(text, open);
    assert.deepEqual(findings, ["1:9 include-failed"]);
    assert.match(diagnostics[0]?.message ?? "", /everybody may write .*chmod go-w/);
    assert.deepEqual(settings.grants, []);
  });

  test("one that this user may not read is not judged", () => {
    const unreadable = {
      ...memoryHost(),
      readFile: () => ({ ok: false, errno: "EACCES" }) as const,
    };
    const asUser = loadSettings(FILE, { ...unreadable, uid: 1000 }, new Set());
    assert.deepEqual(brief(asUser.diagnostics), ["1:1 settings-not-seen"]);
    const asRoot = loadSettings(FILE, unreadable, new Set());
    assert.deepEqual(brief(asRoot.diagnostics), ["1:1 settings-unreadable"]);
  });
});

test("thousands of policies take time in proportion", () => {
  const textOf = (count: number): string =>
    Array.from(
      { length: count },
      (_, i) => `policy p${i} {\ngrant {\nhttp http://a${i}/*\nexec r /bin/r ${i}\n}\n}\n`,
    ).join("");
  staysInProportion((count) => {
    assert.equal(settingsOf(textOf(count)).settings.grants.length, count);
  }, 1_000);
});
