import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PolicyMetrics } from "../../plugins/metrics/policy-metrics.ts";

describe("metrics of policies", () => {
  test("are shown with the policy as a label, one block for each name", async () => {
    const metrics = new PolicyMetrics();
    assert.equal(await metrics.text(), "");
    assert.equal(metrics.gauge("web", "lag_seconds", 1.5, {}), undefined);
    assert.equal(metrics.gauge("web", "lag_seconds", 2, {}), undefined);
    assert.equal(metrics.gauge("db", "lag_seconds", 3, { at: 'a"b\n' }), undefined);
    assert.equal(metrics.count("web", "hits_total", 1, { code: "200" }), undefined);
    assert.equal(metrics.count("web", "hits_total", 2, { code: "200" }), undefined);
    const text = await metrics.text();
    assert.equal(text.match(/# TYPE lag_seconds gauge/g)?.length, 1);
    assert.match(text, /^lag_seconds\{policy="web"\} 2$/m);
    assert.match(text, /^lag_seconds\{at="a\\"b\\n",policy="db"\} 3$/m);
    assert.match(text, /# TYPE hits_total counter\nhits_total\{code="200",policy="web"\} 3\n/);
    metrics.forget("web");
    assert.doesNotMatch(await metrics.text(), /web/);
    assert.match(await metrics.text(), /db/);
  });

  test("say what is wrong, and change nothing then", async () => {
    const metrics = new PolicyMetrics();
    metrics.gauge("a", "g", 1, {});
    for (const [wrong, words] of [
      [metrics.gauge("a", "1st", 1, {}), /digit/],
      [metrics.gauge("a", "a-b", 1, {}), /letters/],
      [metrics.gauge("a", "", 1, {}), /letters/],
      [metrics.gauge("a", "holdfast_x", 1, {}), /agent's own/],
      [metrics.gauge("a", "x", Number.NaN, {}), /no number/],
      [metrics.count("a", "x", -1, {}), /only grows/],
      [metrics.gauge("a", "x", 1, { policy: "b" }), /added by itself/],
      [metrics.gauge("a", "x", 1, { __name__: "b" }), /label/],
      [metrics.gauge("a", "x", 1, { a: "x".repeat(300) }), /longer/],
      [metrics.count("b", "g", 1, {}), /gauge of a/],
      [metrics.gauge("a", "g", 1, { more: "x" }), /labels were none/],
      [metrics.gauge("a", "x", 1, Object.fromEntries([..."abcdefghijk"].map((l) => [l, l]))), /10/],
    ] as const) {
      assert.match(wrong ?? "", words);
    }
    assert.match(
      await metrics.text(),
      /^# HELP g Of a policy\.\n# TYPE g gauge\ng\{policy="a"\} 1\n$/,
    );
  });

  test("have limits for each policy", () => {
    const metrics = new PolicyMetrics();
    for (let n = 0; n < 1_000; n++) {
      assert.equal(metrics.gauge("a", "series", n, { n: String(n) }), undefined);
    }
    assert.match(metrics.gauge("a", "series", 1, { n: "1000" }) ?? "", /1000 series/);
    assert.equal(metrics.gauge("a", "series", 1, { n: "999" }), undefined);
    for (let n = 0; n < 50; n++) assert.equal(metrics.count("b", `c${n}`, 1, {}), undefined);
    assert.match(metrics.count("b", "c50", 1, {}) ?? "", /50 names/);
    assert.equal(metrics.count("c", "c50", 1, {}), undefined);
  });
});
