// Asks an HTTP server the same again and again, on a connection of its own each time, and writes a line
// for each answer: when it came, in milliseconds of the monotonic clock, and what it was.
import { get } from "node:http";
import { argv, stdout } from "node:process";

const EVERY_MS = 20;
/** Before the kernel asks for the connection again: that would answer later than the next question. */
const PATIENCE_MS = 900;

const [, , url = ""] = argv;

setInterval(() => {
  const request = get(url, { agent: false, timeout: PATIENCE_MS }, (response) => {
    let body = "";
    response.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    response.on("end", () => {
      if (response.statusCode === 200) stdout.write(`${performance.now()} ${body.trim()}\n`);
    });
    response.on("error", () => undefined);
  });
  request.on("timeout", () => request.destroy());
  request.on("error", () => undefined);
}, EVERY_MS);
