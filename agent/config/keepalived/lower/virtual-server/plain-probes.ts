import type { DnsProbe, ProbeEndpoint, SmtpProbe, UdpProbe } from "../../../virtual-servers.ts";
import type { Statement } from "../../tree.ts";
import type { Lowering } from "../lowering.ts";
import { report } from "../lowering.ts";
import { reportValue } from "../values.ts";
import type { Lines } from "./lines.ts";
import { textOf, wholeOf } from "./lines.ts";

export const readSmtpProbe = (lines: Lines, to: ProbeEndpoint): SmtpProbe => ({
  kind: "smtp",
  to,
  heloName: textOf(lines, "helo_name") ?? "smtpchecker.keepalived.org",
});

const RECORD_TYPES: readonly string[] = [
  "A",
  "NS",
  "CNAME",
  "SOA",
  "MX",
  "TXT",
  "AAAA",
  "RRSIG",
  "DNSKEY",
];

export function readDnsProbe(lines: Lines, to: ProbeEndpoint, lowering: Lowering): DnsProbe {
  const line = lines.get("type");
  const word = line?.words[0];
  const type = RECORD_TYPES.find((each) => each === word?.text.toUpperCase());
  if (line !== undefined && word !== undefined && type === undefined) {
    reportValue(line, word, RECORD_TYPES.join(", "), lowering);
  }
  return { kind: "dns", to, type: type ?? "SOA", name: textOf(lines, "name") ?? "." };
}

const LENGTH = { low: 0, high: 65_535 };

/** `undefined`: it could never succeed, or compare nothing, which is said. */
export function readUdpProbe(
  statement: Statement,
  lines: Lines,
  to: ProbeEndpoint,
  lowering: Lowering,
): UdpProbe | undefined {
  const payload = readBytes(lines.get("payload"), /^[0-9a-f]{1,2}$/i, lowering);
  const require = lines.get("require_reply");
  const reply = readBytes(require, /^[0-9a-fx]{1,2}$/i, lowering);
  const minReplyLength = wholeOf(lines, "min_reply_length", LENGTH, lowering) ?? 0;
  const maxReplyLength = wholeOf(lines, "max_reply_length", LENGTH, lowering) ?? 255;
  if (minReplyLength > maxReplyLength) {
    const message = `no reply has at least ${minReplyLength} and at most ${maxReplyLength} bytes`;
    const hint = `write max_reply_length ${minReplyLength} or more`;
    report(lowering, "check-invalid", statement.keyword, message, hint);
    return undefined;
  }
  if (payload === null || reply === null) return undefined;
  const requireReply = require !== undefined;
  return { kind: "udp", to, payload, requireReply, reply, minReplyLength, maxReplyLength };
}

/** Bytes in pairs of digits; a word of an odd number has its last one alone. `null`: not readable. */
function readBytes(
  line: Statement | undefined,
  byte: RegExp,
  lowering: Lowering,
): string | undefined | null {
  if (line === undefined || line.words.length === 0) return undefined;
  let text = "";
  // Quoted, the bytes stand in one word.
  for (const word of line.words) {
    const bytes = word.text
      .trim()
      .split(/\s+/)
      .flatMap((group) => group.match(/.{1,2}/gs) ?? []);
    const wrong = bytes.find((each) => !byte.test(each));
    if (wrong !== undefined) {
      const message = `${line.keyword.text} takes bytes in hexadecimal, not "${wrong}"`;
      report(lowering, "check-invalid", word, message, "write pairs of the digits 0 to f");
      return null;
    }
    text += bytes.map((each) => each.padStart(2, "0").toLowerCase()).join("");
  }
  return text;
}
