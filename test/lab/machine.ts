import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { runOn } from "./servers/server.ts";

const ROOT = join(import.meta.dirname, "../..");

/**
 * The whole file system anew, with what is written in it kept in memory, and processes of its own;
 * the first of them buries the orphans.
 */
const BOOT = `
set -e
mount -t tmpfs none /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work none /mnt/root
mount --rbind /dev /mnt/root/dev
mount --rbind /sys /mnt/root/sys
mount --rbind "$1" "/mnt/root$1"
mount -t proc none /mnt/root/proc
mount -t tmpfs none /mnt/root/run
install -m 755 "$1/test/lab/systemctl.sh" /mnt/root/usr/bin/systemctl
exec chroot /mnt/root sh -c '
    systemctl --manage &
    until [ -p /run/units/requests ]; do sleep 0.01; done
    echo up
    while :; do sleep 1000 & wait $!; done'
`;

/** What a program said and how it ended. */
export interface Said {
  readonly status: number | null;
  readonly output: string;
}

/**
 * A node of the lab that is a machine of its own: files that nobody else sees, processes that see no
 * others, and a systemctl that starts and stops services. It is gone with its node.
 */
export class Machine {
  readonly node: LabNode;
  readonly #boot: ChildProcess;
  readonly #init: number;

  private constructor(node: LabNode, boot: ChildProcess, init: number) {
    this.node = node;
    this.#boot = boot;
    this.#init = init;
  }

  static async start(node: LabNode): Promise<Machine> {
    const apart = ["--mount", "--pid", "--fork", "--kill-child"];
    const boot = node.spawn("unshare", [...apart, "sh", "-c", BOOT, "sh", ROOT], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (boot.stdout === null || boot.pid === undefined) throw new TypeError("no output");
    const lines = createInterface({ input: boot.stdout });
    await Promise.race([once(lines, "line"), once(boot, "exit")]);
    if (boot.exitCode !== null) throw new Error(`${node.name} ended with ${boot.exitCode}`);
    const init = readFileSync(`/proc/${boot.pid}/task/${boot.pid}/children`, "utf8");
    return new Machine(node, boot, Number(init));
  }

  /** Where a file of the machine is for others. */
  path(path: string): string {
    return `/proc/${this.#init}/root${path}`;
  }

  read(path: string): string {
    return readFileSync(this.path(path), "utf8");
  }

  write(path: string, content: string, mode = 0o644): void {
    mkdirSync(this.path(dirname(path)), { recursive: true });
    writeFileSync(this.path(path), content);
    chmodSync(this.path(path), mode);
  }

  /** Runs a program inside to its end. */
  async run(...command: readonly string[]): Promise<Said> {
    const into = ["--target", String(this.#init), "--mount", "--pid", "--root", "--wd"];
    return await runOn(this.node, ["nsenter", ...into, "--", ...command]);
  }

  /** Throws with what it said when it fails. */
  async systemctl(verb: "enable" | "start" | "stop", service: string): Promise<void> {
    const { status, output } = await this.run("systemctl", verb, service);
    if (status !== 0)
      throw new Error(`systemctl ${verb} ${service} on ${this.node.name}: ${output}`);
  }

  async isActive(service: string): Promise<boolean> {
    return (await this.run("systemctl", "is-active", service)).status === 0;
  }

  /** What a service wrote so far. */
  log(service: string): string {
    try {
      return this.read(`/run/units/${service}.log`);
    } catch {
      return "";
    }
  }

  dispose(): void {
    this.#boot.kill("SIGKILL");
  }
}
