import { createServer } from "node:http";
import { connect } from "node:net";

export const PORT = 80;
export const PROBE_MS = 5;
/** A question without an answer by then counts as lost: the address was elsewhere. */
const PATIENCE_MS = 300;

/** Monotonic milliseconds, the same clock in every process of this machine. */
export const monotonicMs = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

/** The service behind the address: answers its node's name. Runs until it is killed. */
export function serveName(name: string): Promise<number> {
  return new Promise((_, reject) => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { connection: "close", "content-type": "text/plain" });
      response.end(name);
    });
    server.on("error", reject);
    server.listen(PORT);
  });
}

/** The client: asks every few milliseconds over a new connection, prints each answer as a line. */
export function askForName(address: string, print: (line: string) => void): Promise<number> {
  setInterval(() => ask(address, print), PROBE_MS);
  return new Promise(() => undefined);
}

function ask(address: string, print: (line: string) => void): void {
  const sentMs = monotonicMs();
  const socket = connect({ host: address, port: PORT });
  let text = "";
  const patience = setTimeout(() => socket.destroy(), PATIENCE_MS);
  socket.on("connect", () => socket.write("GET / HTTP/1.0\r\n\r\n"));
  socket.on("data", (chunk) => {
    text += chunk.toString();
  });
  socket.on("error", () => socket.destroy());
  socket.on("end", () => {
    const by = /\r\n\r\n(.*)$/s.exec(text)?.[1];
    if (by !== undefined && by !== "") print(`${JSON.stringify({ sentMs, by })}\n`);
  });
  socket.on("close", () => clearTimeout(patience));
}
