import assert from "node:assert/strict";
import { test } from "node:test";
import { seconds } from "../../../agent/core/time.ts";
import { KubernetesArbiter } from "../../../plugins/arbiters/kubernetes-arbiter.ts";
import { kubernetesStandIn } from "./kubernetes-stand-in.ts";

const NAMES = [
  "web",
  "VI_1",
  "vi_1",
  "site/web",
  "-a-",
  "a--b",
  "a-b",
  "a_-_b",
  "__",
  "_x5f",
  "_x--5f",
  "a.b",
  "a..b",
  "UPPER_CASE_".repeat(6).slice(0, 64),
  "9",
];

test("every name of a lease is a name of Kubernetes, and no two are one", async () => {
  const standIn = await kubernetesStandIn();
  const { endpoint } = standIn;
  for (const prefix of [undefined, "hf.", "x"]) {
    const arbiter = new KubernetesArbiter({
      kind: "kubernetes",
      endpoints: [endpoint],
      namespace: "default",
      ...(prefix !== undefined && { prefix }),
    });
    for (const name of NAMES) {
      const key = { name, holder: "a", ttl: seconds(10) };
      const { kind } = await arbiter.acquire(key, AbortSignal.timeout(20_000));
      assert.equal(kind, "held", `${prefix} ${name}`);
    }
    for (const name of NAMES) {
      const key = { name, holder: "b", ttl: seconds(10) };
      const other = new KubernetesArbiter({
        kind: "kubernetes",
        endpoints: [endpoint],
        namespace: "default",
        ...(prefix !== undefined && { prefix }),
      });
      const answer = await other.acquire(key, AbortSignal.timeout(20_000));
      assert.deepEqual(answer, { kind: "taken", holder: "a" });
      await other.close();
    }
    await arbiter.close();
  }
  await standIn.close();
});
