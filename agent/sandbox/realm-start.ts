import { LIMITS } from "./sandbox.ts";

// What the guest side is handed at the start: see `start` in guest.js.

/** A member of `ctx` whose methods speak to the host. */
interface Member {
  readonly name: string;
  /** The key of `permissions` without which it is not there. */
  readonly permission?: string;
  /** First part of the names of its operations; the member's own by default. */
  readonly operation?: string;
  /** Nothing is answered to them. */
  readonly effects?: true;
  readonly methods: readonly string[];
}

const MEMBERS: readonly Member[] = [
  { name: "log", effects: true, methods: ["debug", "info", "warn", "error"] },
  { name: "metrics", effects: true, methods: ["gauge", "count"] },
  { name: "syslog", effects: true, methods: ["send"] },
  { name: "kv", methods: ["get", "set", "delete"] },
  { name: "http", permission: "http", methods: ["get", "head", "post"] },
  { name: "tcp", permission: "tcp", methods: ["connect"] },
  { name: "udp", permission: "udp", methods: ["exchange"] },
  { name: "dns", permission: "dns", methods: ["resolve"] },
  { name: "icmp", permission: "icmp", methods: ["ping"] },
  { name: "tls", permission: "tls", methods: ["certificate"] },
  { name: "exec", permission: "exec", methods: ["run"] },
  { name: "files", permission: "read", operation: "file", methods: ["readText", "exists"] },
  { name: "interfaces", permission: "interface", operation: "interface", methods: ["get"] },
  { name: "gateway", permission: "gateway", methods: ["probe"] },
  { name: "mail", permission: "mail", effects: true, methods: ["send"] },
  { name: "webhook", permission: "webhook", effects: true, methods: ["post"] },
];

/** Most effects in one turn, and in UTF-16 units; what comes beyond them is dropped. */
const TURN_EFFECTS = 200;
const TURN_UNITS = 4 * LIMITS.messageBytes;

/** JSON for the guest side. `permissions` and `state` are JSON themselves. */
export function startText(
  permissions: string,
  state: string | undefined,
  lastCall: number,
): string {
  const asked = JSON.parse(permissions) as Readonly<Record<string, unknown>>;
  const members = MEMBERS.filter(
    ({ permission }) => permission === undefined || asked[permission] !== undefined,
  );
  return JSON.stringify({
    permissions: {
      control: asked["control"],
      plugins: asked["plugins"],
      process: asked["process"],
    },
    members: members.map(({ name, operation, effects, methods }) => [
      name,
      operation ?? name,
      effects === true,
      methods,
    ]),
    state: state === undefined ? null : (JSON.parse(state) as unknown),
    lastCall,
    limits: {
      message: LIMITS.messageBytes,
      state: LIMITS.stateBytes,
      turn: TURN_UNITS,
      effects: TURN_EFFECTS,
      callsInFlight: LIMITS.callsInFlight,
    },
  });
}
