import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A server's key and certificate, PEM. */
export interface ServerIdentity {
  readonly key: string;
  readonly cert: string;
}

export interface Authority {
  /** PEM file, to be trusted. */
  readonly caFile: string;
  /** `days` below zero: it has expired. `names` as in `DNS:localhost,IP:127.0.0.1`. */
  issue(names: string, days: number): ServerIdentity;
  dispose(): void;
}

/** A certificate authority of a test's own, made by openssl in a folder of its own. */
export function createAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-ca-"));
  const path = (name: string): string => join(folder, name);
  const openssl = (...args: readonly string[]) =>
    execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...curve,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-subj",
    "/CN=Test CA",
    "-days",
    "2",
  );
  openssl(
    "req",
    ...curve,
    "-keyout",
    "server.key",
    "-out",
    "server.csr",
    "-subj",
    "/O=Holdfast/CN=server",
  );
  return {
    caFile: path("ca.pem"),
    issue(names, days) {
      writeFileSync(path("extensions"), `subjectAltName=${names}\n`);
      const sign = ["-CA", "ca.pem", "-CAkey", "ca.key", "-extfile", "extensions"];
      openssl(
        "x509",
        "-req",
        "-in",
        "server.csr",
        ...sign,
        "-days",
        String(days),
        "-out",
        "server.pem",
      );
      return {
        key: readFileSync(path("server.key"), "utf8"),
        cert: readFileSync(path("server.pem"), "utf8"),
      };
    },
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}
