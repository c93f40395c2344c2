import type * as Esbuild from "esbuild";

/** How long esbuild's process (16 MiB) is kept for the next build. */
const IDLE_MS = 10_000;

let idle: NodeJS.Timeout | undefined;

/**
 * esbuild, loaded when the first policy is built. Its process neither keeps ours alive nor stays when
 * nothing is built for a while.
 */
export async function bundler(): Promise<typeof Esbuild> {
  const esbuild = await import("esbuild");
  clearTimeout(idle);
  idle = setTimeout(() => void esbuild.stop(), IDLE_MS).unref();
  return esbuild;
}
