import { setTimeout as delay } from "node:timers/promises";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { Lab } from "../../agent/linux/lab.ts";
import { WithoutIpvs } from "../lab/without-ipvs.ts";
import { Nginx } from "./nginx.ts";
import { ProcessorAccount } from "./processor-account.ts";
import type { Package, ProgramName } from "./program.ts";
import { Daemon, PROGRAMS } from "./program.ts";
import type { Row, Section } from "./row.ts";
import { REAL_ADDRESSES, serversText } from "./servers-text.ts";

/** Seconds between the looks at a real server. */
const INTERVAL = 5;
/** Seconds: a round of checks, and until the code of a program that compiles itself has been compiled. */
const SETTLED: Readonly<Record<ProgramName, number>> = { holdfast: 22, keepalived: 14 };
const MEASURED = 10;

interface Probe {
  readonly what: string;
  readonly services: number;
  /** Of each service. */
  readonly realServers: number;
  readonly port: number;
  /** keepalived's name of the check. */
  readonly check: string;
}

const HTTP: Probe = {
  what: "processor time of a look at a real server, HTTP_GET",
  ...{ services: 50, realServers: 100, port: 8080, check: "HTTP_GET" },
};
const TLS: Probe = {
  what: "processor time of a look at a real server, SSL_GET",
  ...{ services: 10, realServers: 100, port: 8443, check: "SSL_GET" },
};

/** What it takes to look at real servers. */
export async function probeCost(from: Package): Promise<Section> {
  const ipvs = new WithoutIpvs();
  try {
    return {
      title: "Checks of real servers",
      method:
        `${HTTP.services} services × ${HTTP.realServers} real servers with HTTP_GET, ${TLS.services} × ${TLS.realServers} with SSL_GET, each every ${INTERVAL} s: one nginx on this machine, which ` +
        `is not counted but counts the requests. Processor time of all processes of a program over ${MEASURED} s, by the requests. ` +
        `There is no ip_vs: Holdfast goes on without it, keepalived is given a library that takes its commands.`,
      rows: [
        await row(HTTP, from, ipvs, "no more than keepalived's"),
        await row(TLS, from, ipvs, undefined),
      ],
    };
  } finally {
    ipvs.dispose();
  }
}

async function row(
  probe: Probe,
  from: Package,
  ipvs: WithoutIpvs,
  aim: string | undefined,
): Promise<Row> {
  const costs: Partial<Record<ProgramName, Cost>> = {};
  for (const program of PROGRAMS) costs[program] = await costOf(program, probe, from, ipvs);
  const { holdfast, keepalived } = costs;
  if (holdfast === undefined || keepalived === undefined) throw new Error("not measured");
  const text = ({ seconds, rate }: Cost): string =>
    `${(seconds * 1e6).toFixed(0)} µs (${rate.toFixed(0)}/s)`;
  return {
    what: probe.what,
    holdfast: text(holdfast),
    keepalived: text(keepalived),
    ratio: holdfast.seconds / keepalived.seconds,
    aim: aim ?? "stated",
    met: aim === undefined || holdfast.seconds <= keepalived.seconds,
  };
}

interface Cost {
  /** Of processor time, for each check. */
  readonly seconds: number;
  /** Checks a second. */
  readonly rate: number;
}

async function costOf(
  program: ProgramName,
  probe: Probe,
  from: Package,
  ipvs: WithoutIpvs,
): Promise<Cost> {
  const lab = new Lab();
  const node = lab.node("director");
  node.exec("ip", ["route", "add", "local", REAL_ADDRESSES, "dev", "lo"]);
  const nginx = new Nginx(node);
  const account = new ProcessorAccount(`${program}-${probe.port}`);
  const start = { words: ["--check"], env: ipvs.env };
  const daemon = new Daemon(program, from, node, config(probe), [], start);
  try {
    await nginx.start();
    daemon.start();
    await delay(SETTLED[program] * 1_000);
    account.add(daemon.pids);
    const [used, requests, begun] = [account.seconds(), requestsOf(node), performance.now()];
    await delay(MEASURED * 1_000);
    const count = requestsOf(node) - requests;
    const seconds = account.seconds() - used;
    const rate = count / ((performance.now() - begun) / 1_000);
    expectMost(probe, rate, daemon);
    return { seconds: seconds / count, rate };
  } finally {
    await daemon.stop();
    daemon.dispose();
    nginx.dispose();
    lab.dispose();
    // Some processes end after the one that started them.
    await delay(500);
    account.dispose();
  }
}

const config = ({ services, realServers, port, check }: Probe): string =>
  serversText({
    ...{ services, realServers, interval: INTERVAL, port: () => port },
    lines: [`${check} {`, "  url {", "    path /health", "    status_code 200", "  }", "}"],
  });

/** That nginx has served so far, this question among them. */
function requestsOf(node: LabNode): number {
  const { stdout } = node.exec("curl", ["-sf", "http://127.0.0.1:8080/status"]);
  const count = /accepts handled requests\s+\d+ \d+ (\d+)/.exec(stdout)?.[1];
  if (count === undefined) throw new Error(`nginx does not say how often it was asked: ${stdout}`);
  return Number(count) - 1;
}

/** On a busy machine some looks fail, and are repeated or come late: the rate is told. */
function expectMost({ services, realServers }: Probe, rate: number, { name, log }: Daemon): void {
  const wanted = (services * realServers) / INTERVAL;
  if (rate > 0.2 * wanted && rate < 2 * wanted) return;
  const said = log.slice(-1_000);
  throw new Error(`${name} looked ${rate.toFixed(0)} times a second, not ${wanted}:\n${said}`);
}
