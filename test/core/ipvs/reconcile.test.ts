import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IpvsCommand } from "../../../agent/core/ipvs/reconcile.ts";
import { reconcile } from "../../../agent/core/ipvs/reconcile.ts";
import type { ServiceEntry, ServiceKey } from "../../../agent/core/ipvs/service.ts";
import { destinationKey, serviceKey } from "../../../agent/core/ipvs/service.ts";
import { destination, entry, persistence, service, tableOf, tunnel } from "../../ipvs/example.ts";

const WEB = service("tcp 192.0.2.1:80");
const MAIL = service("tcp 192.0.2.1:25");
const A = destination("192.0.2.10:80", { weight: 5 });
const B = destination("192.0.2.11:80", { weight: 5 });
const C = destination("192.0.2.12:80", { weight: 5 });

/** `edit-destination tcp 192.0.2.1:80 192.0.2.10:80 weight 3` */
function textOf(command: IpvsCommand): string {
  const target = "service" in command ? command.service.target : command.target;
  const text = `${command.kind} ${serviceKey(target)}`;
  if (!("destination" in command)) return text;
  const { destination: member } = command;
  const weight = command.kind === "delete-destination" ? "" : ` weight ${member.weight}`;
  return `${text} ${destinationKey(member)}${weight}`;
}

interface Case {
  readonly title: string;
  readonly desired: readonly ServiceEntry[];
  readonly actual: readonly ServiceEntry[];
  readonly ours?: readonly string[];
  readonly commands: readonly string[];
}

const KEY = "tcp 192.0.2.1:80";
const weighing = (weight: number) => ({ ...A, weight });

const CASES: readonly Case[] = [
  { title: "nothing wanted, nothing there", desired: [], actual: [], commands: [] },
  {
    title: "a new service, then its destinations",
    desired: [entry(WEB, A, B)],
    actual: [],
    commands: [
      `add-service ${KEY}`,
      `add-destination ${KEY} 192.0.2.10:80 weight 5`,
      `add-destination ${KEY} 192.0.2.11:80 weight 5`,
    ],
  },
  {
    title: "all there already, in another order",
    desired: [entry(WEB, A, B), entry(MAIL)],
    actual: [entry(MAIL), entry(WEB, B, A)],
    commands: [],
  },
  {
    title: "somebody else's service stays",
    desired: [],
    actual: [entry(WEB, A)],
    commands: [],
  },
  {
    title: "one of ours that is wanted no longer goes, with what is in it",
    desired: [],
    actual: [entry(WEB, A), entry(MAIL, B)],
    ours: [KEY],
    commands: [`delete-service ${KEY}`],
  },
  {
    title: "one of ours that is gone already",
    desired: [],
    actual: [],
    ours: [KEY],
    commands: [],
  },
  {
    title: "one of ours that is wanted is not touched",
    desired: [entry(WEB, A)],
    actual: [entry(WEB, A)],
    ours: [KEY],
    commands: [],
  },
  {
    title: "a new service is there before an old one goes",
    desired: [entry(WEB, A)],
    actual: [entry(MAIL, A)],
    ours: ["tcp 192.0.2.1:25"],
    commands: [
      `add-service ${KEY}`,
      `add-destination ${KEY} 192.0.2.10:80 weight 5`,
      "delete-service tcp 192.0.2.1:25",
    ],
  },
  {
    title: "what a restart finds of somebody is adopted: only what differs changes",
    desired: [entry({ ...WEB, scheduler: "rr" }, A)],
    actual: [entry(WEB, A)],
    commands: [`edit-service ${KEY}`],
  },
  {
    title: "what somebody put into one of ours goes",
    desired: [entry(WEB, A)],
    actual: [entry(WEB, A, B)],
    commands: [`delete-destination ${KEY} 192.0.2.11:80`],
  },
  {
    title: "raised, then added, then lowered, then removed",
    desired: [entry(WEB, { ...A, weight: 1 }, C, { ...B, weight: 9 })],
    actual: [entry(WEB, A, destination("192.0.2.13:80"), B)],
    commands: [
      `add-destination ${KEY} 192.0.2.12:80 weight 5`,
      `edit-destination ${KEY} 192.0.2.11:80 weight 9`,
      `edit-destination ${KEY} 192.0.2.10:80 weight 1`,
      `delete-destination ${KEY} 192.0.2.13:80`,
    ],
  },
  {
    title: "the last one fails over: the sorry server comes before it goes",
    desired: [entry(WEB, B)],
    actual: [entry(WEB, A)],
    commands: [
      `add-destination ${KEY} 192.0.2.11:80 weight 5`,
      `delete-destination ${KEY} 192.0.2.10:80`,
    ],
  },
  {
    title: "another port is another destination",
    desired: [entry(WEB, { ...A, port: 81 })],
    actual: [entry(WEB, A)],
    commands: [
      `add-destination ${KEY} 192.0.2.10:81 weight 5`,
      `delete-destination ${KEY} 192.0.2.10:80`,
    ],
  },
  {
    title: "a failure: weight 0",
    desired: [entry(WEB, weighing(0), B)],
    actual: [entry(WEB, A, B)],
    commands: [`edit-destination ${KEY} 192.0.2.10:80 weight 0`],
  },
];

/** One word changed: one edit. */
const SERVICE_WORDS = [
  { scheduler: "rr" },
  { schedulerFlags: [true, false, false] as const },
  { schedulerFlags: [false, false, true] as const },
  { onePacket: true },
  { persistence: persistence() },
];
const PERSISTENCE_WORDS = [{ timeout: 301 }, { prefixLength: 24 }, { engine: "sip" }];
const DESTINATION_WORDS = [
  { forwarding: { kind: "dr" } as const },
  tunnel(),
  tunnel({ type: "gre" }),
  { weight: 4 },
  { weight: 6 },
  { upperThreshold: 9 },
  { upperThreshold: 9, lowerThreshold: 1 },
];
const TUNNEL_WORDS = [
  { port: 6081 },
  { checksum: "full" } as const,
  { type: "ipip", port: 0 } as const,
];

describe("reconcile", () => {
  for (const { title, desired, actual, ours = [], commands } of CASES) {
    test(title, () => {
      const keys = new Set(ours as readonly ServiceKey[]);
      const made = reconcile(tableOf(...desired), tableOf(...actual), keys);
      assert.deepEqual(made.map(textOf), commands);
    });
  }

  const one = (before: ServiceEntry, after: ServiceEntry): readonly IpvsCommand[] =>
    reconcile(tableOf(after), tableOf(before), new Set());

  for (const words of SERVICE_WORDS) {
    test(`a service with ${JSON.stringify(words)} is another, either way`, () => {
      const other = { ...WEB, ...words };
      assert.deepEqual(one(entry(WEB), entry(other)), [{ kind: "edit-service", service: other }]);
      assert.deepEqual(one(entry(other), entry(WEB)), [{ kind: "edit-service", service: WEB }]);
      assert.deepEqual(one(entry(other), entry(structuredClone(other))), []);
    });
  }
  for (const words of PERSISTENCE_WORDS) {
    test(`persistence with ${JSON.stringify(words)} is another`, () => {
      const before = { ...WEB, persistence: persistence() };
      const after = { ...WEB, persistence: persistence(words) };
      assert.deepEqual(one(entry(before), entry(after)), [
        { kind: "edit-service", service: after },
      ]);
    });
  }
  for (const [base, words] of [
    ...DESTINATION_WORDS.map((some) => [A, { ...A, ...some }] as const),
    ...TUNNEL_WORDS.map((some) => {
      const gue = { type: "gue", port: 6080 } as const;
      return [
        { ...A, ...tunnel(gue) },
        { ...A, ...tunnel({ ...gue, ...some }) },
      ] as const;
    }),
  ]) {
    test(`a destination ${JSON.stringify(words)} is another, either way`, () => {
      const { target } = WEB;
      const edit = (member: typeof A) => [
        { kind: "edit-destination", target, destination: member },
      ];
      assert.deepEqual(one(entry(WEB, base), entry(WEB, words)), edit(words));
      assert.deepEqual(one(entry(WEB, words), entry(WEB, base)), edit(base));
      assert.deepEqual(one(entry(WEB, words), entry(WEB, structuredClone(words))), []);
    });
  }
});
