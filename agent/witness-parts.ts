import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { openArbiter } from "../plugins/arbiters/open-arbiter.ts";
import type { ArbiterSettings, ArbiterTls } from "../plugins/arbiters/settings.ts";
import type { WitnessSettings } from "./config/mandates.ts";
import { exposure, walk } from "./config/path-walk.ts";
import type { FenceProblem } from "./core/witness/mandate.ts";
import { entryAt } from "./linux/config-host.ts";
import { putSecrets } from "./runtime/secrets.ts";
import type { Secrets, StoreAccess } from "./runtime/witness/ports.ts";

const DEFAULT_NAMESPACE = "default";

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

/** A fence agent runs with the rights of this process: only its user and root may decide what it is. */
export function examineProgram(program: string): FenceProblem | undefined {
  const walked = walk(program, { entry: entryAt });
  if (!walked.ok) {
    return { reason: `${walked.path} (${walked.errno})`, remedy: "name a program that is there" };
  }
  return exposure(walked.steps, [0, process.geteuid?.() ?? 0]);
}
