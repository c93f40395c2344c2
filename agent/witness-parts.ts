import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { openArbiter } from "../plugins/arbiters/open-arbiter.ts";
import type { ArbiterSettings, ArbiterTls } from "../plugins/arbiters/settings.ts";
import type { WitnessSettings } from "./config/mandates.ts";
import type { Capability } from "./linux/capabilities.ts";
import { confine } from "./linux/confinement.ts";
import { enterNamedNamespace } from "./linux/namespace.ts";
import { failureText, scheduler } from "./linux/scheduling.ts";
import { putSecrets } from "./runtime/secrets.ts";
import type { Secrets, StoreAccess, WitnessPorts } from "./runtime/witness/ports.ts";

const DEFAULT_NAMESPACE = "default";

/** Secrets and keys are read again when the store refuses them: those too that are not root's. */
const FILES: readonly Capability[] = ["dacReadSearch"];
/** Threads that start later need them again, and a reload may ask for more. */
const SCHEDULING: readonly Capability[] = ["sysNice", "ipcLock", "sysResource"];
const GIVEN_UP =
  "the witness process gave up the right to that when it started: restart the agent when it may be";

/** Once it is in its network namespace, it only speaks to a store, and keeps the rights for no more. */
export function preparation(): WitnessPorts["prepare"] {
  const schedule = scheduler();
  let kept: readonly Capability[] | undefined;
  return ({ scheduling, netNamespace }) => {
    if (kept === undefined && netNamespace !== undefined) enterNamedNamespace(netNamespace);
    const failures = schedule(scheduling).map(failureText);
    if (kept === undefined) {
      const scheduled = Object.values(scheduling).some((value) => value !== undefined && value);
      kept = scheduled ? [...FILES, ...SCHEDULING] : FILES;
      return [...failures, ...confine(kept)];
    }
    return failures.length > 0 && kept === FILES ? [...failures, GIVEN_UP] : failures;
  };
}

/** Throws an Error for people where a secret or a file cannot be read. */
export function readStore(settings: WitnessSettings, secrets: Secrets): StoreAccess {
  const arbiter = arbiterSettings(settings, secrets);
  const fingerprint = createHash("sha256").update(JSON.stringify(arbiter)).digest("base64");
  return { fingerprint, open: () => openArbiter(arbiter) };
}

function arbiterSettings(settings: WitnessSettings, secrets: Secrets): ArbiterSettings {
  const { store, endpoints, prefix, user, passwordSecret, tokenSecret } = settings;
  const secret = (name: string | undefined): string | undefined =>
    name === undefined ? undefined : putSecrets(`\${secret:${name}}`, secrets);
  const password = secret(passwordSecret);
  const token = secret(tokenSecret);
  const login = user === undefined ? {} : { login: { user, password: password ?? "" } };
  const tls = tlsOf(settings);
  const named = prefix === undefined ? {} : { prefix };
  switch (store) {
    case "etcd":
      return { kind: store, endpoints, ...named, ...login, ...tls };
    case "consul": {
      const { datacenter } = settings;
      const more = { ...(token && { token }), ...(datacenter && { datacenter }) };
      return { kind: store, endpoints, ...named, ...more, ...tls };
    }
    case "kubernetes": {
      const { namespace = DEFAULT_NAMESPACE } = settings;
      // Mounted tokens are replaced hourly.
      const fresh = token === undefined ? {} : { token: freshOr(token, () => secret(tokenSecret)) };
      return { kind: store, endpoints, namespace, ...named, ...fresh, ...tls };
    }
    case "redis": {
      const { host, port } = hostAndPort(endpoints[0]);
      const { database } = settings;
      const who = { ...(user && { user }), ...(password && { password }) };
      const more = database === undefined ? {} : { database };
      return { kind: store, host, port, ...named, ...who, ...more, ...tls };
    }
    case "zookeeper":
      return {
        kind: store,
        servers: endpoints,
        ...(prefix === undefined ? {} : { folder: prefix }),
        ...login,
      };
  }
}

const freshOr = (last: string, read: () => string | undefined) => (): string => {
  try {
    return read() ?? last;
  } catch {
    return last;
  }
};

function tlsOf(settings: WitnessSettings): { readonly tls?: ArbiterTls } {
  const { caFile, certFile, keyFile, serverName } = settings;
  const parts = {
    ...(caFile !== undefined && { ca: textOf(caFile) }),
    ...(certFile !== undefined && { cert: textOf(certFile) }),
    ...(keyFile !== undefined && { key: textOf(keyFile) }),
    ...(serverName !== undefined && { serverName }),
  };
  return Object.keys(parts).length === 0 ? {} : { tls: parts };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const errno = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw new Error(`${file} cannot be read (${errno})`, { cause: error });
  }
}

/** `HOST:PORT`, `[IPV6]:PORT`. */
function hostAndPort(text: string): { readonly host: string; readonly port: number } {
  const colon = text.lastIndexOf(":");
  const host = text.slice(0, colon).replace(/^\[|\]$/g, "");
  return { host, port: Number(text.slice(colon + 1)) };
}
