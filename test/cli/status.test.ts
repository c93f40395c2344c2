import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { duration } from "../../agent/cli/status/duration.ts";
import { renderStatus } from "../../agent/cli/status/render.ts";
import { isWell } from "../../agent/cli/status.ts";
import { PLAIN, styleFor } from "../../agent/cli/style.ts";
import { table, textWidth } from "../../agent/cli/table.ts";
import type {
  CheckStatus,
  DirectorStatus,
  PolicyStatus,
  Status,
} from "../../agent/control/protocol.ts";
import type { FencingSnapshot, MandateSnapshot } from "../../agent/core/vrrp/snapshot.ts";
import type { StoreReport } from "../../agent/core/witness/store-report.ts";
import { SAMPLE_NOW, sampleStatus } from "./sample-status.ts";

process.env["TZ"] = "UTC";

const MANDATE: MandateSnapshot = {
  name: "VI_1",
  mode: "required",
  fences: [],
  state: "none",
  epoch: null,
  remaining: null,
  waiting: null,
  taken: false,
  holder: null,
};

const EXPECTED = `\
lb01  Holdfast 0.1.0, Node 22.18.0
/etc/keepalived/keepalived.conf, loaded 2026-11-20 09:00:00, 1 warning (holdfast check)
supervisor 100, up 1 d 1 h · vrrp 101, up 1 d 1 h, 1 restart · director not running

✗ director: the director is not running: checks and policies stand still, VRRP goes on
  → its log says why; it is started again by itself unless -R was given
✗ /etc/keepalived/keepalived.conf: the file was refused and an earlier one runs on: /etc/keepalived/keepalived.conf:12:3: the block vrrp_instance is never closed
  → holdfast check /etc/keepalived/keepalived.conf, then holdfast reload
✗ VI_1: a peer advertises other addresses (4× since the start), last 1 min 1 s ago
  → make virtual_ipaddress equal on all nodes
✗ DB: interface bond0.20 is down
  → look at the cable, the switch port or the hypervisor; ip link set bond0.20 up

ROUTER  STATE   PRIORITY                INTERFACE  VRID  ADDRESSES       SINCE       REASON
VI_1    active  145 = 150               eth0       51    10.0.0.3/24     2 h 5 min   the active router fell silent
                  − 5 track_interface eth1                           gate open, 2.1 s left (margin 250 ms)
WEB6    backup  100                     eth0       7     fe80::7/64      12 s        started
                                                         2001:db8::7/64              active: fe80::1, priority 200
                                                         2001:db8::8/64
                                                         and 1 more
DB      fault   100                     bond0.20   9                     3 d         fault

PEER      OF    PRIORITY  INTERVAL  LAST HEARD      NOTE
10.0.0.2  VI_1  100       1 s       2 h 5 min ago   other addresses
fe80::1   WEB6  200       1 s       0 s ago
`;

describe("status for people", () => {
  test("says first what is wrong, then who holds what and why", () => {
    const text = renderStatus(sampleStatus, "lb01", SAMPLE_NOW, PLAIN);
    // Columns are as wide as they need be: compare words, then look at the alignment.
    const words = (lines: string): string => lines.replaceAll(/ +/g, " ").trim();
    assert.equal(words(text), words(EXPECTED));
  });

  test("aligns every row of the table", () => {
    const lines = renderStatus(sampleStatus, "lb01", SAMPLE_NOW, PLAIN).split("\n");
    const heading = lines.find((line) => line.startsWith("ROUTER")) ?? "";
    const column = heading.indexOf("INTERFACE");
    for (const name of ["eth0", "bond0.20"]) {
      const row = lines.find((line) => line.includes(`  ${name}`) && !line.startsWith("✗"));
      assert.equal(row?.indexOf(name), column);
    }
  });

  test("has colours only when they are asked for", () => {
    const colored = renderStatus(sampleStatus, "lb01", SAMPLE_NOW, styleFor(true));
    assert.ok(colored.includes("\u001b[32mactive\u001b[0m"));
    assert.ok(!renderStatus(sampleStatus, "lb01", SAMPLE_NOW, styleFor(false)).includes("\u001b"));
  });

  test("shows the witness process where there is one, and that it is dead", () => {
    const { processes } = sampleStatus;
    const withWitness = (pid: number | null): string => {
      const witness = { ...processes.vrrp, pid };
      const status: Status = { ...sampleStatus, processes: { ...processes, witness } };
      return renderStatus(status, "h", SAMPLE_NOW, PLAIN);
    };
    assert.match(withWitness(104), /· witness 104, up/);
    assert.match(withWitness(null), /witness not running\n.*✗ witness: .*leases run out/s);
    assert.ok(!renderStatus(sampleStatus, "h", SAMPLE_NOW, PLAIN).includes("witness"));
  });

  test("says that the vrrp process is dead, or does not answer", () => {
    const { processes } = sampleStatus;
    const dead: Status = {
      ...sampleStatus,
      current: false,
      processes: { ...processes, vrrp: { ...processes.vrrp, pid: null } },
    };
    assert.match(renderStatus(dead, "h", SAMPLE_NOW, PLAIN), /no address is held by this node/);
    const stalled: Status = { ...sampleStatus, current: false };
    const text = renderStatus(stalled, "h", SAMPLE_NOW, PLAIN);
    assert.match(text, /did not answer; below is/);
    // Nothing is known of its gate by now, nor of whether it is still what it was.
    assert.match(text, /\nVI_1 +active, stale /);
    assert.doesNotMatch(text, /gate|active: /);
  });

  test("says of processes that have just begun that they start, not that they hang", () => {
    const render = (restarts: number, age: number, routers = sampleStatus.routers): string => {
      const begun = { pid: 102, restarts, startedAt: SAMPLE_NOW - age };
      const { supervisor } = sampleStatus.processes;
      const processes = { supervisor, vrrp: begun, director: begun };
      const young: Status = { ...sampleStatus, current: false, director: null, processes, routers };
      return renderStatus(young, "h", SAMPLE_NOW, PLAIN);
    };
    assert.match(render(0, 900, []), /✗ vrrp: the vrrp process is starting/);
    assert.match(render(0, 900, []), /Nothing is known of virtual routers yet\./);
    assert.match(render(1, 900), /started again, and holds no address yet; .* the one before it/);
    assert.match(render(1, 900), /✗ director: the director is starting/);
    assert.doesNotMatch(render(1, 900), /not answer/);
    assert.match(render(1, 6_000), /vrrp process did not answer.*the director does not answer/s);
  });

  test("names what refused the file, not a warning above it", () => {
    const [error] = sampleStatus.configuration.refused;
    assert.ok(error !== undefined);
    const warning = { ...error, severity: "warning", message: "looks odd" } as const;
    const configuration = { ...sampleStatus.configuration, refused: [warning, error] };
    const text = renderStatus({ ...sampleStatus, configuration }, "h", SAMPLE_NOW, PLAIN);
    assert.match(text, /runs on: .*:12:3: the block .* is never closed \(and 1 more\)\n/);
  });

  test("is no success where a store or a device keeps a router from being active", () => {
    const well = (mandate: Partial<MandateSnapshot>): boolean => {
      const [, second] = sampleStatus.routers;
      assert.ok(second !== undefined);
      const routers = [{ ...second, mandate: { ...MANDATE, ...mandate } }];
      return isWell({ ...sampleStatus, routers });
    };
    const waiting = { because: "store-unreachable", reason: "", remedy: null } as const;
    assert.ok(!well({ state: "sought", waiting }));
    assert.ok(!well({ state: "sought", waiting: { ...waiting, because: "fence-failed" } }));
    assert.ok(well({ state: "sought", waiting: { ...waiting, because: "fencing" } }));
    assert.ok(well({ state: "sought", taken: true }));
    assert.ok(well({ state: "granted", waiting }));
  });

  test("tells how the store of leases is, and who has them; it is no success where it does not serve", () => {
    const lease = { group: "VI_1", lease: "VI_1", state: "taken", holder: "lb1/9ec37ace" } as const;
    const serves: StoreReport = {
      store: "etcd",
      endpoints: ["http://10.0.0.11:2379", "http://10.0.0.12:2379"],
      condition: "serves",
      reason: null,
      remedy: null,
      since: SAMPLE_NOW - 60_000,
      leases: [lease, { ...lease, group: "VI_2", state: "ours", holder: null }],
    };
    const render = (store: StoreReport, routers = sampleStatus.routers): string =>
      renderStatus({ ...sampleStatus, routers, store }, "h", SAMPLE_NOW, PLAIN);
    const name = "witness etcd http://10.0.0.11:2379, http://10.0.0.12:2379";
    const lines = [
      `${name}: it serves (1 min)`,
      "  VI_1: lb1/9ec37ace has the lease",
      "  VI_2: this node has the lease",
    ];
    assert.ok(render(serves).includes(`\n\n${lines.join("\n")}\n`), render(serves));
    const { routers } = sampleStatus;
    const healthy = routers.filter(({ state }) => state !== "fault");
    assert.ok(isWell({ ...sampleStatus, routers: healthy, store: serves }));
    const refused = { ...serves, condition: "refused", reason: "who?", remedy: "log in" } as const;
    assert.ok(!isWell({ ...sampleStatus, routers: healthy, store: refused }));
    assert.ok(render(refused).includes(`✗ ${name}: refused, who?: no lease can be had`));
    assert.ok(render(refused).includes(`${name}: refused, who? (1 min)\n  → log in\n`));
    const waiting = { because: "store-refused", reason: "who?", remedy: "log in" } as const;
    const waits = routers.map((one) => ({ ...one, mandate: { ...MANDATE, waiting } }));
    assert.ok(!render(refused, waits).includes(`✗ ${name}`), "routers have said so");
    const many = Array.from({ length: 12 }, () => lease);
    assert.ok(render({ ...serves, leases: many }).includes("\n  and 2 more\n"));
  });

  test("tells of a silent active router only where it has not said what it waits for", () => {
    const render = (mandate: MandateSnapshot | null): string => {
      const routers = sampleStatus.routers.map((router) => ({ ...router, mandate }));
      return renderStatus({ ...sampleStatus, routers }, "h", SAMPLE_NOW + 60_000, PLAIN);
    };
    assert.match(render(null), /was last heard 1 min ago\n.*is the vrrp process stalled/);
    const waiting = { because: "store-unreachable", reason: "", remedy: "mend it" } as const;
    assert.doesNotMatch(render({ ...MANDATE, state: "sought", waiting }), /last heard 1 min ago\n/);
    assert.match(
      render({ ...MANDATE, state: "sought", taken: true }),
      /last heard 1 min ago, and another node has the lease: the two do not hear each other\n.*protocol 112/,
    );
  });

  test("does not show a router as active that has resigned", () => {
    const routers = sampleStatus.routers.map((router) => ({
      ...router,
      peers: router.peers.map((peer) => ({ ...peer, priority: 0 })),
    }));
    const text = renderStatus({ ...sampleStatus, routers }, "h", SAMPLE_NOW, PLAIN);
    assert.match(text, / fe80::1 resigned\n/);
    assert.doesNotMatch(text, /active: /);
  });

  test("says of an alarm whether it goes on", () => {
    const render = (lasts: boolean): string => {
      const routers = sampleStatus.routers.map((router) => ({
        ...router,
        counters: {
          ...router.counters,
          alarms: { "rival-heard": 2 },
          alarmTimes: { "rival-heard": { at: SAMPLE_NOW - 9_000, lasts } },
        },
      }));
      return renderStatus({ ...sampleStatus, routers }, "h", SAMPLE_NOW, PLAIN);
    };
    assert.match(render(true), /✗ VI_1: heard .* \(2× since the start\), for 9 s now\n/);
    assert.match(render(false), /✗ VI_1: heard .* \(2× since the start\), last 9 s ago\n/);
    assert.match(render(true), /✗ WEB6: .*, last 9 s ago\n/, "a backup is no rival");
  });

  test("says that nobody fell silent where nobody was heard", () => {
    const routers = sampleStatus.routers.map((router) => ({ ...router, peers: [] }));
    const text = renderStatus({ ...sampleStatus, routers }, "h", SAMPLE_NOW, PLAIN);
    assert.match(text, /2 h 5 min +no active router was heard\n/);
    assert.doesNotMatch(text, /fell silent/);
  });

  test("says how active routers are fenced, and how that went", () => {
    const render = (fencing: Partial<FencingSnapshot>, counted: object = {}): string => {
      const routers = sampleStatus.routers.map((router) => ({
        ...router,
        fencing: { ...router.fencing, ...fencing },
        counters: { ...router.counters, ...counted },
      }));
      return renderStatus({ ...sampleStatus, routers }, "h", SAMPLE_NOW, PLAIN);
    };
    const gate = (state: "open" | "shut" | "contested") => ({
      gate: { state, remaining: state === "open" ? 2_499_999 : 0, margin: 25_000 },
    });
    assert.match(render(gate("open")), / gate open, 2\.4 s left \(margin 25 ms\)\n/);
    assert.match(render(gate("contested")), / gate shut: contested\n/);
    assert.match(
      render(gate("shut"), { gateLate: 3, leasesLapsed: 1 }),
      / gate shut, extended too late 3× so far, ran out 1× so far\n/,
    );
    const lifetime = render({ kind: "lifetime", gate: null });
    assert.equal(lifetime.match(/lifetime \(both-answering window not excluded\)/g)?.length, 1);
    assert.match(render({ mode: "off", kind: "off", gate: null }), / fencing off\n/);
    assert.match(
      render({ mode: "auto", kind: "off", gate: null }),
      / no fencing: the addresses are this machine's own\n/,
    );
  });

  test("says what leave a router has to be active, or waits for, and what to do", () => {
    const render = (mandate: Partial<MandateSnapshot>, mandatesLost = 0): string => {
      const [first] = sampleStatus.routers;
      assert.ok(first !== undefined);
      const counters = { ...first.counters, mandatesLost };
      const routers = [{ ...first, counters, mandate: { ...MANDATE, ...mandate } }];
      return renderStatus({ ...sampleStatus, routers }, "h", SAMPLE_NOW, PLAIN);
    };
    const waiting = (
      because: "store-unreachable" | "store-refused" | "fencing" | "fence-failed",
    ) => ({
      because,
      reason: "because",
      remedy: because === "fencing" ? null : "mend it",
    });
    const cases: readonly (readonly [Partial<MandateSnapshot>, string])[] = [
      [
        { state: "granted", epoch: "0000.0170", remaining: 3_299_999 },
        "lease held, epoch 0.170, 3.2 s left",
      ],
      [{ state: "granted" }, "active without a lease"],
      [{ state: "granted", mode: null, fences: ["pdu1"] }, "nobody is left to fence"],
      [{ state: "sought" }, "waiting: for an answer"],
      [{ state: "sought", taken: true, holder: "lb02" }, "waiting: lb02 has the lease"],
      [
        { state: "sought", waiting: waiting("store-unreachable") },
        "waiting: the store does not answer (because)",
      ],
      [
        { state: "sought", waiting: waiting("fencing"), fences: ["pdu1", "pdu2"] },
        "waiting: fence agents run (pdu1, pdu2)",
      ],
      [
        { state: "granted", epoch: "17", remaining: 500_000, waiting: waiting("store-refused") },
        "lease held, epoch 17, 0.5 s left; the store refuses (because)",
      ],
      [
        { state: "failsafe", waiting: waiting("store-unreachable") },
        "no lease, as the store does not answer (because); failsafe: all BFD sessions are up",
      ],
    ];
    for (const [mandate, text] of cases) {
      assert.ok(
        render(mandate)
          .split("\n")
          .some((line) => line.trim() === text),
        text,
      );
    }
    assert.match(render({ state: "sought" }, 2), / waiting: for an answer, lost 2× so far\n/);
    assert.match(
      render({ state: "sought", waiting: waiting("fence-failed") }),
      /✗ VI_1: it may not become active: fencing failed \(because\)\n {2}→ mend it\n/,
    );
    assert.match(
      render({ state: "granted", remaining: 1, waiting: waiting("store-unreachable") }),
      /✗ VI_1: its lease is not renewed: the store does not answer \(because\)\n/,
    );
    assert.match(
      render({ state: "granted", waiting: waiting("store-unreachable") }),
      /✗ VI_1: it is active without a lease: the store does not answer \(because\)\n/,
    );
    assert.doesNotMatch(render({ state: "sought", waiting: waiting("fencing") }), /no leave/);
  });

  test("says that an address of the active router is missing", () => {
    const routers = sampleStatus.routers.map((router) => ({
      ...router,
      addresses: router.addresses.map((entry) => ({ ...entry, installed: false })),
    }));
    const text = renderStatus({ ...sampleStatus, routers }, "h", SAMPLE_NOW, PLAIN);
    assert.match(text, /VI_1: active, but 10\.0\.0\.3 is not on eth0/);
    assert.match(text, /10\.0\.0\.3\/24 MISSING/);
  });

  test("shows checks and policies, and what of them needs a person", () => {
    const check: CheckStatus = {
      name: "script chk",
      verdict: "down",
      stale: false,
      reason: "ended with status 1",
      since: SAMPLE_NOW - 12_000,
      runs: 7,
      failures: 3,
      lastMs: 4.27,
    };
    const policy: PolicyStatus = {
      name: "nginx",
      file: "nginx.ts",
      state: "running",
      version: 2,
      loadedAt: SAMPLE_NOW - 60_000,
      problems: ["nginx.ts:3:7: no such thing"],
      strikes: 0,
      checks: ["alive"],
    };
    const render = (part: Omit<DirectorStatus, "services" | "ipvs">): string => {
      const director: DirectorStatus = { ...part, services: [], ipvs: null };
      const { processes } = sampleStatus;
      const alive = { ...processes, director: { ...processes.director, pid: 102 } };
      return renderStatus({ ...sampleStatus, processes: alive, director }, "h", SAMPLE_NOW, PLAIN);
    };
    const notifications = { queued: 0, delivered: 9, dead: 2 };
    const text = render({ checks: [check], policies: [policy], notifications });
    assert.match(text, /script chk +down +12 s +7 +3 +4\.3 ms +ended with status 1/);
    assert.match(text, /nginx +running +2 +1 min ago +nginx\.ts/);
    assert.match(
      text,
      /policy nginx: it was refused, and an earlier version runs on: nginx\.ts:3:7/,
    );
    assert.match(text, /→ mend and save it, or grant it .*; holdfast policy run nginx\.ts says/);
    assert.match(text, /notifications: 2 could not be delivered and were given up/);
    const idle: CheckStatus = { ...check, verdict: "up", reason: "", runs: 0, failures: 0 };
    const stands = { checks: [{ ...idle, lastMs: null }], policies: [], notifications };
    assert.match(render(stands), /script chk +up +12 s *\n/);
    const up: CheckStatus = { ...check, verdict: "up" };
    const many = Array.from({ length: 100 }, (_, at) => ({ ...up, name: `script s${at}` }));
    const short = render({ checks: [...many, check], policies: [], notifications });
    assert.match(short, /script chk +down/);
    assert.doesNotMatch(short, /script s7/);
    assert.match(short, /\n100 further checks are up\.\n/);
    const silent: Status = {
      ...sampleStatus,
      processes: { ...sampleStatus.processes, director: sampleStatus.processes.vrrp },
    };
    assert.match(renderStatus(silent, "h", SAMPLE_NOW, PLAIN), /the director does not answer/);
  });

  test("says that there is nothing to do", () => {
    const text = renderStatus({ ...sampleStatus, routers: [] }, "h", SAMPLE_NOW, PLAIN);
    assert.match(text, /No virtual router is configured\./);
  });
});

describe("spans", () => {
  const cases: readonly (readonly [number, string])[] = [
    [-5, "0 s"],
    [999, "0 s"],
    [59_999, "59 s"],
    [60_000, "1 min"],
    [125_000, "2 min 5 s"],
    [3_600_000, "1 h"],
    [7_500_000, "2 h 5 min"],
    [90_000_000, "1 d 1 h"],
  ];
  for (const [span, text] of cases) {
    test(`${span} ms is ${text}`, () => assert.equal(duration(span), text));
  }
});

describe("tables", () => {
  test("leave out a column without any text", () => {
    assert.deepEqual(table(["A", "B", "C"], [[{ text: "1" }, { text: "" }, { text: "3" }]]), [
      "A  C",
      "1  3",
    ]);
  });

  test("count wide characters twice and paint without shifting", () => {
    assert.equal(textWidth("主a"), 3);
    const rows = [
      [{ text: "主", paint: (text: string) => `<${text}>` }, { text: "x" }],
      [{ text: "abc" }, { text: "y" }],
    ];
    assert.deepEqual(table(["A", "B"], rows), ["A    B", "<主>   x", "abc  y"]);
  });
});
