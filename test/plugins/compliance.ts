import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Json } from "../../sdk/index.ts";
import type { OpenPlugin, Plugin, PluginHost } from "../../sdk/plugin.ts";
import { CallError } from "../../sdk/plugin.ts";

/** One call, with the permission that it is made under. */
export interface SampleCall {
  readonly method: string;
  readonly args: readonly Json[];
  readonly permission: Json;
  /** Positions of arguments that may be of any JSON kind, as the value of `kv.set`. */
  readonly anyKind?: readonly number[];
  /** Positions where `null` stands for nothing, as the sandbox writes what is `undefined`. */
  readonly optional?: readonly number[];
}

/** What the suite needs to know of a plugin. */
export interface Subject {
  readonly plugin: Plugin;
  /** The plugin's block in holdfast.conf. */
  readonly options?: Json;
  readonly goodPermissions: readonly Json[];
  readonly badPermissions: readonly Json[];
  /** Pairs of which the first asks for less than the second grants. */
  readonly narrower: readonly (readonly [narrow: Json, wide: Json])[];
  /** Calls that are answered; also the base of bad ones: each argument is replaced in turn. */
  readonly answered: readonly SampleCall[];
  /** Calls outside of their permission. */
  readonly forbidden: readonly SampleCall[];
  /** Calls with arguments of the right kind that are wrong all the same. */
  readonly wrong?: readonly SampleCall[];
  /** Calls that nobody ever answers: for the end of the time, of the policy and of the plugin. */
  readonly unanswered?: readonly SampleCall[];
  readonly dispose?: () => void | Promise<void>;
}

/** No CallError may show it. */
const SECRET = "correct-horse-battery-staple";
/** What an answer may have as JSON. */
const ANSWER_LIMIT = 524_288;
/** How late a call may settle, on a machine with other work; one that minds nothing takes longer still. */
const SLACK_MS = 2_000;
const SHORT_MS = 40;

const KINDS: Readonly<Record<string, Json>> = {
  null: null,
  boolean: true,
  number: -1.5,
  string: "\u0000\ud800'\"; ../../%00",
  list: [[[]], {}],
  object: JSON.parse('{"__proto__":{"x":1},"constructor":[],"":null,"toString":"no"}') as Json,
};

const kindOf = (value: Json): string =>
  value === null
    ? "null"
    : Array.isArray(value)
      ? "list"
      : typeof value === "object"
        ? "object"
        : typeof value;

/** A host whose secret is never to be seen, and whose log is kept. */
export function hostFor(options: Json = null): PluginHost & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    options,
    lines,
    wallClock: () => Date.now(),
    log: (level, message) => lines.push(`${level}: ${message}`),
    secret: (text) => text.replaceAll(/\$\{secret:[^}]*\}/g, SECRET),
  };
}

/** Makes one call; everything but the sample has a default. */
export function callOn(
  open: OpenPlugin,
  sample: SampleCall,
  { timeoutMs = 5_000, signal = new AbortController().signal } = {},
): Promise<Json> {
  return open.call(sample.method, sample.args, {
    policy: "sample",
    permission: sample.permission,
    signal,
    timeoutMs,
  });
}

/** Waits for the rejection, which must be a CallError fit for a policy's eyes, and answers it. */
export async function failureOf(call: Promise<Json>, about = ""): Promise<CallError> {
  const outcome = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  assert.ok("error" in outcome, `${about} was answered: ${JSON.stringify(outcome).slice(0, 200)}`);
  const { error } = outcome;
  assert.ok(error instanceof CallError, `${about} rejects with ${String(error)}, no CallError`);
  assert.match(error.code, /^[A-Za-z][A-Za-z0-9_-]{0,63}$/, about);
  assert.ok(error.message.length > 0 && error.message.length <= 500, `${about}: ${error.message}`);
  assert.doesNotMatch(error.message, /\n|\bat .*:\d+:\d+|node:internal|\.ts\b/, about);
  assert.ok(!error.message.includes(SECRET), `${about} shows a secret`);
  return error;
}

const show = ({ method, args }: SampleCall): string =>
  `${method}(${JSON.stringify(args).slice(1, 120)}`;

async function assertCode(open: OpenPlugin, sample: SampleCall, code: string): Promise<void> {
  const error = await failureOf(callOn(open, sample), show(sample));
  assert.equal(error.code, code, `${show(sample)}: ${error.message}`);
}

function* replaced(sample: SampleCall, at: number): Generator<SampleCall> {
  const given = sample.args[at] ?? null;
  const put = (value: Json): SampleCall => ({ ...sample, args: sample.args.with(at, value) });
  const mayBeAbsent = kindOf(given) === "object" || sample.optional?.includes(at) === true;
  for (const [kind, value] of Object.entries(KINDS)) {
    const good = kind === "null" ? mayBeAbsent : kind === kindOf(given) && kind !== "object";
    if (!good) yield put(value);
  }
  if (kindOf(given) === "object") yield* badOptions(given as OptionsGiven, put);
}

type OptionsGiven = Readonly<Record<string, Json>>;

function* badOptions(given: OptionsGiven, put: (value: Json) => SampleCall): Generator<SampleCall> {
  for (const [key, old] of Object.entries(given)) {
    for (const [kind, value] of Object.entries(KINDS)) {
      if (kind !== kindOf(old)) yield put({ ...given, [key]: value });
    }
  }
  yield put({ ...given, unknownOption: 1 });
}

function* badCalls(sample: SampleCall): Generator<SampleCall> {
  for (const at of sample.args.keys()) {
    if (!sample.anyKind?.includes(at)) yield* replaced(sample, at);
  }
  if (sample.args.length > 0) yield { ...sample, args: [] };
  yield { ...sample, args: [...sample.args, ...Array<Json>(8).fill("more")] };
}

function testPermissions(subject: () => Subject): void {
  test("says what is wrong with a permission, in one line", () => {
    const { plugin, goodPermissions, badPermissions } = subject();
    for (const permission of goodPermissions) {
      assert.equal(plugin.checkPermission(permission), undefined, JSON.stringify(permission));
    }
    for (const permission of badPermissions) {
      const finding = plugin.checkPermission(permission);
      assert.match(finding ?? "", /^[^\n]{5,300}$/, JSON.stringify(permission).slice(0, 200));
    }
    for (const value of Object.values(KINDS)) {
      for (const permission of [value, [value], { a: value }, { a: [value] }]) {
        plugin.checkPermission(permission);
        plugin.missing(permission, permission);
      }
    }
  });

  test("misses what a grant does not cover, as words of a grant line", () => {
    const { plugin, goodPermissions, narrower } = subject();
    for (const permission of goodPermissions) {
      assert.deepEqual(plugin.missing(permission, permission), []);
    }
    for (const [narrow, wide] of narrower) {
      const about = `${JSON.stringify(narrow)} under ${JSON.stringify(wide)}`;
      assert.deepEqual(plugin.missing(narrow, wide), [], about);
      const words = plugin.missing(wide, narrow);
      assert.ok(words.length > 0, about);
      for (const line of words) {
        assert.match(line, /^[^\n]+$/);
        assert.ok(line.startsWith(`${plugin.permission} `), `${line} begins with its keyword`);
      }
    }
  });
}

function testCalls(subject: () => Subject, open: () => OpenPlugin): void {
  test("answers in plain JSON of a limited size", async () => {
    for (const sample of subject().answered) {
      const answer = await callOn(open(), sample);
      const text = JSON.stringify(answer);
      assert.ok(text !== undefined, `${show(sample)} answers undefined`);
      assert.ok(text.length <= ANSWER_LIMIT, `${show(sample)} answers ${text.length} characters`);
      assert.deepEqual(JSON.parse(text), answer, show(sample));
    }
  });

  test("refuses arguments of a wrong kind", async () => {
    for (const sample of subject().answered) {
      for (const bad of badCalls(sample)) await assertCode(open(), bad, "argument");
    }
    for (const sample of subject().wrong ?? []) await assertCode(open(), sample, "argument");
  });

  test("refuses methods that it does not have", async () => {
    for (const method of ["", "nope", "constructor", "__proto__", "toString"]) {
      if (subject().plugin.methods.includes(method)) continue;
      await failureOf(callOn(open(), { method, args: [], permission: [] }), method);
    }
  });

  test("refuses what lies outside of the permission", async () => {
    for (const sample of subject().forbidden) await assertCode(open(), sample, "permission");
  });
}

function testEnds(subject: () => Subject, open: () => OpenPlugin): void {
  const settlesSoon = async (
    sample: SampleCall,
    begun: number,
    code: string,
    of: Promise<Json>,
  ) => {
    const error = await failureOf(of, show(sample));
    const ms = performance.now() - begun;
    assert.equal(error.code, code, show(sample));
    assert.ok(ms <= SHORT_MS + SLACK_MS, `${show(sample)} took ${ms} ms`);
  };

  test("settles within its time", async () => {
    const begun = performance.now();
    const timed = (subject().unanswered ?? []).map((sample) =>
      settlesSoon(sample, begun, "timeout", callOn(open(), sample, { timeoutMs: SHORT_MS })),
    );
    await Promise.all(timed);
  });

  test("settles when the policy is gone", async () => {
    const gone = new AbortController();
    const begun = performance.now();
    const given = (subject().unanswered ?? []).map((sample) =>
      settlesSoon(sample, begun, "aborted", callOn(open(), sample, { signal: gone.signal })),
    );
    setTimeout(() => gone.abort(), SHORT_MS / 2);
    await Promise.all(given);
    for (const sample of [...subject().answered, ...(subject().unanswered ?? [])]) {
      const error = await failureOf(callOn(open(), sample, { signal: AbortSignal.abort() }));
      assert.equal(error.code, "aborted", show(sample));
    }
  });

  test("lets go of everything when it is closed, also twice", async () => {
    const { plugin, options, answered, unanswered = [] } = subject();
    const closing = await plugin.open(hostFor(options));
    const waiting = unanswered.map((sample) => failureOf(callOn(closing, sample), show(sample)));
    const closed = closing.close();
    for (const error of await Promise.all(waiting)) assert.equal(error.code, "closed");
    await closed;
    await closing.close();
    for (const sample of answered) await assertCode(closing, sample, "closed");
  });
}

/**
 * Holds a plugin to the contract in sdk/plugin.ts. `setUp` runs once, before the tests, and may start
 * servers; what it made is disposed of afterwards.
 *
 * @example
 * testCompliance("kv", () => ({ plugin: kvPlugin(store), goodPermissions: [null], … }));
 */
export function testCompliance(name: string, setUp: () => Subject | Promise<Subject>): void {
  describe(`${name} keeps the contract of plugins`, () => {
    let made: Subject | undefined;
    let opened: OpenPlugin | undefined;
    const subject = (): Subject => made ?? assert.fail("the set-up failed");
    const open = (): OpenPlugin => opened ?? assert.fail("it was not opened");

    before(async () => {
      made = await setUp();
      opened = await made.plugin.open(hostFor(made.options));
    });
    after(async () => {
      await opened?.close();
      await made?.dispose?.();
    });

    testPermissions(subject);
    testCalls(subject, open);
    testEnds(subject, open);
  });
}
