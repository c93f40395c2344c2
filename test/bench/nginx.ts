import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { temporaryPaths } from "../lab/servers/nginx-paths.ts";
import { createAuthority } from "../plugins/certificates.ts";
import { processTree } from "./process-figures.ts";

const PORT = 8080;
/** With TLS, and a certificate that nobody need look at. */
const TLS_PORT = 8443;
export const NGINX_URL = `http://127.0.0.1:${PORT}/health`;

/** Its own, as processes of all namespaces have one list: another nginx of the machine is no answer. */
export const NGINX = `hf-nginx-${process.pid}`;

const PROGRAM = "/usr/sbin/nginx";
const STARTED_MS = 10_000;

/** A real nginx on all addresses of a node, with a page that says that all is well. */
export class Nginx {
  readonly #node: LabNode;
  readonly #folder = mkdtempSync(join("/run", `hf-${process.pid}-nginx-`));
  #child: ChildProcess | undefined;

  constructor(node: LabNode) {
    this.#node = node;
    cpSync(PROGRAM, join(this.#folder, NGINX));
    const authority = createAuthority();
    const { key, cert } = authority.issue("DNS:localhost", 2);
    authority.dispose();
    writeFileSync(join(this.#folder, "key"), key);
    writeFileSync(join(this.#folder, "cert"), cert);
    writeFileSync(join(this.#folder, "nginx.conf"), config(this.#folder));
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const words = ["-c", join(this.#folder, "nginx.conf"), "-e", "stderr"];
    const child = this.#node.spawn(join(this.#folder, NGINX), words, { stdio: "ignore" });
    this.#child = child;
    const deadline = performance.now() + STARTED_MS;
    while (this.#node.exec("curl", ["-sf", "-o", "/dev/null", NGINX_URL]).status !== 0) {
      if (child.exitCode !== null) throw new Error(`nginx ended with status ${child.exitCode}`);
      if (performance.now() > deadline) throw new Error("nginx does not answer");
      await delay(20);
    }
  }

  /** SIGKILL to all of its processes, its master first. Answers when, in seconds since 1970. */
  async kill(): Promise<number> {
    const child = this.#child;
    const at = (performance.timeOrigin + performance.now()) / 1_000;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return at;
    const ended = once(child, "exit");
    for (const pid of processTree(child.pid)) process.kill(pid, "SIGKILL");
    await ended;
    return at;
  }

  dispose(): void {
    void this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export async function serveNginx(node: LabNode): Promise<Nginx> {
  const nginx = new Nginx(node);
  await nginx.start();
  return nginx;
}

const config = (folder: string): string => `
daemon off;
worker_processes 1;
pid ${folder}/pid;
events { worker_connections 4096; }
http {
    access_log off;
    ${temporaryPaths(folder)}
    server {
        listen ${PORT} backlog=4096;
        listen ${TLS_PORT} ssl backlog=4096;
        ssl_certificate ${folder}/cert;
        ssl_certificate_key ${folder}/key;
        location /health { return 200 "ok\\n"; }
        location /status { stub_status; }
    }
}
`;
