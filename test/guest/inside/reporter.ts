import type { TestEvent } from "node:test/reporters";
import { inspect } from "node:util";
import type { GuestResult } from "../guest-result.ts";
import { sourceName } from "./source-name.ts";

// Writes a line of JSON for each test of this process that ended.

const trail: string[] = [];

/** The suites around a test and its own name, the file's name first. */
const titleOf = (nesting: number, name: string): string =>
  [sourceName(process.argv[1] ?? "?"), ...trail.slice(0, nesting), name].join(" › ");

function resultOf(event: TestEvent): GuestResult | undefined {
  if (event.type === "test:start") {
    trail.length = event.data.nesting;
    trail.push(event.data.name);
  } else if (event.type === "test:pass") {
    const { nesting, name, skip, todo, details } = event.data;
    if (details.type === "suite") return undefined;
    const left = skip ?? todo;
    const skipped = left === undefined ? undefined : String(left);
    return { title: titleOf(nesting, name), skipped, failure: undefined };
  } else if (event.type === "test:fail") {
    const { nesting, name, details } = event.data;
    const { error } = details;
    if ("failureType" in error && error.failureType === "subtestsFailed") return undefined;
    const cause: unknown = error.cause ?? error;
    const failure = typeof cause === "string" ? cause : inspect(cause);
    return { title: titleOf(nesting, name), skipped: undefined, failure };
  }
  return undefined;
}

async function* linesOf(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    const result = resultOf(event);
    if (result !== undefined) yield `${JSON.stringify(result)}\n`;
  }
}

// biome-ignore lint/style/noDefaultExport: how node:test finds it.
export { linesOf as default };
