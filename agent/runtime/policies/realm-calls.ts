import type { Json } from "../../../sdk/index.ts";
import { CallError } from "../../../sdk/plugin.ts";
import type { Instant } from "../../core/time.ts";
import { after, micros, milliseconds, since, sooner } from "../../core/time.ts";
import { parseDuration } from "../../policy/duration.ts";
import type { Clock } from "../../ports/clock.ts";
import type { RealmCall } from "../../sandbox/sandbox.ts";
import { LIMITS } from "../../sandbox/sandbox.ts";
import type { Schedule, Slot } from "../schedule.ts";
import type { Capabilities } from "./capabilities.ts";
import { permissionRefusal, unknownOperation } from "./refusal.ts";

/** What a call may take that says nothing else. */
const DEFAULT_TIMEOUT = milliseconds(5_000);
/** A plugin that keeps the time itself has better words for what was not done. */
const GRACE = milliseconds(50);

/** Who makes the calls, and what they need. */
export interface Caller {
  readonly policy: string;
  readonly permissions: Readonly<Record<string, Json>>;
  readonly settingsFile: string;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly capabilities: Capabilities;
  readonly settle: (call: number, ok: boolean, text: string) => void;
}

interface Call {
  readonly entry: string | undefined;
  readonly abort: AbortController;
  readonly slot: Slot;
}

/** The calls of one realm that are under way. */
export class RealmCalls {
  readonly #caller: Caller;
  readonly #calls = new Map<number, Call>();
  /** Messages of the last calls that failed: what a run throws may be one of them. */
  readonly #failures = new Set<string>();

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** Carries a call out, which may last until `latest`. */
  begin({ call, operation, entry, arguments: text }: RealmCall, latest: Instant): void {
    const { clock, schedule } = this.#caller;
    if (this.#calls.has(call)) return;
    const args = parseArguments(text);
    const now = clock.now();
    const left = since(now, latest);
    const timeout = micros(Math.max(1, Math.min(left, optionOf(args) ?? DEFAULT_TIMEOUT)));
    const abort = new AbortController();
    const over = (): void => {
      const error = new CallError("timeout", `${operation}: not done in ${timeout / 1_000} ms`);
      abort.abort(new DOMException("the time is over", "TimeoutError"));
      this.#fail(call, error);
    };
    const slot = schedule.slot(over);
    const key = entry === undefined ? undefined : entryKey(entry);
    this.#calls.set(call, { entry: key, abort, slot });
    if (operation === "clock.sleep") {
      this.#sleep(call, args, latest);
      return;
    }
    slot.set(after(now, micros(timeout + GRACE)));
    void this.#carryOut(operation, args, abort.signal, timeout).then(
      (value) => this.#succeed(call, value),
      (error) => this.#fail(call, asCallError(error)),
    );
  }

  /** Gives up what one run, or any run, still waits for. */
  abandon(entry?: { readonly kind: string; readonly name: string }): void {
    const key = entry === undefined ? undefined : entryKey(entry);
    for (const [id, call] of [...this.#calls]) {
      if (key !== undefined && call.entry !== key) continue;
      this.#calls.delete(id);
      call.slot.set(undefined);
      call.abort.abort(new CallError("aborted", "the run was given up"));
    }
  }

  /** Whether a run waits for a call. */
  waits({ kind, name }: { readonly kind: string; readonly name: string }): boolean {
    const key = entryKey({ kind, name });
    return [...this.#calls.values()].some((call) => call.entry === key);
  }

  /** Whether what was thrown is the failure of a call: the world is at fault, not the policy. */
  caused(message: string): boolean {
    return [...this.#failures].some((failure) => message.includes(failure));
  }

  #sleep(call: number, args: readonly Json[], latest: Instant): void {
    const { clock, schedule } = this.#caller;
    const time = parseDuration(args[0]);
    const known = this.#calls.get(call);
    if (time === undefined || known === undefined) {
      this.#fail(call, new CallError("argument", 'sleep: write a time such as "500ms"'));
      return;
    }
    const wakeAt = after(clock.now(), time);
    const slot = schedule.slot(() => {
      if (wakeAt <= latest) this.#succeed(call, null);
      else this.#fail(call, new CallError("timeout", "sleep: longer than the run may take"));
    });
    slot.set(sooner(wakeAt, latest));
    this.#calls.set(call, { ...known, slot });
  }

  async #carryOut(
    operation: string,
    args: readonly Json[],
    signal: AbortSignal,
    timeout: number,
  ): Promise<Json> {
    const { capabilities, policy, permissions, settingsFile } = this.#caller;
    const route = capabilities.route(operation, permissions);
    if (route === undefined) throw unknownOperation(operation);
    const { permission, permissionName, method } = route;
    if (permission === undefined) {
      const why = `${operation}: ${permissionName} is not permitted`;
      throw permissionRefusal(policy, permissionName, settingsFile, why);
    }
    try {
      const plugin = await route.opened();
      const timeoutMs = Math.max(1, Math.floor(timeout / 1_000));
      return await plugin.call(method, args, { policy, permission, signal, timeoutMs });
    } catch (error) {
      const known = asCallError(error);
      if (known.code !== "permission") throw known;
      throw permissionRefusal(policy, permissionName, settingsFile, known.message);
    }
  }

  #succeed(call: number, value: Json): void {
    const text = JSON.stringify(value ?? null);
    if (Buffer.byteLength(text) > LIMITS.answerBytes) {
      const most = LIMITS.answerBytes / 1_024;
      this.#fail(call, new CallError("too-large", `the answer has more than ${most} KiB`));
    } else if (this.#end(call)) this.#caller.settle(call, true, text);
  }

  #fail(call: number, { code, message }: CallError): void {
    if (!this.#end(call)) return;
    // What was refused for want of a permission is the policy's own fault.
    if (code !== "permission" && code !== "argument" && code !== "unknown") {
      if (this.#failures.size >= FAILURES_KEPT) this.#failures.clear();
      this.#failures.add(message);
    }
    this.#caller.settle(call, false, JSON.stringify({ code, message }));
  }

  #end(call: number): boolean {
    const known = this.#calls.get(call);
    if (known === undefined) return false;
    this.#calls.delete(call);
    known.slot.set(undefined);
    return true;
  }
}

const FAILURES_KEPT = 32;

/** `check alive`: what runs, as calls and their ends name it. */
export const entryKey = ({
  kind,
  name,
}: {
  readonly kind: string;
  readonly name: string;
}): string => `${kind} ${name}`;

const asCallError = (error: unknown): CallError =>
  isCallError(error) ? error : new CallError("internal", "an error in the plugin");

/** By its name: a plugin of an operator's own has another copy of the class, or none. */
const isCallError = (error: unknown): error is CallError =>
  error instanceof Error &&
  error.name === "CallError" &&
  "code" in error &&
  typeof error.code === "string";

function parseArguments(text: string): readonly Json[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? (value as readonly Json[]) : [];
  } catch {
    return [];
  }
}

/** The option `timeout`, which stands in the last argument. */
function optionOf(args: readonly Json[]): number | undefined {
  const last = args.at(-1);
  if (typeof last !== "object" || last === null || !("timeout" in last)) return undefined;
  return parseDuration(last["timeout"]);
}
