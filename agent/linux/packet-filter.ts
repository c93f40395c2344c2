import koffi from "koffi";
import type { EndpointSpec } from "../ports/advertisement-sockets.ts";
import { SO_ATTACH_FILTER, setOption } from "./socket-option.ts";

/** A classic BPF program as the kernel reads it: instructions of 8 bytes. */
export type FilterProgram = Uint8Array;

/** Drops everything: attached until a socket is bound and joined. */
export const DROP_ALL: FilterProgram = Uint8Array.of(0x06, 0, 0, 0, 0, 0, 0, 0);

/** Attaches a program to a socket, in one step instead of the one it has. Throws a KernelError. */
export function attachFilter(fd: number, program: FilterProgram): void {
  // struct sock_fprog: the number of instructions, and a pointer at the next 8-byte boundary.
  const descriptor = new DataView(new ArrayBuffer(16));
  descriptor.setUint16(0, program.length / 8, true);
  descriptor.setBigUint64(8, koffi.address(program), true);
  setOption(fd, SO_ATTACH_FILTER, new Uint8Array(descriptor.buffer));
}

/** Temporary: everything passes. */
export function advertisementFilter(
  _spec: EndpointSpec,
  _vrids: ReadonlySet<number> | undefined,
): FilterProgram {
  return Uint8Array.of(0x06, 0, 0, 0, 0xff, 0xff, 0xff, 0xff);
}
