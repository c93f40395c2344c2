import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parseKeepalived } from "../../agent/config/keepalived/parse-keepalived.ts";
import { walk } from "../../agent/config/path-walk.ts";
import { configHost } from "../../agent/linux/config-host.ts";

const folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-host-`));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
mkdirSync(join(folder, "conf.d"));
file("conf.d/b.conf", "2.2.2.2\n");
file("conf.d/a.conf", "1.1.1.1\n");
file("conf.d/.hidden.conf", "9.9.9.9\n");
const host = configHost({ configId: "main", workingDirectory: folder });

test("patterns find files, sorted, without directories and hidden files", () => {
  const at = (...names: string[]) => names.map((name) => join(folder, name));
  assert.deepEqual(host.glob("conf.d/*.conf", folder), at("conf.d/a.conf", "conf.d/b.conf"));
  assert.deepEqual(host.glob("*", folder), []);
  assert.deepEqual(host.glob("conf.d/[b]*", "/"), []);
  assert.deepEqual(host.glob(join(folder, "conf.d/?.conf"), "/").length, 2);
  assert.deepEqual(host.glob("conf.d/b.conf", folder), at("conf.d/b.conf"));
  assert.deepEqual(host.glob("conf.d/.hid*", folder), at("conf.d/.hidden.conf"));
  assert.deepEqual(host.glob("none", folder), []);
});

test("files that are no configuration are refused with a reason", () => {
  const errno = (path: string) => {
    const read = host.readFile(path);
    return read.ok ? "read" : read.errno;
  };
  const script = file("script.conf", "x\n");
  chmodSync(script, 0o755);
  assert.equal(errno(join(folder, "none")), "ENOENT");
  assert.equal(errno(folder), "EISDIR");
  assert.match(errno(script), /executable/);
  assert.equal(errno("/dev/null"), "not a regular file");
  assert.equal(errno(join(folder, "conf.d/a.conf")), "read");
});

test("a configuration is read with its includes", () => {
  const text = "static_ipaddress {\n include conf.d/*.conf\n}\n";
  const { tree, diagnostics } = parseKeepalived({ file: "main.conf", text }, host);
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(
    tree[0]?.block?.map((line) => line.keyword.text),
    ["1.1.1.1", "2.2.2.2"],
  );
});

test("random numbers keep to their bounds", () => {
  const seen = new Set(Array.from({ length: 200 }, () => host.random(3, 5)));
  assert.deepEqual([...seen].sort(), [3, 4, 5]);
});

test("paths are looked at one by one, links not followed", () => {
  const path = file("plain", "x");
  chmodSync(path, 0o640);
  symlinkSync("plain", join(folder, "link"));
  const { uid, gid } = statSync(path);
  const entry = { ok: true, kind: "file", uid, gid, mode: 0o640, target: undefined };
  assert.deepEqual(host.entry(path), entry);
  const link = host.entry(join(folder, "link"));
  assert.ok(link.ok && link.kind === "link" && link.target === "plain");
  assert.deepEqual(host.entry(join(folder, "none")), { ok: false, errno: "ENOENT" });
  assert.deepEqual(host.entry(join(path, "below")), { ok: false, errno: "ENOTDIR" });
  const device = host.entry("/dev/null");
  assert.ok(device.ok && device.kind === "other");
  const found = walk(join(folder, "conf.d/../link"), host);
  assert.ok(found.ok && found.path === path);
});

test("the beginning of a program is read, executable or not", () => {
  const path = file("program", "x".repeat(100_000));
  chmodSync(path, 0o755);
  const read = host.readProgram(path);
  assert.equal(read.ok && read.text.length, 65_536);
  assert.deepEqual(host.readProgram(folder), { ok: false, errno: "not a regular file" });
  assert.deepEqual(host.readProgram("/dev/null"), { ok: false, errno: "not a regular file" });
  assert.deepEqual(host.readProgram(join(folder, "none")), { ok: false, errno: "ENOENT" });
});

test("users and groups are those that getent and id know", () => {
  const lines = (database: string): readonly string[][] =>
    execFileSync("getent", [database], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map((line) => line.split(":"));
  for (const [name = "", , uid, gid] of lines("passwd")) {
    const groups = execFileSync("id", ["-G", name], { encoding: "utf8" });
    const account = host.user(name);
    assert.equal(account?.uid, Number(uid), name);
    assert.equal(account?.gid, Number(gid), name);
    const sorted = groups
      .trim()
      .split(" ")
      .map(Number)
      .sort((a, b) => a - b);
    assert.deepEqual(
      [...(account?.groups ?? [])].sort((a, b) => a - b),
      sorted,
      name,
    );
  }
  for (const [name = "", , gid] of lines("group")) assert.equal(host.group(name), Number(gid));
  assert.equal(host.user("no such user"), undefined);
  assert.equal(host.group("no such group"), undefined);
});
