import { setTimeout as delay } from "node:timers/promises";

/*
 * Has another Node process spin for ever: `node burn-cpu.ts PID`, in that process's namespaces. It
 * opens the process's inspector, as SIGUSR1 does for a person, and evaluates an endless loop.
 */

const port = 9229;
process.kill(Number(process.argv[2]), "SIGUSR1");

async function inspectorUrl(): Promise<string> {
  for (let tries = 0; tries < 200; tries += 1) {
    await delay(20);
    const answer = await fetch(`http://127.0.0.1:${port}/json/list`).catch(() => undefined);
    if (answer === undefined) continue;
    const [first] = (await answer.json()) as readonly { readonly webSocketDebuggerUrl: string }[];
    if (first !== undefined) return first.webSocketDebuggerUrl;
  }
  throw new Error("no inspector has opened");
}

const socket = new WebSocket(await inspectorUrl());
socket.addEventListener("open", () => {
  socket.send(
    JSON.stringify({ id: 1, method: "Runtime.evaluate", params: { expression: "for (;;);" } }),
  );
  process.stdout.write("spinning\n");
});
