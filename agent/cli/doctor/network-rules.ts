import type { Family } from "../../core/address.ts";
import type { InterfaceFacts, MulticastProbe } from "../../ports/host-facts.ts";
import type { Case } from "./case.ts";
import type { Finding } from "./finding.ts";
import { ok, problem, warning } from "./finding.ts";

/** Rules about interfaces, packet filters and sysctls. */
export const examineNetwork = (subject: Case): readonly Finding[] => [
  ...subject.facts.interfaces.map(linkState),
  ...subject.facts.probes.map(multicast),
  ...forwarding(subject),
  ...subject.needs.interfaces.flatMap((name) => arpSettings(name, subject)),
  ...nonlocalBind(subject),
  ...promoteSecondaries(subject),
];

function linkState(link: InterfaceFacts): Finding {
  const rule = "interface";
  if (!link.present) {
    return problem(
      rule,
      `there is no interface ${link.name}`,
      "correct its name in the configuration; ip link shows the names there are",
    );
  }
  if (!link.up) return problem(rule, `${link.name} is switched off`, `ip link set ${link.name} up`);
  if (!link.carrier) {
    return problem(
      rule,
      `${link.name} has no carrier`,
      "look at the cable, the switch port or the hypervisor",
    );
  }
  return ok(rule, `${link.name} is up`);
}

const GROUPS: Readonly<Record<Family, string>> = { ipv4: "224.0.0.18", ipv6: "ff02::12" };

function multicast(probe: MulticastProbe): Finding {
  const rule = "multicast";
  const what = `protocol 112 to ${GROUPS[probe.family]} on ${probe.interface}`;
  if (probe.outcome === "received") return ok(rule, `${what} passes this host's packet filter`);
  if (probe.outcome === "not-sent") {
    return warning(
      rule,
      `${what} could not be tried: ${probe.reason ?? "no reason given"}`,
      "EPERM: a packet filter refuses it on the way out; else bring the interface up first",
    );
  }
  const family = probe.family === "ipv4" ? "ip protocol" : "meta l4proto";
  return problem(
    rule,
    `${what} is dropped by this host: it cannot hear its peers and would take the address too`,
    `nft insert rule inet filter input ${family} 112 accept; iptables -I INPUT -p 112 -j ACCEPT; ` +
      "firewall-cmd --add-protocol=vrrp",
  );
}

function forwarding({ needs, facts }: Case): readonly Finding[] {
  const keys = { ipv4: "net.ipv4.ip_forward", ipv6: "net.ipv6.conf.all.forwarding" } as const;
  return (["ipv4", "ipv6"] as const).flatMap((family) => {
    const key = keys[family];
    if (!needs.forwarding[family]) return [];
    if (facts.sysctls[key] !== "0") return [ok("forwarding", `${key} is on`)];
    return [
      problem(
        "forwarding",
        `${key} is 0, yet this node routes for others: it would take the address and drop packets`,
        `sysctl -w ${key}=1, and the same in /etc/sysctl.d/`,
      ),
    ];
  });
}

function arpSettings(name: string, { facts, needs }: Case): readonly Finding[] {
  const rule = "sysctl";
  const strongest = (key: string): number =>
    Math.max(
      Number(facts.sysctls[`net.ipv4.conf.all.${key}`] ?? 0),
      Number(facts.sysctls[`net.ipv4.conf.${name}.${key}`] ?? 0),
    );
  const findings: Finding[] = [];
  if (strongest("arp_ignore") === 8) {
    findings.push(
      problem(
        rule,
        `arp_ignore is 8 on ${name}: nobody can find an address on it`,
        `sysctl -w net.ipv4.conf.${name}.arp_ignore=0 (and conf.all, if it is set there)`,
      ),
    );
  }
  if (needs.virtualMac && strongest("rp_filter") === 1) {
    findings.push(
      ok(rule, `rp_filter is strict on ${name}; it is switched off on the virtual MAC's interface`),
    );
  }
  return findings;
}

function nonlocalBind({ facts, needs }: Case): readonly Finding[] {
  const families = new Set(needs.routers.map((router) => router.family));
  return [...families].flatMap((family) => {
    const key = `net.${family}.ip_nonlocal_bind`;
    if (facts.sysctls[key] !== "0") return [];
    const text = `${key} is 0: a service that listens on the address itself starts only where it is`;
    return [ok("sysctl", text)];
  });
}

/** An address inside the subnet of another is a secondary: it goes when the first goes. */
function promoteSecondaries({ facts, needs }: Case): readonly Finding[] {
  const shared = needs.routers.some(
    (router) =>
      router.family === "ipv4" && router.addresses.some(({ prefixLength }) => prefixLength < 32),
  );
  const off = (name: string): boolean =>
    facts.sysctls[`net.ipv4.conf.all.promote_secondaries`] === "0" &&
    facts.sysctls[`net.ipv4.conf.${name}.promote_secondaries`] === "0";
  const names = shared ? needs.interfaces.filter(off) : [];
  return names.map((name) =>
    warning(
      "sysctl",
      `promote_secondaries is 0 on ${name}: removing the host's own address takes others along`,
      `sysctl -w net.ipv4.conf.${name}.promote_secondaries=1, or give the address as /32`,
    ),
  );
}
