import type { ServiceText } from "./traffic-text.ts";

/** What of a scheduler's choice among rs1, rs2 and rs3, of weights 3, 2 and 1, is sure. */
export type Choice =
  /** Of six connections that stay open; of UDP where that counts what is open, it is left out. */
  | { readonly kind: "counted"; readonly tcp: string; readonly udp?: string }
  /** The same server for one address of a client, others for others. */
  | { readonly kind: "by-client" }
  /** Several servers for one address of a client. */
  | { readonly kind: "by-port" }
  /** The same server for whoever asks. */
  | { readonly kind: "by-service" }
  /** Those of the three that are not too busy. */
  | { readonly kind: "any" };

export interface SchedulerCase {
  /** The scheduler, then its flag. */
  readonly name: string;
  readonly address: string;
  readonly choice: Choice;
}

const ALIKE = "rs1=2 rs2=2 rs3=2";
const WEIGHTED = "rs1=3 rs2=2 rs3=1";
const counted = (tcp: string, udp?: string): Choice => ({
  kind: "counted",
  tcp,
  ...(udp !== undefined && { udp }),
});

/** All that the guest's kernel has: it lacks twos. */
const CHOICES: Readonly<Record<string, Choice>> = {
  rr: counted(ALIKE, ALIKE),
  wrr: counted(WEIGHTED, WEIGHTED),
  lc: counted(ALIKE, ALIKE),
  wlc: counted(WEIGHTED, WEIGHTED),
  sed: counted(WEIGHTED),
  nq: counted(WEIGHTED),
  fo: counted("rs1=6", "rs1=6"),
  // A server is full with one connection more than its weight.
  ovf: counted("rs1=4 rs2=2"),
  lblc: { kind: "any" },
  lblcr: { kind: "any" },
  dh: { kind: "by-service" },
  sh: { kind: "by-client" },
  "sh sh-port": { kind: "by-port" },
  mh: { kind: "by-client" },
  "mh mh-port": { kind: "by-port" },
};

export const SCHEDULERS: readonly SchedulerCase[] = Object.entries(CHOICES).map(
  ([name, choice], at) => ({ name, choice, address: `198.51.100.${at + 1}` }),
);

export const schedulerServices: readonly ServiceText[] = SCHEDULERS.flatMap(({ name, address }) => {
  const [scheduler = "", ...more] = name.split(" ");
  return (["TCP", "UDP"] as const).map((protocol) => ({
    at: address,
    protocol,
    scheduler,
    more,
    servers: { "10.0.0.11": ["weight 3"], "10.0.0.12": ["weight 2"], "10.0.0.13": ["weight 1"] },
  }));
});
