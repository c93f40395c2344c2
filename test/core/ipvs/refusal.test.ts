import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IpvsCommand } from "../../../agent/core/ipvs/reconcile.ts";
import {
  ipvsMissing,
  refusal,
  refusedCommands,
  refusedSync,
} from "../../../agent/linux/netlink/ipvs-refusal.ts";
import type { KernelError } from "../../../agent/ports/error.ts";
import type { IpvsErrorCode } from "../../../agent/ports/ipvs.ts";
import { destination, persistence, service, tunnel } from "../../ipvs/example.ts";
import { add, change, edit, join, leave, RS, RS6, remove, WEB } from "../../ipvs/port-cases.ts";

interface Case {
  readonly errno: string;
  readonly command: IpvsCommand;
  readonly code: IpvsErrorCode;
  readonly message: string;
  readonly remedy: RegExp;
}

const SIP = service("udp 192.0.2.1:5060", { persistence: persistence({ engine: "sip" }) });
const GUE = destination("192.0.2.10:80", tunnel({ type: "gue" }));

const row = (
  errno: string,
  command: IpvsCommand,
  code: IpvsErrorCode,
  message: string,
  remedy: RegExp,
): Case => ({ errno, command, code, message, remedy });

const CASES: readonly Case[] = [
  row(
    "EPERM",
    add(WEB),
    "not-permitted",
    "add tcp 192.0.2.1:80: this process may not change load balancing",
    /CAP_NET_ADMIN/,
  ),
  row(
    "EEXIST",
    add(WEB),
    "service-exists",
    "add tcp 192.0.2.1:80: the service is there already",
    /see what else/,
  ),
  row(
    "ENOENT",
    edit(WEB),
    "unknown-scheduler",
    "edit tcp 192.0.2.1:80: the kernel has no scheduler wlc",
    /modprobe ip_vs_wlc,/,
  ),
  row(
    "ENOENT",
    add(SIP),
    "unknown-persistence-engine",
    "add udp 192.0.2.1:5060: the kernel has no persistence engine sip, or no scheduler wlc",
    /modprobe ip_vs_pe_sip ip_vs_wlc/,
  ),
  row(
    "EINVAL",
    add(WEB),
    "invalid",
    "add tcp 192.0.2.1:80: the kernel finds its values unfit",
    /persistence/,
  ),
  row(
    "ENOMEM",
    add(WEB),
    "out-of-memory",
    "add tcp 192.0.2.1:80: the kernel is out of memory",
    /free/,
  ),
  row(
    "EAFNOSUPPORT",
    add(WEB),
    "family-missing",
    "add tcp 192.0.2.1:80: the kernel balances no IPv6",
    /modprobe ipv6/,
  ),
  row(
    "ESRCH",
    remove(WEB),
    "service-missing",
    "delete tcp 192.0.2.1:80: the service is not there",
    /see what else/,
  ),
  row(
    "ESRCH",
    join(WEB, RS),
    "service-missing",
    "add 192.0.2.10:80 of tcp 192.0.2.1:80: the service is not there",
    /see/,
  ),
  row(
    "EEXIST",
    join(WEB, RS),
    "destination-exists",
    "add 192.0.2.10:80 of tcp 192.0.2.1:80: it is there already",
    /see/,
  ),
  row(
    "ENOENT",
    leave(WEB, RS),
    "destination-missing",
    "delete 192.0.2.10:80 of tcp 192.0.2.1:80: it is not there",
    /see/,
  ),
  row(
    "ERANGE",
    change(WEB, RS),
    "invalid",
    "edit 192.0.2.10:80 of tcp 192.0.2.1:80: its weight or its thresholds are out of range",
    /2147483647/,
  ),
  row(
    "EINVAL",
    join(WEB, GUE),
    "invalid",
    "add 192.0.2.10:80 of tcp 192.0.2.1:80: GUE needs a port",
    /port/,
  ),
  row(
    "EINVAL",
    join(WEB, RS6),
    "invalid",
    "add [2001:db8::10]:80 of tcp 192.0.2.1:80: its family is not the service's, and only tunnels carry one in the other",
    /TUN/,
  ),
  row(
    "EINVAL",
    join(WEB, { ...RS6, ...tunnel() }),
    "invalid",
    "add [2001:db8::10]:80 of tcp 192.0.2.1:80: its family is not the service's, which cannot be while connections are synchronised",
    /lvs_sync_daemon/,
  ),
  row(
    "EINVAL",
    join(WEB, RS),
    "invalid",
    "add 192.0.2.10:80 of tcp 192.0.2.1:80: its address is not a unicast one",
    /own address/,
  ),
  row(
    "ETIMEDOUT",
    join(WEB, RS),
    "no-answer",
    "add 192.0.2.10:80 of tcp 192.0.2.1:80: the kernel gave no answer within 2 seconds",
    /again/,
  ),
  row(
    "EBUSY",
    join(WEB, RS),
    "refused",
    "add 192.0.2.10:80 of tcp 192.0.2.1:80: the kernel says EBUSY",
    /dmesg/,
  ),
];

function isLine(error: KernelError, code: IpvsErrorCode, message: string, remedy: RegExp): void {
  assert.equal(error.code, code);
  assert.equal(error.message, `cannot ${message}`);
  assert.match(error.remedy, remedy);
  assert.doesNotMatch(error.remedy, /\n/);
}

describe("what the kernel refuses, in words", () => {
  for (const { errno, command, code, message, remedy } of CASES) {
    test(`${errno} to ${command.kind}: ${code}`, () => {
      const error = refusedCommands([command], new Map([[0, errno]])).get(0);
      assert.ok(error !== undefined);
      isLine(error, code, message, remedy);
    });
  }

  test("connection sync", () => {
    const link = { role: "active", interface: "eth7", syncId: 1 } as const;
    const rest = { maxLength: undefined, port: undefined, ttl: undefined, group: undefined };
    const start = (errno: string) => refusedSync(errno, { ...link, ...rest });
    const name = "start connection sync as active on eth7";
    isLine(start("ENODEV"), "interface-missing", `${name}: there is no interface eth7`, /name/);
    isLine(start("EEXIST"), "daemon-runs", `${name}: it runs already`, /stop/);
    isLine(start("EINVAL"), "invalid", `${name}: the kernel finds its values unfit`, /family/);
    isLine(
      start("EADDRNOTAVAIL"),
      "invalid",
      `${name}: eth7 has no address of the multicast group's family`,
      /give/,
    );
    isLine(
      refusedSync("ESRCH", "backup"),
      "daemon-missing",
      "stop connection sync as backup: it does not run",
      /nothing/,
    );
  });

  test("no ip_vs, and a question without an answer", () => {
    isLine(
      ipvsMissing(),
      "ip-vs-missing",
      "balance load: the kernel has no ip_vs",
      /modprobe ip_vs/,
    );
    isLine(
      refusal("EACCES", "read ip_vs"),
      "not-permitted",
      "read ip_vs: this process may not change load balancing",
      /root/,
    );
  });

  test("what follows from one refusal is that one; what does not is its own", () => {
    const other = service("tcp 192.0.2.1:81");
    const commands = [add(WEB), join(WEB, RS), join(other, RS)];
    const errnos = ["ENOENT", "ESRCH", "ESRCH"].map((errno, at) => [at, errno] as const);
    const refusals = refusedCommands(commands, new Map(errnos));
    assert.equal(refusals.get(0), refusals.get(1));
    assert.equal(refusals.get(2)?.code, "service-missing");
  });
});
