import koffi from "koffi";
import { addressBytes } from "../core/address.ts";
import type { EndpointSpec } from "../ports/advertisement-sockets.ts";
import type { BpfProgram } from "../wire/bpf.ts";
import { advertisementFilter, BPF, encodeBpf } from "../wire/bpf.ts";
import { SO_ATTACH_FILTER, setOption } from "./socket-option.ts";

/** What the endpoint's socket lets into this process; `vrids` undefined: every virtual router. */
export function filterFor(spec: EndpointSpec, vrids: ReadonlySet<number> | undefined): BpfProgram {
  const { family, protocol, group } = spec;
  return advertisementFilter({
    family,
    protocol,
    group: group === undefined ? undefined : addressBytes(group),
    vrids,
  });
}

/** What `filterFor` would let through, had it not crossed a router. For multicast. */
export function distantFilterFor(
  spec: EndpointSpec,
  vrids: ReadonlySet<number> | undefined,
): BpfProgram {
  const program = filterFor(spec, vrids);
  // The comparison of the TTL or hop limit comes first.
  const at = program.findIndex(({ code, k }) => code === BPF.JUMP_EQUAL && k === 255);
  return program.map((instruction, index) => {
    const { code, k, jt, jf } = instruction;
    return index === at ? { code, k, jt: jf, jf: jt } : instruction;
  });
}

/** Attaches a program to a socket, in one step instead of the one it has. Throws a KernelError. */
export function attachFilter(fd: number, program: BpfProgram): void {
  const code = encodeBpf(program, true);
  // struct sock_fprog: the number of instructions, and a pointer at the next 8-byte boundary.
  const descriptor = new DataView(new ArrayBuffer(16));
  descriptor.setUint16(0, program.length, true);
  descriptor.setBigUint64(8, koffi.address(code), true);
  setOption(fd, SO_ATTACH_FILTER, new Uint8Array(descriptor.buffer));
}
