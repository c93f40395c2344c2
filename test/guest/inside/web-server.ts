import type { LabNode } from "../../../agent/linux/lab/lab-node.ts";
import { temporaryPaths } from "../../lab/servers/nginx-paths.ts";
import { RunFolder } from "../../lab/servers/run-folder.ts";
import { listens, Server } from "../../lab/servers/server.ts";

/** nginx on port 80 of a node: `/` is this page, `/long` comes at 16 kB a second. */
export class WebServer {
  readonly #folder = new RunFolder();
  readonly #server: Server;

  constructor(node: LabNode, page: string) {
    const { path } = this.#folder;
    const config = this.#folder.write(
      "nginx.conf",
      `daemon off;
master_process off;
pid ${path}/pid;
error_log stderr;
events {}
http {
  access_log off;
  ${temporaryPaths(path)}
  keepalive_timeout 600;
  keepalive_requests 100000;
  server {
    listen 80;
    location / { return 200 "${page}"; }
    location /long { root ${path}; limit_rate 16k; }
  }
}
`,
    );
    this.#folder.write("long", "0123456789abcdef".repeat(65_536));
    this.#server = new Server({
      node,
      command: ["/usr/sbin/nginx", "-c", config],
      ready: () => listens(node, 80),
    });
  }

  start(): Promise<void> {
    return this.#server.start();
  }

  kill(): Promise<void> {
    return this.#server.kill();
  }

  async dispose(): Promise<void> {
    await this.kill();
    this.#folder.dispose();
  }
}
