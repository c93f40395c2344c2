import type { Micros } from "../../../core/time.ts";
import type { Authentication } from "../../authentication.ts";
import type { Statement, Word } from "../tree.ts";
import type { HmacDraft } from "./hmac.ts";
import { completeHmac } from "./hmac.ts";
import type { Lowering, Said } from "./lowering.ts";
import { report } from "./lowering.ts";
import { utf8 } from "./utf8.ts";
import { readText } from "./values.ts";

/** Bytes of a password that travel. RFC 2338 §5.3.6. */
const PASSWORD_LENGTH = 8;

export interface AuthenticationDraft {
  /** `undefined` as a value: written, and not understood. */
  type: Said<"PASS" | "AH" | undefined> | undefined;
  password: Said<string> | undefined;
}

/** authentication { auth_type PASS|AH \n auth_pass TEXT }. */
export function readAuthentication(
  draft: AuthenticationDraft,
  statement: Statement,
  lowering: Lowering,
): void {
  for (const line of statement.block ?? []) {
    if (line.keyword.text === "auth_type") draft.type = readType(line, lowering);
    else if (line.keyword.text === "auth_pass") draft.password = readPassword(line, lowering);
  }
}

function readType(line: Statement, lowering: Lowering): AuthenticationDraft["type"] {
  const said = readText(line, lowering);
  if (said === undefined) return undefined;
  if (said.value === "PASS" || said.value === "AH") return { value: said.value, at: said.at };
  if (/^(?:PASS|AH);$/.test(said.value)) {
    report(
      lowering,
      "auth-ignored",
      said.at,
      `"${said.value}" with its semicolon is no authentication type: the instance runs without authentication`,
      "remove the semicolon on every node at once",
    );
  } else {
    report(
      lowering,
      "auth-invalid",
      said.at,
      `"${said.value}" is no authentication type; the instance would run without authentication`,
      "write PASS or AH",
    );
  }
  return { value: undefined, at: said.at };
}

function readPassword(line: Statement, lowering: Lowering): AuthenticationDraft["password"] {
  const said = readText(line, lowering);
  if (said === undefined) return undefined;
  // No character takes more than four bytes.
  if (said.value.length <= PASSWORD_LENGTH / 4 || utf8(said.value).length <= PASSWORD_LENGTH) {
    return said;
  }
  report(
    lowering,
    "auth-password-cut",
    said.at.position,
    `auth_pass is longer than ${PASSWORD_LENGTH} bytes; the first ${PASSWORD_LENGTH} are used`,
    `write a password of ${PASSWORD_LENGTH} bytes or fewer`,
  );
  return { value: cut(said.value), at: said.at };
}

/** The fewest characters that fill the field; the wire form cuts within the last of them. */
function cut(text: string): string {
  let kept = "";
  for (const character of text) {
    if (utf8(kept).length >= PASSWORD_LENGTH) break;
    kept += character;
  }
  return kept;
}

interface Circumstances {
  readonly version: 2 | 3;
  readonly strict: boolean;
  readonly advertisementInterval: Micros;
}

const NONE: Authentication = { kind: "none" };

/** What is used in the end; what cannot be used is reported, as an error where it was asked for. */
export function completeAuthentication(
  legacy: AuthenticationDraft | undefined,
  hmac: HmacDraft | undefined,
  circumstances: Circumstances,
  lowering: Lowering,
): Authentication {
  if (hmac !== undefined) return completeHmacOnly(legacy, hmac, circumstances, lowering);
  if (legacy?.type?.value === undefined) {
    if (legacy?.password !== undefined && legacy.type === undefined) {
      ignore(legacy.password.at, "auth_pass without auth_type authenticates nothing", lowering);
    }
    return NONE;
  }
  return completeLegacy(legacy.type.value, legacy.type.at, legacy, circumstances, lowering);
}

function completeHmacOnly(
  legacy: AuthenticationDraft | undefined,
  hmac: HmacDraft,
  { strict, advertisementInterval }: Circumstances,
  lowering: Lowering,
): Authentication {
  if (strict) {
    ignore(hmac.at, "strict mode has no authentication; auth_hmac is ignored", lowering);
    return NONE;
  }
  if (legacy?.type !== undefined) {
    ignore(legacy.type.at, "auth_hmac takes the place of authentication", lowering);
  }
  return completeHmac(hmac, advertisementInterval, lowering) ?? NONE;
}

function completeLegacy(
  type: "PASS" | "AH",
  at: Word,
  legacy: AuthenticationDraft,
  { version, strict }: Circumstances,
  lowering: Lowering,
): Authentication {
  if (strict) {
    ignore(at, `strict mode has no authentication; ${type} is ignored`, lowering);
    return NONE;
  }
  if (version === 3) {
    ignore(at, `VRRP version 3 has no authentication; ${type} is ignored`, lowering);
    return NONE;
  }
  const password = legacy.password?.value ?? "";
  if (password === "") {
    refuse(at, `${type} needs auth_pass; the instance would run unauthenticated`, lowering);
    return NONE;
  }
  return { kind: type === "PASS" ? "pass" : "ah", password };
}

function ignore(at: Word, message: string, lowering: Lowering): void {
  report(lowering, "auth-ignored", at.position, message, "remove the block on every node");
}

function refuse(at: Word, message: string, lowering: Lowering): void {
  report(
    lowering,
    "auth-invalid",
    at,
    message,
    "write authentication { auth_type PASS, auth_pass …}",
  );
}
