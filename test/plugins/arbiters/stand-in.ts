import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly header: (name: string) => string | undefined;
  readonly body: string;
  /** For answers that do not end. */
  readonly response: ServerResponse;
}

export interface Told {
  readonly status: number;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An HTTP server of a test. `undefined`: the answer is given otherwise. */
export interface StandIn {
  readonly endpoint: string;
  /** While it is true nothing is answered. */
  isStill: boolean;
  close(): Promise<void>;
}

export async function standIn(
  answer: (asked: Asked) => Told | undefined | Promise<Told | undefined>,
): Promise<StandIn> {
  const waiting: (() => void)[] = [];
  let isStill = false;
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += String(chunk);
    if (isStill) await new Promise<void>((resolve) => waiting.push(resolve));
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://stand-in");
    const header = (name: string): string | undefined => request.headers[name]?.toString();
    const asked = { method: request.method ?? "", path: decodeURIComponent(pathname), body };
    const told = await answer({ ...asked, query: searchParams, header, response });
    if (told === undefined) return;
    response.writeHead(told.status, { "content-type": "application/json", ...told.headers });
    response.end(told.json === undefined ? "" : JSON.stringify(told.json));
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    get isStill() {
      return isStill;
    },
    set isStill(still) {
      isStill = still;
      if (!still) for (const go of waiting.splice(0)) go();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
