import type { IpAddress } from "../core/address.ts";
import type { DiscardReason } from "../core/bfd/packet.ts";
import type { BfdSnapshot } from "../core/bfd/snapshot.ts";
import { verdictOf } from "../core/bfd/snapshot.ts";
import { seconds } from "../core/time.ts";
import type { Claim, ClaimAlarm } from "../core/vrrp/claim.ts";
import type { DropReason } from "../core/vrrp/drop-reason.ts";
import type { VrrpAlarm, VrrpEffect } from "../core/vrrp/effect.ts";
import type { Fault, FaultCause } from "../core/vrrp/fault.ts";
import type { PeerAlarm } from "../core/vrrp/peers.ts";
import type { SyncGroupEffect } from "../core/vrrp/sync-group.ts";
import type { Clock } from "../ports/clock.ts";
import { claimText } from "./claim-text.ts";
import type { AlarmKind } from "./counters.ts";
import { countAlarm, endAlarm } from "./counters.ts";
import { Crowds } from "./crowd.ts";
import type { OtherHolder } from "./fencing/other-holders.ts";
import type { EventReport, LogLevel } from "./ipc.ts";
import { Repetition } from "./repetition.ts";
import type { Router } from "./router.ts";
import { sendErrorText } from "./send-error-text.ts";

/** Both its subject and its sender are whatever a stranger writes into a packet. */
const UNKNOWN_VRID = "unknown-vrid";

const HOUR = seconds(3_600);

const LINK_FAULTS: ReadonlySet<FaultCause> = new Set(["interface-down", "interface-missing"]);

type Detail = Readonly<Record<string, unknown>>;
type RouterTransition = Extract<VrrpEffect, { readonly kind: "transition" }>;

type GroupTransition = Extract<SyncGroupEffect, { readonly kind: "transition" }>;

/** Says what happens, in one line each, and no line about the same thing again and again. */
export class Reports {
  readonly #clock: Clock;
  readonly #report: (report: EventReport) => void;
  readonly #epochOf: (router: Router) => string | null;
  readonly #repetition = new Repetition();
  readonly #hourly = new Repetition(HOUR);
  readonly #senders = new Crowds();
  /** Alarms whose end is to be told, by router and kind. */
  readonly #lasting = new Set<string>();

  /** `epochOf`: of the lease under which a router is, or was, active; `null`: there is none. */
  constructor(
    clock: Clock,
    report: (report: EventReport) => void,
    epochOf: (router: Router) => string | null = () => null,
  ) {
    this.#clock = clock;
    this.#report = report;
    this.#epochOf = epochOf;
  }

  transition(router: Router, effect: RouterTransition): void {
    const epoch = this.#epochOf(router);
    const { from, to, reason, faults } = effect;
    const at = this.#clock.wallClock();
    router.lastTransition = { from, to, reason, faults, at };
    if (from === "active") for (const alarm of LASTING) endAlarm(router.counters, alarm);
    const why = faults.length === 0 ? reason : faults.map(faultText).join(", ");
    const { priority } = router.effective;
    this.#emit("transition", to === "fault" ? "warn" : "info", router.name, {
      message: `${from} to ${to}: ${why}`,
      detail: {
        ...{ from, to, reason, faults, priority },
        ...(epoch !== null && { epoch }),
        ...(router.retired && { retired: true }),
      },
    });
  }

  group(name: string, { from, to, reason }: GroupTransition, epoch: string | null): void {
    this.#emit("group-transition", "info", name, {
      message: `group ${from} to ${to}: ${reason}`,
      detail: { from, to, reason, ...(epoch !== null && { epoch }) },
    });
  }

  priority(router: Router, before: number, after: number): void {
    const { contributions } = router;
    this.#emit("priority", "info", router.name, {
      message: `priority ${before} to ${after}`,
      detail: { before, after, contributions },
    });
  }

  /** Counted every time, told once in a while. */
  alarm(router: Router, alarm: PlainAlarm, from: string): void {
    countAlarm(router.counters, alarm, this.#clock.wallClock(), LASTING.includes(alarm));
    const told = this.#seldom("warn", router.name, alarm, from, ALARM_TEXT[alarm]);
    if (told) this.#lasting.add(`${router.id} ${alarm}`);
  }

  /** What was told is over; what was not told is not. */
  over(router: Router, alarm: keyof typeof OVER_TEXT, from: string): void {
    endAlarm(router.counters, alarm);
    if (!this.#lasting.delete(`${router.id} ${alarm}`)) return;
    this.#emit("alarm", "info", router.name, {
      message: `${OVER_TEXT[alarm]} (from ${from})`,
      detail: { alarm, from, over: true },
    });
  }

  /** Told of each sender once in an hour: it is a matter of configuration, and stays as it is. */
  claim(router: Router, alarm: ClaimAlarm, claim: Claim, from: IpAddress): void {
    const now = this.#clock.now();
    if (this.#hourly.happened(`${router.id} ${alarm} ${from}`, now) === 0) return;
    countAlarm(router.counters, alarm, this.#clock.wallClock());
    const crowd = this.#senders.admit(`${router.name} ${alarm}`, now);
    if (crowd === "untold") return;
    const rest = crowd === "last" ? MORE_SENDERS : "";
    const { version, priority, addresses } = claim;
    this.#emit("alarm", "warn", router.name, {
      message: claimText(router, alarm, claim, from) + rest,
      detail: { alarm, from, version, priority, addresses: addresses.slice(0, 32) },
    });
  }

  /** Told once, and counted on all whose addresses were reachable for a moment. */
  gateRestored(routers: Iterable<Router>): void {
    const at = this.#clock.wallClock();
    for (const router of routers) countAlarm(router.counters, "gate-restored", at);
    this.host("warn", "gate", GATE_RESTORED, { alarm: "gate-restored" });
  }

  otherHolder(router: Router, { address, mac }: OtherHolder): void {
    countAlarm(router.counters, OTHER_HOLDER, this.#clock.wallClock(), true);
    this.#emit("alarm", "warn", router.name, {
      message:
        `another host answers for ${address} too: its MAC is ${mac}. A node that hangs or was killed ` +
        "still has the address, or a host was given it by mistake. Find that MAC in the switch, and take " +
        "the address away there (holdfast withdraw, or ip address del)",
      detail: { alarm: OTHER_HOLDER, from: mac, address },
    });
  }

  otherHolderOver(router: Router, { address, mac }: OtherHolder, why: "silent" | "left"): void {
    endAlarm(router.counters, OTHER_HOLDER);
    const silent = `the other host, ${mac}, does not answer for ${address} any more`;
    this.#emit("alarm", "info", router.name, {
      message:
        why === "silent" ? silent : `whether ${mac} answers for ${address} is not asked any more`,
      detail: { alarm: OTHER_HOLDER, from: mac, address, over: true },
    });
  }

  dropped(router: Router, reason: DropReason, from: IpAddress): void {
    this.#seldom("warn", router.name, reason, from, `dropped an advertisement: ${reason}`);
  }

  unknownVrid(vrid: number, from: IpAddress): void {
    this.#seldom("info", `VRID ${vrid}`, UNKNOWN_VRID, from, "no instance here has this VRID");
  }

  /** A BFD session changed. Only what others depend on is told aloud: that it is up, or not. */
  session(snapshot: BfdSnapshot): void {
    const { name, neighbour, diagnostic, remote, lastChange } = snapshot;
    const { from, to, reason } = lastChange;
    const lost = from === "up" && to !== "admin-down";
    const silent = reason === "startup" && snapshot.verdict === "down";
    const level = lost || silent ? "warn" : from === "up" || to === "up" ? "info" : "debug";
    const what = silent ? "is not up yet, and counts as down" : `${from} to ${to}: ${reason}`;
    this.#emit("bfd", level, name, {
      message: `bfd ${neighbour} ${what}`,
      detail: {
        ...{ ...verdictOf(snapshot), neighbour, from, to, diagnostic },
        remoteDiagnostic: remote?.diagnostic ?? null,
      },
    });
  }

  controlDropped(reason: DiscardReason, from: IpAddress): void {
    this.#seldom("warn", "bfd", reason, from, `dropped a BFD packet: ${reason}`);
  }

  /** `undefined`: it is gone by now. A link that is down has been told of, and takes no resignation. */
  sendError(router: Router | undefined, errno: string): void {
    if (router === undefined) return;
    router.counters.sendErrors += 1;
    const { state } = router;
    if (state.kind === "fault" && state.faults.some(({ cause }) => LINK_FAULTS.has(cause))) return;
    this.#seldom("warn", router.name, `send-error ${errno}`, "", sendErrorText(errno));
  }

  /** Something about the host that an operator should know. */
  host(level: LogLevel, subject: string, message: string, detail: Detail = {}): void {
    const times = this.#repetition.happened(`${subject} ${message}`, this.#clock.now());
    if (times === 0) return;
    this.#emit("alarm", level, subject, { message: message + countText(times), detail });
  }

  /** Answers whether it was told. */
  #seldom(level: LogLevel, subject: string, kind: string, from: string, text: string): boolean {
    const now = this.#clock.now();
    const times = this.#repetition.happened(`${subject} ${kind} ${from}`, now);
    if (times === 0) return false;
    const crowd = this.#senders.admit(kind === UNKNOWN_VRID ? kind : `${subject} ${kind}`, now);
    if (crowd === "untold") return false;
    const origin = from === "" ? "" : ` (from ${from})`;
    const rest = crowd === "last" ? MORE_SENDERS : "";
    this.#emit("alarm", level, subject, {
      message: text + origin + countText(times) + rest,
      detail: { alarm: kind, from, times },
    });
    return true;
  }

  #emit(
    kind: EventReport["kind"],
    level: LogLevel,
    subject: string,
    { message, detail }: { readonly message: string; readonly detail: Detail },
  ): void {
    const at = this.#clock.wallClock();
    this.#report({ at, kind, level, subject, message, detail });
  }
}

const MORE_SENDERS = "; further senders are only counted for now";

const GATE_RESTORED =
  "somebody removed the gate's rules (nft flush ruleset?): they are back. Until then nothing kept the " +
  "addresses of a node that hangs from being answered; reload a ruleset without flush ruleset, table by table";

const OTHER_HOLDER = "address-claimed-elsewhere";

const countText = (times: number): string => (times > 1 ? ` [${times} times]` : "");

const faultText = ({ cause, subject }: Fault): string => `${cause} ${subject}`;

/** Alarms of which there is no more to say than their text. */
type PlainAlarm = VrrpAlarm | Exclude<PeerAlarm, "address-list-mismatch">;

const ALARM_TEXT: Readonly<Record<PlainAlarm, string>> = {
  "rival-heard":
    "another node of lower priority goes on advertising, so both are active: it does not hear this " +
    "one (a one-way link). Look at its packet filter (protocol 112), the switch ports and cables " +
    "between the two, and at its interface",
  "owner-conflict": "another router claims to own the addresses (priority 255)",
  "own-address-heard": "an advertisement came from our own address: a duplicate address or a loop",
  "interval-mismatch": "the peer advertises at another interval than this router",
  "checksum-mix": "the routers do not agree on what a v3 checksum covers",
  "first-address-not-link-local": "the peer's first address is not link-local",
};

/** Alarms whose end is noticed. Both are of active routers. */
const LASTING: readonly AlarmKind[] = ["rival-heard", OTHER_HOLDER];

const OVER_TEXT = {
  "rival-heard": "the other node has fallen silent: this one is active alone",
} as const satisfies Partial<Record<AlarmKind, string>>;
