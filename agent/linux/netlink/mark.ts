import { release } from "node:os";

/** IFA_PROTO of our addresses. */
export const ADDRESS_MARK = 112;

/** Kernels before 5.18 do not keep it. `kernel` is as `uname -r` has it. */
export function keepsMarks(kernel = release()): boolean {
  const [major = 0, minor = 0] = kernel.split(".").map(Number);
  return major > 5 || (major === 5 && minor >= 18);
}
