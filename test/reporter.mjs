// Reports a run of node:test: a line for each file, every failure in full, and the counts as the
// last line in the form that test/run.mjs adds up.
import { relative } from "node:path";
import { inspect } from "node:util";

const where = (data) => relative(process.cwd(), data.file ?? "?");

/** What one run has shown so far. */
class Summary {
  counts = { passed: 0, failed: 0, skipped: 0 };
  #files = new Map();
  #trails = new Map();
  #skips = [];

  /** Remembers which suites a test stands in. */
  start({ file, nesting, name }) {
    const trail = this.#trails.get(file) ?? [];
    trail.length = nesting;
    trail.push(name);
    this.#trails.set(file, trail);
  }

  pass(data) {
    const file = this.#file(data);
    if (data.details?.type === "suite") return;
    if (data.skip === undefined && data.todo === undefined) {
      this.counts.passed++;
      file.tests++;
      return;
    }
    this.counts.skipped++;
    this.#skips.push(
      `${where(data)}: ${data.name}: ${data.skip || data.todo || "no reason given"}`,
    );
  }

  /** Counts a failure, and answers its text; a suite that failed by its tests has none. */
  fail(data) {
    this.#file(data).failed++;
    if (data.details.error?.failureType === "subtestsFailed") return "";
    this.counts.failed++;
    const trail = (this.#trails.get(data.file) ?? []).slice(0, data.nesting);
    const error = data.details.error?.cause ?? data.details.error;
    const text = typeof error === "string" ? error : (error?.stack ?? inspect(error));
    const title = [...trail, data.name].join(" › ");
    return `\n✗ ${title}\n  ${where(data)}:${data.line ?? "?"}\n${text.replace(/^/gm, "    ")}\n`;
  }

  lines() {
    const files = [...this.#files].map(([name, file]) => {
      const mark = file.failed > 0 ? "✗" : "✓";
      return `${mark} ${name}  ${file.tests} tests, ${Math.round(file.millis)} ms\n`;
    });
    return [...files, ...this.#skips.map((skip) => `- skipped ${skip}\n`)];
  }

  #file(data) {
    const name = where(data);
    const file = this.#files.get(name) ?? { tests: 0, failed: 0, millis: 0 };
    this.#files.set(name, file);
    if (data.nesting === 0) file.millis += data.details?.duration_ms ?? 0;
    return file;
  }
}

export default async function* report(source) {
  const summary = new Summary();
  const started = Date.now();
  for await (const { type, data } of source) {
    if (type === "test:stderr" || type === "test:stdout") yield data.message;
    else if (type === "test:start") summary.start(data);
    else if (type === "test:pass") summary.pass(data);
    else if (type === "test:fail") yield summary.fail(data);
  }
  yield* summary.lines();
  const { passed, failed, skipped } = summary.counts;
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  yield `${passed} passed, ${failed} failed, ${skipped} skipped (${seconds} s)\n`;
}
