import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { filePlugin } from "../../plugins/file/file-plugin.ts";
import { moved, pathMatches, readPermission } from "../../plugins/file/path-pattern.ts";
import type { OpenPlugin } from "../../sdk/plugin.ts";
import { callOn, failureOf, hostFor } from "./compliance.ts";

const root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "holdfast-file-")));
after(() => fs.rmSync(root, { recursive: true }));
const plugin = (await filePlugin().open(hostFor())) satisfies OpenPlugin;
after(() => plugin.close());

const read = (path: string, ...permission: readonly string[]) =>
  callOn(plugin, { method: "readText", args: [path], permission });
const exists = (path: string, ...permission: readonly string[]) =>
  callOn(plugin, { method: "exists", args: [path], permission });
const codeOf = async (call: Promise<unknown>) => (await failureOf(call as Promise<never>)).code;
const put = (name: string, text: string): string => {
  const path = join(root, name);
  fs.mkdirSync(join(path, ".."), { recursive: true });
  fs.writeFileSync(path, text);
  return path;
};

describe("file.readText", () => {
  test("reads what is there, as it is then", async () => {
    const path = put("a/f", "grüße");
    assert.equal(await read(path, `${root}/a/*`), "grüße");
    fs.writeFileSync(path, "");
    assert.equal(await read(path, path), "");
    fs.rmSync(path);
    assert.equal(await codeOf(read(path, path)), "ENOENT");
  });

  test("refuses folders, FIFOs and what is too long", async () => {
    put("kinds/long", "x".repeat(65_537));
    put("kinds/just", "x".repeat(65_536));
    spawnSync("mkfifo", [join(root, "kinds/fifo")]);
    const glob = `${root}/**`;
    assert.equal(await codeOf(read(join(root, "kinds"), glob)), "EINVAL");
    assert.equal(await codeOf(read(join(root, "kinds/fifo"), glob)), "EINVAL");
    assert.equal(await codeOf(read(join(root, "kinds/long"), glob)), "EFBIG");
    assert.equal((await read(join(root, "kinds/just"), glob))?.toString().length, 65_536);
  });

  test("reads files of the kernel anew each time, also of processes that went", async () => {
    const uptime = async () =>
      Number(String(await read("/proc/uptime", "/proc/uptime")).split(" ")[0]);
    const first = await uptime();
    assert.ok(first > 0);
    const later = performance.now() + 30;
    while (performance.now() < later) assert.ok((await uptime()) >= first);
    assert.ok((await uptime()) > first);
    assert.match(String(await read("/proc/self/status", "/proc/self/*")), /^Name:/);
    const child = spawnSync("/bin/true");
    assert.equal(await codeOf(read(`/proc/${child.pid}/stat`, "/proc/*/stat")), "ENOENT");
    for (let n = 0; n < 100; n++) await read("/proc/loadavg", "/proc/*");
    assert.ok(fs.readdirSync("/proc/self/fd").length < 80);
  });

  test("no link leads out of what is permitted", async () => {
    const secret = put("secret/key", "secret");
    fs.mkdirSync(join(root, "open"));
    fs.symlinkSync(secret, join(root, "open/link"));
    fs.symlinkSync("../secret", join(root, "open/folder"));
    for (const path of ["open/link", "open/folder/key"]) {
      const error = await failureOf(read(join(root, path), `${root}/open/**`));
      assert.equal(error.code, "permission");
      assert.match(error.message, /link/);
      assert.equal(await codeOf(exists(join(root, path), `${root}/open/**`)), "permission");
    }
    assert.equal(await read(join(root, "open/link"), `${root}/open/*`, secret), "secret");
    assert.equal(await codeOf(read("/proc/self/root/etc/passwd", "/proc/**")), "permission");
    assert.equal(await codeOf(read("/proc/self/cwd/package.json", "/proc/**")), "permission");
  });

  test("a folder behind a link of root's is the same folder", async (context) => {
    if (process.getuid?.() !== 0) return context.skip("only root can lay a link of root's");
    put("real/x.pid", "17");
    const link = join(root, "var");
    fs.symlinkSync("real", link);
    assert.equal(await read(join(link, "x.pid"), `${link}/*.pid`), "17");
    assert.equal(await read(join(root, "real/x.pid"), `${link}/*.pid`), "17");
    fs.lchownSync(link, 65534, 65534);
    assert.equal(await codeOf(read(join(link, "x.pid"), `${link}/*.pid`)), "permission");
  });
});

describe("file.exists", () => {
  test("tells what is there, and nothing about other places", async () => {
    const path = put("e/f", "");
    assert.equal(await exists(path, `${root}/e/*`), true);
    assert.equal(await exists(`${path}2`, `${root}/e/*`), false);
    assert.equal(await exists("/no/such/folder/f", "/no/**"), false);
    assert.equal(await codeOf(exists("/etc/shadow", `${root}/**`)), "permission");
    assert.equal(await codeOf(exists("/etc/none", `${root}/**`)), "permission");
  });
});

describe("path globs", () => {
  const fits = (pattern: string, path: string) => {
    const [read] = readPermission.granted([pattern]);
    assert.ok(read !== undefined, pattern);
    return pathMatches(read, path);
  };

  test("a star stays within a name, two stars do not", () => {
    for (const [pattern, path, expected] of [
      ["/run/*.pid", "/run/nginx.pid", true],
      ["/run/*.pid", "/run/a/nginx.pid", false],
      ["/run/**", "/run/a/b/c", true],
      ["/run/**", "/runs", false],
      ["/**/status", "/proc/1/status", true],
      ["/**/status", "/status", true],
      ["/a/**/b/**/c", "/a/b/c", true],
      ["/a/**/b/**/c", "/a/x/b/y/z/c", true],
      ["/a/**/b/**/c", "/a/x/y/c", false],
      ["/a*b/c", "/ab/c", true],
      ["/a*b/c", "/a/b/c", false],
    ] as const) {
      assert.equal(fits(pattern, path), expected, `${pattern} ${path}`);
    }
  });

  test("a pattern that covers another one fits all that the other one fits", () => {
    const names = fc.array(fc.constantFrom("a", "b", "*", "**", "a*"), {
      minLength: 1,
      maxLength: 4,
    });
    const path = fc.array(fc.constantFrom("a", "b", "ab"), { minLength: 1, maxLength: 4 });
    const join = (parts: readonly string[]) => `/${parts.join("/")}`;
    fc.assert(
      fc.property(names, names, path, (wide, narrow, place) => {
        if (readPermission.missing([join(narrow)], [join(wide)]).length > 0) return;
        if (fits(join(narrow), join(place))) assert.ok(fits(join(wide), join(place)));
      }),
      { numRuns: 300 },
    );
  });

  test("a pattern can be moved with its folder", () => {
    const [read] = readPermission.granted(["/var/run/*.pid"]);
    assert.ok(read !== undefined);
    assert.deepEqual(moved(read, "/run"), { names: ["run", "*.pid"], folder: "/run" });
    assert.deepEqual(moved(read, "/").names, ["*.pid"]);
  });
});
