import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunProgram } from "../../agent/ports/programs.ts";
import { execPlugin } from "../../plugins/exec/exec-plugin.ts";
import { filePlugin } from "../../plugins/file/file-plugin.ts";
import { interfacePlugin } from "../../plugins/interface/interface-plugin.ts";
import { kvPlugin } from "../../plugins/kv/kv-plugin.ts";
import { processPlugin } from "../../plugins/process/process-plugin.ts";
import { testCompliance } from "./compliance.ts";
import { ScriptedProcesses } from "./scripted-processes.ts";

/** Ends at once, but /bin/sleep never does. */
const scripted: RunProgram = ({ argv }, signal) =>
  new Promise((resolve) => {
    const done = { ms: 1, stdout: "done\n", stderr: "" };
    if (argv[0] !== "/bin/sleep") resolve({ ...done, kind: "exited", status: 0 });
    signal?.addEventListener("abort", () => resolve({ ...done, kind: "aborted" }));
  });

testCompliance("exec", () => {
  const permission = { yes: ["/bin/true"], wait: ["/bin/sleep", "9"] };
  return {
    plugin: execPlugin({ runProgram: scripted, user: () => undefined, privileged: false }),
    goodPermissions: [{}, permission, { "a-b.c": ["/bin/echo", "two words", ""] }],
    badPermissions: [
      [],
      "x",
      null,
      { a: "/bin/true" },
      { a: [] },
      { a: ["true"] },
      { a: ["/bin/echo", 1] },
      { "": ["/bin/true"] },
      { "a b": ["/bin/true"] },
      { a: ["/bin/echo", "a\u0000"] },
    ],
    narrower: [
      [{ yes: ["/bin/true"] }, permission],
      [{}, permission],
      [{}, { toString: ["/bin/true"] }],
    ],
    answered: [{ method: "run", args: ["yes", { timeout: "1s" }], permission }],
    forbidden: [
      { method: "run", args: ["no"], permission },
      { method: "run", args: ["toString"], permission },
      { method: "run", args: ["yes"], permission: null },
    ],
    wrong: [{ method: "run", args: ["yes", { timeout: "soon" }], permission }],
    unanswered: [{ method: "run", args: ["wait"], permission }],
  };
});

testCompliance("file", () => {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-file-"));
  const path = join(directory, "f.txt");
  writeFileSync(path, "text");
  const permission = [`${directory}/*.txt`, "/proc/loadavg"];
  return {
    plugin: filePlugin(),
    goodPermissions: [permission, [], ["/a/**/b", "/*"]],
    badPermissions: ["/x", null, { a: "/x" }, ["x"], ["/a/../b"], ["/a//b"], ["/"], [1], ["/a/"]],
    narrower: [
      [["/run/*.pid"], ["/run/*"]],
      [["/run/a/b.pid"], ["/run/**"]],
      [["/run/**/x"], ["/**"]],
      [["/run/*"], ["/run/**"]],
      [[], permission],
    ],
    answered: [
      { method: "readText", args: [path], permission },
      { method: "readText", args: ["/proc/loadavg"], permission },
      { method: "exists", args: [`${directory}/none.txt`], permission },
    ],
    forbidden: [
      { method: "readText", args: ["/etc/passwd"], permission },
      { method: "exists", args: ["/etc/passwd"], permission },
      { method: "exists", args: ["/no/such/thing"], permission },
      { method: "readText", args: [path], permission: null },
    ],
    wrong: [
      { method: "readText", args: ["loadavg"], permission },
      { method: "readText", args: [`${directory}/../f.txt`], permission },
      { method: "readText", args: ["/proc/./loadavg"], permission },
      { method: "readText", args: ["/"], permission },
    ],
    dispose: () => rmSync(directory, { recursive: true }),
  };
});

testCompliance("kv", () => {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-kv-"));
  return {
    plugin: kvPlugin(join(directory, "kv")),
    goodPermissions: [null],
    badPermissions: [[], "all", true],
    narrower: [],
    answered: [
      { method: "set", args: ["__proto__", { a: [1, null] }], permission: null, anyKind: [1] },
      { method: "get", args: ["__proto__"], permission: null },
      { method: "delete", args: ["gone"], permission: null },
    ],
    forbidden: [],
    wrong: [
      { method: "get", args: [""], permission: null },
      { method: "get", args: ["x".repeat(257)], permission: null },
    ],
    dispose: () => rmSync(directory, { recursive: true }),
  };
});

testCompliance("interface", () => {
  const reading = { up: true, carrier: true, mtu: 1_500, addresses: ["10.0.0.1"] };
  const counters = { receivedBytes: 1, sentBytes: 2, errors: 0 };
  return {
    plugin: interfacePlugin((name) => (name === "eth0" ? { ...reading, ...counters } : undefined)),
    goodPermissions: [["eth0", "bond0.100"], ["eth*"], []],
    badPermissions: [null, "eth0", ["a/b"], [""], ["sixteen-letters-"], [1], {}],
    narrower: [[["eth0"], ["eth*"]]],
    answered: [{ method: "get", args: ["eth0"], permission: ["eth*"] }],
    forbidden: [
      { method: "get", args: ["eth1"], permission: ["eth0"] },
      { method: "get", args: ["../eth0"], permission: ["eth0"] },
    ],
  };
});

testCompliance("process", () => ({
  plugin: processPlugin(() => new ScriptedProcesses()),
  goodPermissions: [["nginx", "a-very-long-name-of-a-program"]],
  badPermissions: [null, "nginx", ["/usr/sbin/nginx"], [""], [{}]],
  narrower: [[["nginx"], ["nginx", "sh"]]],
  answered: [],
  forbidden: [],
}));
