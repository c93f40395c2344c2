/** Types that DNS_CHECK knows, by number. */
const TYPES: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  RRSIG: 46,
  DNSKEY: 48,
};

const RCODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];

const HEADER_LENGTH = 12;
const CLASS_IN = 1;
const RECURSION_DESIRED = 0x0100;
const RESPONSE = 0x8000;

/** A query, RFC 1035 §4.1; `undefined` for a name or a type that there cannot be. */
export function encodeQuery(id: number, name: string, type: string): Uint8Array | undefined {
  const number = TYPES[type.toUpperCase()];
  const labels = labelsOf(name);
  if (number === undefined || labels === undefined) return undefined;
  const length = labels.reduce((sum, label) => sum + label.length + 1, 0);
  const message = new Uint8Array(HEADER_LENGTH + length + 5);
  const view = new DataView(message.buffer);
  view.setUint16(0, id);
  view.setUint16(2, RECURSION_DESIRED);
  view.setUint16(4, 1);
  let at = HEADER_LENGTH;
  for (const label of labels) {
    message[at] = label.length;
    message.set(label, at + 1);
    at += label.length + 1;
  }
  view.setUint16(at + 1, number);
  view.setUint16(at + 3, CLASS_IN);
  return message;
}

/** RCODE of an answer to that query, in words; `undefined`: it is none. */
export function responseCode(id: number, message: Uint8Array): string | undefined {
  if (message.length < HEADER_LENGTH) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const flags = view.getUint16(2);
  if (view.getUint16(0) !== id || (flags & RESPONSE) === 0) return undefined;
  const code = flags & 0x000f;
  return RCODES[code] ?? `RCODE ${code}`;
}

/** The labels of a name, the root's own left out. RFC 1035 §2.3.4: 63 octets each, 255 in all. */
function labelsOf(name: string): readonly Uint8Array[] | undefined {
  const whole = name.replace(/\.$/, "");
  if (whole === "") return [];
  const labels = whole.split(".").map((label) => new TextEncoder().encode(label));
  if (labels.some((label) => label.length === 0 || label.length > 63)) return undefined;
  return labels.reduce((sum, label) => sum + label.length + 1, 1) > 255 ? undefined : labels;
}
