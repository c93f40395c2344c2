import type { IpAddress } from "../../../agent/core/address.ts";
import type { DataPathHost } from "../../../agent/ports/data-path-host.ts";

/** A host whose real servers are all behind eth0. */
export class FakeDataPathHost implements DataPathHost {
  /** By address; the others are reached over eth0. */
  readonly interfaces = new Map<IpAddress, string | undefined>();
  readonly held = new Map<IpAddress, readonly string[]>();
  readonly sysctls = new Map<string, string>([
    ["net/ipv4/conf/all/accept_local", "0"],
    ["net/ipv4/conf/eth0/accept_local", "0"],
  ]);
  /** Errno of every change. */
  readOnly: string | undefined;

  interfaceTo(address: IpAddress): Promise<string | undefined> {
    return Promise.resolve(this.interfaces.has(address) ? this.interfaces.get(address) : "eth0");
  }

  holders(address: IpAddress): readonly string[] {
    return this.held.get(address) ?? [];
  }

  readSysctl(path: string): string | undefined {
    return this.sysctls.get(path);
  }

  writeSysctl(path: string, value: string): string | undefined {
    if (this.readOnly === undefined) this.sysctls.set(path, value);
    return this.readOnly;
  }

  close(): void {}
}
