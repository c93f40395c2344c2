import assert from "node:assert/strict";
import koffi from "koffi";
import type { LabNode } from "../../../agent/linux/lab/lab-node.ts";
import { PORT } from "./traffic-net.ts";

const AF_INET = 2;
const SOCK_STREAM = 1;
const IPPROTO_SCTP = 132;
const SOL_SOCKET = 1;
const RECEIVE_TIMEOUT = 20;
const SEND_TIMEOUT = 21;
const PATIENCE_S = 10n;

/** What Node has no words for. Everything blocks, but the kernel greets for a server that waits. */
const c = koffi.load("libc.so.6");
const open = c.func("int socket(int, int, int)");
const setsockopt = c.func("int setsockopt(int, int, int, const void *, uint32_t)");
const bind = c.func("int bind(int, const void *, uint32_t)");
const listen = c.func("int listen(int, int)");
const accept = c.func("int accept(int, _Out_ void *, _Inout_ void *)");
const connect = c.func("int connect(int, const void *, uint32_t)");
const send = c.func("intptr_t send(int, const void *, size_t, int)");
const recv = c.func("intptr_t recv(int, _Out_ void *, size_t, int)");
const close = c.func("int close(int)");

/** Sends a word from this process to the service and gets it back; answers whom the server saw. */
export function askSctp(server: LabNode, listensAt: string, to: string, from: string): string {
  const fds: number[] = [];
  try {
    const listener = server.run(() => socketAt(listensAt, PORT, fds));
    assert.equal(listen(listener, 1), 0);
    const client = socketAt(from, 0, fds);
    assert.equal(
      connect(client, addressOf(to, PORT), 16),
      0,
      `${to} does not take the association`,
    );
    const peer = new Uint8Array(16);
    const taken = accept(listener, peer, Uint8Array.of(16, 0, 0, 0));
    assert.ok(taken >= 0, "the server has no association");
    fds.push(taken);
    pass(client, taken, "there");
    pass(taken, client, "back");
    return peer.slice(4, 8).join(".");
  } finally {
    for (const fd of fds) close(fd);
  }
}

function socketAt(address: string, port: number, fds: number[]): number {
  const fd: number = open(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
  assert.ok(fd >= 0, "the kernel has no SCTP");
  fds.push(fd);
  const time = new Uint8Array(BigInt64Array.of(PATIENCE_S, 0n).buffer);
  for (const name of [RECEIVE_TIMEOUT, SEND_TIMEOUT]) setsockopt(fd, SOL_SOCKET, name, time, 16);
  assert.equal(bind(fd, addressOf(address, port), 16), 0, address);
  return fd;
}

function pass(from: number, to: number, text: string): void {
  const sent = Buffer.from(text);
  assert.equal(Number(send(from, sent, sent.length, 0)), sent.length);
  const heard = Buffer.alloc(64);
  const length = Number(recv(to, heard, heard.length, 0));
  assert.equal(heard.toString("latin1", 0, Math.max(0, length)), text);
}

/** A struct sockaddr_in. */
function addressOf(address: string, port: number): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set([AF_INET, 0, port >> 8, port & 0xff, ...address.split(".").map(Number)]);
  return bytes;
}
