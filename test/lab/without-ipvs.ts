import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The library that lets Debian's keepalived run where the kernel has no load balancer. */
export class WithoutIpvs {
  readonly #folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-ipvs-`));

  constructor() {
    const source = join(import.meta.dirname, "without-ipvs.c");
    execFileSync("tcc", ["-shared", "-nostdlib", "-o", this.#library, source]);
  }

  /** What keepalived is to be started with. */
  get env(): { readonly LD_PRELOAD: string } {
    return { LD_PRELOAD: this.#library };
  }

  dispose(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #library(): string {
    return join(this.#folder, "without-ipvs.so");
  }
}
