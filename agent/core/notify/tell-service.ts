import type { Telling } from "./tell.ts";

// What keepalived tells of virtual and real servers, to whom, and in which order.

export interface ToldServer<Command> {
  readonly name: string;
  readonly notifyUp: Command | undefined;
  readonly notifyDown: Command | undefined;
  readonly mail: boolean;
}

export interface ToldService<Command> {
  readonly name: string;
  readonly quorum: number;
  readonly hysteresis: number;
  readonly quorumUp: Command | undefined;
  readonly quorumDown: Command | undefined;
  readonly mail: boolean;
}

/** A real server came up or went down: its script, the FIFOs, then mail. */
export function tellServer<Command>(
  server: ToldServer<Command>,
  service: Pick<ToldService<Command>, "name">,
  { up, reason }: { readonly up: boolean; readonly reason: string },
  routerId: string,
): readonly Telling<Command>[] {
  const word = up ? "UP" : "DOWN";
  const title = `[${routerId}] Realserver ${server.name} of virtual server ${service.name} - ${word}`;
  const said =
    reason === "" ? (up ? "CHECK succeed on service" : "CHECK failed on service") : reason;
  return [
    ...script(up ? server.notifyUp : server.notifyDown),
    { kind: "fifo", line: `RS ${server.name} ${service.name} ${word}` },
    ...(server.mail ? [mail<Command>(title, said, up)] : []),
  ];
}

/** A virtual server won or lost its quorum. */
export interface QuorumChange {
  readonly up: boolean;
  /** Live weight that decided, and what it was held against. */
  readonly weight: number;
  readonly threshold: number;
  readonly when: "start" | "later" | "shutdown";
}

export function tellQuorum<Command>(
  service: ToldService<Command>,
  change: QuorumChange,
  routerId: string,
): readonly Telling<Command>[] {
  const { name, quorumUp, quorumDown } = service;
  const word = change.up ? "UP" : "DOWN";
  return [
    ...script(change.up ? quorumUp : quorumDown),
    { kind: "fifo", line: `VS ${name} ${word}` },
    ...(service.mail
      ? [
          mail<Command>(
            `[${routerId}] Virtualserver ${name} - ${word}`,
            quorumWords(service, change),
            change.up,
          ),
        ]
      : []),
  ];
}

/** Those who filter mail look for keepalived's own words. */
function quorumWords(
  { quorum, hysteresis }: Pick<ToldService<unknown>, "quorum" | "hysteresis">,
  { up, when, weight, threshold }: QuorumChange,
): string {
  if (when === "shutdown") return "Shutting down";
  const started = `Starting with quorum ${up ? "up" : "down"}`;
  const words = when === "start" ? started : up ? "Gained quorum" : "Lost quorum";
  return `${words} ${quorum}+${hysteresis}=${threshold} <= ${weight}`;
}

const script = <Command>(command: Command | undefined): readonly Telling<Command>[] =>
  command === undefined ? [] : [{ kind: "script", command, arguments: [] }];

const mail = <Command>(title: string, text: string, up: boolean): Telling<Command> => ({
  kind: "mail",
  title,
  text: `=> ${text} <=`,
  severity: up ? "resolved" : "critical",
});
