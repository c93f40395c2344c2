import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, afterEach, before, describe, test } from "node:test";
import { reconcile } from "../../../agent/core/ipvs/reconcile.ts";
import type {
  ServiceEntry,
  ServiceTable,
  ServiceTarget,
} from "../../../agent/core/ipvs/service.ts";
import { serviceKey } from "../../../agent/core/ipvs/service.ts";
import { openIpvs } from "../../../agent/linux/netlink/ipvs.ts";
import type { Ipvs } from "../../../agent/ports/ipvs.ts";
import {
  address,
  destination,
  entry,
  persistence,
  service,
  tableOf,
  tunnel,
} from "../../ipvs/example.ts";
import { clear, fine, sorted } from "../../ipvs/port-suite.ts";
import { enterNamespace } from "../../linux/network-rig.ts";

/** As `ipvsadm -S -n` writes it. */
interface Row {
  readonly lines: readonly string[];
  readonly entry: ServiceEntry;
}

const WEB = "-t 192.0.2.1:80";

/** Every scheduler that this kernel has, by the name of its module. */
const SCHEDULERS = "rr wrr lc wlc lblc lblcr dh sh mh sed nq fo ovf".split(" ");

const row = (lines: string | readonly string[], one: ServiceEntry): Row => ({
  lines: typeof lines === "string" ? [lines] : lines,
  entry: one,
});

const web = (words: Parameters<typeof service>[1]) => entry(service("tcp 192.0.2.1:80", words));
const behind = (words: string, ...members: Parameters<typeof destination>): Row =>
  row(
    [`-A ${WEB} -s wlc`, `-a ${WEB} ${words}`],
    entry(service("tcp 192.0.2.1:80"), destination(...members)),
  );

const ROWS: readonly Row[] = [
  ...SCHEDULERS.map((scheduler) => row(`-A ${WEB} -s ${scheduler}`, web({ scheduler }))),
  row("-A -u 192.0.2.1:53 -s wlc", entry(service("udp 192.0.2.1:53"))),
  row("-A --sctp-service 192.0.2.1:36412 -s wlc", entry(service("sctp 192.0.2.1:36412"))),
  row("-A -t [2001:db8::1]:80 -s wlc", entry(service("tcp [2001:db8::1]:80"))),
  row("-A -f 1 -s wlc", entry(service("fwmark 1 ipv4"))),
  row("-A -f 1 -6 -s wlc", entry(service("fwmark 1 ipv6"))),
  row(
    "-A -t 192.0.2.1:0 -s wlc -p 300",
    entry(service("tcp 192.0.2.1:0", { persistence: persistence() })),
  ),
  row(`-A ${WEB} -s wlc -p 2678400`, web({ persistence: persistence({ timeout: 2_678_400 }) })),
  row(
    `-A ${WEB} -s wlc -p 300 -M 255.255.128.0`,
    web({ persistence: persistence({ prefixLength: 17 }) }),
  ),
  row(
    "-A -t [2001:db8::1]:80 -s wlc -p 300 -M 48",
    entry(service("tcp [2001:db8::1]:80", { persistence: persistence({ prefixLength: 48 }) })),
  ),
  row(
    "-A -u 192.0.2.1:5060 -s wlc -p 300 --pe sip",
    entry(service("udp 192.0.2.1:5060", { persistence: persistence({ engine: "sip" }) })),
  ),
  row("-A -u 192.0.2.1:53 -s wlc -o", entry(service("udp 192.0.2.1:53", { onePacket: true }))),
  ...(
    [
      ["sh", "sh-fallback", [true, false, false]],
      ["sh", "sh-port", [false, true, false]],
      ["mh", "mh-fallback,mh-port", [true, true, false]],
      ["rr", "flag-1,flag-2,flag-3", [true, true, true]],
      ["wlc", "flag-3", [false, false, true]],
    ] as const
  ).map(([scheduler, flags, schedulerFlags]) =>
    row(`-A ${WEB} -s ${scheduler} -b ${flags}`, web({ scheduler, schedulerFlags })),
  ),
  behind("-r 192.0.2.10:8080 -m -w 1", "192.0.2.10:8080"),
  behind("-r 192.0.2.10:80 -m -w 0", "192.0.2.10:80", { weight: 0 }),
  behind("-r 192.0.2.10:80 -g -w 65535", "192.0.2.10:80", {
    forwarding: { kind: "dr" },
    weight: 65_535,
  }),
  behind("-r 192.0.2.10:80 -i -w 1 --tun-type ipip", "192.0.2.10:80", tunnel()),
  behind("-r [2001:db8::10]:80 -i -w 1 --tun-type ipip", "[2001:db8::10]:80", tunnel()),
  ...(
    [
      ["--tun-nocsum", "none"],
      ["--tun-csum", "full"],
      ["--tun-remcsum", "remote"],
    ] as const
  ).map(([word, checksum]) =>
    behind(
      `-r 192.0.2.10:80 -i -w 1 --tun-type gue --tun-port 6080 ${word}`,
      "192.0.2.10:80",
      tunnel({ type: "gue", port: 6080, checksum }),
    ),
  ),
  ...(
    [
      ["--tun-nocsum", "none"],
      ["--tun-csum", "full"],
    ] as const
  ).map(([word, checksum]) =>
    behind(
      `-r 192.0.2.10:80 -i -w 1 --tun-type gre ${word}`,
      "192.0.2.10:80",
      tunnel({ type: "gre", checksum }),
    ),
  ),
  row(
    ["-A -t [2001:db8::1]:80 -s wlc", "-a -t [2001:db8::1]:80 -r [2001:db8::10]:80 -g -w 1"],
    entry(
      service("tcp [2001:db8::1]:80"),
      destination("[2001:db8::10]:80", { forwarding: { kind: "dr" } }),
    ),
  ),
  row(
    ["-A -f 1 -6 -s wlc", "-a -f 1 -6 -r [2001:db8::10]:0 -m -w 1"],
    entry(service("fwmark 1 ipv6"), destination("[2001:db8::10]:0")),
  ),
];

/** The same where no other row is: all of them are in the table at once, as each ipvsadm takes long here. */
function place({ lines, entry: one }: Row, index: number): Row {
  const number = index + 1;
  const [ipv4, ipv6] = [`198.51.100.${number}`, `2001:db8:1::${number.toString(16)}`];
  const { target } = one.service;
  const placedTarget: ServiceTarget =
    target.kind === "fwmark"
      ? { ...target, fwmark: number }
      : { ...target, address: address(target.address.includes(":") ? ipv6 : ipv4) };
  return {
    lines: lines.map((line) =>
      line
        .replace("192.0.2.1:", `${ipv4}:`)
        .replace("[2001:db8::1]:", `[${ipv6}]:`)
        .replace(/-f 1\b/, `-f ${number}`),
    ),
    entry: { ...one, service: { ...one.service, target: placedTarget } },
  };
}

const placed = ROWS.map(place);

const ipvsadm = (words: string, input = ""): string =>
  execFileSync("ipvsadm", words.split(" "), { encoding: "utf8", input });

describe("what ipvsadm says of ip_vs", () => {
  let ipvs: Ipvs;
  before(async () => {
    enterNamespace();
    ipvs = fine(await openIpvs());
  });
  afterEach(() => clear(ipvs));
  after(() => ipvs.close());
  const look = async () => sorted(fine(await ipvs.read()).table);

  describe("row by row", () => {
    let shown: readonly string[];
    let theirs: ServiceTable;
    before(async () => {
      const table = tableOf(...placed.map((one) => one.entry));
      assert.deepEqual([...(await ipvs.apply(reconcile(table, new Map(), new Set())))], []);
      shown = ipvsadm("-S -n").replaceAll(/ +\n/g, "\n").split("\n");
      await clear(ipvs);
      ipvsadm("-R", `${placed.flatMap(({ lines }) => lines).join("\n")}\n`);
      theirs = fine(await ipvs.read()).table;
    });

    for (const [index, { lines, entry: one }] of placed.entries()) {
      test(ROWS[index]?.lines.at(-1) ?? "", () => {
        const [, words = ""] = /^-A (.*) -s /.exec(lines[0] ?? "") ?? [];
        const found = shown.filter((line) => line.slice(3).startsWith(`${words} `));
        assert.deepEqual(found, lines, "ours is shown");
        const key = serviceKey(one.service.target);
        const read = theirs.get(key);
        assert.ok(read !== undefined);
        assert.deepEqual(sorted(new Map([[key, read]])), sorted(tableOf(one)), "theirs is read");
      });
    }
  });

  test("thresholds, which are not among the lines that it saves", async () => {
    const limited = destination("192.0.2.10:80", { upperThreshold: 100, lowerThreshold: 40 });
    const table = tableOf(entry(service("tcp 192.0.2.1:80"), limited));
    await ipvs.apply(reconcile(table, new Map(), new Set()));
    assert.match(ipvsadm("-L -n --thresholds"), /192\.0\.2\.10:80 +100 +40 /);
    await clear(ipvs);
    ipvsadm("-R", `-A ${WEB} -s wlc\n-a ${WEB} -r 192.0.2.10:80 -m -x 100 -y 40\n`);
    assert.deepEqual(await look(), sorted(table));
  });

  test("timeouts and sync daemons", async () => {
    assert.equal(await ipvs.setTimeouts({ tcp: 901, tcpFin: 0, udp: 301 }), undefined);
    assert.match(ipvsadm("-L --timeout"), /: 901 120 301$/m);
    ipvsadm("--start-daemon backup --mcast-interface v0 --syncid 9 --mcast-ttl 2");
    const [daemon, ...more] = fine(await ipvs.syncDaemons());
    assert.deepEqual(more, []);
    assert.deepEqual([daemon?.role, daemon?.syncId, daemon?.ttl], ["backup", 9, 2]);
    assert.equal(await ipvs.stopSync("backup"), undefined);
    assert.equal(ipvsadm("-L --daemon").trim(), "");
  });

  test("somebody's changes are found and mended, and only those", async () => {
    const members = ["192.0.2.10:80", "192.0.2.11:80"].map((text) => destination(text));
    const table = tableOf(
      entry(service("tcp 192.0.2.1:80"), ...members),
      entry(service("tcp 192.0.2.1:81"), ...members),
    );
    await ipvs.apply(reconcile(table, new Map(), new Set()));
    ipvsadm(
      "-R",
      [
        `-e ${WEB} -r 192.0.2.10:80 -m -w 0`,
        `-d ${WEB} -r 192.0.2.11:80`,
        `-a ${WEB} -r 192.0.2.12:80 -m`,
        "-D -t 192.0.2.1:81",
        "-A -t 192.0.2.1:82 -s rr",
      ].join("\n"),
    );
    const commands = reconcile(table, fine(await ipvs.read()).table, new Set(table.keys()));
    assert.deepEqual(commands.map(({ kind }) => kind).toSorted(), [
      "add-destination",
      "add-destination",
      "add-destination",
      "add-service",
      "delete-destination",
      "edit-destination",
    ]);
    assert.deepEqual([...(await ipvs.apply(commands))], []);
    const foreign = entry(service("tcp 192.0.2.1:82", { scheduler: "rr" }));
    assert.deepEqual(await look(), sorted(new Map([...table, ...tableOf(foreign)])));
  });
});
