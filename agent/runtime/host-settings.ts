import type { GlobalConfig } from "../config/config.ts";
import type { Reports } from "./reports.ts";
import type { Router } from "./router.ts";
import type { Sysctls } from "./sysctls.ts";

/** Owner of settings that belong to no router; router ids carry a number sign. */
const HOST = "host";
const IGMP_REPORTS = "net/ipv4/igmp_link_local_mcast_reports";

/** What a configuration changes of the kernel's settings, until another one or the end takes it back. */
export class HostSettings {
  readonly #sysctls: Sysctls;
  readonly #reports: Reports;

  constructor(sysctls: Sysctls, reports: Reports) {
    this.#sysctls = sysctls;
    this.#reports = reports;
  }

  configure({ disableLocalIgmp }: Pick<GlobalConfig, "disableLocalIgmp">): void {
    if (!disableLocalIgmp) {
      this.release();
      return;
    }
    const errno = this.#sysctls.set(HOST, IGMP_REPORTS, "0");
    if (errno === undefined) return;
    this.#reports.host("warn", "disable_local_igmp", `${IGMP_REPORTS} cannot be set: ${errno}`);
  }

  release(): void {
    this.#sysctls.release(HOST);
  }

  /** promote_secondaries of its interface, until `retire`. */
  promoteSecondaries({ id, name, config, binding: { base } }: Router): void {
    if (!config.promoteSecondaries || base === undefined) return;
    const path = `net/ipv4/conf/${base.name}/promote_secondaries`;
    const errno = this.#sysctls.set(id, path, "1");
    if (errno === undefined) return;
    this.#reports.host("warn", name, `promote_secondaries of ${base.name}: ${errno}`);
  }

  retire({ id }: Router): void {
    this.#sysctls.release(id);
  }
}
