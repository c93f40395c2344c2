import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { NO_BALANCING } from "../../../agent/config/virtual-servers.ts";
import type { IpAddress } from "../../../agent/core/address.ts";
import { directorParts } from "../../../agent/director-parts.ts";
import { openIpvs } from "../../../agent/linux/netlink/ipvs.ts";
import { runProgram } from "../../../agent/linux/programs.ts";
import { DirectorProcess } from "../../../agent/runtime/director-process.ts";
import type {
  EventReport,
  FromChild,
  FromDirector,
  ToDirector,
} from "../../../agent/runtime/ipc.ts";
import { hostSettings } from "../../../agent/simulator/host-settings.ts";
import { fine } from "../../ipvs/port-suite.ts";
import { eventually } from "../../lab/eventually.ts";
import { enterNamespace } from "../../linux/network-rig.ts";
import { real, tcpCheck, web } from "../../runtime/balancing/rig.ts";
import { settingsWith } from "../../runtime/policies/policy-bench.ts";

/* The weights that policies decide, in the kernel's own table: a whole director but for its process. */

/** The compiler of policies and their threads have to start, on one processor that others have as well. */
const PATIENCE_MS = 150_000;
const weigh = (run: string, more = ""): string => `
import { definePolicy } from "holdfast/sdk";
export default definePolicy({
  permissions: { control: { services: ["[192.0.2.1]:tcp:80"] } },
  ${more}
  balance: { every: "300ms", timeout: "10s", ttl: "3s", run(ctx, { realServers }) { ${run} } },
});
`;

const answering = (first: number, second: number): string =>
  `return Object.fromEntries(realServers.map(({ key }, at) => [key, [${first}, ${second}][at] ?? 0]));`;

/** Its state makes it hold its thread up for good, after its first answer. */
const STUCK = `ctx.state.runs += 1;
  if (ctx.state.runs > 1) Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);
  ${answering(8, 9)}`;

const load = (file: string): string => `
import { definePolicy } from "holdfast/sdk";
export default definePolicy({
  permissions: { read: ["${file}"] },
  checks: {
    taken: {
      every: "300ms",
      timeout: "10s",
      async run(ctx) {
        const text = (await ctx.files.readText("${file}")).trim();
        return text === "down" ? false : { ok: true, weight: Number(text) };
      },
    },
  },
});
`;

/** Where only root may write. */
const folder = mkdtempSync("/var/lib/hf-balance-");
after(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string): string => join(folder, name);
const write = (name: string, text: string): void => writeFileSync(file(name), text);

const grants = { read: [file("taken")], control: { services: ["[192.0.2.1]:tcp:80"] } };
const probe = { kind: "policy", policy: "load", check: "taken" } as const;
const follower = real(3, { weight: 100, checks: [{ ...tcpCheck(3), probe }] });

const SETTINGS = {
  ...hostSettings({
    routerId: "lb1",
    policiesDirectory: file("policies"),
    subjects: [],
    settings: settingsWith(grants),
  }),
  stateDirectory: file("state"),
  leaveServices: true,
  balancing: {
    ...NO_BALANCING,
    virtualServers: [
      web({ realServers: [1, 2].map((last) => real(last, { weight: 100, checks: [] })) }),
      web({
        name: "[192.0.2.2]:tcp:80",
        targets: [{ kind: "address", address: "192.0.2.2" as IpAddress, port: 80 }],
        realServers: [follower],
      }),
    ],
  },
};

/** A director with its real parts, and what its supervisor would hear. */
class Director {
  readonly events: EventReport[] = [];
  readonly #hear: (message: ToDirector) => void;
  readonly #ended: Promise<void>;

  constructor() {
    let hear: (message: unknown) => void = () => undefined;
    let ended: () => void = () => undefined;
    this.#ended = new Promise((resolve) => {
      ended = resolve;
    });
    const later = (delayMs: number, act: () => void): (() => void) => {
      const timer = setTimeout(act, delayMs);
      return () => clearTimeout(timer);
    };
    const channel = {
      listen: (message: (message: unknown) => void) => {
        hear = message;
      },
      send: (message: unknown) => {
        const said = message as FromDirector | FromChild;
        if (said.kind === "event") this.events.push(said.report);
        // There are no routers.
        if (said.kind === "snapshot") {
          queueMicrotask(() => hear({ kind: "snapshot", id: said.id, routers: [], groups: [] }));
        }
      },
    };
    new DirectorProcess(channel, {
      prepare: () => [],
      parts: (settings) => directorParts(settings, later),
      run: runProgram,
      exit: () => ended(),
    });
    this.#hear = (message) => hear(message);
    this.#hear({ kind: "configure", settings: SETTINGS });
  }

  get versions(): number {
    return this.events.filter(({ kind, subject, message }) => {
      return kind === "policy" && subject === "weigh" && message.startsWith("version");
    }).length;
  }

  /** What it has in the kernel stays there. */
  end(): Promise<void> {
    this.#hear({ kind: "stop" });
    return this.#ended;
  }
}

test("policies decide weights in the kernel, over reloads, stuck threads and another director", {
  timeout: 400_000,
}, async (context) => {
  enterNamespace();
  const kernel = fine(await openIpvs());
  context.after(() => kernel.close());
  /** `1=30 2=60`, of all services. */
  const weights = async (): Promise<string> =>
    [...fine(await kernel.read()).table.values()]
      .flatMap(({ destinations }) => destinations)
      .map(({ address, weight }) => `${address.split(".").at(-1)}=${weight}`)
      .sort()
      .join(" ");
  const become = (wanted: string): Promise<void> =>
    eventually(`the kernel has ${wanted}`, PATIENCE_MS, async () => {
      const said = director.events
        .slice(-6)
        .map(({ subject, message }) => `${subject}: ${message}`);
      assert.equal(await weights(), wanted, said.join("\n"));
    });

  mkdirSync(file("policies"));
  mkdirSync(file("state"));
  write("taken", "7");
  write("policies/weigh.ts", weigh(answering(30, 60)));
  write("policies/load.ts", load(file("taken")));
  let director = new Director();
  context.after(() => director.end());
  await become("1=30 2=60 3=7");

  // Another version that answers the same is not seen in the kernel.
  write("policies/weigh.ts", weigh(answering(30, 60), 'about: "again",'));
  await eventually("it runs", PATIENCE_MS, async () => {
    assert.equal(await weights(), "1=30 2=60 3=7");
    assert.equal(director.versions, 2);
  });
  write("policies/weigh.ts", weigh(answering(5, 6)));
  write("taken", "12");
  await become("1=5 2=6 3=12");
  write("taken", "down");
  await become("1=5 2=6");
  write("taken", "0");
  await become("1=5 2=6 3=0");

  // The next one has the weights of the file, and then those that it is told.
  await director.end();
  assert.equal(await weights(), "1=5 2=6 3=0");
  rmSync(file("policies/weigh.ts"));
  director = new Director();
  await become("1=100 2=100 3=0");

  write("policies/weigh.ts", weigh(STUCK, "state: { version: 1, init: () => ({ runs: 0 }) },"));
  await become("1=8 2=9 3=0");
  // Its thread is ended by force, again and again: what it said lapses.
  await become("1=100 2=100 3=0");
  assert.ok(director.events.some(({ message }) => message.startsWith("stopped by force")));
});
