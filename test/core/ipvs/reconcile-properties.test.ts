import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { IpvsCommand } from "../../../agent/core/ipvs/reconcile.ts";
import { reconcile } from "../../../agent/core/ipvs/reconcile.ts";
import type { ServiceKey, ServiceTable } from "../../../agent/core/ipvs/service.ts";
import { destinationKey, serviceKey } from "../../../agent/core/ipvs/service.ts";
import { neighbours, tables } from "../../ipvs/arbitrary-table.ts";
import { FakeIpvs } from "../../ipvs/fake-ipvs.ts";
import { sorted } from "../../ipvs/port-suite.ts";

const RUNS = { numRuns: 150 };

const kernelWith = (table: ServiceTable): FakeIpvs => {
  const kernel = new FakeIpvs();
  for (const command of reconcile(table, new Map(), new Set())) kernel.carryOut(command);
  kernel.done.length = 0;
  return kernel;
};

/** What is wanted, what is there, and which of that is ours. */
const situations = fc
  .tuple(fc.oneof(neighbours, fc.tuple(tables, tables)), fc.array(fc.boolean(), { maxLength: 5 }))
  .map(([[actual, desired], owned]) => ({
    desired,
    actual,
    ours: new Set([...actual.keys()].filter((_, at) => owned[at] === true)),
  }));

const keyOf = (command: IpvsCommand): ServiceKey =>
  serviceKey("service" in command ? command.service.target : command.target);

const weightOf = (table: ServiceTable, key: ServiceKey): number =>
  (table.get(key)?.destinations ?? []).reduce((sum, { weight }) => sum + weight, 0);

describe("reconcile, whatever is there", () => {
  test("leaves exactly what is wanted, and what is somebody else's; the kernel takes it all", () => {
    fc.assert(
      fc.property(situations, ({ desired, actual, ours }) => {
        const kernel = kernelWith(actual);
        for (const command of reconcile(desired, actual, ours)) {
          assert.equal(kernel.carryOut(command), undefined);
        }
        const foreign = [...actual].filter(([key]) => !ours.has(key) && !desired.has(key));
        assert.deepEqual(sorted(kernel.table), sorted(new Map([...desired, ...foreign])));
      }),
      RUNS,
    );
  });

  test("has nothing more to do after that", () => {
    fc.assert(
      fc.property(situations, ({ desired, actual, ours }) => {
        const kernel = kernelWith(actual);
        for (const command of reconcile(desired, actual, ours)) kernel.carryOut(command);
        assert.deepEqual(reconcile(desired, kernel.table, ours), []);
      }),
      RUNS,
    );
  });

  test("speaks of each service and destination once, and of none that is as it should be", () => {
    fc.assert(
      fc.property(situations, ({ desired, actual, ours }) => {
        const seen = new Set<string>();
        for (const command of reconcile(desired, actual, ours)) {
          const member = "destination" in command ? destinationKey(command.destination) : "";
          const name = `${keyOf(command)} ${member}`;
          assert.ok(!seen.has(name), `${name} twice`);
          seen.add(name);
          if (!desired.has(keyOf(command))) assert.equal(command.kind, "delete-service");
        }
      }),
      RUNS,
    );
  });

  test("on the way no service weighs less than before or after, and none is gone", () => {
    fc.assert(
      fc.property(situations, ({ desired, actual, ours }) => {
        const kernel = kernelWith(actual);
        const both = [...desired.keys()].filter((key) => actual.has(key));
        for (const command of reconcile(desired, actual, ours)) {
          kernel.carryOut(command);
          for (const key of both) {
            const least = Math.min(weightOf(actual, key), weightOf(desired, key));
            assert.ok(kernel.table.has(key));
            assert.ok(weightOf(kernel.table, key) >= least, key);
          }
        }
      }),
      RUNS,
    );
  });

  test("adds before it removes services", () => {
    fc.assert(
      fc.property(situations, ({ desired, actual, ours }) => {
        const kinds = reconcile(desired, actual, ours).map(({ kind }) => kind);
        const first = kinds.indexOf("delete-service");
        assert.ok(first < 0 || kinds.slice(first).every((kind) => kind === "delete-service"));
      }),
      RUNS,
    );
  });
});
