import type { KernelFeature } from "../../ports/host-facts.ts";
import type { Case } from "./case.ts";
import type { Finding } from "./finding.ts";
import { ok, problem, warning } from "./finding.ts";

/** Rules about the machine itself. */
export const examineHost = (subject: Case): readonly Finding[] => [
  capabilities(subject),
  ...features(subject),
  selinux(subject),
  clockSource(subject),
  agent(subject),
  ...reported(subject),
  ...confinement(subject),
  keepalived(subject),
];

function capabilities({ facts }: Case): Finding {
  const missing = [
    ...(facts.capabilities.netAdmin ? [] : ["CAP_NET_ADMIN"]),
    ...(facts.capabilities.netRaw ? [] : ["CAP_NET_RAW"]),
  ];
  if (missing.length === 0) return ok("capabilities", "may open raw sockets and set addresses");
  return problem(
    "capabilities",
    `${missing.join(" and ")} missing: the agent cannot run as this user`,
    facts.userNamespace
      ? "add them to the container, for example podman run --cap-add NET_ADMIN --cap-add NET_RAW"
      : "run as root, or set AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW in the unit",
  );
}

const PURPOSES: Readonly<Record<KernelFeature, string>> = {
  macvlan: "virtual MAC addresses (use_vmac)",
  nf_tables: "packet filters",
  ip_vs: "virtual servers",
};

function features({ facts, needs }: Case): readonly Finding[] {
  const rule = "kernel-features";
  const there: string[] = [];
  const findings: Finding[] = [];
  for (const name of ["macvlan", "nf_tables", "ip_vs"] as const) {
    const known = facts.features[name];
    if (known === true) there.push(name);
    else if (known === false && name === "macvlan" && needs.virtualMac) {
      findings.push(
        problem(
          rule,
          `the kernel ${facts.kernel} has no macvlan, which use_vmac needs`,
          "install the kernel's extra modules, or remove use_vmac on all nodes",
        ),
      );
    } else if (known === false && name === "ip_vs" && needs.virtualServers) {
      findings.push(
        problem(
          rule,
          `the kernel ${facts.kernel} has no ip_vs, which virtual_server needs`,
          "install the kernel's extra modules: until then virtual servers take no traffic here",
        ),
      );
    } else if (known === false && name === "nf_tables" && needs.gate !== "none") {
      findings.push(withoutGate(needs.gate, facts.kernel));
    } else if (known === false) {
      findings.push(ok(rule, `no ${name} in this kernel; only ${PURPOSES[name]} would need it`));
    }
  }
  return there.length === 0 ? findings : [ok(rule, `kernel has ${there.join(", ")}`), ...findings];
}

const LOAD_NF_TABLES =
  "install the kernel's extra modules (nf_tables with the families inet and arp)";

const withoutGate = (gate: "needed" | "wanted", kernel: string): Finding =>
  gate === "needed"
    ? problem(
        "kernel-features",
        `the kernel ${kernel} has no nf_tables, which holdfast_fencing gate and a required witness need: the instances will be in fault`,
        LOAD_NF_TABLES,
      )
    : warning(
        "kernel-features",
        `the kernel ${kernel} has no nf_tables, so there is no gate: for some seconds after a node dies as a whole, two may answer`,
        LOAD_NF_TABLES,
      );

function selinux({ facts }: Case): Finding {
  if (facts.selinux !== "enforcing") {
    return ok("selinux", facts.selinux === "absent" ? "no SELinux" : "SELinux only logs");
  }
  return warning(
    "selinux",
    "SELinux enforces: under a confined domain raw sockets or scripts may be refused",
    "after a failure: ausearch -m AVC -ts recent; then audit2allow, or an unconfined domain",
  );
}

/** Timers on these are coarse or slow to read. */
const POOR_CLOCKS: readonly string[] = ["jiffies", "pit", "acpi_pm", "refined-jiffies"];

function clockSource({ facts }: Case): Finding {
  const source = facts.clockSource;
  if (source === undefined) return ok("clock-source", "clock source unknown");
  if (!POOR_CLOCKS.includes(source)) return ok("clock-source", `clock source ${source}`);
  return warning(
    "clock-source",
    `clock source ${source}: intervals below a second may be kept badly`,
    "look in dmesg for why the kernel left tsc; in a virtual machine use kvm-clock or hyperv",
  );
}

function agent({ agent: presence, controlSocket }: Case): Finding {
  const rule = "agent";
  switch (presence) {
    case "answers":
      return ok(rule, `the agent answers at ${controlSocket}`);
    case "silent":
      return problem(
        rule,
        `the agent at ${controlSocket} does not answer: it is stopped, or hangs`,
        "systemctl restart holdfast; before that, its log and ps -eo pid,stat,wchan:20,args say why",
      );
    case "absent":
      return ok(rule, "no agent is running here");
    case "no-permission":
      return warning(rule, `${controlSocket} may not be opened by this user`, "run this as root");
    case "stale-socket":
      return warning(
        rule,
        `${controlSocket} was left by an agent that died`,
        "start it again (systemctl start holdfast); its log says why it died",
      );
  }
}

/** What `holdfast status` says: the agent may be sound, and what it sees not. */
const reported = ({ reported: problems = [] }: Case): readonly Finding[] =>
  problems.map(({ subject, problem: what, next }) =>
    problem("agent-reports", `${subject}: ${what}`, next),
  );

/** What talks to the network as root; the director runs scripts, and the supervisor the others. */
function confinement({ facts: { confined } }: Case): readonly Finding[] {
  const rule = "confinement";
  const held = confined.filter(({ holds }) => holds).map(({ name }) => name);
  const processes = held.length === 1 ? "process" : "processes";
  return [
    ...(held.length === 0
      ? []
      : [ok(rule, `${processes} that can run no program: ${held.join(", ")}`)]),
    ...confined
      .filter(({ holds }) => !holds)
      .map(({ name, pid }) =>
        warning(
          rule,
          `the ${name} process (${pid}) could run programs: the kernel keeps it from nothing`,
          "its log says what was refused; the filter is there on x64 and arm64, with CONFIG_SECCOMP_FILTER",
        ),
      ),
  ];
}

function keepalived({ facts, agent: presence }: Case): Finding {
  const rule = "keepalived";
  const pids = facts.keepalivedProcesses;
  if (pids.length === 0) return ok(rule, "keepalived is not running here");
  const text = `keepalived is running here (process ${pids.join(", ")})`;
  const next = "systemctl disable --now keepalived";
  return presence === "answers" || presence === "silent"
    ? problem(rule, `${text} beside Holdfast: both set addresses`, next)
    : warning(rule, text, `before Holdfast is started: ${next}`);
}
