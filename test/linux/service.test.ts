import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { serviceNotifier, withoutNotifier } from "../../agent/linux/service-notifier.ts";
import { openSyslog, syslogLine } from "../../agent/linux/syslog.ts";
import { receiveDatagrams } from "./datagram-receiver.ts";

let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), `hf-${process.pid}-`));
});
after(() => rmSync(directory, { recursive: true }));

describe("service notifier", () => {
  const places = { path: () => join(directory, "notify"), abstract: () => `@hf-${process.pid}` };
  for (const [kind, place] of Object.entries(places)) {
    test(`a state arrives at a socket in the ${kind} name space`, () => {
      const manager = receiveDatagrams(place());
      const notifier = serviceNotifier({ NOTIFY_SOCKET: place() }, 1);
      notifier.notify("READY=1\nSTATUS=2 routers active");
      assert.equal(manager.next(), "READY=1\nSTATUS=2 routers active");
      notifier.notify("RELOADING=1");
      assert.match(manager.next() ?? "", /^RELOADING=1\nMONOTONIC_USEC=[0-9]{4,}$/);
      assert.equal(manager.next(), undefined);
      manager.close();
    });
  }

  test("no manager, or one that is gone, is no failure", () => {
    serviceNotifier({}, 1).notify("READY=1");
    serviceNotifier({ NOTIFY_SOCKET: join(directory, "absent") }, 1).notify("READY=1");
    serviceNotifier({ NOTIFY_SOCKET: "vsock:2:1" }, 1).notify("READY=1");
  });

  test("the watchdog is answered twice in its time, and only by the process it is for", () => {
    const environment = { NOTIFY_SOCKET: "/run/x", WATCHDOG_USEC: "3000000" };
    const watchdog = (more: object) => serviceNotifier({ ...environment, ...more }, 7).watchdogMs;
    assert.equal(watchdog({}), 1_500);
    assert.equal(watchdog({ WATCHDOG_PID: "7" }), 1_500);
    assert.equal(watchdog({ WATCHDOG_PID: "8" }), undefined);
    assert.equal(watchdog({ WATCHDOG_USEC: undefined }), undefined);
    assert.equal(watchdog({ WATCHDOG_USEC: "nonsense" }), undefined);
    assert.equal(watchdog({ WATCHDOG_USEC: "0" }), undefined);
  });

  test("children do not get the variables", () => {
    const environment = { NOTIFY_SOCKET: "a", WATCHDOG_USEC: "1", WATCHDOG_PID: "1", PATH: "/bin" };
    assert.deepEqual(withoutNotifier(environment), { PATH: "/bin" });
  });
});

describe("syslog", () => {
  test("a line has priority, local time, tag and one line of text", () => {
    const at = new Date(2026, 1, 3, 4, 5, 6);
    assert.equal(
      syslogLine(30, "holdfast[9]", "VI_1\n\tis\u0007 active", at),
      "<30>Feb  3 04:05:06 holdfast[9]: VI_1 is  active",
    );
  });

  test("messages arrive also after the daemon was started anew", () => {
    const path = join(directory, "log");
    const syslog = openSyslog(16, "holdfast", 9, path);
    syslog.write("info", "nobody listens", 0);
    let daemon = receiveDatagrams(path);
    syslog.write("error", "one", 0);
    assert.match(daemon.next() ?? "", /^<131>.* holdfast\[9\]: one$/);
    daemon.close();
    rmSync(path);
    daemon = receiveDatagrams(path);
    syslog.write("debug", "two", 0);
    assert.match(daemon.next() ?? "", /^<135>.* holdfast\[9\]: two$/);
    daemon.close();
    syslog.close();
  });
});
