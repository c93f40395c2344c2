import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { orderServer } from "../../../agent/control/client.ts";
import { eventually } from "../../lab/eventually.ts";
import { patiently } from "./patiently.ts";
import type { Answer } from "./traffic-client.ts";
import { askTcp, askUdp, Connection, serversIn, tally } from "./traffic-client.ts";
import { Director, PATIENCE_MS } from "./traffic-director.ts";
import { METHOD_CASES, methodServices, openTunnels } from "./traffic-methods.ts";
import {
  CLIENT,
  CLIENT6,
  CLIENTS,
  LONG_BYTES,
  must,
  QUORUM_ADDRESS,
  TrafficNet,
} from "./traffic-net.ts";
import {
  AT,
  DEADLINE_S,
  FORGETS_S,
  GROUP,
  GROUP_TEXT,
  MARKED_FOR_GROUP,
  MARKS,
  NOT_IN_GROUP,
  poolServices,
} from "./traffic-pools.ts";
import { SCHEDULERS, schedulerServices } from "./traffic-schedulers.ts";
import { askSctp } from "./traffic-sctp.ts";
import { block, serviceText } from "./traffic-text.ts";

const SERVERS = ["rs1", "rs2", "rs3", "sorry"];
/** The wall clock, by which events are told, may be as much away from the one that deadlines go by. */
const CLOCKS_MS = 50;
/** Enough to meet each of two servers, if chance chooses. */
const MANY = 64;

const configOf = (leaving: boolean): string =>
  [
    block("global_defs", ["router_id director", "lvs_timeouts udp 1"]),
    GROUP_TEXT,
    ...[...schedulerServices, ...methodServices, ...poolServices(leaving)].map(serviceText),
  ].join("\n");
const KERNEL_SERVICES =
  schedulerServices.length + methodServices.length + poolServices(false).length + GROUP.length;

describe("traffic through a director", { timeout: 400_000 }, () => {
  let net: TrafficNet;
  let director: Director;
  /** Whom the service that forgets its clients chose at first. */
  let forgotten: { readonly answer: Answer; readonly at: number };
  const open: Connection[] = [];

  const connect = async (address: string, from = CLIENT): Promise<Connection> => {
    const connection = await Connection.open(address, from);
    open.push(connection);
    return connection;
  };
  /** A connection that this server has. */
  const connectTo = async (address: string, server: string): Promise<Connection> => {
    for (let tries = 0; tries < MANY; tries += 1) {
      const connection = await connect(address);
      if ((await connection.ask()).server === server) return connection;
      connection.close();
    }
    return assert.fail(`${server} has no connection`);
  };
  /** Asks so many times, each on a connection of its own that stays open. */
  const hold = async (address: string, times: number): Promise<readonly Answer[]> => {
    const answers: Answer[] = [];
    for (let at = 0; at < times; at += 1) answers.push(await (await connect(address)).ask());
    return answers;
  };
  const serverFor = async (address: string, from = CLIENT): Promise<string> =>
    (await askTcp(address, from)).server;
  const goesTo = async (address: string, wanted: string): Promise<void> =>
    eventually(`${address} is answered by ${wanted}`, PATIENCE_MS, async () =>
      assert.equal(await serverFor(address), wanted),
    );

  before(async () => {
    net = await TrafficNet.make(SERVERS);
    for (const server of net.servers.values()) {
      for (const address of [server.address, server.address6]) await server.echo(address);
    }
    for (const name of ["rs1", "rs2"] as const) {
      openTunnels(net.server(name).node, name);
      await net.server(name).echo(AT.onePacket);
    }
    for (const { method, server, address } of METHOD_CASES) {
      if (method !== "NAT") await net.server(server).echo(address);
    }
    director = new Director(net, configOf(false));
    await director.agent.start("--dont-release-ipvs");
    await director.has(KERNEL_SERVICES);
    const [answer = assert.fail()] = await askUdp(AT.forgetful, CLIENT);
    forgotten = { answer, at: performance.now() };
  });
  afterEach(() => {
    for (const connection of open.splice(0)) connection.close();
  });
  after(async () => {
    await director?.agent.stop();
    director?.agent.dispose();
    await net?.dispose();
  });

  describe("a scheduler spreads TCP and UDP as it promises", () => {
    const udp = async (address: string, times: number): Promise<readonly Answer[]> => {
      const answers: Answer[] = [];
      for (let at = 0; at < times; at += 1) answers.push(...(await askUdp(address, CLIENT)));
      return answers;
    };
    const asks = [
      (address: string, from: string) => askTcp(address, from),
      async (address: string, from: string) =>
        (await askUdp(address, from))[0] ?? assert.fail("no answer"),
    ] as const;
    type Ask = (typeof asks)[number];

    const oneClient = async (ask: Ask, address: string): Promise<readonly Answer[]> => {
      const found: Answer[] = [];
      while (found.length < MANY && serversIn(found) < 2) found.push(await ask(address, CLIENT));
      return found;
    };
    const allClients = async (ask: Ask, address: string): Promise<readonly Answer[]> => {
      const found: Answer[] = [];
      for (const from of CLIENTS) found.push(await ask(address, from));
      return found;
    };
    const kept: Readonly<Record<string, (ask: Ask, address: string) => Promise<void>>> = {
      any: async (ask, address) => {
        const clients = (await allClients(ask, address)).map(({ client }) => client);
        assert.deepEqual(clients, CLIENTS);
      },
      "by-port": async (ask, address) => {
        assert.equal(serversIn(await oneClient(ask, address)), 2);
      },
      "by-client": async (ask, address) => {
        const found = await allClients(ask, address);
        assert.ok(serversIn(found) > 1, tally(found));
        assert.deepEqual(await allClients(ask, address), found);
      },
      "by-service": async (ask, address) => {
        assert.equal(serversIn(await allClients(ask, address)), 1);
      },
    };

    for (const { name, address, choice } of SCHEDULERS) {
      test(name, async () => {
        if (choice.kind !== "counted") {
          for (const ask of asks) await kept[choice.kind]?.(ask, address);
          return;
        }
        const held = await hold(address, 6);
        assert.equal(tally(held), choice.tcp);
        assert.deepEqual(new Set(held.map(({ client }) => client)), new Set([CLIENT]));
        const answers = await udp(address, 6);
        if (choice.udp !== undefined) assert.equal(tally(answers), choice.udp);
      });
    }

    test("one socket of UDP stays with its server, but for ops", async () => {
      const [{ address = "" } = {}] = SCHEDULERS;
      assert.match(tally(await askUdp(address, CLIENT, 4)), /^rs\d=4$/);
      assert.equal(tally(await askUdp(AT.onePacket, CLIENT, 4)), "rs1=2 rs2=2");
    });

    test("a server with its most connections gets no more", async () => {
      assert.equal(tally(await hold(AT.threshold, 6)), "rs1=2 rs2=4");
    });
  });

  describe("a method brings the client's address to the real server", () => {
    for (const { name, address, server } of METHOD_CASES) {
      test(name, async () => {
        const client = address.includes(":") ? CLIENT6 : CLIENT;
        assert.deepEqual(await askTcp(address, client), { server, client });
        assert.deepEqual(await askUdp(address, client), [{ server, client }]);
      });
    }

    test("NAT of SCTP", () => {
      const { node, address } = net.server("rs1");
      assert.equal(askSctp(node, address, AT.sctp, CLIENT), CLIENT);
    });
  });

  describe("a service is", () => {
    before(() => {
      must(net.director, "tc qdisc add dev eth0 clsact");
      const marks = [
        [AT.mark, MARKS.ipv4],
        [AT.markToo, MARKS.ipv4],
        [AT.mark6, MARKS.ipv6],
        [MARKED_FOR_GROUP, MARKS.group],
      ] as const;
      for (const [address, mark] of marks) {
        const protocol = address.includes(":") ? "ipv6" : "ip";
        const filter = `tc filter add dev eth0 ingress protocol ${protocol} flower dst_ip`;
        must(net.director, `${filter} ${address} action skbedit mark ${mark}`);
      }
    });

    test("a mark, whatever the address and the protocol", async () => {
      const answers = [
        await askTcp(AT.mark, CLIENT),
        await askTcp(AT.markToo, CLIENT),
        ...(await askUdp(AT.mark, CLIENT)),
        ...(await askUdp(AT.markToo, CLIENT)),
      ];
      assert.equal(tally(answers), "rs1=2 rs2=2");
      assert.deepEqual(await askTcp(AT.mark6, CLIENT6), { server: "rs2", client: CLIENT6 });
    });

    test("a group of ranges and a mark", async () => {
      for (const address of [...GROUP, MARKED_FOR_GROUP]) {
        assert.equal(await serverFor(address), "rs2");
      }
      await assert.rejects(serverFor(NOT_IN_GROUP), /ECONNREFUSED/);
    });
  });

  describe("persistence", () => {
    const persists = async (address: string, clients: readonly string[]): Promise<string> => {
      const servers = new Set<string>();
      for (const client of [...clients, ...clients]) servers.add(await serverFor(address, client));
      return [...servers].join();
    };

    test("keeps a client with its server, and others with theirs", async () => {
      const chosen: string[] = [];
      for (const client of CLIENTS.slice(0, 4)) {
        chosen.push(await persists(AT.persistent, [client, client]));
      }
      const [first, second] = chosen;
      assert.deepEqual(new Set([first, second]), new Set(["rs1", "rs2"]));
      assert.deepEqual(chosen, [first, second, first, second]);
    });

    test("keeps a network together, by its granularity", async () => {
      const [near, far] = [
        await persists(AT.network, CLIENTS.slice(0, -1)),
        await persists(AT.network, CLIENTS.slice(-1)),
      ];
      assert.deepEqual(new Set([near, far]), new Set(["rs1", "rs2"]));
    });

    test("ends", async () => {
      const over = forgotten.at + FORGETS_S * 1000 + 1_500;
      await new Promise((resolve) => setTimeout(resolve, over - performance.now()));
      const [answer] = await askUdp(AT.forgetful, CLIENT);
      assert.notEqual(answer?.server, forgotten.answer.server);
    });
  });

  describe("failures", () => {
    test("the sorry server answers while nobody else does", async () => {
      assert.equal(director.pool(AT.sorry), "rs1=1 rs2=1");
      assert.equal(director.pool(AT.sorryInhibited), "rs1=1 rs2=1 sorry=0");
      for (const name of ["rs1", "rs2"]) await net.server(name).kill();
      await goesTo(AT.sorry, "sorry");
      await goesTo(AT.sorryInhibited, "sorry");
      assert.equal(director.pool(AT.sorry), "sorry=1");
      const begun = await connectTo(AT.sorryInhibited, "sorry");
      for (const name of ["rs1", "rs2"]) await net.server(name).start();
      await director.becomes(AT.sorry, "rs1=1 rs2=1");
      await director.becomes(AT.sorryInhibited, "rs1=1 rs2=1 sorry=0");
      assert.equal(tally(await hold(AT.sorry, 4)), "rs1=2 rs2=2");
      assert.equal((await begun.ask()).server, "sorry", "what it began it may finish");
      assert.equal(tally(await hold(AT.sorryInhibited, 4)), "rs1=2 rs2=2");
    });

    test("quorum and hysteresis decide by their scripts whether there is a service", async () => {
      await goesTo(QUORUM_ADDRESS, "rs3");
      net.server("rs3").setHealthy(false);
      await director.becomes(QUORUM_ADDRESS, "rs1=2 rs2=2");
      assert.match(await serverFor(QUORUM_ADDRESS), /rs[12]/);
      net.server("rs2").setHealthy(false);
      await eventually("quorum_down", PATIENCE_MS, () =>
        assert.rejects(serverFor(QUORUM_ADDRESS), /E(HOST|NET)UNREACH/),
      );
      net.server("rs2").setHealthy(true);
      await director.becomes(QUORUM_ADDRESS, "rs1=2 rs2=2");
      await assert.rejects(serverFor(QUORUM_ADDRESS), /E(HOST|NET)UNREACH/);
      net.server("rs3").setHealthy(true);
      await eventually("quorum_up", PATIENCE_MS, () => serverFor(QUORUM_ADDRESS));
    });

    test("with inhibit_on_failure connections go on, and new ones go elsewhere", async () => {
      await director.becomes(AT.inhibited, "rs1=1 rs2=1");
      const begun = await connectTo(AT.inhibited, "rs1");
      net.server("rs1").setHealthy(false);
      await director.becomes(AT.inhibited, "rs1=0 rs2=1");
      assert.equal(tally(await hold(AT.inhibited, 4)), "rs2=4");
      assert.equal((await begun.ask()).server, "rs1");
      net.server("rs1").setHealthy(true);
      await director.becomes(AT.inhibited, "rs1=1 rs2=1");
      assert.equal((await begun.ask()).server, "rs1");
    });
  });

  describe("a server that is to go", () => {
    const download = async (address: string, name: string): Promise<Connection> => {
      const connection = await connectTo(address, "rs1");
      await connection.get(`/stock/${name}`, /\r\n\r\nx|\r\n\r\n\0/);
      return connection;
    };
    const isWhole = async (connection: Connection): Promise<void> => {
      const [, body = ""] = await connection.until((text) => {
        const parts = text.split("\r\n\r\n");
        return parts[1]?.length === LONG_BYTES ? parts : undefined;
      });
      assert.equal(body, "x".repeat(LONG_BYTES));
    };

    /** When rs1 of the service had this change last, as the agent tells it. */
    const happened = (address: string, change: "state" | "left"): Promise<number> =>
      eventually(`${address}: ${change}`, PATIENCE_MS, () => {
        const found = director.agent.events.findLast(
          ({ subject, detail }) =>
            subject === `[${address}]:tcp:80` &&
            detail["change"] === change &&
            detail["server"] === "10.0.0.11:80",
        );
        return found?.at ?? assert.fail("not told");
      });

    test("finishes its downloads after holdfast drain", async () => {
      const long = await download(AT.drained, "long");
      const order = { server: `[${AT.drained}]:tcp:80/10.0.0.11`, who: "test" };
      const { servers } = await orderServer(director.agent.control, "drain", order);
      assert.equal(servers.length, 1);
      await director.becomes(AT.drained, "rs1=0 rs2=1");
      assert.equal(tally(await hold(AT.drained, 6)), "rs2=6");
      assert.ok(long.bytes < LONG_BYTES, "it was over before");
      await isWhole(long);
    });

    test("is gone when its downloads are over, or at the deadline of holdfast_drain", async () => {
      const long = await download(AT.finishing, "long");
      const endless = await download(AT.cut, "endless");
      await director.reload(configOf(true));
      // First the one whose time runs.
      for (const address of [AT.cut, AT.finishing]) {
        await director.becomes(address, "rs1=0 rs2=1");
        assert.equal(tally(await hold(address, 3)), "rs2=3");
        if (address !== AT.cut) continue;
        const had = endless.bytes;
        await endless.until((text) => (text.length > had ? true : undefined));
      }
      await isWhole(long);
      long.close();
      await director.becomes(AT.finishing, "rs2=1");
      await director.becomes(AT.cut, "rs2=1");
      const removedAt = await happened(AT.cut, "state");
      const time = (await happened(AT.cut, "left")) - removedAt;
      assert.ok(time >= DEADLINE_S * 1000 - CLOCKS_MS, `it had ${time} ms`);
      endless.socket.write("\r\n");
      await eventually("the download is cut", PATIENCE_MS, () => assert.ok(endless.ended));
    });
  });

  describe("an agent that comes back takes over what there is", () => {
    /** Connections of a service since it was made. */
    const counted = (): number => {
      const service = `${AT.restarted}:80`;
      const text = must(net.director, `ipvsadm -L -n --stats --exact -t ${service}`);
      return Number(new RegExp(`TCP +${service} +(\\d+)`).exec(text)?.[1]);
    };
    const comesBack = async (end: () => Promise<unknown>): Promise<void> => {
      const begun = await connectTo(AT.restarted, "rs1");
      const download = await connectTo(AT.restarted, "rs2");
      await download.get("/stock/endless", /\r\n\r\n\0/);
      const had = await patiently("the kernel has counted", PATIENCE_MS, () => {
        const connections = counted();
        assert.ok(connections >= 2);
        return connections;
      });
      await end();
      assert.equal((await begun.ask()).server, "rs1", "without an agent");
      const pools = director.table();
      await director.agent.start();
      await patiently("checks look again", PATIENCE_MS, async () => {
        const { director: part } = await director.agent.status();
        const service = part?.services.find(({ targets }) =>
          targets.includes(`tcp ${AT.restarted}:80`),
        );
        const checks = service?.realServers.flatMap((server) => server.checks) ?? [];
        assert.ok(checks.length > 0 && checks.every(({ runs }) => runs > 0));
      });
      assert.deepEqual(director.table(), pools);
      assert.equal(director.pool(AT.drained), "rs1=0 rs2=1", "drained it stays");
      assert.equal((await begun.ask()).server, "rs1", "with the next agent");
      const bytes = download.bytes;
      await download.until((text) => (text.length > bytes ? true : undefined));
      assert.ok(counted() >= had, "the service is not another one");
    };

    test("left by SIGTERM with --dont-release-ipvs", () => comesBack(() => director.agent.stop()));

    test("left by SIGKILL", () => comesBack(() => director.agent.killAll()));

    test("and at its end takes it away", async () => {
      assert.equal(await director.agent.stop(), 0);
      assert.equal(director.table().size, 0);
    });
  });
});
