import { createSocket } from "node:dgram";
import { once } from "node:events";

/** What a name server answers: records, or nothing at all. */
export interface Reply {
  /** 0: no error, 2: server failure, 3: no such name. */
  readonly code?: number;
  /** Data of records of the type that was asked for. */
  readonly records?: readonly Buffer[];
}

/** A name server on loopback that answers with what `reply` says; `undefined`: not at all. */
export async function nameServer(reply: (name: string, type: number) => Reply | undefined) {
  const socket = createSocket("udp4");
  let questions = 0;
  socket.on("message", (query, from) => {
    const { name, end } = readName(query);
    questions += 1;
    const answer = reply(name.toLowerCase(), query.readUInt16BE(end));
    if (answer !== undefined)
      socket.send(response(query, end + 4, answer), from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    port: socket.address().port,
    questions: () => questions,
    close: () => void socket.close(),
  };
}

/** A name as it stands in record data. */
export const nameData = (name: string): Buffer =>
  Buffer.concat([
    ...name.split(".").map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)])),
    Buffer.of(0),
  ]);

export const uint16 = (...values: readonly number[]): Buffer =>
  Buffer.concat(values.map((value) => Buffer.of(value >> 8, value & 255)));

function readName(query: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join("."), end: at + 1 };
}

function response(query: Buffer, questionEnd: number, { code = 0, records = [] }: Reply): Buffer {
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(0x8180 | code, 2);
  uint16(1, records.length, 0, 0).copy(header, 4);
  const type = query.subarray(questionEnd - 4, questionEnd - 2);
  // A pointer to the question's name, its type, class IN, 60 s, the data.
  const answers = records.map((data) =>
    Buffer.concat([uint16(0xc00c), type, uint16(1, 0, 60, data.length), data]),
  );
  return Buffer.concat([header, query.subarray(12, questionEnd), ...answers]);
}
