import { symlinkSync } from "node:fs";
import { temporaryPaths } from "./nginx-paths.ts";
import type { Scene } from "./scene.ts";
import type { Server } from "./server.ts";
import { listens } from "./server.ts";

const PROGRAM = "/usr/sbin/nginx";

export interface Nginx extends Server {
  /** Has it answer with this status from now on. */
  answer(status: number): void;
}

/**
 * nginx on port 80 of a node. `name` is what the kernel calls it: all nodes of a lab, and the machine
 * itself, see each other's processes. `more`: lines of its server.
 */
export function nginx(scene: Scene, at: number, name: string, more = ""): Nginx {
  const folder = scene.folder(at);
  const { node } = scene.member(at);
  const configure = (status: number): string =>
    folder.write(
      "nginx/nginx.conf",
      `daemon off;
worker_processes 1;
pid ${folder.path}/nginx/pid;
error_log stderr;
events {}
http {
  access_log off;
  ${temporaryPaths(`${folder.path}/nginx`)}
  server { listen 80; ${more} location / { return ${status} "here"; } }
}
`,
    );
  const config = configure(200);
  const program = folder.join("nginx", name);
  symlinkSync(PROGRAM, program);
  const server = scene.server({
    node,
    command: [program, "-c", config],
    ready: () => listens(node, 80),
  });
  return Object.assign(server, {
    answer(status: number) {
      configure(status);
      server.signal("SIGHUP");
    },
  });
}
