import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { build } from "esbuild";

// Makes dist/, which is what a package holds: Node strips no types under node_modules, and few files
// load faster than many. Each role is a chunk of its own behind main.js, so that the vrrp process
// reads its own code only. Dependencies stay outside: npm installs them, with their binaries. Threads
// that run policies are started from a file of their own, and hand another one to the engine as text.
// With an argument it makes that folder instead.

const root = join(import.meta.dirname, "..");
const dist = resolve(process.argv[2] ?? join(root, "dist"));

rmSync(dist, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: {
    main: "agent/main.ts",
    "sandbox-worker": "agent/sandbox/worker.ts",
    "policy-tests": "agent/simulator/policy-tests.ts",
    "sdk/index": "sdk/index.ts",
    "sdk/plugin": "sdk/plugin.ts",
    "sdk/testing": "agent/simulator/testing.ts",
  },
  outdir: dist,
  bundle: true,
  splitting: true,
  packages: "external",
  platform: "node",
  target: "node22",
  format: "esm",
  chunkNames: "[name]-[hash]",
  legalComments: "none",
  metafile: true,
});

const compiler = spawnSync(
  process.execPath,
  [
    join(root, "node_modules/typescript/bin/tsc"),
    ...["--declaration", "--emitDeclarationOnly", "--allowImportingTsExtensions"],
    ...["--target", "es2023", "--module", "nodenext", "--strict", "--types", ""],
    ...["--rootDir", "sdk", "--outDir", join(dist, "sdk"), "--ignoreConfig"],
    ...["sdk/index.ts", "sdk/plugin.ts", "sdk/testing.ts"],
  ],
  { cwd: root, stdio: ["ignore", "inherit", "inherit"] },
);
if (compiler.status !== 0) process.exit(1);
await build({
  absWorkingDir: root,
  entryPoints: ["agent/sandbox/guest.js"],
  outdir: dist,
  minify: true,
  // The engine's language; every realm parses this file and keeps it.
  target: "es2023",
  format: "esm",
});

const files = Object.entries(metafile.outputs);
const bytes = files.reduce((sum, [, output]) => sum + output.bytes, 0);
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  version: string;
};
process.stdout.write(
  `dist of ${version}: ${files.length} files, ${Math.round(bytes / 1024)} KiB\n`,
);
