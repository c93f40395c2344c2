import type { HttpProbe, ProbeEndpoint } from "../config/virtual-servers.ts";

/** A page whose digest is wanted. */
export interface PageRequest {
  readonly to: ProbeEndpoint;
  /** With TLS; no certificate is looked at. */
  readonly secure: boolean;
  /** SNI; `undefined`: none. */
  readonly serverName: string | undefined;
  readonly version: HttpProbe["version"];
  readonly path: string;
  /** Host header; `undefined`: the address. */
  readonly host: string | undefined;
  readonly timeoutMs: number;
}

export type PageDigest =
  | {
      readonly ok: true;
      readonly status: number;
      /** MD5 of the body, 32 hexadecimal digits. */
      readonly digest: string;
      /** The same with the frames of its chunks, if it has some: keepalived's. */
      readonly framed: string | undefined;
      readonly bytes: number;
      readonly ms: number;
      /** It is not all that was announced. */
      readonly warning: string | undefined;
    }
  | { readonly ok: false; readonly reason: string };

/** Asks once, as an HTTP_GET or SSL_GET would. Never rejects. */
export type DigestPage = (request: PageRequest) => Promise<PageDigest>;
