import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Config, GlobalConfig } from "../../agent/config/config.ts";
import type { RunOptions } from "../../agent/config/run-options.ts";
import { noSettings } from "../../agent/config/settings.ts";
import type { LogLine } from "../../agent/runtime/log.ts";
import { StateStore } from "../../agent/runtime/state-store.ts";
import { Supervisor } from "../../agent/runtime/supervisor.ts";
import { DEFAULT_RUN_OPTIONS } from "./default-run-options.ts";
import { FakeLastWill } from "./fake-last-will.ts";
import { FakeProcesses } from "./fake-processes.ts";
import { config, instance } from "./fixtures.ts";
import { VirtualTime } from "./virtual-time.ts";

const ERROR = {
  code: "essential-value",
  severity: "error",
  position: { file: "/x.conf", line: 3, column: 7 },
  message: "a VRID is 1 to 255",
  text: "999",
  hint: "write 1 to 255",
} as const;

const SNAPSHOT = { name: "VI_1", state: "backup", faults: [], lastTransition: null };

const DIRECTOR = {
  checks: [],
  policies: [],
  notifications: { queued: 0, delivered: 0, dead: 0 },
  services: [],
  ipvs: null,
};

/** A supervisor in a world of fake processes, and all that a test may turn or look at. */
export function world(context: TestContext, change: Partial<RunOptions> = {}) {
  const time = new VirtualTime();
  const processes = new FakeProcesses();
  const lastWill = new FakeLastWill();
  const directory = mkdtempSync(join(tmpdir(), `hf-${process.pid}-`));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  const lines: LogLine[] = [];
  const notes: string[] = [];
  const prepared: GlobalConfig[] = [];
  const file: { config: Config | undefined } = { config: config([instance("VI_1")]) };
  processes.behaviours.config = (child, { kind }) => {
    if (kind !== "load") return;
    const diagnostics = file.config === undefined ? [ERROR] : [];
    child.say({ kind: "loaded", config: file.config, settings: noSettings("/none"), diagnostics });
    child.end(true);
  };
  processes.behaviours.director = (child, { kind, id }) => {
    if (kind === "ping") child.say({ kind: "pong", id });
    if (kind === "status") child.say({ kind: "director-status", id, status: DIRECTOR });
    if (kind === "stop") child.end(true);
  };
  processes.behaviours.vrrp = (child, { kind, id, generation }) => {
    const plan = { added: ["VI_1"], removed: [], replaced: [], kept: [] };
    if (kind === "ping") child.say({ kind: "pong", id });
    if (kind === "configure") child.say({ kind: "configured", generation, plan });
    if (kind === "snapshot") child.say({ kind: "snapshot", id, routers: [SNAPSHOT], groups: [] });
    if (kind === "stop") child.end(true);
  };
  const options: RunOptions = {
    ...DEFAULT_RUN_OPTIONS,
    policiesDirectory: undefined,
    configFile: "/x.conf",
    stateDirectory: directory,
    ...change,
  };
  const begin = (version = "0") => {
    const supervisor = new Supervisor(options, {
      start: processes.start,
      later: time.later,
      nowMs: () => time.nowMs,
      wallClock: time.clock.wallClock,
      pid: 1,
      version,
      nodeVersion: "22",
      log: { write: (line) => lines.push(line), flush: () => Promise.resolve() },
      notifier: { notify: (state) => notes.push(state), watchdogMs: undefined },
      state: new StateStore(directory, version),
      lastWill,
      pidDirectory: join(directory, "run"),
      prepare: (global) => prepared.push(global),
    });
    return { supervisor, ended: supervisor.run() };
  };
  const said = () => lines.map(({ level, message }) => `${level} ${message}`);
  return { time, processes, lastWill, directory, file, notes, prepared, begin, said };
}

export const configures = (received: readonly Record<string, unknown>[]) =>
  received.filter(({ kind }) => kind === "configure").map(({ generation }) => generation);
