import { connect } from "node:net";
import { createInterface } from "node:readline";
import type { ClientOrder, ClientReport } from "./client.ts";

// Opens connections as it is told on stdin, and tells what becomes of them: a line of JSON each.

const say = (report: ClientReport): boolean => process.stdout.write(`${JSON.stringify(report)}\n`);

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, host, path, againMs }: ClientOrder = JSON.parse(line);
  const socket = connect(80, host);
  const ask = (): boolean => socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  socket.on("connect", () => {
    say({ id, kind: "connected", port: socket.localPort ?? 0 });
    ask();
  });
  socket.setEncoding("latin1").on("data", (data: string) => {
    const [head = "", body = ""] = data.split("\r\n\r\n");
    const page = head.startsWith("HTTP/1.1 200 ") ? body.slice(0, 64) : undefined;
    say({ id, kind: "data", bytes: data.length, ...(page === undefined ? {} : { page }) });
    if (againMs === undefined) return;
    if (againMs === 0) socket.destroy();
    else setTimeout(ask, againMs);
  });
  socket.on("error", ({ message }) => say({ id, kind: "over", reason: message }));
  socket.on("end", () => say({ id, kind: "over", reason: "closed by the server" }));
});
