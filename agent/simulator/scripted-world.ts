import type { InterfaceView, Json } from "../../sdk/index.ts";
import type { Plugin } from "../../sdk/plugin.ts";
import { CallError } from "../../sdk/plugin.ts";
import type { World } from "../../sdk/testing.ts";
import type { Micros } from "../core/time.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** What comes of a call. */
export type Answer =
  | { readonly kind: "value"; readonly value: (args: readonly Json[]) => Json }
  | { readonly kind: "failure"; readonly code: string }
  | { readonly kind: "none" };

interface ScriptedAnswer {
  readonly plugin: string;
  /** `*` stands for any text. */
  readonly target: string;
  /** Of what the call says besides; `undefined`: whatever it says. */
  readonly detail: string | undefined;
  readonly answer: Answer;
  readonly delay: Micros;
}

/** The part of a world that policies reach by calls: what it answers, and what it was asked in vain. */
export class ScriptedWorld {
  readonly files: Map<string, string | undefined>;
  readonly interfaces = new Map<string, InterfaceView | undefined>();
  readonly kv: Map<string, Json>;
  /** What calls failed with because it was scripted so. */
  readonly failures = new Set<string>();
  readonly #clock: VirtualClock;
  readonly #answers: ScriptedAnswer[] = [];
  readonly #processes: Map<string, number>;
  readonly #watchers = new Set<() => void>();
  readonly #mistake: (message: string) => void;

  /** @param mistake hears of calls that nothing was scripted for, or that are not permitted */
  constructor(world: World, clock: VirtualClock, mistake: (message: string) => void) {
    this.#clock = clock;
    this.#mistake = mistake;
    this.files = new Map(Object.entries(world.files ?? {}));
    this.kv = new Map(Object.entries(world.kv ?? {}));
    this.#processes = new Map(Object.entries(world.processes ?? {}));
  }

  script(scripted: ScriptedAnswer): void {
    const { plugin, target, detail } = scripted;
    const known = this.#answers.findIndex(
      (each) => each.plugin === plugin && each.target === target && each.detail === detail,
    );
    if (known >= 0) this.#answers.splice(known, 1);
    this.#answers.push(scripted);
  }

  /** Names of the methods of an operator's plugin that were scripted. */
  methodsOf(plugin: string): readonly string[] {
    return this.#answers.filter((each) => each.plugin === plugin).map(({ target }) => target);
  }

  count(process: string): number {
    return this.#processes.get(process) ?? 0;
  }

  setCount(process: string, count: number): void {
    this.#processes.set(process, count);
    for (const changed of this.#watchers) changed();
  }

  watchCounts(changed: () => void): { close(): void } {
    this.#watchers.add(changed);
    return { close: () => this.#watchers.delete(changed) };
  }

  /** What was scripted for a call, when its time comes. Rejects with a CallError. */
  answer(call: AskedCall): Promise<Json> {
    const { plugin, target, detail } = call;
    const found = this.#answers.findLast(
      (each) =>
        each.plugin === plugin.name &&
        (each.detail === undefined || each.detail === detail) &&
        fits(each.target, target),
    );
    if (found === undefined) return Promise.reject(this.unscripted(call));
    return new Promise((resolve, reject) => {
      const { answer, delay } = found;
      const come = (): void => {
        if (answer.kind === "value") resolve(answer.value(call.args));
        else if (answer.kind === "failure") reject(this.failure(call, answer.code));
      };
      if (delay === 0) come();
      else this.#clock.later(delay, come);
    });
  }

  failure({ operation, target }: AskedCall, code: string): CallError {
    const message = `${operation} ${target}: ${code}`;
    this.failures.add(message);
    return new CallError(code, message);
  }

  unscripted({ operation, target, hint }: AskedCall): CallError {
    const message = `${operation} ${target}: nothing is scripted for it; write sim.${hint}`;
    this.#mistake(message);
    return new CallError("unscripted", message);
  }

  forbidden({ operation, target }: Pick<AskedCall, "operation" | "target">): CallError {
    const message = `${operation} ${target}: it is not permitted`;
    this.#mistake(message);
    return new CallError("permission", message);
  }
}

/** A call of the policy. */
export interface AskedCall {
  readonly plugin: Pick<Plugin, "name">;
  /** `http.get`. */
  readonly operation: string;
  /** Whom it is for: a URL, a path, a name. */
  readonly target: string;
  readonly detail: string | undefined;
  readonly args: readonly Json[];
  /** How to script it: `http("http://127.0.0.1/").replies(200)`. */
  readonly hint: string;
}

/** Whether a pattern, in which `*` stands for any text, is this text. */
function fits(pattern: string, text: string): boolean {
  if (pattern === text) return true;
  if (!pattern.includes("*")) return false;
  const parts = pattern.split("*").map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(text);
}
