import { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { connect } from "node:tls";
import type {
  Connection,
  ProbeEndpoint,
  ProbeSockets,
} from "../../../agent/ports/probe-sockets.ts";
import type { Stream, StreamListener } from "../conversation.ts";
import { codeOfError } from "../conversation.ts";
import type { TlsProbe } from "./trust-store.ts";
import { TrustStore } from "./trust-store.ts";

/** A certificate that ends sooner is told of. */
const WARNING_DAYS = 14;
const DAY_MS = 86_400_000;

export interface SecureTarget {
  readonly to: ProbeEndpoint;
  readonly tls: TlsProbe;
  /** The certificate is to be for this name, where there is no SNI; `undefined`: for the address. */
  readonly name: string | undefined;
  /** ALPN. */
  readonly protocols: readonly string[] | undefined;
}

/** Connections with TLS, on sockets with a source, an interface and a mark of their own. */
export class SecureStreams {
  readonly #sockets: ProbeSockets;
  readonly #wallClock: () => number;
  readonly #trust = new TrustStore();

  constructor(sockets: ProbeSockets, wallClock: () => number) {
    this.#sockets = sockets;
    this.#wallClock = wallClock;
  }

  /** Throws a TrustError for files that cannot be used. */
  open(target: SecureTarget, listener: SecureListener): Stream | { readonly errno: string } {
    const secureContext = this.#trust.contextFor(target.tls, performance.now());
    const stream = new SecureStream(listener, this.#wallClock, (socket) => {
      const { tls, to, name, protocols } = target;
      return connect({
        socket,
        secureContext,
        rejectUnauthorized: tls.verify,
        host: tls.serverName ?? hostOf(name) ?? to.address,
        ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
        ...(protocols === undefined ? {} : { ALPNProtocols: [...protocols] }),
      });
    });
    const connection = this.#sockets.connect("tcp", target.to, {
      connected: () => stream.shakeHands(),
      received: () => undefined,
      ended: () => undefined,
      failed: (errno) => listener.failed(errno),
    });
    if (!("errno" in connection)) stream.connection = connection;
    return "errno" in connection ? connection : stream;
  }
}

export interface SecureListener extends StreamListener {
  /** In place of `received` and `ended`: who wants the socket itself has it when hands are shaken. */
  secured?(socket: TLSSocket): void;
}

class SecureStream implements Stream {
  connection: Connection | undefined;
  readonly #listener: SecureListener;
  readonly #wallClock: () => number;
  readonly #wrap: (socket: Socket) => TLSSocket;
  #socket: TLSSocket | undefined;
  #bare: Socket | undefined;
  #closed = false;

  constructor(
    listener: SecureListener,
    wallClock: () => number,
    wrap: (socket: Socket) => TLSSocket,
  ) {
    this.#listener = listener;
    this.#wallClock = wallClock;
    this.#wrap = wrap;
  }

  send(bytes: Uint8Array): string | undefined {
    this.#socket?.write(bytes);
    return undefined;
  }

  close(): void {
    this.#closed = true;
    this.connection?.close();
    this.#socket?.destroy();
    this.#bare?.destroy();
  }

  shakeHands(): void {
    if (this.connection === undefined) return;
    this.#listener.waiting?.("shaking hands");
    const bare = new Socket({ fd: this.connection.release(), readable: true, writable: true });
    this.#bare = bare;
    bare.on("error", this.#failed);
    const socket = this.#wrap(bare);
    this.#socket = socket;
    socket.on("error", this.#failed);
    socket.once("secureConnect", () => this.#secured(socket));
    // Before the handshake is over, an end is the answer of one who speaks no TLS.
    socket.once("close", () => this.#failed({ code: "ECONNRESET" }));
  }

  #secured(socket: TLSSocket): void {
    if (this.#closed) return;
    if (this.#listener.secured !== undefined) this.#listener.secured(socket);
    else {
      socket.on("data", (chunk: Buffer) => {
        if (!this.#closed) this.#listener.received(chunk);
      });
      socket.once("end", () => {
        if (!this.#closed) this.#listener.ended();
      });
    }
    this.#listener.connected(certificateWarning(socket, this.#wallClock()));
  }

  readonly #failed = (error: unknown): void => {
    if (this.#closed) return;
    this.close();
    this.#listener.failed(codeOfError(error));
  };
}

/** What is to be told of a certificate that soon ends, or has ended where that is not looked at. */
function certificateWarning(socket: TLSSocket, now: number): string | undefined {
  const ends = Date.parse(socket.getPeerX509Certificate()?.validTo ?? "");
  const days = Math.floor((ends - now) / DAY_MS);
  if (!(days < WARNING_DAYS)) return undefined;
  return days < 0 ? "the certificate has expired" : `the certificate ends in ${days} days`;
}

/** A Host header without its port. */
const hostOf = (host: string | undefined): string | undefined => host?.replace(/:\d+$/, "");
