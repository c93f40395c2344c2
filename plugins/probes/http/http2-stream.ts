import type { ClientHttp2Session, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { connect } from "node:http2";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type {
  Connection,
  ProbeEndpoint,
  ProbeSockets,
} from "../../../agent/ports/probe-sockets.ts";
import type { Stream, StreamListener } from "../conversation.ts";
import { codeOfError } from "../conversation.ts";
import type { SecureStreams } from "../tls/secure-streams.ts";
import type { TlsProbe } from "../tls/trust-store.ts";

const MOST_HEADERS = 128;
const MOST_HEADER_BYTES = 16_384;

/** One request on a connection of its own. */
export interface Http2Request {
  readonly sockets: ProbeSockets;
  readonly secure: SecureStreams;
  readonly to: ProbeEndpoint;
  readonly tls: TlsProbe | undefined;
  /** What the certificate is to be for. */
  readonly name: string | undefined;
  readonly headers: OutgoingHttpHeaders;
  readonly payload: Buffer | undefined;
  readonly onHeaders: (headers: IncomingHttpHeaders & { ":status"?: number }) => void;
  readonly onTrailers?: (trailers: IncomingHttpHeaders) => void;
}

/**
 * HTTP/2, with TLS by ALPN and without it with prior knowledge (RFC 9113 §3.3). The request is on its
 * way when it is connected; what is received is the body.
 */
export function openHttp2(
  request: Http2Request,
  listener: StreamListener,
): Stream | { readonly errno: string } {
  const stream = new Http2Stream(request, listener);
  const { sockets, secure, to, tls, name } = request;
  if (tls !== undefined) {
    const opened = secure.open(
      { to, tls, name, protocols: ["h2"] },
      {
        ...silent(listener),
        secured: (socket) => {
          if (socket.alpnProtocol === "h2") stream.begin(socket);
          else stream.fail("the server does not speak HTTP/2");
        },
        connected: (warning) => stream.connected(warning),
      },
    );
    if ("errno" in opened) return opened;
    stream.under = opened;
    return stream;
  }
  const connection: Connection | { readonly errno: string } = sockets.connect("tcp", to, {
    ...silent(listener),
    connected() {
      if (connection === undefined || "errno" in connection) return;
      stream.begin(new Socket({ fd: connection.release(), readable: true, writable: true }));
      stream.connected(undefined);
    },
  });
  if ("errno" in connection) return connection;
  stream.under = connection;
  return stream;
}

const silent = (listener: StreamListener) => ({
  waiting: (what: string) => listener.waiting?.(what),
  received: () => undefined,
  ended: () => undefined,
  failed: (code: string) => listener.failed(code),
});

class Http2Stream implements Stream {
  readonly #request: Http2Request;
  readonly #listener: StreamListener;
  /** What it runs on, for as long as that is not handed to the session. */
  under: { close(): void } | undefined;
  #socket: Duplex | undefined;
  #session: ClientHttp2Session | undefined;
  #closed = false;

  constructor(request: Http2Request, listener: StreamListener) {
    this.#request = request;
    this.#listener = listener;
  }

  /** The request went out with the connection. */
  send(): undefined {
    return undefined;
  }

  close(): void {
    this.#closed = true;
    this.#session?.destroy();
    this.#socket?.destroy();
    this.under?.close();
  }

  connected(warning: string | undefined): void {
    if (!this.#closed) this.#listener.connected(warning);
  }

  begin(socket: Duplex): void {
    this.#socket = socket;
    socket.on("error", this.#failed);
    const session = connect("http://server", {
      createConnection: () => socket,
      maxHeaderListPairs: MOST_HEADERS,
      maxSessionMemory: 1,
      settings: { enablePush: false, maxHeaderListSize: MOST_HEADER_BYTES },
    });
    this.#session = session;
    session.on("error", this.#failed);
    session.once("close", () => this.fail("the server closed the connection"));
    const { headers, payload, onHeaders, onTrailers } = this.#request;
    const stream = session.request(headers, { endStream: payload === undefined });
    stream.on("error", this.#failed);
    stream.on("response", this.#whileOpen(onHeaders));
    if (onTrailers !== undefined) stream.on("trailers", this.#whileOpen(onTrailers));
    stream.on(
      "data",
      this.#whileOpen((chunk: Buffer) => this.#listener.received(chunk)),
    );
    stream.once(
      "end",
      this.#whileOpen(() => this.#listener.ended()),
    );
    if (payload !== undefined) stream.end(payload);
  }

  fail(code: string): void {
    this.#failed({ code });
  }

  #whileOpen<Args extends readonly unknown[]>(work: (...args: Args) => void) {
    return (...args: Args): void => {
      if (!this.#closed) work(...args);
    };
  }

  readonly #failed = (error: unknown): void => {
    if (this.#closed) return;
    this.close();
    this.#listener.failed(codeOfError(error));
  };
}
