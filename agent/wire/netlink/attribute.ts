/** The `littleEndian` argument of DataView that means this machine's order, as netlink wants it. */
export const byteOrder = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Attributes of a message by type. Of an attribute given twice, the last counts. */
export type Attributes = ReadonlyMap<number, Uint8Array>;

const NESTED = 0x8000;
const TYPE_MASK = 0x3fff;

/** Builds the body of a message: a fixed header, then attributes, each padded to four bytes. */
export class BodyWriter {
  #bytes = new Uint8Array(128);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  u8(value: number): this {
    this.#reserve(1);
    this.#view.setUint8(this.#length, value);
    this.#length += 1;
    return this;
  }

  u16(value: number): this {
    this.#reserve(2);
    this.#view.setUint16(this.#length, value, byteOrder);
    this.#length += 2;
    return this;
  }

  u32(value: number): this {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, byteOrder);
    this.#length += 4;
    return this;
  }

  u32Network(value: number): this {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value);
    this.#length += 4;
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  /** One attribute whose payload `fill` writes. */
  attribute(type: number, fill: (writer: this) => void): this {
    const start = this.#length;
    this.u16(0).u16(type);
    fill(this);
    this.#view.setUint16(start, this.#length - start, byteOrder);
    return this.pad();
  }

  nested(type: number, fill: (writer: this) => void): this {
    return this.attribute(type | NESTED, fill);
  }

  attributeU8(type: number, value: number): this {
    return this.attribute(type, (writer) => writer.u8(value));
  }

  attributeU16(type: number, value: number): this {
    return this.attribute(type, (writer) => writer.u16(value));
  }

  attributeU32(type: number, value: number): this {
    return this.attribute(type, (writer) => writer.u32(value));
  }

  /** In network order, as netfilter has its numbers. */
  attributeU32Network(type: number, value: number): this {
    return this.attribute(type, (writer) => writer.u32Network(value));
  }

  attributeBytes(type: number, value: Uint8Array): this {
    return this.attribute(type, (writer) => writer.bytes(value));
  }

  /** NUL-terminated, UTF-8. */
  attributeText(type: number, value: string): this {
    return this.attribute(type, (writer) => writer.bytes(utf8(value)).u8(0));
  }

  /** A struct that begins with its own 16-bit length, as `rtnexthop` does. */
  lengthPrefixed(fill: (writer: this) => void): this {
    const start = this.#length;
    this.u16(0);
    fill(this);
    this.#view.setUint16(start, this.#length - start, byteOrder);
    return this.pad();
  }

  pad(): this {
    while (this.#length % 4 !== 0) this.u8(0);
    return this;
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

export const ATTRIBUTE_HEADER = 4;

/** Writes the header of a nested attribute, whose length counts the header, to where it begins. */
export function writeNestedHeader(view: DataView, at: number, type: number, length: number): void {
  view.setUint16(at, length, byteOrder);
  view.setUint16(at + 2, type | NESTED, byteOrder);
}

/** The attributes from `offset` on. A broken one ends the list. */
export function decodeAttributes(bytes: Uint8Array, offset: number): Attributes {
  return new Map(decodeAttributeList(bytes, offset));
}

/** The same in their order, for lists in which a type stands more than once. */
export function decodeAttributeList(
  bytes: Uint8Array,
  offset: number,
): readonly (readonly [type: number, payload: Uint8Array])[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const attributes: [number, Uint8Array][] = [];
  let at = offset;
  while (at + 4 <= bytes.length) {
    const length = view.getUint16(at, byteOrder);
    if (length < 4 || at + length > bytes.length) break;
    attributes.push([
      view.getUint16(at + 2, byteOrder) & TYPE_MASK,
      bytes.subarray(at + 4, at + length),
    ]);
    at += (length + 3) & ~3;
  }
  return attributes;
}

/** Structs that begin with their own 16-bit length, each with attributes behind `header` bytes. */
export function decodeLengthPrefixed(
  bytes: Uint8Array | undefined,
  header: number,
): readonly Attributes[] {
  if (bytes === undefined) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const structs: Attributes[] = [];
  let at = 0;
  while (at + header <= bytes.length) {
    const length = view.getUint16(at, byteOrder);
    if (length < header || at + length > bytes.length) break;
    structs.push(decodeAttributes(bytes.subarray(at, at + length), header));
    at += (length + 3) & ~3;
  }
  return structs;
}

/** The integer in an attribute of 1, 2 or 4 bytes; `undefined` for an absent or odd-sized one. */
export function integerIn(bytes: Uint8Array | undefined): number | undefined {
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length === 1) return view.getUint8(0);
  if (bytes.length === 2) return view.getUint16(0, byteOrder);
  return bytes.length === 4 ? view.getUint32(0, byteOrder) : undefined;
}

/** The text in an attribute, up to its NUL. */
export function textIn(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  const end = bytes.indexOf(0);
  const content = end < 0 ? bytes : bytes.subarray(0, end);
  const escaped = Array.from(content, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  try {
    return decodeURIComponent(escaped);
  } catch {
    // Interface names may hold any byte: what is no UTF-8 is shown byte by byte.
    return String.fromCharCode(...content);
  }
}

function utf8(text: string): Uint8Array {
  const escaped = encodeURIComponent(text);
  const bytes: number[] = [];
  for (let at = 0; at < escaped.length; at += 1) {
    if (escaped[at] === "%") {
      bytes.push(Number.parseInt(escaped.slice(at + 1, at + 3), 16));
      at += 2;
    } else {
      bytes.push(escaped.charCodeAt(at));
    }
  }
  return Uint8Array.from(bytes);
}
