import type { Micros } from "../../../core/time.ts";
import type { HmacAuthentication } from "../../authentication.ts";
import { DEFAULTS } from "../../defaults.ts";
import type { Statement, Word } from "../tree.ts";
import { parseWhole } from "./literals.ts";
import type { Lowering, Said } from "./lowering.ts";
import { report } from "./lowering.ts";
import { hexadecimal, utf8 } from "./utf8.ts";
import { firstWord, readSeconds, readWhole, reportValue } from "./values.ts";

/** Bytes of a key. */
const SHORTEST_KEY = 32;
const LONGEST_KEY = 64;

type Mode = HmacAuthentication["mode"];
type AntiReplay = HmacAuthentication["antiReplay"];

export interface HmacDraft {
  readonly at: Word;
  readonly keys: Map<number, string>;
  activeKey?: Said<number> | undefined;
  timeWindow?: Said<Micros> | undefined;
  antiReplay?: AntiReplay;
  mode?: Mode;
}

type Read = (draft: HmacDraft, statement: Statement, lowering: Lowering) => void;

const KEYWORDS: Readonly<Record<string, Read>> = {
  key: readKey,
  active_key: (draft, statement, lowering) => {
    draft.activeKey = readWhole(statement, { low: 1, high: 255 }, lowering);
  },
  time_window: (draft, statement, lowering) => {
    draft.timeWindow = readSeconds(statement, { low: 1, high: 300 }, lowering);
  },
  anti_replay: (draft, statement, lowering) => {
    const word = firstWord(statement, lowering);
    if (word?.text === "time" || word?.text === "monotonic") draft.antiReplay = word.text;
    else if (word !== undefined) reportValue(statement, word, "time or monotonic", lowering);
  },
  mode: (draft, statement, lowering) => {
    const word = firstWord(statement, lowering);
    if (word === undefined) return;
    const mode = word.text;
    if (mode === "enforce" || mode === "permissive" || mode === "receive-only") draft.mode = mode;
    else reportValue(statement, word, "enforce, permissive or receive-only", lowering);
  },
};

export function readHmac(statement: Statement, lowering: Lowering): HmacDraft {
  const draft: HmacDraft = { at: statement.keyword, keys: new Map() };
  for (const line of statement.block ?? []) {
    if (Object.hasOwn(KEYWORDS, line.keyword.text)) {
      KEYWORDS[line.keyword.text]?.(draft, line, lowering);
    }
  }
  return draft;
}

/** `key ID SECRET`, the secret as text, `hex:…` or `file:PATH`. */
function readKey(draft: HmacDraft, statement: Statement, lowering: Lowering): void {
  const [first, second] = statement.words;
  const id = parseWhole(first?.text ?? "", 1, 255);
  if (first === undefined || second === undefined || id === undefined) {
    refuse(first ?? statement.keyword, "a key is an id from 1 to 255 and a secret", lowering);
    return;
  }
  if (draft.keys.has(id)) {
    refuse(first, `key ${id} is defined twice; peers would not agree on one`, lowering);
    return;
  }
  const secret = readSecret(second, lowering);
  if (secret !== undefined) draft.keys.set(id, secret);
}

function readSecret(word: Word, lowering: Lowering): string | undefined {
  const text = word.text.startsWith("file:") ? readKeyFile(word, lowering) : word.text;
  if (text === undefined) return undefined;
  const hex = text.startsWith("hex:") ? text.slice("hex:".length).toLowerCase() : undefined;
  if (hex !== undefined && !/^(?:[0-9a-f]{2})+$/.test(hex)) {
    refuse(word, "hex: takes an even number of hexadecimal digits", lowering);
    return undefined;
  }
  const secret = hex ?? hexadecimal(utf8(text));
  const length = secret.length / 2;
  if (length >= SHORTEST_KEY && length <= LONGEST_KEY) return secret;
  refuse(word, `a key has ${SHORTEST_KEY} to ${LONGEST_KEY} bytes; this has ${length}`, lowering);
  return undefined;
}

function readKeyFile(word: Word, lowering: Lowering): string | undefined {
  const path = word.text.slice("file:".length);
  const file = lowering.host.readFile(path);
  if (file.ok) return file.text.replace(/\r?\n$/, "");
  refuse(word, `the key file ${path} cannot be read (${file.errno})`, lowering);
  return undefined;
}

/** `undefined`, with an error, when the instance would send what nobody can check. */
export function completeHmac(
  draft: HmacDraft,
  advertisementInterval: Micros,
  lowering: Lowering,
): HmacAuthentication | undefined {
  const { keys, activeKey } = draft;
  if (activeKey === undefined) {
    refuse(draft.at, "auth_hmac names no active_key; nothing would be signed", lowering);
    return undefined;
  }
  if (!keys.has(activeKey.value)) {
    refuse(activeKey.at, `active_key ${activeKey.value} is not among the keys`, lowering);
    return undefined;
  }
  const window = Math.max(advertisementInterval * 3, DEFAULTS.hmacLeastTimeWindow) as Micros;
  return {
    kind: "hmac",
    keys: [...keys].map(([id, secret]) => ({ id, secret })),
    activeKey: activeKey.value,
    timeWindow: draft.timeWindow?.value ?? window,
    antiReplay: draft.antiReplay ?? "time",
    mode: draft.mode ?? "enforce",
  };
}

function refuse(at: Word, message: string, lowering: Lowering): void {
  // The secret itself must reach neither a screen nor a log.
  report(lowering, "hmac-invalid", at.position, message, "see auth_hmac: key, active_key");
}
