import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WithoutIpvs } from "./without-ipvs.ts";

/** The checkers of Debian's keepalived, without a load balancer behind them. */
export class KeepalivedCheckers {
  readonly #folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-checkers-`));
  readonly #ipvs = new WithoutIpvs();
  #child: ChildProcess | undefined;
  log = "";

  /** `checks`: the block of each real server's check. They are down until a probe has succeeded. */
  start(checks: readonly string[], more = ""): void {
    const file = (name: string): string => join(this.#folder, name);
    writeFileSync(file("keepalived.conf"), configText(checks, more));
    const child = spawn(
      "keepalived",
      [
        ...["--dont-fork", "--log-console", "--log-detail", "--check"],
        ...["--use-file", file("keepalived.conf"), "--pid", file("pid")],
        ...["--checkers_pid", file("checkers.pid")],
      ],
      {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, ...this.#ipvs.env },
      },
    );
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.log += text;
      });
    }
  }

  /** By their places, those that it has found up so far. */
  get up(): ReadonlySet<number> {
    const added = this.log.matchAll(/Adding service \[127\.0\.1\.(\d+)\]/g);
    return new Set(Array.from(added, ([, place]) => Number(place) - 1));
  }

  /** Of the process that checks. */
  get pid(): number {
    return Number(readFileSync(join(this.#folder, "checkers.pid"), "utf8"));
  }

  async dispose(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    rmSync(this.#folder, { recursive: true, force: true });
    this.#ipvs.dispose();
  }
}

const configText = (checks: readonly string[], more: string): string => `
global_defs {
  enable_script_security
  script_user root
}
${more}
virtual_server 192.0.2.1 80 {
  delay_loop 1
  lvs_sched rr
  lvs_method NAT
  protocol TCP
  alpha
  retry 0
  warmup 0
  connect_timeout 2
${checks.map((check, place) => `  real_server 127.0.1.${place + 1} 80 {\n${check}\n  }`).join("\n")}
}
`;
