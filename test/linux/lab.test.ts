import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { LabInterface } from "../../agent/linux/lab/lab-interface.ts";
import { Lab, labCommand } from "../../agent/linux/lab.ts";

const carrier = (at: LabInterface): boolean =>
  JSON.parse(at.node.exec("ip", ["-j", "link", "show", at.name]).stdout)[0].flags.includes(
    "LOWER_UP",
  );
/** Asks again for as long: a port that has just been plugged in takes a moment to forward. */
const reaches = (at: LabInterface, address: string, limitS = 5): boolean =>
  at.node.exec("ping", ["-c1", "-W1", `-w${limitS}`, "-q", address]).status === 0;

describe("lab", () => {
  let lab: Lab;
  let a: LabInterface;
  let b: LabInterface;
  before(() => {
    lab = new Lab();
    const lan = lab.segment("lan");
    a = lab.attach(lab.node("a"), lan, {
      name: "eth0",
      addresses: ["192.0.2.1/24", "2001:db8::1/64"],
    });
    b = lab.attach(lab.node("b"), lan, {
      name: "eth0",
      addresses: ["192.0.2.2/24", "2001:db8::2/64"],
    });
  });
  after(() => lab.dispose());

  test("nodes on one switch reach one another", () => {
    assert.ok(reaches(a, "192.0.2.2"));
    assert.ok(reaches(a, "2001:db8::2"));
    assert.ok(reaches(a, `${b.linkLocal}%eth0`));
  });

  test("a pulled cable takes the carrier, and gives it back", () => {
    a.setPlugged(false);
    assert.equal(carrier(a), false);
    a.setPlugged(true);
    assert.equal(carrier(a), true);
    assert.ok(reaches(a, "192.0.2.2"));
  });

  test("a port that does not forward leaves the carrier", () => {
    a.setForwarding(false);
    assert.equal(carrier(a), true);
    assert.equal(reaches(a, "192.0.2.2", 1), false);
    a.setForwarding(true);
    assert.ok(reaches(a, "192.0.2.2"));
  });

  test("a deaf node is heard but hears no broadcast", () => {
    a.setDeaf(true);
    assert.equal(b.node.exec("arping", ["-c1", "-w1", "-I", "eth0", "192.0.2.1"]).status, 1);
    assert.equal(a.node.exec("arping", ["-f", "-w5", "-I", "eth0", "192.0.2.2"]).status, 0);
    a.setDeaf(false);
  });

  test("a cable without a switch", () => {
    const [near, far] = lab.connect(
      lab.node("c"),
      { name: "left", addresses: ["198.51.100.1/30"] },
      lab.node("d"),
      { name: "right", addresses: ["198.51.100.2/30"] },
    );
    assert.ok(reaches(near, "198.51.100.2"));
    far.setUp(false);
    assert.equal(carrier(near), false);
  });

  test("a program runs inside, with its path open to nsenter", () => {
    const inside = a.node.exec("readlink", ["/proc/self/ns/net"]).stdout;
    const outside = spawnSync("nsenter", [`--net=${a.node.path}`, "readlink", "/proc/self/ns/net"]);
    assert.match(inside, /^net:/);
    assert.equal(String(outside.stdout), inside);
    assert.notEqual(spawnSync("readlink", ["/proc/self/ns/net"]).stdout.toString(), inside);
  });

  test("a name is given once, an address is checked", () => {
    assert.throws(() => lab.node("a"), /node a already/);
    assert.throws(
      () => lab.attach(lab.node("e"), lab.segment("other"), { name: "x", addresses: ["nonsense"] }),
      /"nonsense" is not an address/,
    );
  });
});

describe("an end of a lab", () => {
  const script = (end: string): string => `
    const { Lab } = await import(${JSON.stringify(new URL("../../agent/linux/lab.ts", import.meta.url).href)});
    const lab = new Lab();
    const node = lab.node("a");
    // A grandchild, which no signal to the child reaches.
    const child = node.spawn("sh", ["-c", "sleep 600 & echo $!; exec sleep 600"], { stdio: ["ignore", "pipe", "ignore"] });
    child.stdout.once("data", (text) => {
      process.stdout.write(JSON.stringify([child.pid, Number(text)]) + "\\n");
      ${end}
    });`;
  const run = (end: string): { status: number | null; pids: number[]; errors: string } => {
    const [command = "", ...args] = labCommand([
      process.execPath,
      "--input-type=module",
      "-e",
      script(end),
    ]);
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
    return { status, pids: JSON.parse(stdout || "[]"), errors: stderr };
  };

  test("dispose kills every process inside", async () => {
    const { status, pids, errors } = run("lab.dispose();");
    assert.equal(errors, "");
    assert.equal(status, 0);
    assert.equal(pids.length, 2);
    await untilGone(pids);
  });

  test("so does process.exit", () => untilGone(run("process.exit(3);").pids));

  test("after SIGKILL the programs that it started die", async () => {
    const { pids } = run("process.kill(process.pid, 'SIGKILL');");
    const [child = 0, grandchild = 0] = pids;
    try {
      await untilGone([child]);
    } finally {
      process.kill(grandchild, "SIGKILL");
    }
  });

  test("it works in a user namespace without root", () => {
    const { stdout, stderr } = spawnSync(
      "unshare",
      [
        ...["--user", "--map-root-user", "--net", "--mount", "--"],
        ...[process.execPath, "--input-type=module", "-e"],
        `const { Lab } = await import(${JSON.stringify(new URL("../../agent/linux/lab.ts", import.meta.url).href)});
         const lab = new Lab();
         const lan = lab.segment("lan");
         const a = lab.attach(lab.node("a"), lan, { name: "eth0", addresses: ["192.0.2.1/24"] });
         lab.attach(lab.node("b"), lan, { name: "eth0", addresses: ["192.0.2.2/24"] });
         console.log(a.node.exec("ping", ["-c1", "-W1", "192.0.2.2"]).status);
         lab.dispose();`,
      ],
      { encoding: "utf8" },
    );
    assert.equal(stdout, "0\n", stderr);
  });
});

/** Who was killed needs a processor once more. */
async function untilGone(pids: readonly number[]): Promise<void> {
  for (const end = Date.now() + 10_000; pids.some(alive) && Date.now() < end; ) await nextTurn();
  assert.deepEqual(pids.filter(alive), []);
}

/** Whether it runs: a process that only waits for its parent counts as gone. */
function alive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
