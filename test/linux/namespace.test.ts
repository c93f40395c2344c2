import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readlinkSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { createNamespace } from "../../agent/linux/namespace.ts";

const NAME = `hf-${process.pid}`;
const here = (): string => readlinkSync("/proc/self/ns/net");
const enter = (name: string) => {
  const module = JSON.stringify(new URL("../../agent/linux/namespace.ts", import.meta.url).href);
  const script = `
    const { enterNamedNamespace } = await import(${module});
    const { readlinkSync } = await import("node:fs");
    try { enterNamedNamespace(process.argv[1]); console.log(readlinkSync("/proc/self/ns/net")); }
    catch ({ name, code, message, remedy }) { console.log(name, code, message, remedy); }`;
  const args = ["--input-type=module", "-e", script, "--", name];
  return spawnSync(process.execPath, args, { encoding: "utf8" }).stdout.trim();
};

describe("network namespace", () => {
  before(() => {
    assert.equal(spawnSync("ip", ["netns", "add", NAME]).status, 0);
  });
  after(() => {
    spawnSync("ip", ["netns", "delete", NAME]);
  });

  test("a process enters one by its name", () => {
    const inside = spawnSync("ip", ["netns", "exec", NAME, "readlink", "/proc/self/ns/net"]);
    assert.equal(enter(NAME), String(inside.stdout).trim());
  });

  test("a name that is not there, or is none, is told with the next step", () => {
    assert.match(enter("hf-absent"), /^KernelError namespace-missing .*ENOENT.* ip netns add/);
    for (const name of ["../../proc/self/ns/net", "..", "a/b"]) {
      assert.match(enter(name), /^KernelError namespace-missing .* cannot be the name/);
    }
  });

  test("work inside comes back outside, also when it throws", () => {
    const home = here();
    const namespace = createNamespace();
    const inside = namespace.run(here);
    assert.notEqual(inside, home);
    assert.throws(() =>
      namespace.run(() => {
        throw new RangeError("inside");
      }),
    );
    assert.equal(here(), home);
    namespace.close();
  });
});
