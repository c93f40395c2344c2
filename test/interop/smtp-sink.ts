import { once } from "node:events";
import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";

export interface Mail {
  readonly helo: string;
  readonly from: string;
  /** Of the envelope. */
  readonly to: string;
  /** Message-ID. */
  readonly id: string;
  readonly subject: string;
  readonly body: string;
}

/** A mail server on a node that takes everything, without TLS. */
export async function smtpSink(
  node: LabNode,
  port: number,
  received: (mail: Mail) => void,
): Promise<Server> {
  const server = createServer((socket) => new Dialogue(socket, received));
  // Without a host it is bound at once, and so inside of the node.
  node.run(() => server.listen(port));
  await once(server, "listening");
  return server;
}

class Dialogue {
  readonly #socket: Socket;
  readonly #received: (mail: Mail) => void;
  #text = "";
  #helo = "";
  #from = "";
  #to: string[] = [];
  #data: string[] | undefined;

  constructor(socket: Socket, received: (mail: Mail) => void) {
    this.#socket = socket;
    this.#received = received;
    socket.on("error", () => socket.destroy());
    socket.setEncoding("utf8").on("data", (text: string) => {
      const lines = (this.#text + text).split("\r\n");
      this.#text = lines.pop() ?? "";
      for (const line of lines) this.#hear(line);
    });
    this.#answer("220 sink");
  }

  #hear(line: string): void {
    if (this.#data !== undefined) {
      if (line === ".") this.#end(this.#data);
      else this.#data.push(line);
      return;
    }
    const [, helo] = /^(?:HELO|EHLO) (.*)$/i.exec(line) ?? [];
    const [, from] = /^MAIL FROM:\s*<(.*?)>/i.exec(line) ?? [];
    const [, to] = /^RCPT TO:\s*<(.*?)>/i.exec(line) ?? [];
    if (helo !== undefined) this.#helo = helo;
    if (from !== undefined) this.#from = from;
    if (to !== undefined) this.#to.push(to);
    if (/^DATA$/i.test(line)) {
      this.#data = [];
      this.#answer("354 go on");
    } else if (/^QUIT$/i.test(line)) this.#socket.end("221 bye\r\n");
    else this.#answer("250 sink");
  }

  #end(lines: readonly string[]): void {
    const gap = lines.indexOf("");
    const header = (name: string): string =>
      lines
        .slice(0, gap)
        .find((line) => line.startsWith(`${name}: `))
        ?.slice(name.length + 2) ?? "";
    this.#received({
      helo: this.#helo,
      from: this.#from,
      to: this.#to.join(", "),
      id: header("Message-ID"),
      subject: header("Subject"),
      body: lines
        .slice(gap + 1)
        .join("\n")
        .trim(),
    });
    this.#to = [];
    this.#data = undefined;
    this.#answer("250 taken");
  }

  #answer(line: string): void {
    this.#socket.write(`${line}\r\n`);
  }
}
