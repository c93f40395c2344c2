import type { Config } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { Settings } from "../config/settings.ts";
import { DEFAULT_SETTINGS_FILE, noSettings } from "../config/settings.ts";
import type { Status } from "../control/protocol.ts";
import type { ReadableConfig } from "./config-source.ts";
import type { StateStore } from "./state-store.ts";

const DEFAULT_CHILD_WAIT_MS = 5_000;

/** A configuration that runs. */
export interface AcceptedConfig {
  readonly generation: number;
  readonly config: Config;
  /** Not kept on disk: it may refer to secrets. */
  readonly settings: Settings;
  readonly warnings: number;
  /** Wall-clock milliseconds. */
  readonly at: number;
}

/** The configuration that was accepted last, and what was refused since. */
export class Accepted {
  readonly #file: string;
  readonly #state: StateStore;
  #current: AcceptedConfig | undefined;
  #refused: readonly Diagnostic[] = [];

  constructor(file: string, state: StateStore) {
    this.#file = file;
    this.#state = state;
  }

  get current(): AcceptedConfig | undefined {
    return this.#current;
  }

  get generation(): number {
    return this.#current?.generation ?? 0;
  }

  get childWaitMs(): number {
    const wait = this.#current?.config.global.childWaitTime;
    return wait === undefined ? DEFAULT_CHILD_WAIT_MS : wait / 1_000;
  }

  /** Answers why it could not be kept on disk, or `undefined`; not asked to for the first one. */
  accept({ config, settings, diagnostics }: ReadableConfig, at: number): string | undefined {
    const first = this.#current === undefined;
    const warnings = diagnostics.filter(({ severity }) => severity === "warning").length;
    this.#current = { generation: this.generation + 1, config, settings, warnings, at };
    this.#refused = [];
    return first ? undefined : this.save();
  }

  refuse(diagnostics: readonly Diagnostic[]): void {
    this.#refused = diagnostics;
  }

  /** Falls back on what an earlier run accepted and did not put away. */
  recover(diagnostics: readonly Diagnostic[], at: number): boolean {
    const config = this.#state.load(this.#file);
    if (config === undefined) return false;
    // Nothing is granted then: policies wait for a file that can be read.
    const settings = noSettings(DEFAULT_SETTINGS_FILE);
    this.#current = { generation: 1, config, settings, warnings: 0, at };
    this.#refused = diagnostics;
    return true;
  }

  /** Answers why it could not be kept, or `undefined`. */
  save(): string | undefined {
    const current = this.#current;
    return current === undefined ? undefined : this.#state.save(this.#file, current.config);
  }

  status(): Status["configuration"] {
    return {
      file: this.#file,
      generation: this.generation,
      loadedAt: this.#current?.at ?? 0,
      refused: this.#refused,
      warnings: this.#current?.warnings ?? 0,
    };
  }
}
