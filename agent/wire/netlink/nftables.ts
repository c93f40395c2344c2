import {
  ATTRIBUTE_HEADER,
  BodyWriter,
  decodeAttributeList,
  decodeAttributes,
  writeNestedHeader,
} from "./attribute.ts";
import type { NetlinkMessage } from "./message.ts";
import { FLAG, HEADER_LENGTH, messageLength, writeHeader } from "./message.ts";
import type { Expression } from "./nftables-expression.ts";
import { writeExpression } from "./nftables-expression.ts";
import {
  CHAIN,
  CHAIN_HOOK,
  DATA,
  GENERATION,
  LIST_ELEMENT,
  NFNL_BATCH,
  NFT,
  RULE,
  SET,
  SET_ELEMENT,
  SET_ELEMENTS,
  SET_FLAG,
  TABLE,
  TABLE_FAMILY,
  VERDICT,
} from "./nftables-numbers.ts";

/** Length of `nfgenmsg`. */
const HEADER = 4;
const VERSION = 0;
/** The subsystem that a batch is for. */
const NFTABLES = 10;
const FAMILY_OF_BATCH = 0;

/** A message that has not got its place in a batch yet. */
export interface Command {
  readonly type: number;
  readonly flags: number;
  readonly body: Uint8Array;
}

export interface Table {
  readonly family: keyof typeof TABLE_FAMILY;
  readonly name: string;
}

/** Where a chain is called by the kernel. */
export interface Hook {
  /** HOOK or ARP_HOOK. */
  readonly number: number;
  /** Lower is earlier; 0 is where `filter` is. */
  readonly priority: number;
  readonly policy: keyof typeof VERDICT;
}

export interface SetSpec {
  readonly name: string;
  /** Tells the sets of one batch apart. */
  readonly id: number;
  /** Only for how nft shows the keys. */
  readonly keyType: number;
  /** Bytes. */
  readonly keyLength: number;
  /** Elements may have a timeout. */
  readonly timeouts?: boolean;
}

export interface SetElement {
  readonly key: Uint8Array;
  /** From now on; `undefined`: it stays. Only in a set with timeouts. */
  readonly timeoutMs?: number | undefined;
}

/** No error when it is there already. */
export const newTable = (table: Table): Command => ({
  type: NFT.newTable,
  flags: FLAG.create,
  body: start(table).attributeText(TABLE.name, table.name).finish(),
});

/** With all that is in it. ENOENT when it is not there. */
export const deleteTable = (table: Table): Command => ({
  type: NFT.deleteTable,
  flags: 0,
  body: start(table).attributeText(TABLE.name, table.name).finish(),
});

export const newChain = (table: Table, name: string, hook: Hook): Command => ({
  type: NFT.newChain,
  flags: FLAG.create,
  body: start(table)
    .attributeText(CHAIN.table, table.name)
    .attributeText(CHAIN.name, name)
    .attributeText(CHAIN.type, "filter")
    .attributeU32Network(CHAIN.policy, VERDICT[hook.policy])
    .nested(CHAIN.hook, (inside) =>
      inside
        .attributeU32Network(CHAIN_HOOK.number, hook.number)
        .attributeU32Network(CHAIN_HOOK.priority, hook.priority),
    )
    .finish(),
});

export const newSet = (table: Table, spec: SetSpec): Command => ({
  type: NFT.newSet,
  flags: FLAG.create,
  body: start(table)
    .attributeText(SET.table, table.name)
    .attributeText(SET.name, spec.name)
    .attributeU32Network(SET.flags, spec.timeouts === true ? SET_FLAG.timeout : 0)
    .attributeU32Network(SET.keyType, spec.keyType)
    .attributeU32Network(SET.keyLength, spec.keyLength)
    .attributeU32Network(SET.id, spec.id)
    .finish(),
});

/** At the end of the chain. */
export const newRule = (
  table: Table,
  chain: string,
  expressions: readonly Expression[],
): Command => ({
  type: NFT.newRule,
  flags: FLAG.create | FLAG.append,
  body: start(table)
    .attributeText(RULE.table, table.name)
    .attributeText(RULE.chain, chain)
    .nested(RULE.expressions, (list) => {
      for (const each of expressions) {
        list.nested(LIST_ELEMENT, (inside) => writeExpression(inside, each));
      }
    })
    .finish(),
});

/**
 * At most 1,000 elements, as all of them are in one attribute of 64 KiB. One that is there already is
 * no error, and keeps its timeout: to extend that, delete and add it in one batch.
 */
export const addElements = (table: Table, set: string, elements: readonly SetElement[]): Command =>
  elementsCommand(NFT.newSetElements, FLAG.create, table, set, elements);

/** At most 1,000. ENOENT when one of them is not there. */
export const deleteElements = (
  table: Table,
  set: string,
  elements: readonly SetElement[],
): Command => elementsCommand(NFT.deleteSetElements, 0, table, set, elements);

/**
 * An element as it stands in a list, for those that are written again and again. With a timeout, that
 * is the last thing in it: see `setTimeoutIn`.
 */
export function encodeElement(element: SetElement): Uint8Array {
  const writer = new BodyWriter();
  writer.nested(LIST_ELEMENT, (inside) => writeElement(inside, element));
  return writer.finish();
}

/** Gives an encoded element with a timeout another one, below 2³² ms. */
export function setTimeoutIn(encoded: Uint8Array, timeoutMs: number): void {
  // By hand, as a view of each of hundreds costs more than all the rest.
  const end = encoded.length;
  encoded[end - 4] = timeoutMs >>> 24;
  encoded[end - 3] = timeoutMs >>> 16;
  encoded[end - 2] = timeoutMs >>> 8;
  encoded[end - 1] = timeoutMs;
}

/** A set, as each message about its elements begins. Alone it asks for them. */
export const elementsOf = (table: Table, set: string): Uint8Array =>
  start(table)
    .attributeText(SET_ELEMENTS.table, table.name)
    .attributeText(SET_ELEMENTS.set, set)
    .finish();

/**
 * Adds elements to each of these sets (`elementsOf`), or has the timeouts of those that are there begin
 * anew, without a moment between. Adding alone leaves a timeout as it is, and what is not there cannot be
 * deleted: so they are added, deleted, and added again, which packets see as one step.
 */
export const renewElements = (
  sets: readonly Uint8Array[],
  encoded: readonly Uint8Array[],
): readonly Command[] =>
  listBodies(sets, encoded).flatMap((body) => [adding(body), deleting(body), adding(body)]);

/**
 * The same for elements that are there. ENOENT when the timeout of one is over: nobody finds that any
 * more, also where the kernel has not cleared it away yet.
 */
export const extendElements = (
  sets: readonly Uint8Array[],
  encoded: readonly Uint8Array[],
): readonly Command[] =>
  listBodies(sets, encoded).flatMap((body) => [deleting(body), adding(body)]);

/** Deletes elements, whether they are there or not: packets never see that they are added first. */
export const dropElements = (
  sets: readonly Uint8Array[],
  encoded: readonly Uint8Array[],
): readonly Command[] =>
  listBodies(sets, encoded).flatMap((body) => [adding(body), deleting(body)]);

const adding = (body: Uint8Array): Command => ({
  type: NFT.newSetElements,
  flags: FLAG.create,
  body,
});

const deleting = (body: Uint8Array): Command => ({ type: NFT.deleteSetElements, flags: 0, body });

/** Messages of a transaction besides its commands. */
export const BATCH_FRAME = 2;

/**
 * The datagram of one transaction: all of it happens, or nothing. Its messages are numbered from
 * `firstSequence` on: its begin, the commands, of which the last is answered, and its end. It is written
 * to where `into` begins, if that is long enough.
 */
export function encodeBatch(
  commands: readonly Command[],
  firstSequence: number,
  into: Uint8Array<ArrayBuffer> = NO_BYTES,
): Uint8Array<ArrayBuffer> {
  let length = messageLength(BEGIN.body) + messageLength(END.body);
  for (const { body } of commands) length += messageLength(body);
  const bytes = into.length < length ? new Uint8Array(length) : into.subarray(0, length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  let start = writeMessage(bytes, view, 0, BEGIN, 0, firstSequence);
  let sequence = firstSequence;
  for (const command of commands) {
    sequence += 1;
    const flags = sequence === firstSequence + commands.length ? FLAG.ack : 0;
    start = writeMessage(bytes, view, start, command, flags, sequence);
  }
  writeMessage(bytes, view, start, END, 0, sequence + 1);
  return bytes;
}

/** Answers where the next one begins. */
function writeMessage(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  { type, flags, body }: Command,
  more: number,
  sequence: number,
): number {
  const end = start + messageLength(body);
  writeHeader(view, start, { type, flags: FLAG.request | flags | more, sequence, body });
  // Port and padding: there may be another message's bytes.
  view.setUint32(start + 12, 0);
  bytes.set(body, start + HEADER_LENGTH);
  for (let at = start + HEADER_LENGTH + body.length; at < end; at += 1) bytes[at] = 0;
  return end;
}

/** Asks for the number that counts up with every change that anybody makes in this namespace. */
export const getGeneration = (): Uint8Array => header(FAMILY_OF_BATCH, 0).finish();

export const getRules = (table: Table, chain: string): Uint8Array =>
  start(table).attributeText(RULE.table, table.name).attributeText(RULE.chain, chain).finish();

/** `undefined` for other messages. */
export function decodeGeneration({ type, body }: NetlinkMessage): number | undefined {
  const id = decodeAttributes(body, HEADER).get(GENERATION.id);
  if (type !== NFT.newGeneration || id?.length !== 4) return undefined;
  return new DataView(id.buffer, id.byteOffset, id.length).getUint32(0);
}

/** The keys in one message of a dump; none in other messages. */
export function decodeElements({ type, body }: NetlinkMessage): readonly Uint8Array[] {
  if (type !== NFT.newSetElements) return [];
  const list = decodeAttributes(body, HEADER).get(SET_ELEMENTS.elements);
  if (list === undefined) return [];
  return decodeAttributeList(list, 0).flatMap(([, element]) => {
    const key = decodeAttributes(element, 0).get(SET_ELEMENT.key);
    const value = key === undefined ? undefined : decodeAttributes(key, 0).get(DATA.value);
    return value === undefined ? [] : [value];
  });
}

/** Elements in one attribute, which has 64 KiB. */
const CHUNK = 1000;

/** One for each set and as many elements as fit. */
function listBodies(
  sets: readonly Uint8Array[],
  encoded: readonly Uint8Array[],
): readonly Uint8Array[] {
  const bodies: Uint8Array[] = [];
  for (let at = 0; at < encoded.length; at += CHUNK) {
    const elements = encoded.length <= CHUNK ? encoded : encoded.slice(at, at + CHUNK);
    for (const set of sets) bodies.push(listBody(set, elements));
  }
  return bodies;
}

/** By hand, as it is made for each extension of a lease. */
function listBody(set: Uint8Array, elements: readonly Uint8Array[]): Uint8Array {
  let length = ATTRIBUTE_HEADER;
  for (const element of elements) length += element.length;
  const body = new Uint8Array(set.length + length);
  body.set(set);
  writeNestedHeader(new DataView(body.buffer), set.length, SET_ELEMENTS.elements, length);
  let end = set.length + ATTRIBUTE_HEADER;
  for (const element of elements) {
    body.set(element, end);
    end += element.length;
  }
  return body;
}

function elementsCommand(
  type: number,
  flags: number,
  table: Table,
  set: string,
  elements: readonly SetElement[],
): Command {
  const body = new BodyWriter()
    .bytes(elementsOf(table, set))
    .nested(SET_ELEMENTS.elements, (list) => {
      for (const each of elements) {
        list.nested(LIST_ELEMENT, (inside) => writeElement(inside, each));
      }
    });
  return { type, flags, body: body.finish() };
}

function writeElement(writer: BodyWriter, { key, timeoutMs }: SetElement): void {
  writer.nested(SET_ELEMENT.key, (data) => data.attributeBytes(DATA.value, key));
  if (timeoutMs === undefined) return;
  writer.attribute(SET_ELEMENT.timeout, (time) =>
    time.u32Network(Math.floor(timeoutMs / 2 ** 32)).u32Network(timeoutMs),
  );
}

const start = ({ family }: Table): BodyWriter => header(TABLE_FAMILY[family], 0);

/** `nfgenmsg`; its resource number is in network order. */
const header = (family: number, resource: number): BodyWriter =>
  new BodyWriter()
    .u8(family)
    .u8(VERSION)
    .bytes(Uint8Array.of(resource >>> 8, resource));

const NO_BYTES = new Uint8Array(0);
const FRAME = header(FAMILY_OF_BATCH, NFTABLES).finish();
const BEGIN: Command = { type: NFNL_BATCH.begin, flags: 0, body: FRAME };
const END: Command = { type: NFNL_BATCH.end, flags: 0, body: FRAME };
