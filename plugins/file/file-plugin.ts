import { lstatSync } from "node:fs";
import type { Json } from "../../sdk/index.ts";
import type { Plugin } from "../../sdk/plugin.ts";
import { CallError } from "../../sdk/plugin.ts";
import { atMost, badArgument, textArgument } from "../call/arguments.ts";
import type { ActiveCall } from "../call/calls.ts";
import { openCalls } from "../call/calls.ts";
import { codeOf } from "../call/failure.ts";
import { KernelFiles } from "./kernel-files.ts";
import { readPermission } from "./path-pattern.ts";
import { readFile } from "./read-file.ts";
import { isPermitted, realPath } from "./real-path.ts";

const LIMIT = 65_536;
const LONGEST_PATH = 4_096;
/** Files of the kernel's making, which never wait for a disk. */
const KERNEL_FILES = /^\/(?:proc|sys)\//;

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "it is not there",
  ENOTDIR: "it is not there",
  EISDIR: "it is a folder",
  EACCES: "the kernel does not permit it",
  EPERM: "the kernel does not permit it",
  ELOOP: "it is a link that was put there just now",
};

/** `file.readText(path)` and `file.exists(path)`, for the globs of the permission `read`. */
export function filePlugin(): Plugin {
  return {
    name: "file",
    permission: "read",
    methods: ["readText", "exists"],
    checkPermission: readPermission.checkPermission,
    missing: readPermission.missing,
    open: () => {
      const kernelFiles = new KernelFiles(LIMIT);
      return openCalls(
        { readText: (args, call) => readText(kernelFiles, args, call), exists },
        () => kernelFiles.close(),
      );
    },
  };
}

async function readText(
  kernelFiles: KernelFiles,
  args: readonly Json[],
  call: ActiveCall,
): Promise<Json> {
  const { path, real } = permitted(args, call);
  call.doing = `reading ${path}`;
  if (real === undefined) throw failure(path, "ENOENT");
  try {
    const bytes = KERNEL_FILES.test(real) ? kernelFiles.read(real) : await readFile(real, LIMIT);
    if (bytes.length > LIMIT) throw new CallError("EFBIG", `${path} has more than ${LIMIT} bytes`);
    return bytes.toString("utf8");
  } catch (error) {
    if (error instanceof CallError) throw error;
    throw failure(path, codeOf(error) ?? "EIO");
  }
}

function exists(args: readonly Json[], call: ActiveCall): Promise<Json> {
  const { real } = permitted(args, call);
  const there = real !== undefined && lstatSync(real, { throwIfNoEntry: false }) !== undefined;
  return Promise.resolve(there);
}

/** The path that is asked for, and where it leads to; throws a CallError outside of the permission. */
function permitted(
  args: readonly Json[],
  { permission }: ActiveCall,
): { readonly path: string; readonly real: string | undefined } {
  atMost(args, 1);
  const path = textArgument(args[0], "path", LONGEST_PATH);
  if (!/^(?:\/(?!\.{1,2}(?:\/|$))[^/\0]+)+$/.test(path)) {
    throw badArgument("path is not absolute, or has an empty name, . or .. in it");
  }
  const real = realPath(path);
  // What is nowhere is judged by its words.
  if (isPermitted(readPermission.granted(permission), real ?? path)) return { path, real };
  const words = path.length > 200 ? "PATH" : path;
  throw real === undefined || real === path
    ? readPermission.refusal(words)
    : new CallError(
        "permission",
        `${words} is a link, or lies behind one, to a place that is not permitted: add that place`,
      );
}

const failure = (path: string, code: string): CallError =>
  new CallError(code, `reading ${path.slice(0, 200)}: ${WORDS[code] ?? code}`);
