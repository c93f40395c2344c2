import { familyOf, parseAddress } from "../../../core/address.ts";
import type { UnicastPeer } from "../../config.ts";
import type { Statement, Word } from "../tree.ts";
import { parseWhole } from "./literals.ts";
import type { Lowering } from "./lowering.ts";
import { report, take } from "./lowering.ts";

const HIGHEST_TTL = 255;

export interface PeerWord {
  readonly peer: UnicastPeer;
  readonly at: Word;
}

/** unicast_peer { ADDRESS [min_ttl N] [max_ttl N] … }. A peer that is not understood is an error. */
export function readPeers(into: PeerWord[], statement: Statement, lowering: Lowering): void {
  const seen = new Set(into.map(({ peer }) => peer.address));
  for (const line of statement.block ?? []) {
    const address = parseAddress(line.keyword.text);
    if (address === undefined) {
      report(
        lowering,
        "peer-invalid",
        line.keyword,
        `"${line.keyword.text}" is no address; that peer would hear nothing and become active too`,
        "write one IPv4 or IPv6 address on each line",
      );
      continue;
    }
    if (seen.has(address)) {
      report(lowering, "peer-duplicate", line.keyword, `${address} is listed already`);
      continue;
    }
    seen.add(address);
    into.push({ peer: { address, ...readLimits(line, lowering) }, at: line.keyword });
  }
}

function readLimits(line: Statement, lowering: Lowering): Pick<UnicastPeer, "minTtl" | "maxTtl"> {
  const limits: { min_ttl: number | undefined; max_ttl: number | undefined } = {
    min_ttl: undefined,
    max_ttl: undefined,
  };
  const cursor = { words: line.words, at: 0 };
  for (let word = take(cursor); word !== undefined; word = take(cursor)) {
    if (word.text !== "min_ttl" && word.text !== "max_ttl") {
      reportOption(word, lowering);
      continue;
    }
    const value = take(cursor);
    const parsed = parseWhole(value?.text ?? "", 0, HIGHEST_TTL);
    if (parsed === undefined) reportTtl(word, value, lowering);
    else limits[word.text] = parsed;
  }
  return { minTtl: limits.min_ttl, maxTtl: limits.max_ttl };
}

function reportOption(word: Word, lowering: Lowering): void {
  const second = parseAddress(word.text);
  if (second === undefined) {
    report(
      lowering,
      "peer-option-unknown",
      word,
      `a unicast peer has no option "${word.text}"; it is left out`,
      "write ADDRESS [min_ttl N] [max_ttl N]",
    );
    return;
  }
  report(
    lowering,
    "peer-invalid",
    word,
    `a line holds one peer; ${second} would hear nothing and become active too`,
    `put ${second} on a line of its own`,
  );
}

function reportTtl(word: Word, value: Word | undefined, lowering: Lowering): void {
  report(
    lowering,
    "peer-option-unknown",
    value ?? word,
    `${word.text} takes a whole number from 0 to ${HIGHEST_TTL}; it is left out`,
  );
}

export const peerFamily = ({ peer }: PeerWord) => familyOf(peer.address);
