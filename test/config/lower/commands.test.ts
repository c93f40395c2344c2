import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PathEntry } from "../../../agent/config/keepalived/config-host.ts";
import { memoryHost } from "../language/memory-host.ts";
import { at, brief, instanceText, load } from "./lowered.ts";

const FILES = {
  "/bin/check": "\x7fELF\0",
  "/usr/bin/killall": "\x7fELF\0",
  "/bin/sh": "\x7fELF\0",
  "/srv/plain": "",
  "/srv/folder/file": "",
  "/srv/open": "",
  "/srv/link": "",
};

const rights = { ok: true, kind: "file", uid: 0, gid: 0, mode: 0o755, target: undefined } as const;
const ENTRIES: Readonly<Record<string, PathEntry>> = {
  "/srv/plain": { ...rights, mode: 0o644 },
  "/srv/open": { ...rights, mode: 0o777 },
  "/srv/link": { ...rights, kind: "link", mode: 0o777, target: "../srv/open" },
  "/srv/loop": { ...rights, kind: "link", mode: 0o777, target: "loop" },
  "/srv/owned": { ...rights, uid: 1000 },
  "/srv/group": { ...rights, gid: 100, mode: 0o775 },
  "/tmp": { ...rights, kind: "directory", mode: 0o1777 },
  "/tmp/root": rights,
  "/wide": { ...rights, kind: "directory", mode: 0o777 },
  "/wide/inner": { ...rights, kind: "directory" },
  "/wide/inner/x": rights,
};
const usual = memoryHost(FILES);
const host = { entry: (path: string) => ENTRIES[path] ?? usual.entry(path) };

const scripted = (command: string, globals = ""): string =>
  `vrrp_script chk {\nscript ${command}\n}\n${instanceText("track_script {\nchk\n}")}${globals}`;

const SECURE = "global_defs {\nenable_script_security\nscript_user root\n}\n";

describe("commands", () => {
  /** As keepalived splits them: measured with keepalived 2.2.7. */
  const SPLIT: readonly (readonly [string, readonly string[], findings?: readonly string[]])[] = [
    ["/bin/check", ["/bin/check"]],
    ['"killall -0 nginx"', ["/usr/bin/killall", "-0", "nginx"]],
    ["\"/bin/sh -c 'exit 0'\"", ["/bin/sh", "-c", "exit 0"]],
    ["\"/bin/check 'a b' c\\\\ d e'f'g h'i j'k\"", ["/bin/check", "a b", "c d", "efg", "hi jk"]],
    ["/bin/check one two", ["/bin/check"], ["2:19 extra-words"]],
    ["/tmp/root", ["/tmp/root"]],
  ];
  for (const [command, argv, findings = []] of SPLIT) {
    test(command, () => {
      const { config, diagnostics } = load(scripted(command), FILES, host);
      assert.deepEqual(brief(diagnostics), findings);
      assert.deepEqual(at(config, "trackers.0.run.command.argv"), argv);
    });
  }

  const REFUSED: readonly (readonly [string, reason: RegExp, hint: RegExp])[] = [
    ["/bin/nothing", /there is no \/bin\/nothing/, /path/],
    ["/nowhere/x", /there is no \/nowhere/, /path/],
    ["nothing", /no program "nothing" in \//, /whole path/],
    ["./check", /no absolute path/, /from \/ on/],
    ["/srv/plain", /not executable/, /chmod \+x \/srv\/plain/],
    ["/srv/folder", /is a directory/, /name a program/],
    ["/srv/loop", /ELOOP/, /path/],
    ['""', /empty/, /program/],
    ['"/bin/sh -c \'exit 0"', /quote/, /close/],
  ];
  for (const [command, reason, hint] of REFUSED) {
    test(`${command} is a failed tracker, and said`, () => {
      const { config, diagnostics } = load(scripted(command), FILES, host);
      assert.deepEqual(brief(diagnostics), ["2:8 program-refused"]);
      assert.match(diagnostics[0]?.message ?? "", reason);
      assert.match(diagnostics[0]?.message ?? "", /it counts as failed$/);
      assert.match(diagnostics[0]?.hint ?? "", hint);
      assert.equal(at(config, "trackers.0.run.kind"), "refused");
      assert.match(String(at(config, "trackers.0.run.reason")), reason);
    });
  }

  const EXPOSED: readonly (readonly [string, reason: RegExp, hint: RegExp])[] = [
    ["/srv/open", /everybody may write \/srv\/open/, /chmod go-w \/srv\/open/],
    ["/srv/link", /everybody may write \/srv\/open/, /chmod go-w \/srv\/open/],
    ["/srv/owned", /belongs to the user 1000/, /chown root \/srv\/owned/],
    ["/srv/group", /the group 100 may write/, /chmod go-w/],
    ["/wide/inner/x", /everybody may write \/wide/, /chmod go-w \/wide/],
  ];
  for (const [command, reason, hint] of EXPOSED) {
    test(`${command} as root: a warning, with enable_script_security refused`, () => {
      const open = load(scripted(command), FILES, host);
      assert.deepEqual(brief(open.diagnostics), ["2:8 program-exposed"]);
      assert.equal(at(open.config, "trackers.0.run.kind"), "command");
      const secure = load(scripted(command, SECURE), FILES, host);
      assert.deepEqual(brief(secure.diagnostics), ["2:8 program-refused"]);
      assert.match(secure.diagnostics[0]?.message ?? "", reason);
      assert.match(secure.diagnostics[0]?.hint ?? "", hint);
      assert.equal(at(secure.config, "trackers.0.run.kind"), "refused");
      const nobody = scripted(command, SECURE.replace("script_user root", "script_user nobody"));
      assert.deepEqual(brief(load(nobody, FILES, host).diagnostics), []);
    });
  }
});

describe("users of programs", () => {
  const runAs = (globals: string, more = {}) => {
    const { config, diagnostics } = load(scripted("/bin/check", globals), FILES, more);
    return [at(config, "trackers.0.run.command.runAs"), brief(diagnostics)];
  };
  const keepalived = {
    user: (name: string) =>
      name === "keepalived_script" ? { uid: 7, gid: 8, groups: [8] } : undefined,
  };

  test("keepalived_script where it exists, else the agent's own", () => {
    assert.deepEqual(runAs(""), [undefined, []]);
    assert.deepEqual(runAs("", keepalived), [{ uid: 7, gid: 8, groups: [] }, []]);
    // Who is not root cannot become another.
    assert.deepEqual(runAs("", { ...keepalived, uid: 5 }), [undefined, []]);
  });

  test("script_user, wherever it stands", () => {
    const nobody = { uid: 65_534, gid: 65_534, groups: [] };
    assert.deepEqual(runAs("global_defs {\nscript_user nobody\n}\n"), [nobody, []]);
    const [user, findings] = runAs("global_defs {\nscript_user ghost\n}\n");
    assert.deepEqual([user, findings], [undefined, ["2:8 program-refused"]]);
  });

  test("enable_script_security without a user runs nothing", () => {
    const secure = "global_defs {\nenable_script_security\n}\n";
    assert.deepEqual(runAs(secure), [undefined, ["2:8 program-refused"]]);
    assert.deepEqual(runAs(secure, keepalived), [{ uid: 7, gid: 8, groups: [] }, []]);
  });
});

describe("scripts that stop keepalived", () => {
  const STOPS = [
    "systemctl stop keepalived",
    "/usr/bin/systemctl --no-block stop keepalived.service",
    "service keepalived stop",
    "/etc/init.d/keepalived stop",
    "killall keepalived",
    "pkill -9 keepalived",
    "kill $(cat /run/keepalived.pid)",
    "kill `pidof keepalived`",
    "ps -ef | grep keepalived | awk '{print $2}' | xargs kill -9",
    "[ $A -eq 0 ] && systemctl stop keepalived",
  ];
  for (const line of STOPS) {
    test(line, () => {
      const text = `#!/bin/sh\n# systemctl stop keepalived\n  ${line}\n`;
      const { diagnostics, config } = load(scripted("/bin/s.sh"), { "/bin/s.sh": text });
      const [found] = diagnostics;
      assert.equal(found?.code, "script-stops-agent");
      assert.equal(found.position.file, "/bin/s.sh");
      assert.equal(found.position.line, 3);
      assert.match(found.message, /vrrp_script chk \(k\.conf:2\)/);
      assert.match(found.hint ?? "", /exit 1/);
      assert.equal(at(config, "trackers.0.run.kind"), "command");
    });
  }

  const HARMLESS = [
    "killall -0 keepalived",
    "kill -HUP $(cat /run/keepalived.pid)",
    "systemctl stop nginx # before keepalived notices",
    "systemctl status keepalived",
    "systemctl restart nginx; echo keepalived",
    "pgrep keepalived",
  ];
  test("others are left alone", () => {
    for (const line of HARMLESS) {
      const files = { "/bin/s.sh": `#!/bin/sh\n${line}\n` };
      assert.deepEqual(brief(load(scripted("/bin/s.sh"), files).diagnostics), [], line);
    }
  });

  test("also where a shell is named, and within the line", () => {
    const files = { "/bin/sh": "\x7fELF\0", "/x.sh": "killall keepalived\n" };
    assert.deepEqual(brief(load(scripted('"/bin/sh /x.sh"'), files).diagnostics), [
      "1:1 script-stops-agent",
    ]);
    const inline = load(scripted("\"/bin/sh -c 'killall keepalived'\""), files);
    assert.deepEqual(brief(inline.diagnostics), ["2:8 script-stops-agent"]);
  });

  test("one script of many instances is said once, and read once", () => {
    let reads = 0;
    const files = { "/bin/s.sh": "killall keepalived\n" };
    const more = {
      readProgram: (path: string) => {
        reads += 1;
        return memoryHost(files).readProgram(path);
      },
    };
    const many = Array.from({ length: 200 }, (_, i) =>
      instanceText(
        `notify /bin/s.sh\nvirtual_router_id ${i + 1}\nvirtual_ipaddress {\n10.0.0.${i}\n}`,
        `V${i}`,
      ),
    );
    const { diagnostics } = load(many.join(""), files, more);
    assert.deepEqual(brief(diagnostics), ["1:1 script-stops-agent"]);
    assert.equal(reads, 1);
  });
});
