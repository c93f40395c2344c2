import assert from "node:assert/strict";
import { test } from "node:test";
import { tellQuorum, tellServer } from "../../../agent/core/notify/tell-service.ts";

const SERVICE = {
  name: "[192.0.2.1]:tcp:80",
  quorum: 2,
  hysteresis: 1,
  quorumUp: "/up",
  quorumDown: "/down",
  mail: true,
};
const SERVER = {
  name: "[10.0.0.1]:tcp:80",
  notifyUp: "/rs-up",
  notifyDown: undefined,
  mail: true,
};

test("a real server: its script, the FIFOs, then mail", () => {
  assert.deepEqual(tellServer(SERVER, SERVICE, { up: true, reason: "" }, "lb1"), [
    { kind: "script", command: "/rs-up", arguments: [] },
    { kind: "fifo", line: "RS [10.0.0.1]:tcp:80 [192.0.2.1]:tcp:80 UP" },
    {
      kind: "mail",
      title: "[lb1] Realserver [10.0.0.1]:tcp:80 of virtual server [192.0.2.1]:tcp:80 - UP",
      text: "=> CHECK succeed on service <=",
      severity: "resolved",
    },
  ]);
  const quiet = { ...SERVER, mail: false };
  assert.deepEqual(tellServer(quiet, SERVICE, { up: false, reason: "HTTP 503" }, "lb1"), [
    { kind: "fifo", line: "RS [10.0.0.1]:tcp:80 [192.0.2.1]:tcp:80 DOWN" },
  ]);
});

test("a quorum: its script, the FIFOs, then mail with the sum", () => {
  const lost = { up: false, weight: 0, threshold: 1, when: "later" } as const;
  assert.deepEqual(tellQuorum(SERVICE, lost, "lb1"), [
    { kind: "script", command: "/down", arguments: [] },
    { kind: "fifo", line: "VS [192.0.2.1]:tcp:80 DOWN" },
    {
      kind: "mail",
      title: "[lb1] Virtualserver [192.0.2.1]:tcp:80 - DOWN",
      text: "=> Lost quorum 2+1=1 <= 0 <=",
      severity: "critical",
    },
  ]);
  const start = { up: true, weight: 4, threshold: 3, when: "start" } as const;
  const [, , mail] = tellQuorum(SERVICE, start, "lb1");
  assert.equal(mail?.kind === "mail" ? mail.text : "", "=> Starting with quorum up 2+1=3 <= 4 <=");
});
