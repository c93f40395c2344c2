import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execPath } from "node:process";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import type { Brand } from "../interop/programs.ts";
import { eventually } from "./eventually.ts";
import { Machine } from "./machine.ts";
import type { Program } from "./pair.ts";
import { userFile } from "./users.ts";

const ROOT = join(import.meta.dirname, "../..");
const UNIT = readFileSync(join(ROOT, "docs/holdfast.service"), "utf8");
const STARTED_MS = 30_000;
/** As it is called by those who stop it, whichever it is. */
const ROUTER = "keepalived";

/** A router as a service of a machine, beside nginx, with the users' script where they have it. */
export class RouterService implements Program {
  readonly machine: Machine;
  readonly #unit: Brand;

  private constructor(machine: Machine, unit: Brand) {
    this.machine = machine;
    this.#unit = unit;
  }

  /** Not started yet; nginx is. */
  static async install(brand: Brand, node: LabNode, config: string): Promise<RouterService> {
    const machine = await Machine.start(node);
    machine.write("/etc/keepalived/keepalived.conf", config);
    machine.write("/servers/scripts/check_nginx.sh", userFile("check_nginx.sh"), 0o755);
    machine.write("/var/www/html/index.html", node.name);
    if (brand === "holdfast") {
      const start = `#!/bin/sh\nexec ${execPath} ${ROOT}/agent/holdfast.mjs "$@"\n`;
      machine.write("/usr/local/sbin/holdfast", start, 0o755);
      machine.write("/etc/systemd/system/holdfast.service", UNIT);
      await machine.systemctl("enable", "holdfast");
    } else {
      // It balances nothing here, and without IPVS it would not start.
      machine.write("/etc/default/keepalived", "DAEMON_ARGS='--vrrp --log-console'\n");
    }
    await machine.systemctl("start", "nginx");
    return new RouterService(machine, brand);
  }

  get node(): LabNode {
    return this.machine.node;
  }

  get log(): string {
    return this.machine.log(this.#unit);
  }

  start(): Promise<void> {
    return this.machine.systemctl("start", ROUTER);
  }

  stop(): Promise<void> {
    return this.machine.systemctl("stop", ROUTER);
  }

  /** Resolves when it has heard of its script and listens to others. */
  async untilBackup(): Promise<void> {
    await eventually(`${this.node.name} is backup`, STARTED_MS, () =>
      assert.match(this.log, /initialize to backup|Entering BACKUP STATE/),
    );
  }

  isActive(): Promise<boolean> {
    return this.machine.isActive(ROUTER);
  }

  dispose(): void {
    this.machine.dispose();
  }
}
