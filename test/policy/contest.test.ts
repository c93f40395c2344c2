import assert from "node:assert/strict";
import { test } from "node:test";
import { contestedServices } from "../../agent/policy/contest.ts";
import { Places } from "../../agent/policy/places.ts";

const policy = (name: string, ...services: readonly string[]) => {
  const places = new Places({ file: `/p/${name}.ts`, line: 1, column: 1 });
  places.set(["permissions", "control", "services", "1"], {
    file: `/p/${name}.ts`,
    line: 4,
    column: 7,
  });
  return { name, manifest: { permissions: { control: { services } }, places } };
};

test("of two policies that ask for one service, the second in the alphabet is told", () => {
  const found = contestedServices([
    policy("b", "other", "web"),
    policy("a", "w*"),
    policy("c", "c"),
    { name: "d", manifest: { ...policy("d").manifest, permissions: {} } },
  ]);
  assert.deepEqual(
    found.map(({ code, severity, position: { file, line }, message }) => [
      ...[code, severity, `${file}:${line}`, message],
    ]),
    [["policy-contest", "warning", "/p/b.ts:4", "b and a both ask for the weights of web"]],
  );
  assert.deepEqual(contestedServices([policy("a", "web"), policy("b", "www")]), []);
  assert.equal(contestedServices([policy("a", "web"), policy("b", "w*")]).length, 1);
});
