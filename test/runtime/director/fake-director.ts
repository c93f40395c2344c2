import assert from "node:assert/strict";
import type { Config } from "../../../agent/config/config.ts";
import { noSettings } from "../../../agent/config/settings.ts";
import type { TrackerConfig } from "../../../agent/config/trackers.ts";
import type { ProgramOutcome, ProgramRequest, RunProgram } from "../../../agent/ports/programs.ts";
import type { ProcessEvent, ProcessTable, RunningProcess } from "../../../agent/ports/watches.ts";
import type { OpenPart } from "../../../agent/runtime/director/part.ts";
import type { TrackerPorts } from "../../../agent/runtime/director/trackers.ts";
import { DirectorProcess } from "../../../agent/runtime/director-process.ts";
import { directorSettings } from "../../../agent/runtime/director-settings.ts";
import type { FromDirector } from "../../../agent/runtime/ipc.ts";
import { DEFAULT_RUN_OPTIONS } from "../default-run-options.ts";
import { config, instance } from "../fixtures.ts";
import { VirtualTime } from "../virtual-time.ts";

/** A program that runs until a test says how it ended. */
export interface FakeRun {
  readonly request: ProgramRequest;
  readonly aborted: () => boolean;
  exit(status: number): void;
  end(outcome: Partial<ProgramOutcome> & Pick<ProgramOutcome, "kind">): void;
}

/** Programs, files and processes of a machine that a test plays. */
export class FakeMachine {
  readonly time = new VirtualTime();
  readonly runs: FakeRun[] = [];
  readonly #files = new Map<
    string,
    { content: string | undefined; tell: (() => void) | undefined }
  >();
  readonly #processes = new Map<number, RunningProcess>();
  readonly #listeners = new Set<(event: ProcessEvent) => void>();

  readonly run: RunProgram = (request, signal) =>
    new Promise((resolve) => {
      const end: FakeRun["end"] = (outcome) =>
        resolve({ ms: 1, stdout: "", stderr: "", ...outcome } as ProgramOutcome);
      const aborted = () => signal?.aborted === true;
      this.runs.push({ request, aborted, exit: (status) => end({ kind: "exited", status }), end });
    });

  get ports(): TrackerPorts {
    return {
      clock: this.time.clock,
      openTimer: this.time.openTimer,
      run: this.run,
      watchFile: (path, changed) => {
        const file = this.#files.get(path) ?? { content: undefined, tell: undefined };
        file.tell = () => changed(file.content);
        this.#files.set(path, file);
        file.tell();
        return {
          close: () => {
            file.tell = undefined;
          },
        };
      },
      openProcesses: () => this.#table(),
    };
  }

  /** The last one that was started. */
  get lastRun(): FakeRun {
    const run = this.runs.at(-1);
    assert.ok(run !== undefined, "no program was started");
    return run;
  }

  write(path: string, content: string | undefined): void {
    const file = this.#files.get(path);
    if (file === undefined) {
      this.#files.set(path, { content, tell: undefined });
      return;
    }
    file.content = content;
    file.tell?.();
  }

  watched(path: string): boolean {
    return this.#files.get(path)?.tell !== undefined;
  }

  begin(pid: number, ...commandLine: readonly string[]): void {
    const process = { pid, comm: (commandLine[0] ?? "").slice(0, 15), commandLine };
    this.#processes.set(pid, process);
    this.#tell({ kind: "started", process });
  }

  end(pid: number): void {
    this.#processes.delete(pid);
    this.#tell({ kind: "ended", pid });
  }

  /** Processes came and went unseen. */
  lose(...pids: readonly number[]): void {
    for (const pid of pids) this.#processes.delete(pid);
    this.#tell({ kind: "resynchronized" });
  }

  #table(): ProcessTable {
    return {
      source: "connector",
      running: () => this.#processes.values(),
      subscribe: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      close: () => this.#listeners.clear(),
    };
  }

  #tell(event: ProcessEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** A director process whose supervisor a test plays. */
export function director(machine: FakeMachine, parts: readonly OpenPart[]) {
  const said: FromDirector[] = [];
  const exits: number[] = [];
  let hear: (message: unknown) => void = () => assert.fail();
  let lose: () => void = () => assert.fail();
  const channel = {
    send: (message: unknown) => said.push(JSON.parse(JSON.stringify(message))),
    listen: (message: (message: unknown) => void, lost: () => void) => {
      hear = message;
      lose = lost;
    },
  };
  new DirectorProcess(channel, {
    prepare: () => [],
    parts: () => parts,
    run: machine.run,
    exit: (status) => exits.push(status),
  });
  const of = <Kind extends FromDirector["kind"]>(kind: Kind) =>
    said.filter((one): one is Extract<FromDirector, { readonly kind: Kind }> => one.kind === kind);
  return { said, exits, of, tell: (message: unknown) => hear(message), lose: () => lose() };
}

/** What a director is told of these trackers. */
export function settingsOf(
  trackers: readonly TrackerConfig[],
  change: Parameters<typeof config>[1] = {},
) {
  const whole: Config = config([instance("V")], { trackers, ...change });
  const accepted = { config: whole, settings: noSettings("/none") };
  return directorSettings(accepted, DEFAULT_RUN_OPTIONS);
}
