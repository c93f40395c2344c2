import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type { LabNode } from "../../../agent/linux/lab/lab-node.ts";

/** A connection in a node's table. */
export interface TableRow {
  /** Of the client. */
  readonly port: number;
  /** `10.0.0.11:80` */
  readonly server: string;
  readonly state: string;
  /** Whether the node saw it itself, or was told of it by another. */
  readonly origin: "LOCAL" | "SYNC";
}

/** What a node's own /proc/net has: no program need be started for it, which takes long here. */
const ofNode = (node: LabNode, name: string): readonly string[] =>
  node
    .run(() => readFileSync(`/proc/thread-self/net/${name}`, "utf8"))
    .trim()
    .split("\n");

export const connectionsOf = (node: LabNode): readonly TableRow[] =>
  ofNode(node, "ip_vs_conn_sync")
    .slice(1)
    .map((line) => {
      const [, , port = "", , , address = "", serverPort = "", state = "", origin = ""] =
        line.split(/\s+/);
      assert.ok(origin === "LOCAL" || origin === "SYNC", line);
      const server = `${dotted(address)}:${Number.parseInt(serverPort, 16)}`;
      return { port: Number.parseInt(port, 16), server, state, origin };
    });

/** Real servers that ip_vs of a node has, of all its services, in order. */
export const serversOf = (node: LabNode): readonly string[] =>
  ofNode(node, "ip_vs")
    .flatMap((line) => /-> ([0-9A-F]{8}):/.exec(line)?.[1] ?? [])
    .map(dotted)
    .sort();

/** Weights in a node's pools by their services, `1=3 2=0` by `192.0.2.1:80`: real servers by their last numbers. */
export function weightsOf(node: LabNode): Readonly<Record<string, string>> {
  const pools: Record<string, string[]> = {};
  let pool: string[] = [];
  for (const line of ofNode(node, "ip_vs")) {
    const [first, where = "", , weight = ""] = line.trim().split(/\s+/);
    const [address = "", port = ""] = where.split(":");
    if (first === "->") pool.push(`${dotted(address).split(".").at(-1)}=${weight}`);
    else if (/^[0-9A-F]{8}$/.test(address)) {
      pool = [];
      pools[`${dotted(address)}:${Number.parseInt(port, 16)}`] = pool;
    }
  }
  return Object.fromEntries(
    Object.entries(pools).map(([service, members]) => [service, members.sort().join(" ")]),
  );
}

export function ipvsadm(node: LabNode, ...words: readonly string[]): string {
  const { status, stdout, stderr } = node.exec("ipvsadm", words);
  assert.equal(status, 0, stderr);
  return stdout.replaceAll(/ +\n/g, "\n");
}

export const holds = (node: LabNode, address: string): boolean =>
  Object.values(node.run(networkInterfaces)).some((all = []) =>
    all.some((one) => one.address === address),
  );

const dotted = (hex: string): string =>
  [...hex.matchAll(/../g)].map(([byte]) => Number.parseInt(byte, 16)).join(".");
