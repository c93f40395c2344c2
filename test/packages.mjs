// The programs that the tests run against, and the Debian packages that hold them.
import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";

/** Program → Debian package. */
const NEEDED = {
  ip: "iproute2",
  ps: "procps",
  unshare: "util-linux",
  setpriv: "util-linux",
  nft: "nftables",
  tcpdump: "tcpdump",
  arping: "iputils-arping",
  ipvsadm: "ipvsadm",
  ping: "iputils-ping",
  keepalived: "keepalived",
  "/usr/lib/frr/vrrpd": "frr",
  "/usr/sbin/exim4": "exim4-daemon-light",
  "/usr/sbin/nginx": "nginx",
  "/usr/sbin/dnsmasq": "dnsmasq-base",
  // Debian's keepalived checks servers without a load balancer in the kernel: test/lab/without-ipvs.c.
  tcc: "tcc",
  // The client of test/lab/crash is written in C.
  "/usr/include/stdio.h": "libc6-dev",
  "/usr/sbin/haproxy": "haproxy",
  "/usr/sbin/fence_dummy": "fence-agents",
  "/usr/bin/redis-server": "redis-server",
  "/usr/bin/etcd": "etcd-server",
  "/usr/share/java/zookeeper.jar": "zookeeper",
  "/usr/bin/java": "default-jre-headless",
  "/usr/bin/pg_ctlcluster": "postgresql",
  "/usr/sbin/mariadbd": "mariadb-server",
  // The other kernel of test/guest, for this processor alone.
  ...(process.arch === "x64" && { "/usr/bin/linux.uml": "user-mode-linux", kmod: "kmod" }),
};

const PATHS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

const found = (program) =>
  program.startsWith("/")
    ? existsSync(program)
    : PATHS.some((folder) => existsSync(`${folder}/${program}`));

/** The programs that are not on this machine. */
export const missingPrograms = () => Object.keys(NEEDED).filter((program) => !found(program));

/**
 * Installs what is missing, on a Debian-like system and as root; elsewhere does nothing. Services
 * of the packages are not started: they would claim addresses on the host.
 */
export function installPrograms() {
  const missing = missingPrograms();
  if (missing.length === 0 || process.getuid?.() !== 0 || !found("apt-get")) return;
  const packages = [...new Set(missing.map((program) => NEEDED[program]))];
  process.stderr.write(`test: installing ${packages.join(" ")} …\n`);
  const policy = "/usr/sbin/policy-rc.d";
  const guard = !existsSync(policy);
  if (guard) writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    const apt = (...args) =>
      spawnSync("apt-get", ["-qq", ...args], {
        stdio: ["ignore", "ignore", "inherit"],
        env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      });
    apt("update");
    apt("install", "-y", "--no-install-recommends", ...packages);
  } finally {
    if (guard) rmSync(policy, { force: true });
  }
}
