import { once } from "node:events";
import { symlinkSync } from "node:fs";
import { createServer } from "node:http";
import type { LabNode } from "../../../agent/linux/lab/lab-node.ts";
import type { Scene } from "./scene.ts";
import type { Server } from "./server.ts";
import { listens, needProgram } from "./server.ts";

const PROGRAM = "/usr/sbin/haproxy";
const STATS_PORT = 8404;

/** haproxy on port 80 of a node, with a backend of one server for each of these ports. */
export function haproxy(scene: Scene, at: number, name: string, ports: readonly number[]): Server {
  needProgram(PROGRAM);
  const folder = scene.folder(at);
  const { node } = scene.member(at);
  const backends = ports.map(
    (port) => `backend port${port}
  option httpchk GET /
  server one 127.0.0.1:${port} check inter 100ms fall 1 rise 1
`,
  );
  const config = folder.write(
    "haproxy/haproxy.cfg",
    `defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend stats
  bind 127.0.0.1:${STATS_PORT}
  stats enable
  stats uri /stats
frontend www
  bind :80
  default_backend port${ports[0]}
${backends.join("")}`,
  );
  const program = folder.join("haproxy", name);
  symlinkSync(PROGRAM, program);
  return scene.server({
    node,
    // As the package's unit does: a master and its worker.
    command: [program, "-W", "-db", "-f", config],
    ready: () => listens(node, STATS_PORT),
  });
}

/** What a backend leads to; resolves when it answers, with what ends it. */
export async function website(node: LabNode, port: number): Promise<() => void> {
  const server = createServer((_, response) => response.end("here"));
  // Without a host it is bound at once, and so inside of the node.
  node.run(() => server.listen(port));
  await once(server, "listening");
  return () => {
    server.close();
    server.closeAllConnections();
  };
}
