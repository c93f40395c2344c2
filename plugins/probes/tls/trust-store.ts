import { readFileSync } from "node:fs";
import type { SecureContext } from "node:tls";
import { createSecureContext } from "node:tls";
import type { ProbeOf } from "../../../agent/ports/server-probes.ts";

export type TlsProbe = NonNullable<ProbeOf<"http">["tls"]>;

/** What servers know. Without keys that withstand quantum computers, which would cost a tenth of a probe. */
const CURVES = "X25519:P-256:P-384:P-521";

/** A file that was replaced counts after so long. */
const KEPT_MS = 60_000;

/** Why the files of an SSL block cannot be used. */
export class TrustError extends Error {}

/** Keys and certificates of probes, read once in a while: to read them costs more than a probe. */
export class TrustStore {
  readonly #contexts = new Map<string, { readonly context: SecureContext; readonly at: number }>();

  /** Throws a TrustError. */
  contextFor(tls: TlsProbe, now: number): SecureContext {
    const { caFile, certificateFile, keyFile, keyPassword } = tls;
    const key = JSON.stringify([caFile, certificateFile, keyFile, keyPassword]);
    const known = this.#contexts.get(key);
    if (known !== undefined && now - known.at < KEPT_MS) return known.context;
    const context = contextOf({
      ca: read("ca", caFile),
      cert: read("certificate", certificateFile),
      key: read("key", keyFile),
      passphrase: keyPassword,
    });
    this.#contexts.set(key, { context, at: now });
    return context;
  }
}

function contextOf(
  files: Record<"ca" | "cert" | "key" | "passphrase", string | undefined>,
): SecureContext {
  const given = Object.entries(files).filter(([, text]) => text !== undefined);
  try {
    return createSecureContext({ ...Object.fromEntries(given), ecdhCurve: CURVES });
  } catch (error) {
    const { code = "not PEM" } = error as NodeJS.ErrnoException;
    throw new TrustError(`the files of the SSL block cannot be used (${code})`);
  }
}

function read(what: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code = "failed" } = error as NodeJS.ErrnoException;
    throw new TrustError(`SSL ${what} ${file} cannot be read (${code})`);
  }
}
