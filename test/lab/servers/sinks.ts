import { once } from "node:events";
import type { Server as HttpServer } from "node:http";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import type { LabNode } from "../../../agent/linux/lab/lab-node.ts";

/** A service on a node that takes every webhook; `received` gets the JSON of each. */
export async function webhookSink(
  node: LabNode,
  port: number,
  received: (body: unknown, path: string) => void,
): Promise<HttpServer> {
  const server = createServer(async (request, response) => {
    received(JSON.parse(await text(request)), request.url ?? "");
    response.end("ok");
  });
  // Without a host it is bound at once, and so inside of the node.
  node.run(() => server.listen(port));
  await once(server, "listening");
  return server;
}
