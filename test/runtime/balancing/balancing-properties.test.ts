import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type {
  BalancingConfig,
  RealServerConfig,
  VirtualServerConfig,
} from "../../../agent/config/virtual-servers.ts";
import { serviceKey } from "../../../agent/core/ipvs/service.ts";
import { seconds } from "../../../agent/core/time.ts";
import { balancing, NAME, Rig, real, TARGET, tcpCheck, web } from "./rig.ts";

const last = fc.integer({ min: 1, max: 3 });

const servers: fc.Arbitrary<VirtualServerConfig> = fc
  .record({
    members: fc.uniqueArray(last, { maxLength: 3 }),
    weight: fc.integer({ min: 1, max: 9 }),
    inhibitOnFailure: fc.boolean(),
    retries: fc.integer({ min: 0, max: 1 }),
    scheduler: fc.constantFrom("rr", "wlc"),
    quorum: fc.integer({ min: 1, max: 3 }),
    drainTime: fc.constantFrom(seconds(0), seconds(20)),
    slowStart: fc.constantFrom(seconds(0), seconds(10)),
    sorry: fc.boolean(),
  })
  .map(({ members, weight, inhibitOnFailure, retries, sorry, ...part }) =>
    web({
      ...part,
      sorryServer: sorry ? real(99) : undefined,
      realServers: members.map((one) =>
        real(one, { weight, inhibitOnFailure, checks: [tcpCheck(one, { retries })] }),
      ),
    }),
  );

const configs: fc.Arbitrary<BalancingConfig> = fc
  .option(servers, { nil: undefined })
  .map((one) => balancing(one === undefined ? [] : [one]));

const COMMANDS = ["drain", "undrain", "disable", "add", "remove"] as const;

type Line =
  | { readonly kind: "wait"; readonly time: number }
  | { readonly kind: "turn"; readonly server: number }
  | { readonly kind: "configure"; readonly config: BalancingConfig }
  | { readonly kind: "restart" | "disturb" | "fail" }
  | {
      readonly kind: "order";
      readonly command: (typeof COMMANDS)[number];
      readonly server: number;
    };

const lines: fc.Arbitrary<readonly Line[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("wait" as const),
        time: fc.integer({ min: 1, max: 9 }),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("turn" as const), server: last }) },
    fc.record({ kind: fc.constant("configure" as const), config: configs }),
    fc.record({ kind: fc.constantFrom("restart" as const, "disturb" as const, "fail" as const) }),
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("order" as const),
        command: fc.constantFrom(...COMMANDS),
        server: last,
      }),
    },
  ),
  { maxLength: 12 },
);

const THEIRS = { ...TARGET, port: 8080 } as const;

/** Who is in the pool, by what was configured and ordered. */
class Members {
  #file: readonly RealServerConfig[] = [];
  readonly #removed = new Set<string>();
  #added: readonly { readonly like: string; readonly server: RealServerConfig }[] = [];

  get all(): readonly RealServerConfig[] {
    return [...this.#left(), ...this.#added.map(({ server }) => server)];
  }

  configure({ virtualServers: [one] }: BalancingConfig): void {
    this.#file = one?.realServers ?? [];
    const file = new Map(this.#file.map((each) => [each.name, each]));
    for (const name of this.#removed) if (!file.has(name)) this.#removed.delete(name);
    if (one === undefined) this.#added = [];
    this.#added = this.#added
      .filter(({ server }) => !file.has(server.name))
      .map(({ like, server }) => ({ like, server: as(server, file.get(like) ?? server) }));
  }

  add(wanted: RealServerConfig): void {
    if (this.#removed.delete(wanted.name)) return;
    const gone = this.#file.filter(({ name }) => this.#removed.has(name));
    const [model] = [...this.all, ...gone];
    const like = this.#added.find(({ server }) => server === model)?.like ?? model?.name;
    const server = as(
      wanted,
      model ?? { ...wanted, weight: 1, inhibitOnFailure: false, checks: [] },
    );
    this.#added = [...this.#added, { like: like ?? wanted.name, server }];
  }

  undrain({ name }: RealServerConfig): void {
    this.#removed.delete(name);
  }

  remove({ name }: RealServerConfig): void {
    if (this.#file.some((each) => each.name === name)) this.#removed.add(name);
    this.#added = this.#added.filter(({ server }) => server.name !== name);
  }

  #left(): readonly RealServerConfig[] {
    return this.#file.filter(({ name }) => !this.#removed.has(name));
  }
}

const as = (
  { name, address }: RealServerConfig,
  { weight, inhibitOnFailure, checks }: RealServerConfig,
): RealServerConfig => ({ ...real(1), name, address, weight, inhibitOnFailure, checks });

const REFUSED =
  /there is no real server|no virtual server|was removed by|has 10\.0\.0\.\d:80 already/;

async function play(
  rig: Rig,
  first: BalancingConfig,
  script: readonly Line[],
): Promise<VirtualServerConfig | undefined> {
  let config = first;
  const members = new Members();
  members.configure(config);
  rig.kernel.carryOut({ kind: "add-service", service: { ...web(), target: THEIRS } });
  await rig.configure(config);
  for (const line of script) {
    switch (line.kind) {
      case "wait":
        await rig.wait(line.time);
        break;
      case "turn":
        if (!rig.dead.delete(line.server)) rig.dead.add(line.server);
        break;
      case "configure":
        config = line.config;
        members.configure(config);
        await rig.configure(config);
        break;
      case "restart":
        rig.restart();
        await rig.configure(config);
        break;
      case "disturb":
        rig.kernel.carryOut({ kind: "delete-service", target: TARGET });
        break;
      case "fail":
        rig.kernel.failing = (command) =>
          command !== "read" && command.kind === "add-destination" ? "ENOMEM" : undefined;
        await rig.wait(3);
        rig.kernel.failing = () => undefined;
        break;
      case "order":
        give(rig, line, members);
        break;
    }
  }
  const [one] = config.virtualServers;
  return one && { ...one, realServers: members.all };
}

function give(
  rig: Rig,
  { command, server: last }: Extract<Line, { readonly kind: "order" }>,
  members: Members,
): void {
  const server = `10.0.0.${last}:80`;
  try {
    rig.order(command, { server: command === "add" ? `${NAME}/${server}` : server });
  } catch (error) {
    assert.match(String(error), REFUSED);
    return;
  }
  if (command === "drain" || command === "disable") return;
  members[command](real(last));
}

test("whatever happened: soon the kernel has what is right, and what others have there is theirs", async () => {
  await fc.assert(
    fc.asyncProperty(configs, lines, async (first, script) => {
      const rig = new Rig();
      try {
        const one = await play(rig, first, script);
        await rig.wait(60);
        assert.ok(rig.kernel.table.has(serviceKey(THEIRS)));
        assert.equal(rig.kernel.table.has(serviceKey(TARGET)), one !== undefined);
        if (one !== undefined) assert.equal(rig.pool, expected(rig, one));
      } finally {
        await rig.dispose();
      }
      assert.deepEqual([...rig.kernel.table.keys()], [serviceKey(THEIRS)]);
    }),
    { numRuns: 40 },
  );
});

/** From what answers and what was ordered alone. */
function expected(rig: Rig, { realServers, quorum, sorryServer }: VirtualServerConfig): string {
  const statuses = new Map(
    rig.part.status().services[0]?.realServers.map((one) => [one.server, one.override?.kind]),
  );
  const found = realServers.map(({ address, weight, inhibitOnFailure, checks }) => {
    const number = Number(address.split(".").at(-1));
    const override = statuses.get(`${address}:80`);
    const up = checks.length === 0 || !rig.dead.has(number);
    const target = override === "drain" ? 0 : weight;
    return { number, up: up && override !== "disable", override, target, inhibitOnFailure };
  });
  const live = found.reduce((sum, { up, target }) => sum + (up ? target : 0), 0);
  const sorry = sorryServer !== undefined && (live === 0 || live < quorum);
  const pool = found.flatMap(({ number, up, override, target, inhibitOnFailure }) => {
    if (override === "disable") return [];
    if (!up) return inhibitOnFailure ? [`${number}=0`] : [];
    if (!sorry) return [`${number}=${target}`];
    return override === "drain" || inhibitOnFailure ? [`${number}=0`] : [];
  });
  return [...pool, ...(sorry ? ["99=1"] : [])].sort().join(" ");
}
