import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { eventually } from "./eventually.ts";

/** Whatever this process's tests write carries this in its name. */
const MARK = `hf-${process.pid}-`;

// Inherited by whatever the tests start, however deep, and whatever it calls itself.
Object.assign(process.env, { HOLDFAST_LAB: MARK });

/** Fails while a process, a namespace or a file of this process's labs is still there. */
export function nothingLeft(): Promise<void> {
  return eventually("the lab is gone", 20_000, () => {
    assert.deepEqual(processes(), [], "processes are left");
    assert.deepEqual(namespaces(), [], "namespaces are left");
    const files = readdirSync(tmpdir()).filter((name) => name.startsWith(MARK));
    assert.deepEqual(files, [], "files are left");
  });
}

/** Programs that this process started, or that were started by those. */
function processes(): readonly string[] {
  return readdirSync("/proc").flatMap((pid): readonly string[] => {
    if (!/^\d+$/.test(pid) || pid === String(process.pid)) return [];
    if (!read(`/proc/${pid}/environ`).includes(`HOLDFAST_LAB=${MARK}`)) return [];
    return [`${pid} ${read(`/proc/${pid}/cmdline`).replaceAll("\0", " ")}`];
  });
}

/** Network namespaces that this process still holds open. */
function namespaces(): readonly string[] {
  const own = readlinkSync("/proc/self/ns/net");
  return readdirSync("/proc/self/fd").flatMap((fd): readonly string[] => {
    const target = link(`/proc/self/fd/${fd}`);
    return target.startsWith("net:") && target !== own ? [target] : [];
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
