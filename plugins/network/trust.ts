import { readFileSync } from "node:fs";
import type { SecureContext } from "node:tls";
import { createSecureContext, rootCertificates } from "node:tls";
import type { Json } from "../../sdk/index.ts";
import { CallError } from "../../sdk/plugin.ts";
import { isObject, kindOf } from "../call/arguments.ts";

/**
 * Who is trusted to sign certificates: those that come with Node, and those of the option `ca_file`
 * (PEM). Throws a CallError for options that are not known, and for a file without certificates.
 */
export function readTrust(plugin: string, options: Json): SecureContext {
  if (options === null) return createSecureContext();
  if (!isObject(options)) {
    throw new CallError("options", `the options of ${plugin} are ${kindOf(options)}, not a block`);
  }
  for (const [key, value] of Object.entries(options)) {
    if (key !== "ca_file" || typeof value !== "string") {
      throw new CallError("options", `${plugin} knows one option: ca_file PATH`);
    }
  }
  const { ca_file: file } = options;
  if (typeof file !== "string") return createSecureContext();
  return createSecureContext({ ca: [...rootCertificates, readCertificates(file)] });
}

function readCertificates(file: string): string {
  const text = readText(file);
  if (!text.includes("-----BEGIN CERTIFICATE-----")) {
    throw new CallError("options", `ca_file ${file} holds no certificate in PEM`);
  }
  return text;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code = "failed" } = error as NodeJS.ErrnoException;
    throw new CallError("options", `ca_file ${file} cannot be read (${code})`);
  }
}
